"""A gateway that runs elsewhere, as the HTTP API of its `console` tells of it.

The standard library's HTTP, so that a workstation needs nothing but the core; blocking, for a
thread of its own.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from gateway import __version__
from gateway.model.errors import GatewayError, reason

API = "/api/v1"
MOST = 16_000_000
"""Bytes of one answer."""
STEP = 65_536


class RemoteError(GatewayError):
    """What went wrong; `for_good` where asking again cannot help, or would lock a user out."""

    def __init__(self, sentence: str, *, for_good: bool = False, wait: float = 0.0) -> None:
        super().__init__(sentence)
        self.for_good = for_good
        self.wait = wait


@dataclass(frozen=True, slots=True)
class LogIn:
    """Who asks: a user with a password, or who has a token, or nobody in particular."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


class Remote:
    """One connection, made when it is needed; not for two threads at once.

    url:     of the console, `https://HOST[:PORT]`; http is for a loopback address only.
    context: what is trusted; None for http.
    timeout: seconds that each step of a request may take.

    Raises RemoteError where the URL is none.
    """

    def __init__(
        self, url: str, log_in: LogIn, context: ssl.SSLContext | None, timeout: float = 10.0
    ) -> None:
        self.url = url
        self.secure, self._host, self._port = place(url)
        self._log_in = log_in
        self._token = log_in.token
        self._context = context
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str, **query: Any) -> Any:
        """Return what a path of the API answers; lists in `query` are given several times.

        Logs in where that is needed. Raises RemoteError.
        """
        if self._log_in.user and not self._token:
            self._enter()
        target = f"{API}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        status, said = self._ask("GET", target)
        if status == 401 and self._log_in.user:
            # The session has ended: by itself, or with a restart of the gateway.
            self._enter()
            status, said = self._ask("GET", target)
        return self._good(status, said)

    def close(self) -> None:
        """End the session that was begun here, as far as the gateway answers, and disconnect."""
        if self._log_in.user and self._token:
            with contextlib.suppress(RemoteError):
                self._ask("POST", f"{API}/logout")
            self._token = ""
        self._disconnect()

    def _enter(self) -> None:
        self._token = ""
        who = {"user": self._log_in.user, "password": self._log_in.password}
        status, said = self._ask("POST", f"{API}/login", json.dumps(who).encode())
        if status in (401, 403, 422):
            # Once more would count towards a lock-out.
            raise RemoteError(
                f"{self.url} does not let {self._log_in.user} in: {_detail(said)}", for_good=True
            )
        token = self._good(status, said)
        self._token = str(token.get("token") or "") if isinstance(token, dict) else ""
        if not self._token:
            raise self._stranger("an answer without a token")

    def _good(self, status: int, said: Any) -> Any:
        if status == 200:
            return said
        if status == 401:
            shown = "the token is not taken" if self._log_in.token else "nobody is logged in"
            raise RemoteError(f"{self.url}: {shown}: {_detail(said)}", for_good=True)
        if status == 404:
            raise self._stranger("404 Not Found")
        sentence = f"{self.url} answers {status}: {_detail(said)}"
        wait = said.get("retry_after", 0.0) if isinstance(said, dict) else 0.0
        raise RemoteError(sentence, for_good=status in (400, 403, 421, 422), wait=wait)

    def _stranger(self, found: str) -> RemoteError:
        sentence = f"{self.url} is no console of a gateway: found {found}, allowed: JSON of its API"
        return RemoteError(sentence, for_good=True)

    def _ask(self, method: str, target: str, body: bytes | None = None) -> tuple[int, Any]:
        headers = {"Accept": "application/json", "User-Agent": f"grid-gateway/{__version__}"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        kept = self._connection is not None
        try:
            return self._exchange(method, target, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self._disconnect()
            if not (kept and isinstance(error, ConnectionError)):
                raise self._failure(error) from error
        # A connection that was kept may have been closed meanwhile: a new one tells.
        try:
            return self._exchange(method, target, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self._disconnect()
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> RemoteError:
        if isinstance(error, ssl.SSLCertVerificationError):
            return RemoteError(
                f"the certificate of {self.url} is not trusted: {error.verify_message}; "
                "--ca names the authority that is"
            )
        if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
            return self._stranger(f"no HTTP ({_why(error)[:80]})")
        return RemoteError(f"{self.url} cannot be reached: {_why(error)}")

    def _exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Any]:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request(method, target, body, dict(headers))
        answer = self._connection.getresponse()
        content = answer.read(MOST + 1)
        if len(content) > MOST:
            raise http.client.HTTPException(f"an answer of more than {MOST} bytes")
        if answer.status == 204:
            return 204, None
        try:
            said = _printable(json.loads(content))
        except ValueError:
            self._disconnect()
            raise self._stranger(
                f"{answer.status} with {answer.headers.get_content_type()}"
            ) from None
        after = answer.headers.get("Retry-After", "")
        if isinstance(said, dict) and after.isdecimal():
            said["retry_after"] = float(after)
        return answer.status, said

    def _connect(self) -> http.client.HTTPConnection:
        if self._context is not None:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def place(url: str) -> tuple[bool, str, int]:
    """Return whether a URL is one of TLS, its host and its port.

    Raises RemoteError where it is none of a console's.
    """
    allowed = "allowed: https://HOST[:PORT], or http:// at a loopback address"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise RemoteError(f"found the URL {url!r} ({error}), {allowed}", for_good=True) from None
    rest = parts.path.rstrip("/") or parts.query or parts.fragment
    if parts.username is not None or parts.password is not None:
        raise RemoteError("found a user in the URL, allowed: --user", for_good=True)
    if parts.scheme not in ("http", "https") or not host or rest:
        raise RemoteError(f"found the URL {url!r}, {allowed}", for_good=True)
    if parts.scheme == "http" and not _loopback(host):
        raise RemoteError(
            f"found http:// at {host}, {allowed}: passwords do not leave the machine without TLS",
            for_good=True,
        )
    secure = parts.scheme == "https"
    return secure, host, port if port is not None else 443 if secure else 80


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _printable(said: Any) -> Any:
    """Return an answer without what would move the cursor of a terminal."""
    if isinstance(said, str):
        return said if said.isprintable() else "".join(c if c.isprintable() else "�" for c in said)
    if isinstance(said, list):
        return [_printable(one) for one in said]
    return {key: _printable(one) for key, one in said.items()} if isinstance(said, dict) else said


def _detail(said: Any) -> str:
    if isinstance(said, dict):
        return str(said.get("detail") or said.get("title") or "it says nothing else")
    return "it says nothing else"


def _why(error: Exception) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else reason(error)
