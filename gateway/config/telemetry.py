"""`gateway.telemetry`: whether its libraries are here."""

from __future__ import annotations

from importlib.util import find_spec

from gateway.config.document import Mapping, Node
from gateway.config.section import Section

EXTRA = "grid-gateway[telemetry]"
NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")


def check(section: Section, node: Node) -> None:
    """Report where the libraries are not installed; `node` is what stands under `gateway`."""
    lacking = [name for name in NEEDED if not _installed(name)]
    if lacking:
        if isinstance(node, Mapping) and "telemetry" in node.entries:
            node = node.entries["telemetry"][0]
        section.report(
            node,
            f"telemetry: found no library {' and no '.join(lacking)}, "
            f"allowed: after pip install '{EXTRA}'",
        )


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
