"""The source `dnp3.master` in a whole gateway, in front of outstations that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from gateway_dnp3.app import Fragment, FunctionCode, Iin, Writer
from gateway_dnp3.master.source import DnpMaster
from gateway_dnp3.master.testing import ScriptedOutstation, nothing
from gateway_dnp3.objects import Columns

from gateway import Batch, CustodyRefused, Quality, SourceContext
from gateway.testing import Collector, free_port, paused, running

F = FunctionCode
STALE = Quality.INVALID | Quality.OLD_DATA
T0 = 1_700_000_000_000  # ms
ROWS = """\
name,kind,scale,rtu.index,rtu.type,rtu.outstation
breaker,status,,3,,
isolator,double,,0,,
energy,counter,10,1,,
frozen,counter,,1,frozen_counter,
voltage,analog,0.1,70,,
target,analog,,2,analog_output_status,
relay,status,,9,binary_output_status,
restarted,status,,7,iin,
other,analog,,0,,11
"""
ONE = "\n".join(ROWS.splitlines()[:-1]) + "\n"


def source(port: int | None = None, model: type[DnpMaster] = DnpMaster, **more: Any) -> DnpMaster:
    settings: dict[str, Any] = {
        "name": "rtu",
        "outstation": 10,
        "event": "never",
        "keep_alive": "never",
        "reconnect": {"min": "1s", "max": "1s"},
    }
    if port is not None:
        settings |= {"host": "127.0.0.1", "port": port}
    return model.model_validate(settings | more)


def objects(*columns: Columns) -> bytes:
    writer = Writer(2048)
    for one in columns:
        assert writer.add(one) == len(one)
    return writer.objects()


def reading(*columns: Columns, con: bool = False, iin: Iin = Iin.NONE) -> Any:
    """A script that answers an integrity poll with these, and everything else with nothing."""

    def script(request: Fragment) -> Sequence[Fragment]:
        if request.function is F.READ and request.objects.endswith(b"\x3c\x01\x06"):
            number = request.control.sequence
            return [Fragment.response(iin, objects(*columns), number, con=con)]
        return nothing(request)

    return script


@paused
async def test_samples(tmp_path: Path) -> None:
    """Each group reaches the points of its type, with its flags, its time, and the row's scale."""
    script = reading(
        Columns.of(2, 2, [3, 3, 4], [1, 0, 1], 0x01, [T0, T0 + 1, T0]),
        Columns.of(4, 3, [0], [2], 0x01, [T0 + 5], synchronised=False),
        Columns.of(22, 1, [1], [7]),
        Columns.of(32, 7, [70], [1234.5], 0x21, [T0 + 2]),
        Columns.of(10, 2, [9], [1]),
        Columns.of(21, 5, [1], [6], 0x01, [T0 + 9]),
        Columns.of(40, 1, [2], [-4], 0x05),
        con=True,
    )
    async with ScriptedOutstation(script=script).running() as device:
        collector = Collector(name="scada")
        async with running([source(device.port)], [collector], ONE, data=tmp_path) as gw:
            await device.until(lambda: device.requests[-1:] == [Fragment.confirm(1)])
            await gw.until(lambda: gw.sample("target").value == -4)

            now = 1_767_225_600_000_000_000  # where the paused clock begins
            device_time = Quality.DEVICE_TIME
            rows = [(r.name, r.value, r.quality, r.time // 10**6) for r in collector.rows()]
            assert rows == [
                ("restarted", 0.0, Quality.GOOD, now // 10**6),
                ("breaker", 1.0, device_time, T0),
                ("breaker", 0.0, device_time, T0 + 1),
                ("isolator", 2.0, device_time | Quality.CLOCK_NOT_SYNCHRONISED, T0 + 5),
                ("energy", 70.0, Quality.GOOD, rows[4][3]),
                ("voltage", pytest.approx(123.45),
                 device_time | Quality.QUESTIONABLE | Quality.OUT_OF_RANGE, T0 + 2),
                ("relay", 1.0, Quality.GOOD, rows[6][3]),
                ("frozen", 6.0, device_time, T0 + 9),
                ("target", -4.0, Quality.QUESTIONABLE | Quality.OLD_DATA, rows[8][3]),
            ]  # fmt: skip
            assert 0 <= rows[4][3] - now // 10**6 < 5000


@paused
async def test_time_of_a_clock_that_is_not_set(tmp_path: Path) -> None:
    """Who asks for the time does not know it: its stamps are marked."""
    columns = Columns.of(2, 2, [3], [1], 0x01, [T0])
    script = reading(columns, con=True, iin=Iin.NEED_TIME)
    async with (
        ScriptedOutstation(script=script).running() as device,
        running([source(device.port)], points=ONE, data=tmp_path) as gw,
    ):
        await gw.until(lambda: gw.sample("breaker").value == 1)
        assert gw.sample("breaker").quality == Quality.DEVICE_TIME | Quality.CLOCK_NOT_SYNCHRONISED


@paused
async def test_indications_are_points(tmp_path: Path) -> None:
    """A row of type iin follows the bit of its index."""
    collector = Collector(name="scada")
    async with (
        ScriptedOutstation().running() as device,
        running([source(device.port)], [collector], points=ONE, data=tmp_path) as gw,
    ):
        await gw.until(lambda: gw.sample("restarted").value == 0)
        await device.until(lambda: F.READ in device.functions())
        await device.say(Fragment.response(Iin.DEVICE_RESTART, con=True, unsolicited=True))
        await device.until(lambda: device.functions().count(F.READ) == 2)
        await asyncio.sleep(1.5)
        assert [row.value for row in collector.rows() if row.name == "restarted"] == [0, 1, 0]
        assert F.WRITE in device.functions()
        assert gw.counters("rtu")["restarts"] == 1


@paused
async def test_one_of_two_is_silent(tmp_path: Path) -> None:
    """Its points become stale, those of the other one do not; then it comes back."""

    def script(request: Fragment) -> Sequence[Fragment]:
        if request.function is not F.READ:
            return nothing(request)
        number = request.control.sequence
        return [Fragment.response(Iin.NONE, objects(Columns.of(30, 5, [0], [1.5])), number)]

    device = ScriptedOutstation(script=script, addresses=(10, 11))
    rows = "name,kind,rtu.index,rtu.outstation\nmine,analog,0,\nother,analog,0,11\n"
    device.port = free_port()
    link = source(device.port, event="1s", timeout="2s")
    async with device.running(), running([link], points=rows, data=tmp_path) as gw:
        await gw.until(lambda: gw.sample("mine").value == gw.sample("other").value == 1.5)
        device.mute.add(11)
        await gw.until(lambda: gw.sample("other").quality == STALE)
        assert gw.sample("other").value == 1.5
        assert gw.sample("mine").quality == Quality.GOOD
        assert gw.state("rtu") == "up"
        before = len(device.asked)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(200)
        to_silent = [address for address, _ in device.asked[before:]].count(11)
        # A tenth of the time at the most: 2 s each.
        assert 5 <= to_silent <= 0.1 * (loop.time() - began) / 2 + 1
        assert len(device.asked) - before > 150

        device.mute.clear()
        await gw.until(lambda: gw.sample("other").quality == Quality.GOOD, timeout=100)
        await asyncio.sleep(1.5)
        assert gw.counters("rtu")["silent_outstations"] == 1
        assert gw.counters("rtu")["timeouts"] >= 7


@paused
async def test_one_of_two_was_never_there(tmp_path: Path) -> None:
    """The link is up all the same, and the points of the one are marked and not awaited."""
    device = ScriptedOutstation(addresses=(10, 11))
    device.mute.add(10)
    rows = "name,kind,rtu.index,rtu.outstation\nmine,analog,0,\nother,analog,0,11\n"
    async with device.running():
        link = source(device.port, event="1s", timeout="2s")
        async with running([link], points=rows, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("rtu") == "up")
            await asyncio.sleep(20)
            assert gw.sample("mine").quality == STALE
            assert gw.counters("rtu")["silent_outstations"] == 1
            assert len([1 for address, _ in device.asked if address == 11]) > 12


@paused
async def test_nobody_answers(tmp_path: Path) -> None:
    """The link is down with a sentence, and connects again and again."""
    device = ScriptedOutstation()
    device.mute.add(10)
    async with device.running():
        link = source(device.port, timeout="2s", retries=1)
        async with running([link], points=ONE, data=tmp_path) as gw:
            await device.until(lambda: len(device.requests) >= 3)
            assert gw.state("rtu") != "up"
            assert "outstation 10 does not answer" in gw.status("rtu").error
            # Twice asked in each connection.
            assert device.times[1] - device.times[0] == pytest.approx(2, abs=0.1)
            assert device.times[2] - device.times[1] == pytest.approx(3, abs=0.6)
            device.mute.clear()
            await gw.until(lambda: gw.state("rtu") == "up")


@paused
async def test_keep_alive(tmp_path: Path) -> None:
    """A line on which nothing is said is asked about; one that is dead is found to be."""
    async with ScriptedOutstation().running() as device:
        link = source(device.port, keep_alive="10s", retries=0, link_timeout="1s", link_retries=1)
        async with running([link], points=ONE, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("rtu") == "up")
            await asyncio.sleep(100)
            assert gw.state("rtu") == "up"
            assert device.functions() == [F.DISABLE_UNSOLICITED, F.READ]

            async def deaf(frame: object) -> None:
                """A connection that stands, and nobody behind it."""

            device.peers[10].take = deaf  # type: ignore[method-assign]
            loop = asyncio.get_running_loop()
            began = loop.time()
            await gw.until(lambda: gw.state("rtu") != "up", timeout=30)
            # At most 10 s of silence, and two questions of a second each.
            assert loop.time() - began <= 12.1
            assert "outstation 10 does not answer" in gw.status("rtu").error
            await gw.until(lambda: gw.state("rtu") == "up")


@paused
async def test_the_connection_breaks(tmp_path: Path) -> None:
    """All points become stale, and come back after the start of the next connection."""
    script = reading(Columns.of(30, 5, [70], [1.5]))
    async with (
        ScriptedOutstation(script=script).running() as device,
        running([source(device.port)], points=ONE, data=tmp_path) as gw,
    ):
        await gw.until(lambda: gw.sample("voltage").quality == Quality.GOOD)
        await device.hang_up()
        await gw.until(lambda: gw.sample("voltage").quality == STALE)
        await gw.until(lambda: gw.sample("voltage").quality == Quality.GOOD)
        assert device.functions() == [F.DISABLE_UNSOLICITED, F.READ] * 2


class Stubborn(DnpMaster):
    """In a gateway that refuses so many batches of events, or takes them and never says so."""

    refuse: int = 0
    hang: bool = False

    async def run(self, ctx: SourceContext) -> None:
        await super().run(_Custody(ctx, self.refuse, self.hang))  # type: ignore[arg-type]


class _Custody:
    def __init__(self, ctx: SourceContext, refuse: int, hang: bool) -> None:
        self._ctx, self._refuse, self._hang = ctx, refuse, hang

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)

    async def emit(self, batch: Batch, *, every: bool = False) -> None:
        if every and self._refuse:
            self._refuse -= 1
            raise CustodyRefused("the disk is full")
        await self._ctx.emit(batch, every=every)
        if every and self._hang:
            await asyncio.Event().wait()


EVENTS = Columns.of(2, 2, [3, 3, 3], [1, 0, 1], 0x01, [T0, T0 + 1, T0 + 2])


class Remembering:
    """An outstation with an event buffer: events are sent until they are confirmed."""

    def __init__(self) -> None:
        self.kept = True
        self.sent = 0
        self.number = -1

    def __call__(self, request: Fragment) -> Sequence[Fragment]:
        number = request.control.sequence
        if request.function is F.CONFIRM:
            self.kept = self.kept and number != self.number
            return []
        if request.function is F.READ and self.kept:
            self.sent += 1
            self.number = number
            iin = Iin.CLASS_1_EVENTS
            return [Fragment.response(iin, objects(EVENTS), number, con=True)]
        return nothing(request)


def seen(collector: Collector) -> list[tuple[float, int]]:
    return [
        (row.value, row.time // 10**6)
        for row in collector.rows()
        if row.name == "breaker" and row.quality & Quality.DEVICE_TIME and row.time // 10**6 >= T0
    ]


@paused
async def test_no_confirmation_without_custody(tmp_path: Path) -> None:
    """Refused custody is no confirmation, and the link goes on: the events come again."""
    script = Remembering()
    collector = Collector(name="scada")
    async with (
        ScriptedOutstation(script=script).running() as device,
        running(
            [source(device.port, Stubborn, refuse=3)], [collector], points=ONE, data=tmp_path
        ) as gw,
    ):
        await gw.until(lambda: not script.kept, timeout=60)
        assert script.sent == 4
        await gw.until(lambda: len(seen(collector)) == 3)
        assert seen(collector) == [(1, T0), (0, T0 + 1), (1, T0 + 2)]
        await asyncio.sleep(2)
        assert gw.counters("rtu")["refused_custody"] == 3
        assert gw.status("rtu").counters.get("disconnects", 0) == 0


@paused
async def test_a_gateway_that_ends_before_the_confirmation(tmp_path: Path) -> None:
    """Stopped between taking and confirming, the outstation sends again: nothing is lost."""
    script = Remembering()
    async with ScriptedOutstation(script=script).running() as device:
        link = source(device.port, Stubborn, hang=True)
        async with running([link], points=ONE, data=tmp_path):
            await device.until(lambda: script.sent == 1)
            await asyncio.sleep(1)
        assert script.kept
        collector = Collector(name="scada")
        async with running([source(device.port)], [collector], points=ONE, data=tmp_path) as gw:
            await gw.until(lambda: not script.kept)
            await gw.until(lambda: len(seen(collector)) == 3)
            assert seen(collector) == [(1, T0), (0, T0 + 1), (1, T0 + 2)]


@paused
async def test_a_confirmation_that_is_lost(tmp_path: Path) -> None:
    """An unsolicited response that is repeated is confirmed again, and comes in once."""
    collector = Collector(name="scada")
    async with (
        ScriptedOutstation().running() as device,
        running([source(device.port, unsolicited=True)], [collector], ONE, data=tmp_path) as gw,
    ):
        await device.until(lambda: F.ENABLE_UNSOLICITED in device.functions())
        report = Fragment.response(Iin.NONE, objects(EVENTS), 5, con=True, unsolicited=True)
        confirm = Fragment.confirm(5, unsolicited=True)
        for times in (1, 2, 3):
            await device.say(report)
            await device.until(lambda times=times: device.requests.count(confirm) == times)  # type: ignore[misc]
        await gw.until(lambda: len(seen(collector)) >= 3)
        assert seen(collector) == [(1, T0), (0, T0 + 1), (1, T0 + 2)]
        await asyncio.sleep(2)
        assert gw.counters("rtu")["duplicates"] == 2


@paused
async def test_an_outstation_that_dials_in(tmp_path: Path) -> None:
    """The gateway listens, and begins as soon as the outstation is there."""
    from gateway_dnp3.channel import Line
    from gateway_dnp3.link import LinkSettings

    from gateway.channel import StreamChannel

    port = free_port()
    link = source(listen=f"127.0.0.1:{port}", allow=["127.0.0.0/8"])
    async with running([link], points=ONE, data=tmp_path) as gw:
        channel = await StreamChannel.connect("127.0.0.1", port)
        line = Line(channel)
        peer = line.add(LinkSettings(10, 1, master=False, keep_alive=None))
        task = asyncio.create_task(line.run())
        message = await peer.receive()
        assert message.fragment[1] == F.DISABLE_UNSOLICITED
        await peer.send(Fragment.response(sequence=0).encode())
        await gw.until(lambda: gw.state("rtu") == "up")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await gw.until(lambda: gw.state("rtu") != "up")
