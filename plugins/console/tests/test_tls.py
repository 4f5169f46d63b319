"""TLS: what is spoken, who is known by a certificate, and what must be said to do without."""

from __future__ import annotations

import ssl
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway_console import Console
from pydantic import ValidationError

from gateway.testing import AccessSettings, Running, running
from gateway.testing.authority import Authority


async def test_the_port_speaks_tls_and_nothing_else(serve: Any, tls: dict[str, Any]) -> None:
    """Who trusts the authority is served; who does not, or speaks clear text, is not."""
    async with serve(tls=tls) as served:
        assert served.url.startswith("https://")
        async with served.client() as client:
            assert (await client.get("/api/v1/points")).status_code == 200
        for url, verify in ((served.url, True), (served.url.replace("https", "http"), True)):
            async with httpx.AsyncClient(trust_env=False, verify=verify) as client:
                with pytest.raises(httpx.TransportError):
                    await client.get(f"{url}/healthz")


async def test_a_certificate_gives_its_role(serve: Any, tmp_path: Path) -> None:
    """With a `ca` each client must show one, and a rule makes it an operator."""
    authority = Authority(tmp_path)
    authority.issue("gateway", "127.0.0.1")
    authority.issue("hmi")
    authority.issue("panel")
    files = {
        "ca": tmp_path / "ca.pem",
        "certificate": tmp_path / "gateway.pem",
        "key": tmp_path / "gateway.key",
    }
    rules = AccessSettings.model_validate(
        {"certificates": [{"subject": "CN=hmi", "role": "operator"}]}
    )
    roles = {}
    async with serve(tls=files, access=rules) as served:
        for name in ("hmi", "panel"):
            context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
            context.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
            async with served._replace(context=context).client() as client:
                body = {"value": 1}
                where = "/api/v1/points/bay1.breaker/command"
                who = (await client.get("/api/v1/session")).json()
                code = (await client.post(where, json=body)).status_code
                roles[name] = (who["user"], who["role"], code)
        async with served.client() as client:
            with pytest.raises(httpx.TransportError):
                await client.get("/healthz")
    assert roles == {"hmi": ("CN=hmi", "operator", 200), "panel": ("CN=panel", "", 403)}


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "[::]", "gateway.example"])
def test_clear_text_is_for_loopback_only(host: str) -> None:
    """Passwords and tokens do not leave the machine without TLS."""
    with pytest.raises(ValidationError, match="allowed: a loopback address"):
        Console.model_validate({"name": "desk", "listen": f"{host}:8080", "tls": "none"})


def test_tls_must_be_said() -> None:
    """To be without it is never an accident."""
    with pytest.raises(ValidationError, match="tls"):
        Console.model_validate({"name": "desk", "listen": "127.0.0.1:8080"})


def up(gateway: Running, name: str) -> bool:
    return gateway.state(name) == "up"


async def test_two_consoles_in_one_process_know_nothing_of_each_other(
    tmp_path: Path, access: AccessSettings
) -> None:
    """Each has its own sessions, its own limits and its own end."""
    one, two = (
        Console.model_validate({"name": name, "listen": "127.0.0.1:0", "tls": "none"} | more)
        for name, more in (("one", {}), ("two", {"max_sessions": 1}))
    )
    async with running([], [one, two], data=tmp_path, access=access) as gateway:
        for name in ("one", "two"):
            await gateway.until(partial(up, gateway, name), 20)
        urls = [gateway.status(name).detail.rstrip("/") for name in ("one", "two")]
        said = {"user": "anna", "password": "anna's own password"}
        async with httpx.AsyncClient(trust_env=False) as client:
            tokens = [
                (await client.post(f"{url}/api/v1/login", json=said)).json()["token"]
                for url in urls
            ]
            codes = [
                [
                    (
                        await client.get(
                            f"{url}/api/v1/session", headers={"Authorization": f"Bearer {token}"}
                        )
                    ).status_code
                    for token in tokens
                ]
                for url in urls
            ]
            assert codes == [[200, 401], [401, 200]]
            full = await client.post(f"{urls[1]}/api/v1/login", json=said)
            assert full.status_code == 503
            other = await client.post(f"{urls[0]}/api/v1/login", json=said)
            assert other.status_code == 200
