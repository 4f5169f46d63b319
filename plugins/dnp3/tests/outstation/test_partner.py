"""The outstation and a master that nobody here wrote: dnp3py."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest

dnp3 = import_module("dnp3")

from dnp3.master.config import MasterConfig  # noqa: E402
from dnp3.master.handler import DefaultSOEHandler  # noqa: E402
from dnp3.master.master import Master as PartnerMaster  # noqa: E402
from dnp3.master.tcp_runner import MasterTcpRunner  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
from station import station  # noqa: E402

S = 1_000_000_000
T0 = 1_700_000_000 * S


class Log(DefaultSOEHandler):
    """Keeps all values in the order in which they came."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[tuple[str, int, float]] = []
        self.times: list[datetime | None] = []

    def _keep(self, kind: str, values: list) -> None:  # type: ignore[type-arg]
        for one in values:
            self.log.append((kind, one.index, float(one.value)))
            self.times.append(one.timestamp)

    def on_binary_input(self, values, info) -> None:  # type: ignore[no-untyped-def]
        super().on_binary_input(values, info)
        self._keep("binary", values)

    def on_analog_input(self, values, info) -> None:  # type: ignore[no-untyped-def]
        super().on_analog_input(values, info)
        self._keep("analog", values)

    def on_counter(self, values, info) -> None:  # type: ignore[no-untyped-def]
        super().on_counter(values, info)
        self._keep("counter", values)


@contextlib.asynccontextmanager
async def partner(port: int, most: int = 100) -> AsyncIterator[tuple[MasterTcpRunner, Log]]:
    log = Log()
    config = MasterConfig(address=1, outstation_address=10)
    master = PartnerMaster(handler=log, config=config)
    async with MasterTcpRunner(master=master, host="127.0.0.1", port=port) as runner:
        yield runner, log


async def test_integrity_poll(tmp_path: Path) -> None:
    """Values and flags of all types arrive; the outstation answers the link reset."""
    async with station(tmp_path) as s, partner(s.port) as (master, log):
        await s.emit(breaker=1, spare=0, switch=2, horn=0, voltage=23.5, limit=250, energy=1234)
        (info,) = await master.integrity_poll()
        assert info.con
        assert {n: one.value for n, one in log.binary_inputs.items()} == {
            0: True,
            1: False,
            2: False,
        }
        assert {n: one.value for n, one in log.analog_inputs.items()} == {0: 235.0, 1: 250.0}
        assert {n: one.value for n, one in log.counters.items()} == {0: 1234}
        assert {n: one.value for n, one in log.binary_outputs.items()} == {
            0: True,
            2: False,
            7: True,
        }
        assert {n: one.value for n, one in log.analog_outputs.items()} == {3: 250.0}
        assert int(log.double_bit_inputs[0].state) == 2
        # It confirmed what it got: nothing is left.
        await s.gw.until(lambda: not s.gw.held("scada"))


async def test_events_with_their_times(tmp_path: Path) -> None:
    """A thousand events arrive complete, in order, with the device's time."""
    async with station(tmp_path) as s, partner(s.port) as (master, log):
        await master.integrity_poll()
        log.log.clear()
        log.times.clear()
        for n in range(0, 1000, 100):
            times = [T0 + (n + k) * S // 1000 for k in range(100)]
            await s.field.emit(["energy"] * 100, list(range(n, n + 100)), 0x4000, times, every=True)
        await s.gw.until(lambda: s.gw.ledger("scada").taken >= 1000)
        fragments = await master.class_poll()
        assert len(fragments) > 1
        events = [row for row in log.log if row[0] == "counter"]
        assert events == [("counter", 0, float(n)) for n in range(1000)]
        start = datetime.fromtimestamp(1_700_000_000, UTC)
        stamps = [(one - start).total_seconds() for one in log.times if one is not None]
        assert stamps == [pytest.approx(n / 1000) for n in range(1000)]
        await s.gw.until(lambda: not s.gw.held("scada"))


async def test_unsolicited(tmp_path: Path) -> None:
    """It confirms the null response, enables the classes, and hears of an event."""
    async with station(tmp_path, unsolicited=True) as s, partner(s.port) as (master, log):
        null = await master.listen_unsolicited(timeout=5)
        assert null is not None
        await master.enable_unsolicited()
        await s.emit(breaker=1)
        report = await master.listen_unsolicited(timeout=5)
        assert report is not None
        assert ("binary", 0, 1.0) in log.log
        await s.gw.until(lambda: not s.gw.held("scada"))


async def test_select_and_operate(tmp_path: Path) -> None:
    """Its SELECT and OPERATE carry the switch out; its direct pulse sounds the horn."""
    async with station(tmp_path) as s, partner(s.port) as (runner, _):
        master = runner.master
        builder = master.command_builder()
        builder.latch_on(7)
        await runner.request(master.build_select(builder.build_select()))
        await runner.request(master.build_operate(builder.build_operate()))
        pulse = master.command_builder()
        pulse.pulse_on(2, on_time=250)
        await runner.request(master.build_direct_operate(pulse.build_direct_operate()))
        assert await s.told() == [("switch", "execute", 1.0), ("horn", "direct", 1.0)]
        setpoint = master.command_builder()
        setpoint.add_analog(3, 321.0)
        await runner.request(master.build_direct_operate(setpoint.build_direct_operate()))
        assert (await s.told())[-1] == ("limit", "direct", 321.0)


async def test_ten_thousand_points(tmp_path: Path) -> None:
    """An integrity poll of 10,000 points, in fragments that it confirms."""
    lines = ["name,kind,field.at,scada.index"]
    lines += [f"p{n},analog,x,{n}" for n in range(10_000)]
    async with (
        station(tmp_path, points="\n".join(lines) + "\n", event_class=0) as s,
        partner(s.port) as (master, log),
    ):
        names = [f"p{n}" for n in range(10_000)]
        await s.field.emit(names, list(range(10_000)), every=True)
        start = asyncio.get_running_loop().time()
        fragments = await master.integrity_poll()
        took = asyncio.get_running_loop().time() - start
        assert [value for _, _, value in log.log] == [float(n) for n in range(10_000)]
        assert len(fragments) == 25
        print(f"{took * 1e3:.0f} ms")
