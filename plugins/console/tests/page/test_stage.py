"""NiceGUI in one process: several consoles, their doors, and a console that comes again."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import httpx
from argon2 import PasswordHasher
from gateway_console import Console

from gateway.testing import AccessSettings, free_ports, running

PASSWORD = "a password of theirs"


def users(folder: Path) -> AccessSettings:
    hashed = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    lines = [f'{name}: {{role: viewer, password: "{hashed}"}}\n' for name in ("anna", "bert")]
    path = folder / "users.yaml"
    path.write_text("".join(lines))
    return AccessSettings(users=path)


def console(name: str, port: int) -> Console:
    return Console.model_validate(
        {"name": name, "type": "console", "listen": f"127.0.0.1:{port}", "tls": "none"}
    )


async def logged_in(client: httpx.AsyncClient, user: str) -> dict[str, str]:
    """Log in as a browser's form does, and return the header with the cookie."""
    answer = await client.post(
        "/login",
        content=f"user={user}&password={PASSWORD.replace(' ', '+')}&next=/points",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/points"), answer.text
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    return {"Cookie": cookie.partition(";")[0]}


async def page_of(client: httpx.AsyncClient, cookie: dict[str, str]) -> str:
    """Open a page, and return NiceGUI's name of it."""
    answer = await client.get("/", headers=cookie)
    assert answer.status_code == 200
    found = re.search(r"'client_id': '([0-9a-f-]{36})'", answer.text)
    assert found is not None
    return found[1]


async def socket(client: httpx.AsyncClient, cookie: dict[str, str], page: str) -> int:
    """Begin a socket for a page, and return the status."""
    path = f"/_nicegui_ws/socket.io/?EIO=4&transport=polling&client_id={page}"
    return (await client.get(path, headers=cookie)).status_code


async def test_two_consoles_share_a_process_and_nothing_else(tmp_path: Path) -> None:
    """A session of one is none of the other, and a socket opens its own session's page only."""
    first, second = free_ports(2)
    sinks = [console("east", first), console("west", second)]
    async with (
        running([], sinks, "name\n", data=tmp_path, access=users(tmp_path)) as gateway,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{first}", trust_env=False) as east,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{second}", trust_env=False) as west,
    ):
        await gateway.until(
            lambda: [gateway.state("east"), gateway.state("west")] == ["up", "up"], 30
        )
        anna, bert = await logged_in(east, "anna"), await logged_in(east, "bert")
        other = await logged_in(west, "anna")
        assert (await west.get("/", headers=anna)).headers["location"] == "/login"
        assert (await east.get("/ledger", headers=other)).headers[
            "location"
        ] == "/login?next=/ledger"
        page = await page_of(east, anna)
        assert await socket(east, anna, page) == 200
        assert await socket(east, bert, page) == 403
        assert await socket(east, {}, page) == 401
        assert await socket(west, other, page) == 403
        assert await socket(west, other, await page_of(west, other)) == 200
        foreign = anna | {"Origin": "http://example.org"}
        logged_out = await east.post("/login", content="user=anna", headers=foreign)
        assert logged_out.status_code == 403


async def test_pages_carry_a_policy_that_keeps_others_out(tmp_path: Path) -> None:
    """Scripts need the page's own nonce, which no two pages share; the API keeps its 404."""
    (port,) = free_ports(1)
    async with (
        running([], [console("c", port)], "name\n", data=tmp_path) as gateway,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        await gateway.until(lambda: gateway.state("c") == "up", 30)
        nonces = set()
        for _ in range(2):
            answer = await client.get("/")
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self' 'nonce-" in policy
            assert "frame-ancestors 'none'" in policy
            assert "http" not in policy.replace("'", "")
            nonce = re.search(r"'nonce-([\w-]+)'", policy)
            assert nonce is not None
            nonces.add(nonce[1])
            tags = re.findall(r"<script[^>]*>", answer.text)
            assert len(tags) >= 5
            assert all(f'nonce="{nonce[1]}"' in tag for tag in tags)
            assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", answer.text)
        assert len(nonces) == 2
        unknown = await client.get("/api/v1/nothing")
        assert (unknown.status_code, unknown.headers["content-type"]) == (
            404,
            "application/problem+json",
        )


async def test_a_console_that_comes_again_has_its_pages_again(tmp_path: Path) -> None:
    """NiceGUI is stopped with the last console, and starts with the next."""
    for round_ in range(2):
        (port,) = free_ports(1)
        folder = tmp_path / str(round_)
        folder.mkdir()
        async with (
            running([], [console("c", port)], "name\n", data=folder) as gateway,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        ):
            await gateway.until(lambda: gateway.state("c") == "up", 30)
            page = await page_of(client, {})
            assert await socket(client, {}, page) == 200


def test_nicegui_is_not_imported_before_a_console_runs() -> None:
    """The plugin's classes come without NiceGUI, FastAPI and uvicorn."""
    code = (
        "import sys, gateway_console; gateway_console.Console;"
        "print([m for m in ('nicegui', 'fastapi', 'uvicorn', 'socketio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
