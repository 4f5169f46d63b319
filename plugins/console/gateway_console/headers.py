"""The headers that tell browsers to be careful."""

from __future__ import annotations

from collections.abc import Iterator

CLOSED = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""For what is data and never a page."""
PAGE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; "
    "object-src 'none'"
)
"""For pages: NiceGUI writes its scripts and styles into them, and compiles templates."""
DATA = ("/api/", "/metrics", "/healthz", "/readyz")


def for_path(path: str, *, secure: bool) -> Iterator[tuple[str, str]]:
    """Yield name and value of each header that an answer lacks unless it has its own."""
    data = path.startswith(DATA)
    yield "Content-Security-Policy", CLOSED if data else PAGE
    yield "X-Content-Type-Options", "nosniff"
    yield "X-Frame-Options", "DENY"
    yield "Referrer-Policy", "no-referrer"
    yield "Cross-Origin-Opener-Policy", "same-origin"
    yield "Cross-Origin-Resource-Policy", "same-origin"
    yield "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    if data:
        yield "Cache-Control", "no-store"
    if secure:
        yield "Strict-Transport-Security", "max-age=31536000"
