"""A whole gateway with a console, for the tests that talk to it over a socket."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from argon2 import PasswordHasher
from gateway_console import Console

from gateway.testing import AccessSettings, CommandSettings, Emitter, Running, running
from gateway.testing.authority import Authority

POINTS = """\
name,kind,unit,description,model,low,high,field.at,command.model,command.select,command.low,\
command.high
bay1.voltage,analog,V,phase A,Bay1/MMXU1.PhV.phsA,0,400,a,,,,
bay1.breaker,status,,closed is 1,,,,b,latch,,,
bay1.setpoint,analog,kW,,,,,c,setpoint,,0,500
bay2.isolator,status,,,,,,d,latch,local,,
bay2.energy,counter,kWh,,,,,e,,,,
"""
ROLES = {
    "anna": "operator",
    "eva": "engineer",
    "victor": "viewer",
    "adam": "admin",
    "bernd": "bay1",
}
BAY1 = {"name": "bay1", "may": ["read", "command"], "points": ["bay1.*"]}


class Served(NamedTuple):
    """A gateway whose console is up."""

    gateway: Running
    field: Emitter
    console: Console
    url: str
    context: ssl.SSLContext | None

    def client(self, **more: Any) -> httpx.AsyncClient:
        """Return a client of the console; with `token=…` one that logged in."""
        token = more.pop("token", None)
        headers = more.pop("headers", {})
        if token is not None:
            headers = headers | {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(
            base_url=self.url,
            headers=headers,
            verify=self.context or True,
            trust_env=False,
            timeout=10,
            **more,
        )

    async def token(self, user: str) -> str:
        """Log in, and return the token."""
        async with self.client() as client:
            said = {"user": user, "password": f"{user}'s own password"}
            answer = await client.post("/api/v1/login", json=said)
            assert answer.status_code == 200, answer.text
            return str(answer.json()["token"])


class Told(NamedTuple):
    """One event."""

    kind: str
    id: str
    data: Any


async def _events(answer: httpx.Response) -> AsyncIterator[Told]:
    """Yield the events of a stream."""
    kind, number, data = "message", "", list[str]()
    async for line in answer.aiter_lines():
        if not line:
            if data:
                yield Told(kind, number, json.loads("\n".join(data)))
            kind, data = "message", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "id":
            number = value
        elif name == "data":
            data.append(value)


@pytest.fixture
def events() -> Callable[[httpx.Response], AsyncIterator[Told]]:
    """Read server-sent events as a client does: WHATWG HTML, clause 9.2.6."""
    return _events


Serve = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Run a gateway with a console on a free port of loopback, and wait until it is up."""

    @contextlib.asynccontextmanager
    async def start(
        points: str = POINTS,
        access: AccessSettings | None = None,
        commands: CommandSettings | None = None,
        sinks: tuple[Any, ...] = (),
        **fields: Any,
    ) -> AsyncIterator[Served]:
        given = {"name": "desk", "listen": "127.0.0.1:0", "tls": "none"} | fields
        console = Console.model_validate(given)
        field = Emitter(name="field", obeys=True)
        async with running(
            [field], [console, *sinks], points, data=tmp_path, access=access, commands=commands
        ) as gateway:
            await gateway.until(lambda: gateway.state("desk") == "up", 20, "the console is up")
            await field.context()
            context = None
            if console.tls != "none":
                context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
            url = gateway.status("desk").detail.rstrip("/")
            yield Served(gateway, field, console, url, context)

    return start


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, Any]:
    """The field `tls` of a console with a certificate for 127.0.0.1."""
    Authority(tmp_path).issue("gateway", "127.0.0.1")
    return {"certificate": tmp_path / "gateway.pem", "key": tmp_path / "gateway.key"}


@pytest.fixture(scope="session")
def hashes() -> dict[str, str]:
    """The hash of each user's password, as cheap as the gateway takes it."""
    hasher = PasswordHasher(time_cost=1, memory_cost=7 * 1024, parallelism=1)
    return {name: hasher.hash(f"{name}'s own password") for name in ROLES}


@pytest.fixture
def access(tmp_path: Path, hashes: dict[str, str]) -> AccessSettings:
    """Users: anna operates, eva tests and audits, victor looks, adam may all, bernd has bay1."""
    file = tmp_path / "users.yaml"
    file.write_text(
        "".join(
            f"{name}: {{role: {ROLES[name]}, password: '{made}'}}\n"
            for name, made in hashes.items()
        )
    )
    file.chmod(0o600)
    return AccessSettings.model_validate({"users": file, "roles": [BAY1]})
