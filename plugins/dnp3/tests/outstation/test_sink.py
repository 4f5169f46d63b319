"""The sink in a whole gateway: samples to a master, its controls to a device."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_dnp3.app import Fragment, FunctionCode, Iin, class_objects, headers, name_range
from gateway_dnp3.objects import AnalogOutput, Crob

from gateway import ANSWERS, CommandStatus, Quality
from gateway.testing import Emitter, free_port, running

sys.path.insert(0, str(Path(__file__).parent))
from station import POINTS, Master, events, measurements, operate, outstation, station

F = FunctionCode


async def test_integrity_shows_all_points(tmp_path: Path) -> None:
    """Class 0 has what the image has: values, flags, outputs, scaled as the row says."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        await s.emit(breaker=1, spare=0, switch=2, horn=0, voltage=23.0, limit=250, energy=1234)
        found = await master.read(0)
        assert found == [
            *((1, n, v) for n, v in enumerate([1.0, 0.0, 0.0])),
            (3, 0, 2.0),
            # The outputs of breaker (0), horn (2), and switch (7, close).
            *((10, n, v) for n, v in [(0, 1.0), (2, 0.0), (7, 1.0)]),
            (20, 0, 1234.0),
            (21, 0, 0.0),
            (30, 0, 230.0),
            (30, 1, 250.0),
            (40, 3, 250.0),
        ]


async def test_events_leave_on_the_confirmation(tmp_path: Path) -> None:
    """The ledger counts a sample as delivered when the master has confirmed it, not before."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        await s.emit(breaker=1)
        await s.emit(breaker=0)
        await s.emit(energy=5)
        master.sequence = 1
        await master.send(Fragment.request(F.READ, class_objects(1, 2, 3), 1))
        answer = await master.hear()
        assert events([answer]) == [(2, 0, 1.0), (2, 0, 0.0), (22, 0, 5.0)]
        assert s.gw.ledger("scada").delivered == 0
        await master.confirm(answer)
        await s.gw.until(lambda: s.gw.ledger("scada").delivered == 3)
        assert s.gw.held("scada") == 0
        assert await master.read(1, 2, 3) == []


async def test_events_survive_a_crash(tmp_path: Path) -> None:
    """What the master has not confirmed is reported after the next start, in its order."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        for value in (1, 0, 1):
            await s.emit(breaker=value)
        assert await master.read(1)
        await s.gw.until(lambda: not s.gw.held("scada"))
        for value in (5, 6, 7):
            await s.emit(energy=value)
        await s.gw.crash()
    async with station(tmp_path) as s, Master.at(s.port) as master:
        answer = await master.ask(F.READ, class_objects(1, 2, 3))
        assert answer.iin is not None
        assert answer.iin & Iin.DEVICE_RESTART
        found = [row for row in events([answer]) if row[0] == 22]
        assert [value for _, _, value in found][:3] == [5.0, 6.0, 7.0]


async def test_analog_keeps_the_latest_and_status_keeps_all(tmp_path: Path) -> None:
    """Of 100 values of each that nobody fetched, one and a hundred wait; the ledger balances."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        for n in range(100):
            await s.emit(breaker=n % 2, voltage=float(n))
        await s.gw.until(lambda: s.gw.ledger("scada").taken == 200)
        found = await master.read(1, 2, 3)
        assert [value for group, _, value in found if group == 2] == [0.0, 1.0] * 50
        # 99 / 0.1; what came before it may have been on its way already.
        assert [value for group, _, value in found if group == 32][-1] == pytest.approx(990.0)
        await s.gw.until(lambda: not s.gw.held("scada"))
        ledger = s.gw.ledger("scada")
        assert ledger.delivered == len(found)
        assert ledger.coalesced == 200 - len(found)
        assert len(found) == 101


async def test_masters_have_their_own_events(tmp_path: Path) -> None:
    """One that is away holds nothing up for the other, and misses nothing."""
    points = POINTS.replace("scada.", "scada.").splitlines()
    both = [points[0] + ",second.index,second.class"]
    both += [line + (",4,1" if line.startswith("breaker") else ",,") for line in points[1:]]
    async with station(
        tmp_path, points="\n".join(both) + "\n", masters={"second": {"master": 2}}
    ) as s:
        async with Master.at(s.port, 1) as one:
            await s.emit(breaker=1)
            assert await one.read(1) == [(2, 0, 1.0)]
            await s.gw.until(lambda: not s.gw.held("scada"))
        assert s.gw.held("second") == 1
        async with Master.at(s.port, 2) as two, Master.at(s.port, 1) as one:
            assert await two.read(1) == [(2, 4, 1.0)]
            assert await one.read(1) == []
            await s.gw.until(lambda: not s.gw.held("second"))
            assert s.gw.counters("scada")["connections"] == 2


async def test_a_stranger_is_not_answered(tmp_path: Path) -> None:
    """A master of another address hears nothing, and changes nothing."""
    async with station(tmp_path) as s, Master.at(s.port, 77) as stranger:
        await stranger.send(Fragment.request(F.READ, class_objects(0), 1))
        with pytest.raises(TimeoutError):
            await stranger.hear(0.3)


async def test_a_master_that_comes_back_replaces_its_connection(tmp_path: Path) -> None:
    """The connection on which it speaks counts; the old one is closed."""
    async with station(tmp_path) as s, Master.at(s.port) as old:
        assert await old.read(0)
        async with Master.at(s.port) as new:
            assert await new.read(0)
            async with asyncio.timeout(10):
                await old.line.channel._reader.read()  # type: ignore[attr-defined]
            await s.gw.until(lambda: s.gw.counters("scada").get("connections_replaced") == 1)


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ({}, "outstation 10 for master 1 is at"),
        ({"master": 2, "max_clients": 3}, "with other settings"),
    ],
)
async def test_two_links_that_cannot_share_a_place(
    tmp_path: Path, second: dict[str, Any], why: str
) -> None:
    """The first one works, the second says what is the matter, and stays down."""
    port, field = free_port(), Emitter(name="field")
    sinks = [outstation(port), outstation(port, "again", **second)]
    async with running([field], sinks, "name,field.at\n", data=tmp_path) as gw:
        await gw.until(lambda: gw.status("again").error)
        await gw.until(lambda: gw.state("scada") == "up")
        assert gw.state("again") != "up"
        assert why in gw.status("again").error


async def test_unsolicited_over_the_wire(tmp_path: Path) -> None:
    """Null response, confirmation, leave, and then each event at once."""
    async with station(tmp_path, unsolicited=True) as s, Master.at(s.port) as master:
        null = await master.hear()
        assert (null.function, null.objects) == (F.UNSOLICITED_RESPONSE, b"")
        await master.confirm(null)
        await master.ask(F.ENABLE_UNSOLICITED, class_objects(1, 2, 3))
        await s.emit(breaker=1)
        report = await master.hear()
        assert events([report]) == [(2, 0, 1.0)]
        await master.confirm(report)
        await s.gw.until(lambda: not s.gw.held("scada"))


async def test_a_point_drives_an_indication(tmp_path: Path) -> None:
    """The row of type iin, index 5, is IIN1.5."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        await s.emit(local=1)
        answer = await master.ask(F.READ, class_objects(0))
        assert answer.iin is not None
        assert answer.iin & Iin.LOCAL_CONTROL


async def test_quality_becomes_flags(tmp_path: Path) -> None:
    """Invalid is not ONLINE; a point that never had a value is RESTART; substituted is forced."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        await s.field.emit(["breaker"], [1], int(Quality.INVALID | Quality.FAILURE), every=True)
        await s.field.emit(["spare"], [1], int(Quality.SUBSTITUTED), every=True)
        answer = await master.ask(F.READ, name_range(1, 2, 0, 2))
        octets = [header.data for header in headers(answer)]
        # State 0x80 with: nothing; REMOTE_FORCED and ONLINE; and RESTART without a state.
        assert bytes(octets[0]) == bytes((0x80, 0x89, 0x02))


# Controls


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        (Crob(0, 0x03), ("breaker", "direct", 1.0)),
        (Crob(0, 0x04), ("breaker", "direct", 0.0)),
        (Crob(0, 0x41), ("breaker", "direct", 1.0)),
        (Crob(0, 0x81), ("breaker", "direct", 0.0)),
        (Crob(2, 0x01, 3, 200, 100), ("horn", "direct", 1.0)),
        (AnalogOutput(3, 1, 250), ("limit", "direct", 250.0)),
        (AnalogOutput(3, 2, 125), ("limit", "direct", 125.0)),
        (AnalogOutput(3, 3, 12.5), ("limit", "direct", 12.5)),
        (AnalogOutput(3, 4, 12.25), ("limit", "direct", 12.25)),
    ],
)
async def test_direct_operate(
    tmp_path: Path, control: Crob | AnalogOutput, expected: tuple[str, str, float]
) -> None:
    """A control becomes the value of its point; the answer is status 0."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        assert await operate(master, F.DIRECT_OPERATE, control) == [0]
        assert await s.told() == [expected]
        if isinstance(control, Crob) and control.index == 2:
            pulse = s.field.commands[0].pulse
            assert pulse is not None
            assert (pulse.on_time, pulse.off_time, pulse.count) == (0.2, 0.1, 3)


@pytest.mark.parametrize(
    ("control", "status"),
    [
        (Crob(99, 0x03), 4),  # no such output
        (AnalogOutput(99, 3, 1.0), 4),
        (Crob(0, 0x01), 4),  # a pulse without a relay for a latch
        (Crob(0, 0x00), 4),
        (Crob(0, 0x23), 4),  # clear
        (Crob(0, 0x13), 4),  # queue
        (Crob(0, 0x0F), 4),
        (Crob(0, 0x03, 0), 3),  # count 0
        (Crob(0, 0x03, 2), 4),
        (Crob(2, 0x03), 4),  # a latch for a pulse
        (Crob(7, 0x41), 2),  # needs a select
        (AnalogOutput(3, 3, 501.0), 12),
        (AnalogOutput(3, 3, float("nan")), 3),
    ],
)
async def test_refusals_in_the_master_s_words(
    tmp_path: Path, control: Crob | AnalogOutput, status: int
) -> None:
    """Nothing is sent to the device, the audit log has it, and the status says why."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        assert await operate(master, F.DIRECT_OPERATE, control) == [status]
        assert await s.told() == []
        refused = [one for one in audit(s.data) if one.get("status", "success") != "success"]
        assert [ANSWERS[CommandStatus(one["status"])].dnp3 for one in refused] == [status]


def audit(data: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(data.rglob("*"))
        if path.is_file() and "audit" in str(path)
        for line in path.read_bytes().splitlines()
        if line.startswith(b"{")
    ]


@pytest.mark.parametrize(
    ("status", "octet"),
    [
        (CommandStatus.DEVICE_LOCAL, 13),
        (CommandStatus.REFUSED, 127),
        (CommandStatus.DEVICE_ERROR, 6),
        (CommandStatus.INTERLOCKED, 10),
    ],
)
async def test_what_the_device_says_reaches_the_master(
    tmp_path: Path, status: CommandStatus, octet: int
) -> None:
    """The answer waits for the device, and says what it said (IEEE 1815 table 11-7)."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        s.field.reply(lambda command: status)
        assert await operate(master, F.DIRECT_OPERATE, Crob(0, 0x03)) == [octet]


async def test_select_before_operate(tmp_path: Path) -> None:
    """The switch wants a select: then close by pulse and relay."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        close = Crob(7, 0x41, 1, 100, 0)
        assert await operate(master, F.OPERATE, close) == [2]
        assert await operate(master, F.SELECT, close) == [0]
        assert await operate(master, F.OPERATE, close) == [0]
        assert await s.told() == [("switch", "execute", 1.0)]
        assert await operate(master, F.OPERATE, close) == [2]


async def test_all_are_selected_or_none(tmp_path: Path) -> None:
    """One that cannot be selected gives back the others: status 16, cancelled."""
    async with station(tmp_path) as s, Master.at(s.port) as master:
        both = (Crob(7, 0x41), Crob(99, 0x03), Crob(0, 0x03))
        assert await operate(master, F.SELECT, *both) == [16, 4, 16]
        assert await operate(master, F.OPERATE, *both) == [2, 2, 2]
        assert await s.told() == []
        # Nothing is held: another select is taken.
        assert await operate(master, F.SELECT, Crob(7, 0x41)) == [0]


async def test_masters_do_not_take_each_other_s_selects(tmp_path: Path) -> None:
    """BLOCKED_OTHER_MASTER, until the first one has left."""
    lines = POINTS.splitlines()
    both = [lines[0] + ",second.index"]
    both += [line + (",0" if line.startswith("switch") else ",") for line in lines[1:]]
    async with (
        station(tmp_path, points="\n".join(both) + "\n", masters={"second": {"master": 2}}) as s,
        Master.at(s.port, 2) as two,
    ):
        async with Master.at(s.port, 1) as one:
            assert await operate(one, F.SELECT, Crob(7, 0x41)) == [0]
            assert await operate(two, F.SELECT, Crob(0, 0x41)) == [17]
        async with asyncio.timeout(10):
            while await operate(two, F.SELECT, Crob(0, 0x41)) != [0]:
                await asyncio.sleep(0.05)


async def test_a_master_without_a_role_may_only_read(tmp_path: Path) -> None:
    """NOT_AUTHORIZED."""
    async with station(tmp_path, role=None) as s, Master.at(s.port) as master:
        assert await operate(master, F.DIRECT_OPERATE, Crob(0, 0x03)) == [9]
        assert await s.told() == []


async def test_a_restart_is_the_link_s(tmp_path: Path) -> None:
    """Where it is allowed: an answer with the time, then IIN1.7 on a new connection."""
    async with station(tmp_path, restart=True, reconnect={"min": "10ms"}) as s:
        async with Master.at(s.port) as master:
            answer = await master.ask(F.COLD_RESTART)
            assert [(one.group, one.variation) for one in headers(answer)] == [(52, 2)]
            await s.gw.until(lambda: s.gw.state("scada") != "up")
        await s.gw.until(lambda: s.gw.state("scada") == "up")
        async with Master.at(s.port) as master:
            assert measurements([await master.ask(F.READ, class_objects(0))])


async def test_a_bound_of_events_is_told_and_counted(tmp_path: Path) -> None:
    """Of eight events five fit: IIN2.3 until it was confirmed, and the ledger has three dropped."""
    async with station(tmp_path, max_events=5) as s, Master.at(s.port) as master:
        for n in range(8):
            await s.emit(energy=float(n))
        await s.gw.until(lambda: s.gw.ledger("scada").taken == 8)
        await asyncio.sleep(0.05)
        first = await master.ask(F.READ, class_objects(1, 2, 3))
        assert [value for _, _, value in events([first])] == [3.0, 4.0, 5.0, 6.0, 7.0]
        assert first.iin is not None
        assert first.iin & Iin.EVENT_BUFFER_OVERFLOW
        await s.gw.until(lambda: not s.gw.held("scada"))
        ledger = s.gw.ledger("scada")
        assert (ledger.delivered, dict(ledger.dropped)) == (5, {"link_full": 3})
        second = await master.ask(F.READ, class_objects(0))
        assert second.iin is not None
        # The ledger's own loss was told with the first answer; it is not told twice.
        assert not second.iin & Iin.EVENT_BUFFER_OVERFLOW
