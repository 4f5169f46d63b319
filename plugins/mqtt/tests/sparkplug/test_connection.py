"""How the node gets in: TLS, users and their rights, a host that does not come, a full disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gateway_mqtt import SparkplugSink
from gateway_mqtt.sparkplug.testing import Host
from gateway_mqtt.testing import Broker

from gateway import Reconnect
from gateway.testing import Emitter, running
from gateway.testing.authority import Authority

POINTS = "name,field.at,command.model\nbay.power,x,setpoint\n"


def _sink(broker: Broker, **fields: Any) -> SparkplugSink:
    return SparkplugSink.model_validate(
        {
            "name": "sp",
            "broker": str(broker.endpoint),
            "reconnect": Reconnect(min=0.05, max=0.1),
        }
        | fields
    )


async def test_the_node_speaks_tls(tmp_path: Path) -> None:
    """Both sides show certificates; births arrive."""
    authority = Authority(tmp_path, "authority")
    authority.issue("broker", "127.0.0.1")
    for name in ("gateway", "reader"):
        authority.issue(name)

    lines = (
        f"cafile {authority.file}",
        f"certfile {tmp_path / 'broker.pem'}",
        f"keyfile {tmp_path / 'broker.key'}",
        "require_certificate true",
    )
    tls = {
        "ca": tmp_path / "authority.pem",
        "certificate": tmp_path / "gateway.pem",
        "key": tmp_path / "gateway.key",
    }

    def shows(client: Any) -> None:
        client.tls_set(
            str(tmp_path / "authority.pem"),
            str(tmp_path / "reader.pem"),
            str(tmp_path / "reader.key"),
        )

    with (
        Broker(tmp_path, *lines).running() as broker,
        Host(broker.endpoint, configure=shows).listening() as host,
    ):
        field = Emitter(name="field")
        async with running([field], [_sink(broker, tls=tls)], POINTS, data=tmp_path) as gw:
            await field.emit(["bay.power"], [1.0])
            await gw.until(lambda: gw.state("sp") == "up")
            await gw.until(lambda: host.of("DBIRTH"))


RIGHTS = """
user node
topic write spBv1.0/grid/NBIRTH/test
topic write spBv1.0/grid/NDATA/test
topic write spBv1.0/grid/NDEATH/test
topic write spBv1.0/grid/DBIRTH/test/#
topic write spBv1.0/grid/DDATA/test/#
topic write spBv1.0/grid/DDEATH/test/#
topic read spBv1.0/grid/NCMD/test
topic read spBv1.0/grid/DCMD/test/#
topic read spBv1.0/STATE/#

user scada
topic read spBv1.0/#
topic write spBv1.0/STATE/scada
topic write spBv1.0/grid/NCMD/#
topic write spBv1.0/grid/DCMD/#

user other
topic read spBv1.0/#
"""
"""What the README advises."""


async def test_rights_at_the_broker_are_enough_and_keep_others_out(tmp_path: Path) -> None:
    """With the rights that the README advises the node works; who may not command is not heard."""
    (tmp_path / "acl").write_text(RIGHTS)
    (tmp_path / "passwords").write_text("")
    with Broker(tmp_path, f"acl_file {tmp_path / 'acl'}", "allow_anonymous true").running() as it:
        # Without a password file every password is right; the user's name is what counts.
        hosts = [
            Host(it.endpoint, configure=lambda client, user=user: client.username_pw_set(user))
            for user in ("scada", "other")
        ]
        field = Emitter(name="field", obeys=True)
        sink = _sink(it, username="node", role="operator")
        with hosts[0].listening() as scada, hosts[1].listening() as other:
            async with running([field], [sink], POINTS, data=tmp_path) as gw:
                await field.emit(["bay.power"], [1.0])
                await gw.until(lambda: gw.state("sp") == "up" and scada.of("DBIRTH"))
                topic = "spBv1.0/grid/DCMD/test/field"
                other.command(topic, {"name": "bay/power", "double_value": 3.0})
                scada.command(topic, {"name": "bay/power", "double_value": 4.0})
                await gw.until(lambda: field.commands)
                assert [command.value for command in field.commands] == [4.0]
            scada.await_message(lambda heard: heard.kind == "NDEATH")


@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_a_host_that_does_not_come_is_waited_for(tmp_path: Path, version: str) -> None:
    """Connected, not up, nothing said; samples wait and are history when the host is there."""
    with Broker(tmp_path).running() as broker:
        field = Emitter(name="field")
        sink = _sink(broker, primary_host="scada", version=version, select=["bay.*"])
        async with running([field], [sink], POINTS, data=tmp_path) as gw:
            await gw.until(
                lambda: "Received SUBSCRIBE" in broker.log or broker.log.count("test-sp")
            )
            await field.emit(["bay.power"] * 3, [1.0, 2.0, 3.0], 0, [1, 2, 3], every=True)
            assert gw.state("sp") != "up"
            assert gw.ledger("sp").pending == 3
            with Host(broker.endpoint, primary=True).listening() as host:

                def heard() -> list[tuple[float, bool]]:
                    return [
                        (m.raw, bool(m.is_historical))
                        for each in host.of("DBIRTH", "DDATA")
                        for m in each.payload.metrics
                    ]

                await gw.until(lambda: len(heard()) == 3)
                await gw.until(lambda: gw.ledger("sp").pending == 0)
                assert gw.state("sp") == "up"
    assert heard() == [(3.0, False), (1.0, True), (2.0, True)]


async def test_a_state_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    """A host of Sparkplug 2.2 says ONLINE: it does not count as there."""
    with Broker(tmp_path).running() as broker, Host(broker.endpoint).listening() as host:
        field = Emitter(name="field")
        sink = _sink(broker, primary_host="scada")
        async with running([field], [sink], POINTS, data=tmp_path) as gw:
            host.say("spBv1.0/STATE/scada", b"ONLINE", 1, retain=True)
            await gw.until(lambda: gw.counters("sp").get("unreadable_states") == 1)
            assert gw.state("sp") != "up"
            host.state(True, 5)
            await gw.until(lambda: gw.state("sp") == "up")


async def test_without_a_place_for_bdseq_nothing_is_begun(tmp_path: Path) -> None:
    """A death that could be taken for another connection's is worse than none: it says why."""
    with Broker(tmp_path).running() as broker:
        field = Emitter(name="field")
        async with running([field], [_sink(broker)], POINTS, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("sp") == "up")
            (found,) = tmp_path.rglob("bdseq")
            found.unlink()
            (found.parent / "bdseq.new").mkdir()
            broker.kill()
            await gw.until(lambda: "cannot keep bdSeq in" in gw.status("sp").error)
