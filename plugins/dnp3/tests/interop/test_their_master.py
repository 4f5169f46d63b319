"""The outstation and dnp3py's master (MIT), which nobody here wrote: freezes, time, lost answers.

Polls, events, unsolicited responses and controls are in outstation/test_partner.py.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from dnp3.application.fragment import ObjectBlock, RequestFragment
from dnp3.application.header import RequestHeader
from dnp3.application.qualifiers import ObjectHeader
from dnp3.core.enums import FunctionCode as F
from dnp3.core.flags import IIN
from dnp3.core.timestamp import DNP3Timestamp
from dnp3.master import DefaultSOEHandler, Master, MasterConfig, MasterTcpRunner

from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parents[1] / "outstation"))
from station import station

T0 = 1_767_225_600_000
"""Where the paused clock begins, in ms: 2026-01-01T00:00:00Z, from `date -u +%s`."""


class Deaf(MasterTcpRunner):
    """Confirms nothing while `deaf`."""

    deaf = False

    async def _send_confirm(self, sequence: int, *, uns: bool, deadline: float) -> None:
        if not self.deaf:
            await super()._send_confirm(sequence, uns=uns, deadline=deadline)


class Log(DefaultSOEHandler):
    """Keeps the values of counters that came with a time: the events."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[float] = []

    def on_counter(self, values: list[Any], info: Any) -> None:
        super().on_counter(values, info)
        self.events += [one.value for one in values if one.timestamp is not None]


def master(port: int, log: Log | None = None) -> Deaf:
    settings = MasterConfig(address=1, outstation_address=10)
    return Deaf(Master(handler=log or Log(), config=settings), "127.0.0.1", port)


async def ask(
    runner: MasterTcpRunner, function: F, group: int = 0, variation: int = 0, data: bytes = b""
) -> Any:
    """Send a request that it has no word for; returns the indications of the answer."""
    number = runner.master.next_request_sequence()
    header = RequestHeader.build(function=function, seq=number)
    qualifier = 0x07 if data else 0x06
    blocks = (ObjectBlock(ObjectHeader(group, variation, qualifier), data),) if group else ()
    return (await runner.request(RequestFragment(header, blocks)))[-1].iin


@paused
async def test_freeze(tmp_path: Path) -> None:
    """What its freeze caught stays while the counter goes on; freeze and clear begins anew."""
    log = Log()
    async with station(tmp_path) as s, master(s.port, log) as theirs:
        await s.emit(energy=1234)
        assert not await ask(theirs, F.IMMEDIATE_FREEZE, 20) & IIN.NO_FUNC_CODE_SUPPORT
        await s.emit(energy=2000)
        await theirs.integrity_poll()
        assert log.frozen_counters[0].value == 1234
        assert log.counters[0].value == 2000

        await ask(theirs, F.FREEZE_CLEAR, 20)
        await s.emit(energy=2010)
        await theirs.integrity_poll()
        assert log.frozen_counters[0].value == 2000
        assert log.counters[0].value == 10


@paused
async def test_time(tmp_path: Path) -> None:
    """Asked for the time, it gives it in both ways; the indication goes each time."""
    async with station(tmp_path, need_time="1h") as s, master(s.port) as theirs:
        (info,) = await theirs.integrity_poll()
        assert info.iin & IIN.NEED_TIME
        await theirs.request(theirs.master.build_delay_measure())
        now = b"\x01" + DNP3Timestamp(T0).to_bytes()
        assert not await ask(theirs, F.WRITE, 50, 1, now) & IIN.NEED_TIME
        await ask(theirs, F.RECORD_CURRENT_TIME)
        assert not await ask(theirs, F.WRITE, 50, 3, now) & (IIN.NEED_TIME | IIN.PARAMETER_ERROR)
        await s.gw.until(lambda: s.gw.counters("scada").get("times_written") == 2)


@paused
async def test_an_answer_without_a_confirmation(tmp_path: Path) -> None:
    """Events that it did not confirm come again, in the next connection too, and then no more."""
    log = Log()
    async with station(tmp_path) as s:
        async with master(s.port, log) as theirs:
            await theirs.integrity_poll()
            log.events.clear()
            for n in (1, 2, 3):
                await s.emit(energy=n)
            theirs.deaf = True
            await theirs.class_poll()
            await theirs.class_poll()
            assert log.events == [1, 2, 3, 1, 2, 3]
            assert s.gw.held("scada") >= 3
        async with master(s.port, log) as theirs:
            await theirs.class_poll()
            assert log.events == [1, 2, 3] * 3
            await s.gw.until(lambda: not s.gw.held("scada"))
            await theirs.class_poll()
            assert log.events == [1, 2, 3] * 3


@paused
async def test_reports_are_forbidden(tmp_path: Path) -> None:
    """After its DISABLE_UNSOLICITED events wait for a poll."""
    log = Log()
    async with station(tmp_path, unsolicited=True) as s, master(s.port, log) as theirs:
        assert await theirs.listen_unsolicited(timeout=5)
        await theirs.enable_unsolicited()
        await s.emit(energy=1)
        assert await theirs.listen_unsolicited(timeout=5)
        await theirs.disable_unsolicited()
        await s.emit(energy=2)
        assert await theirs.listen_unsolicited(timeout=0.5) is None
        assert log.events[-1] == 1
        await theirs.class_poll()
        assert log.events[-1] == 2
