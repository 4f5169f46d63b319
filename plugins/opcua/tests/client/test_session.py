"""Sessions and subscriptions: renewed, transferred, replaced, and not left behind."""

# mypy: disable-error-code="attr-defined,no-untyped-call"

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SERVED = "name,field.at\np,x\n"
POINTS = "name,plc.node\nq,nsu=urn:grid-gateway:test:points;s=p\n"


def core_of(served: Any) -> Any:
    """The server's own book of sessions and subscriptions, by way of the garbage collector."""
    import gc

    from gateway_opcua.server import Core

    cores = [one for one in gc.get_objects() if isinstance(one, Core)]
    return cores[-1]


def values(linked: Any) -> list[float]:
    return [row.value for row in linked.sink.rows("q") if row.quality & 3 == 0]


async def test_the_keys_of_the_channel_are_renewed(
    serve: Any, link: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three quarters of their lifetime, and nothing of it is seen: no break, no loss."""
    from gateway_opcua.client import session

    renewed: list[bool] = []
    usual = session.Client.open_secure_channel

    async def counting(self: Any, renew: bool = False) -> None:
        await usual(self, renew)
        renewed.append(renew)

    monkeypatch.setattr(session, "CHANNEL_LIFETIME", 0.8)
    monkeypatch.setattr(session.Client, "open_secure_channel", counting)
    fields = {"security": "basic256sha256", "trust": "any"}
    async with serve(SERVED, security=["basic256sha256"], trust="any", keep="every") as served:
        await served.field.emit(["p"], [0.0])
        async with link(served.url.rstrip("/"), POINTS, **fields) as linked:
            await linked.gateway.until(lambda: values(linked) == [0.0])
            expected = [0.0]
            while sum(renewed) < 3:
                count = sum(renewed)
                await linked.gateway.until(lambda count=count: sum(renewed) > count)
                expected.append(expected[-1] + 1)
                await served.field.emit(["p"], [expected[-1]])
                await linked.gateway.until(lambda: values(linked) == expected)
            assert linked.gateway.counters("plc").get("disconnects", 0) == 0


async def test_a_subscription_is_transferred(serve: Any, link: Any) -> None:
    """Where the old session is no more, its subscription comes into a new one, with its queue."""
    async with serve(SERVED, keep="every") as served:
        await served.field.emit(["p"], [0.0])
        url = served.url.rstrip("/")
        async with link(url, POINTS) as linked:
            await linked.gateway.until(lambda: values(linked) == [0.0])
            (subscription,) = core_of(served).subscription_service.subscriptions.values()
            await linked.gateway.until(lambda: not subscription._not_acknowledged_results)
        file = next(linked.folder.rglob("subscription.json"))
        assert file.stat().st_mode & 0o777 == 0o600
        ticket = json.loads(file.read_text())
        file.write_text(json.dumps(ticket | {"token": "", "nonce": ""}))
        await served.field.emit(["p"] * 3, [1.0, 2.0, 3.0], every=True)
        async with link(url, POINTS) as linked:
            await linked.gateway.until(lambda: values(linked) == [1.0, 2.0, 3.0])
            assert linked.gateway.counters("plc")["resumed"] == 1
            (again,) = core_of(served).subscription_service.subscriptions
            assert again == ticket["subscription"]


async def test_another_configuration_leaves_no_subscription_behind(serve: Any, link: Any) -> None:
    """The old one is deleted at the server, and a new one made for the new points."""
    async with serve(SERVED, keep="every") as served:
        await served.field.emit(["p"], [0.0])
        url = served.url.rstrip("/")
        async with link(url, POINTS) as linked:
            await linked.gateway.until(lambda: values(linked) == [0.0])
            (old,) = core_of(served).subscription_service.subscriptions
        async with link(url, POINTS, queue=7) as linked:
            await linked.gateway.until(lambda: values(linked) == [0.0])
            (new,) = core_of(served).subscription_service.subscriptions
            assert new != old
            assert len(core_of(served)._external_sessions) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"subscription": "x"}', "\\x00"])
async def test_a_ticket_that_cannot_be_read_is_no_ticket(
    serve: Any, link: Any, tmp_path: Path, text: str
) -> None:
    """Half-written or foreign: a new subscription is made."""
    async with serve(SERVED) as served:
        await served.field.emit(["p"], [4.0])
        url = served.url.rstrip("/")
        async with link(url, POINTS) as linked:
            await linked.gateway.until(lambda: values(linked) == [4.0])
        file = next(linked.folder.rglob("subscription.json"))
        file.write_text(text)
        async with link(url, POINTS) as linked:
            await linked.gateway.until(lambda: values(linked) == [4.0])
            assert "resumed" not in linked.gateway.counters("plc")


def test_asyncua_is_imported_only_by_links_that_run() -> None:
    """`gateway check`, and links of other plugins, do not pay the second that it takes."""
    told = "import sys, gateway_opcua; print('asyncua' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
