"""Who gets in, and what everybody else hears."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest

from gateway.testing import AccessSettings

LOGIN = "/api/v1/login"


def said(user: str, password: str | None = None, **more: Any) -> dict[str, Any]:
    own = f"{user}'s own password" if password is None else password
    return {"user": user, "password": own, **more}


async def dropped(reader: asyncio.StreamReader) -> bool:
    """Say whether a connection ended without another byte."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


async def test_without_a_log_in_nothing_is_shown(serve: Any, access: AccessSettings) -> None:
    """Every operation of the description but log-in and probes says 401 to who is nobody."""
    async with serve(access=access) as served, served.client() as client:
        paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
        asked = [
            (method.upper(), path.replace("{name}", "bay1.voltage"))
            for path, operations in paths.items()
            for method in operations
            if path not in (LOGIN, "/healthz", "/readyz")
        ]
        assert len(asked) >= 18
        for method, path in asked:
            answer = await client.request(method, path, json={} if method == "POST" else None)
            assert answer.status_code == 401, path
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_password_gives_a_token_and_a_log_out_takes_it(
    serve: Any, access: AccessSettings
) -> None:
    """The token opens until the log-out, and is nobody's then."""
    async with serve(access=access) as served, served.client() as client:
        answer = await client.post(LOGIN, json=said("anna"))
        assert (answer.status_code, answer.json()["role"]) == (200, "operator")
        assert "set-cookie" not in answer.headers
        bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
        assert (await client.get("/api/v1/session", headers=bearer)).json()["user"] == "anna"
        assert (await client.post("/api/v1/logout", headers=bearer)).status_code == 204
        refused = await client.get("/api/v1/session", headers=bearer)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header", ["Bearer x", "Bearer " + "A" * 43, "Basic YW5uYTp4", "Bearer", "", "x" * 5000]
)
async def test_a_token_that_is_none_is_refused_even_where_nobody_needs_one(
    serve: Any, header: str
) -> None:
    """Who shows a token means to be somebody: a wrong one is not taken for none."""
    async with serve() as served, served.client() as client:
        assert (await client.get("/api/v1/points")).status_code == 200
        answer = await client.get("/api/v1/points", headers={"Authorization": header})
        assert answer.status_code == 401


async def test_an_old_session_is_refused(serve: Any, access: AccessSettings) -> None:
    """A session that is not used for its idle time is over."""
    async with serve(access=access, session_idle="300ms") as served:
        token = await served.token("anna")
        async with served.client(token=token) as client:
            assert (await client.get("/api/v1/session")).status_code == 200
            deadline = asyncio.get_running_loop().time() + 5
            code = 200
            while code == 200 and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(0.35)
                code = (await client.get("/api/v1/session")).status_code
            assert code == 401


async def test_wrong_passwords_lock_out_here_as_everywhere(
    serve: Any, access: AccessSettings
) -> None:
    """After the attempts of the configuration the right password opens nothing either."""
    settings = access.model_copy(update={"lockout": type(access.lockout)(attempts=2)})
    async with serve(access=settings) as served, served.client() as client:
        wrong = [await client.post(LOGIN, json=said("anna", "no")) for _ in range(2)]
        right = await client.post(LOGIN, json=said("anna"))
        unknown = await client.post(LOGIN, json=said("nobody", "no"))
        answers = [*wrong, right, unknown]
        assert [one.status_code for one in answers] == [401] * 4
        assert len({one.text for one in answers}) == 1
        assert served.gateway.engine.authority.access.locks


async def test_a_removed_user_may_nothing_at_once(
    serve: Any, access: AccessSettings, hashes: dict[str, str]
) -> None:
    """A session that stands has the rights of the users file as it is now."""
    async with serve(access=access) as served:
        token = await served.token("anna")
        async with served.client(token=token) as client:
            assert (await client.get("/api/v1/links")).status_code == 200
            assert access.users is not None
            access.users.write_text(f"eva: {{role: engineer, password: '{hashes['eva']}'}}\n")
            served.gateway.engine.authority.access.reload()
            assert (await client.get("/api/v1/links")).status_code == 403


async def test_a_cookie_is_out_of_reach_and_needs_the_csrf_token(
    serve: Any, access: AccessSettings, tls: dict[str, Any]
) -> None:
    """Secure, HttpOnly, SameSite=Strict; it reads by itself, and writes with the token only."""
    async with serve(access=access, tls=tls) as served, served.client() as client:
        answer = await client.post(LOGIN, json=said("anna", way="cookie"))
        cookie = answer.headers["set-cookie"]
        assert re.match(r"__Host-test-desk=[A-Za-z0-9_-]{43};", cookie)
        attributes = {one.strip().lower() for one in cookie.split(";")[1:]}
        assert {"secure", "httponly", "samesite=strict", "path=/"} <= attributes
        assert answer.json()["token"] is None
        csrf = answer.json()["csrf"]
        where, what = "/api/v1/points/bay1.breaker/command", {"value": 1}
        assert (await client.get("/api/v1/points")).status_code == 200
        codes = [
            (await client.post(where, json=what, headers=headers)).status_code
            for headers in (
                {},
                {"X-CSRF-Token": "x" * 43},
                {"X-CSRF-Token": csrf, "Origin": "https://evil.example"},
                {"X-CSRF-Token": csrf, "Origin": "null"},
            )
        ]
        assert codes == [403, 403, 403, 403]
        assert served.field.commands == []
        own = {"X-CSRF-Token": csrf, "Origin": served.url}
        assert (await client.post(where, json=what, headers=own)).status_code == 200
        assert len(served.field.commands) == 1
        # The token in the cookie is none as a bearer's.
        token = cookie.split("=", 1)[1].split(";")[0]
        client.cookies.clear()
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await client.get("/api/v1/points", headers=bearer)).status_code == 401


async def test_another_name_for_loopback_leads_nowhere(serve: Any) -> None:
    """A site that has its own name point here reads nothing (DNS rebinding)."""
    async with serve(hostnames=["desk.example"]) as served, served.client() as client:
        port = httpx.URL(served.url).port
        codes = [
            (await client.get("/api/v1/points", headers={"Host": f"{host}:{port}"})).status_code
            for host in ("evil.example", "desk.example", "localhost", "127.0.0.1", "[::1]")
        ]
        assert codes == [421, 200, 200, 200, 200]


async def test_more_requests_than_the_rate_are_refused(serve: Any) -> None:
    """The burst is answered, then 429 with the time to wait; probes are answered always."""
    async with serve(rate=1) as served, served.client() as client:
        answers = [await client.get("/api/v1/points") for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 429, 429]
        assert answers[-1].headers["retry-after"] == "1"
        assert (await client.get("/healthz")).status_code == 200


async def test_a_body_has_a_bound(serve: Any, access: AccessSettings) -> None:
    """Said beforehand or found out while it comes: 413, and nothing is read any further."""
    async with serve(access=access, max_body="10kB") as served:
        token = await served.token("anna")
        async with served.client(token=token) as client:
            large = b'{"names":["' + b"a" * 20_000 + b'"]}'
            json = {"Content-Type": "application/json"}
            known = await client.post("/api/v1/points/read", content=large, headers=json)

            async def pieces() -> Any:
                for at in range(0, len(large), 1000):
                    yield large[at : at + 1000]

            unknown = await client.post("/api/v1/points/read", content=pieces(), headers=json)
            assert [known.status_code, unknown.status_code] == [413, 413]
            assert "allowed: 10000 bytes" in unknown.json()["detail"]


async def test_more_connections_than_allowed_are_dropped_and_counted(serve: Any) -> None:
    """The connection beyond the bound ends at once; the others are served."""
    async with serve(max_clients=1) as served:
        host, port = "127.0.0.1", httpx.URL(served.url).port
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            other, away = await asyncio.open_connection(host, port)
            assert await dropped(other)
        assert served.gateway.counters("desk")["clients_refused"] == 1
        writer.close()
        away.close()


async def test_who_never_asks_is_dropped(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a request, first or second, does not hold a connection for ever."""
    from gateway_console import server

    monkeypatch.setattr(server, "GREETING", 0.1)
    async with serve() as served:
        for first in (b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(served.url).port)
            async with asyncio.timeout(5):
                if first:
                    writer.write(first)
                    await reader.readuntil(b'{"status":"ok"}')
                writer.write(b"GET /healthz HT")
                assert await dropped(reader)
            writer.close()
        assert served.gateway.counters("desk")["silent_clients"] == 2


async def test_answers_tell_browsers_to_be_careful(serve: Any, tls: dict[str, Any]) -> None:
    """Data is no page, in no frame, of no type but its own, and stays with TLS."""
    async with serve(tls=tls) as served, served.client() as client:
        for path in ("/api/v1/points", "/metrics", "/nowhere"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["strict-transport-security"] == "max-age=31536000"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "server" not in headers
        policy = (await client.get("/api/v1/points")).headers["content-security-policy"]
        assert "default-src 'none'" in policy


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ("", b"HTTP/1.1 403"),
        ("Authorization: Bearer x\r\n", b"HTTP/1.1 403"),
        ("Origin: https://evil.example\r\n", b"HTTP/1.1 403"),
    ],
)
async def test_nobody_opens_a_web_socket(
    serve: Any, access: AccessSettings, more: str, status: bytes
) -> None:
    """A page's web socket is a door as any other."""
    async with serve(access=access) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(served.url).port)
        writer.write(
            b"GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            b"Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            + more.encode()
            + b"\r\n"
        )
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(status)
        writer.close()


async def test_another_site_opens_no_web_socket_where_everybody_is_let_in(serve: Any) -> None:
    """A browser says whose page it is that asks."""
    async with serve() as served:
        answers = []
        port = httpx.URL(served.url).port
        for origin in ("https://evil.example", f"http://127.0.0.1:{port}"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                b"GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
                b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                + f"Host: 127.0.0.1:{port}\r\nOrigin: {origin}\r\n\r\n".encode()
            )
            async with asyncio.timeout(5):
                answers.append((await reader.readline()).split()[1])
            writer.close()
        assert answers[0] == b"403"
        assert answers[1] != b"403"


async def test_a_body_that_never_ends_is_refused(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who announces a body and sends half of it hears 408, and holds nothing."""
    from gateway_console import guard

    monkeypatch.setattr(guard, "BODY_TIMEOUT", 0.1)
    async with serve() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(served.url).port)
        writer.write(
            b"POST /api/v1/points/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n"
            b'Content-Type: application/json\r\n\r\n{"names":['
        )
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()
