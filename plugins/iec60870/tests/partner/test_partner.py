"""The partner programs against each other: what they tell of c104 is so, and they end."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

import pytest

from gateway.testing import free_port
from gateway.testing.authority import Authority

sys.path.insert(0, str(Path(__file__).parent))
from c104_process import PATIENCE, C104Client, C104Process, C104Server, point, station
from tls_relay import tls_relay

TIME = 1_800_000_000_123
CA = 1

# (type, value, flags, extra): all that c104 has; CP24 types, 17 to 19 among them, it has not.
# It sends no quality with bitstrings.
MEASURED = [
    ("M_SP_NA_1", 1, 0xF0, 0),
    ("M_DP_NA_1", 2, 0x10, 0),
    ("M_ST_NA_1", -64, 0x41, 1),
    ("M_BO_NA_1", 1, 0, 0),
    ("M_ME_NA_1", -0.5, 0x80, 0),
    ("M_ME_NB_1", -32768, 0x01, 0),
    ("M_ME_NC_1", 1.5, 0xF1, 0),
    ("M_IT_NA_1", -5, 0x40, 31),
    ("M_PS_NA_1", 0xA5A5, 0x80, 0x0101),
    ("M_ME_ND_1", 0.25, 0, 0),
    ("M_SP_TB_1", 1, 0x10, 0),
    ("M_DP_TB_1", 3, 0x20, 0),
    ("M_ST_TB_1", 63, 0x01, 0),
    ("M_BO_TB_1", 0xDEADBEEF, 0, 0),
    ("M_ME_TD_1", 0.5, 0x40, 0),
    ("M_ME_TE_1", 32767, 0x10, 0),
    ("M_ME_TF_1", -2.25, 0x20, 0),
    ("M_IT_TB_1", 7, 0xA0, 3),
    ("M_EP_TD_1", 2, 0x88, 77),
    ("M_EP_TE_1", 0x05, 0x10, 65535),
    ("M_EP_TF_1", 0x03, 0x40, 1),
]
COMMANDS = [
    ("C_SC", 1, 1),
    ("C_DC", 2, 2),
    ("C_RC", 1, 3),
    ("C_SE_NA", -0.5, 5),
    ("C_SE_NB", -100, 0),
    ("C_SE_NC", 1.25, 127),
    ("C_BO", 0x01020304, 0),
]
TIMED = {"C_SE_NA": "C_SE_TA", "C_SE_NB": "C_SE_TB", "C_SE_NC": "C_SE_TC"}


def shown(event: dict[str, object]) -> dict[str, object]:
    return {name: event[name] for name in ("type", "value", "flags", "time", "extra")}


def frame_of(event: dict[str, object]) -> str:
    """Return the first three octets of a received ASDU, which stands behind six of APCI."""
    return str(event.get("frame", ""))[12:18] if event["event"] == "received" else ""


async def opened(client: C104Process) -> None:
    await client.event("state", state="open")


async def test_every_type_arrives_as_it_was_sent() -> None:
    """All monitored types of c104, with value, flags, time and what else they have."""
    port = free_port()
    points = [point(100 + number, row[0]) for number, row in enumerate(MEASURED)]
    async with (
        C104Server(port=port, stations=[station(CA, *points)]) as server,
        C104Client(port=port) as client,
    ):
        await opened(client)
        for number, (name, value, flags, extra) in enumerate(MEASURED):
            time = TIME if name.split("_")[2].startswith("T") else None
            said = {"value": value, "flags": flags, "time": time, "extra": extra}
            reply = await server.ask("transmit", ca=CA, ioa=100 + number, **said)
            assert reply["sent"]
            heard = await client.event("value", ioa=100 + number)
            assert shown(heard) == {"type": name, **said}
            assert heard["cause"] == 3


@pytest.mark.parametrize("timed", [False, True])
async def test_every_command_arrives_and_is_answered(timed: bool) -> None:
    """All commands, directly and with a select, and what refuses them."""
    port = free_port()
    names = [TIMED.get(name, f"{name}_TA") if timed else name for name, _, _ in COMMANDS]
    names = [f"{name if name.count('_') == 2 else f'{name}_NA'}_1" for name in names]
    direct = [point(100 + number, name) for number, name in enumerate(names)]
    selected = [point(200 + number, name, mode="select") for number, name in enumerate(names)]
    stations = [station(CA, *direct, *selected)]
    async with (
        C104Server(port=port, stations=stations) as server,
        C104Client(port=port, originator=9, command_timeout_ms=2000, stations=stations) as client,
    ):
        await opened(client)
        for answered in ("success", "failure"):
            for number, (name, value, extra) in enumerate(COMMANDS):
                order = {"value": value, "extra": extra, "time": TIME if timed else None}
                for ioa in (100 + number, 200 + number):
                    if name == "C_BO" and ioa >= 200:
                        continue  # There is no select of bitstrings.
                    await server.ask("answer", ca=CA, ioa=ioa, **{"with": answered})
                    assert await client.command(CA, ioa, **order) is (answered == "success")
                    heard = await server.event("command", ioa=ioa)
                    assert shown(heard) == {"type": names[number], "flags": 0, **order}
                    assert (heard["cause"], heard["originator"]) == (6, 9)


async def test_what_a_station_is_asked_besides() -> None:
    """Interrogations, counters, clock, test and read are answered; groups c104 does not have."""
    port = free_port()
    points = [
        point(11, "M_SP_NA_1", value=1),
        point(12, "M_IT_NA_1", value=5, extra=3),
        point(13, "M_SP_TB_1", value=1),
    ]
    async with (
        C104Server(port=port, stations=[station(CA, *points)]) as server,
        C104Client(port=port, raw=True, stations=[station(CA, *points)]) as client,
    ):
        await opened(client)
        await client.ask("interrogation", ca=CA)
        assert (await client.event("value", ioa=11))["cause"] == 20
        await client.ask("counters", ca=CA)
        assert (await client.event("value", ioa=12))["cause"] == 37
        await client.ask("clock", ca=CA)
        await server.event("clock")
        await client.ask("test", ca=CA)
        # C_TS_TA_1, one object, activation confirmation.
        await client.until(lambda events: [one for one in events if frame_of(one) == "6b0107"])
        await client.ask("read", ca=CA, ioa=11)
        assert (await client.event("value", ioa=11))["cause"] == 5
        await client.ask("interrogation", ca=CA, qualifier=21)
        assert (await server.event("unexpected"))["why"] == "UNIMPLEMENTED_GROUP"
        # C_IC_NA_1, one object, activation confirmation, negative.
        await client.until(lambda events: [one for one in events if frame_of(one) == "640147"])
        await server.ask("initialized", ca=CA, cause=2)
        assert (await client.event("initialized"))["cause"] == 2


async def test_several_points_are_one_asdu() -> None:
    """A batch arrives as objects of one ASDU."""
    port = free_port()
    points = [point(ioa, "M_ME_TF_1", value=ioa, time=TIME) for ioa in (7, 9, 10)]
    async with (
        C104Server(port=port, stations=[station(CA, *points)]) as server,
        C104Client(port=port) as client,
    ):
        await opened(client)
        reply = await server.ask("batch", points=[[CA, ioa] for ioa in (7, 9, 10)])
        assert reply["sent"]
        for ioa in (7, 9, 10):
            heard = await client.event("value", ioa=ioa)
            assert (heard["value"], heard["objects"]) == (ioa, 3)


async def test_a_connection_is_started_and_stopped_when_asked() -> None:
    """STARTDT and STOPDT by hand; the parameters are taken and the frames are shown."""
    port = free_port()
    points = [point(11, "M_SP_NA_1", value=1)]
    async with (
        C104Server(
            port=port, k=5, w=3, t1=4, t2=2, t3=7, stations=[station(CA, *points)]
        ) as server,
        C104Client(port=port, start=False, raw=True) as client,
    ):
        await client.event("state", state="open_muted")
        assert not (await server.ask("transmit", ca=CA, ioa=11))["sent"]
        assert (await client.ask("start"))["done"]
        await client.event("sent", frame="680407000000")
        await client.event("received", frame="68040b000000")
        assert (await server.ask("transmit", ca=CA, ioa=11))["sent"]
        await client.event("value", ioa=11)
        assert (await client.ask("stop"))["done"]
        await client.event("sent", frame="680413000000")
        await client.event("received", frame="680423000000")
        await client.event("state", state="open_muted")
        assert (await server.ask("counts"))["active"] == 0


@pytest.mark.parametrize("version", ["1.2", "1.3"])
async def test_both_speak_tls(version: str, tmp_path: Path) -> None:
    """Certificates of one authority on both ends; the client's are those of its relay."""
    port, authority = free_port(), Authority(tmp_path)
    for name in ("station", "centre"):
        authority.issue(name, "127.0.0.1")
    tls = {
        "certificate": str(tmp_path / "station.pem"),
        "key": str(tmp_path / "station.key"),
        "ca": str(authority.file),
        "version": version,
    }
    context = ssl.create_default_context(cafile=str(authority.file))
    context.load_cert_chain(tmp_path / "centre.pem", tmp_path / "centre.key")
    stations = [station(CA, point(11, "M_SP_NA_1", value=1))]
    async with (
        C104Server(port=port, tls=tls, stations=stations) as server,
        tls_relay(port, context) as relayed,
        C104Client(port=relayed) as client,
    ):
        await opened(client)
        assert (await server.ask("transmit", ca=CA, ioa=11))["sent"]
        await client.event("value", ioa=11)


async def test_a_mistake_is_told() -> None:
    """An unknown point is an error in the reply; a program that cannot start says why."""
    port = free_port()
    async with C104Server(port=port, stations=[station(CA)]) as server:
        with pytest.raises(AssertionError, match="KeyError"):
            await server.ask("transmit", ca=CA, ioa=11)
        with pytest.raises(AssertionError, match="no_such_thing"):
            await server.ask("no_such_thing")
    with pytest.raises(AssertionError, match="Unsupported type M_SP_TA_1"):
        async with C104Server(port=port, stations=[station(CA, point(1, "M_SP_TA_1"))]):
            pass
    async with C104Server(port=port, stations=[]) as server:
        server.patience = 0.5
        with pytest.raises(AssertionError, match="no event never"):
            await server.event("never")
        server.patience = PATIENCE
