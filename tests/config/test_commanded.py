"""Commands as two files describe them, in a gateway that runs on these files."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import Answer, CommandStatus, Quality, Sink, Source, hookimpl
from gateway.audit import records
from gateway.config import load
from gateway.engine import Engine
from gateway.host import Host
from gateway.testing import Collector, Emitter, PausedClock, Running, paused

YAML = """\
gateway: {name: north}
points: [own.csv, other.csv]
sources:
  - {name: field, type: testing.emitter, obeys: true}
  - {name: aux, type: testing.emitter}
sinks:
  - {name: shift, type: testing.collector, role: shift}
  - {name: control, type: testing.collector, role: operator}
commands:
  bays:
    - {name: E01, points: [q0], switch: remote}
    - {name: station, points: ["*"], switch: station}
access:
  roles:
    - {name: shift, may: [read, command], points: ["!q0"]}
"""
OWN = """\
name,kind,field.at,command.model,command.interlock,command.low,command.high,command.step
q0,status,1,trip_close,not earthed and u < 50 and q9 = closed and _health.aux.up,,,
p,analog,2,setpoint,,0,100,10
"""
OTHER = """\
name,kind,aux.at
q9,double,1
earthed,status,2
u,analog,3
remote,double,4
station,status,5
"""
S = CommandStatus


class Plugin:
    @hookimpl
    def gateway_components(self) -> list[type[Source] | type[Sink]]:
        return [Emitter, Collector]


class Site:
    """The running gateway, with the links that a test speaks through."""

    def __init__(self, running: Running) -> None:
        links = [*running.engine.configuration.sources, *running.engine.configuration.sinks]
        self.running = running
        by_name = {link.name: link for link in links}
        field, aux = by_name["field"], by_name["aux"]
        shift, control = by_name["shift"], by_name["control"]
        assert isinstance(field, Emitter)
        assert isinstance(aux, Emitter)
        assert isinstance(shift, Collector)
        assert isinstance(control, Collector)
        self.field, self.aux, self.shift, self.control = field, aux, shift, control

    async def well(self, **others: float) -> None:
        """Let every point show what the interlock and both switches ask for, save `others`."""
        values = {"q9": 2.0, "earthed": 0.0, "u": 12.5, "remote": 2.0, "station": 1.0} | others
        await self.aux.emit(list(values), list(values.values()))

    async def close(self) -> Answer:
        return await self.control.ask("q0", 1.0)


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Site]:
    for name, text in (("gateway.yaml", YAML), ("own.csv", OWN), ("other.csv", OTHER)):
        (folder / name).write_text(text)
    configuration = load(folder / "gateway.yaml", {}, Host({"testing": Plugin()}))
    gateway = Running(Engine(configuration, clock=PausedClock()))
    gateway.start()
    try:
        await gateway.until(lambda: gateway.engine.links, what="the gateway has started")
        site = Site(gateway)
        await site.field.emit(["q0", "p"], [0.0, 50.0])
        yield site
    finally:
        await gateway.stop()


@paused
async def test_what_holds_lets_a_command_through(tmp_path: Path) -> None:
    """With both switches on remote and the interlock kept, the device is told, once."""
    async with running(tmp_path) as site:
        await site.well()
        assert (await site.close()).status is S.SUCCESS
        assert [(one.value, one.model.value) for one in site.field.commands] == [
            (1.0, "trip_close")
        ]


@pytest.mark.parametrize(
    ("shown", "status", "why"),
    [
        ({"remote": 1.0}, S.LOCAL, "bay E01 is not on remote: remote is 1"),
        ({"remote": 0.0}, S.LOCAL, "bay E01 is not on remote"),
        ({"station": 0.0}, S.LOCAL, "bay station is not on remote: station is 0"),
        ({"earthed": 1.0}, S.INTERLOCKED, "the interlock does not hold: earthed is 1"),
        ({"u": 50.0}, S.INTERLOCKED, "the interlock does not hold: u is 50, not < 50"),
        ({"q9": 1.0}, S.INTERLOCKED, "the interlock does not hold: q9 is open"),
        ({"q9": 0.0}, S.INTERLOCKED, "the interlock does not hold: q9 is neither open nor closed"),
    ],
)
@paused
async def test_what_does_not_hold_stops_it(
    tmp_path: Path, shown: dict[str, float], status: CommandStatus, why: str
) -> None:
    """The client hears which condition it was, the audit log has it, and nothing leaves."""
    async with running(tmp_path) as site:
        await site.well(**shown)
        answer = await site.close()
        assert (answer.status, answer.detail[: len(why)]) == (status, why)
        assert site.field.commands == []
    refused = [one.facts for one in records(tmp_path / "data" / "audit") if one.step == "refused"]
    assert [one["status"] for one in refused] == [status.value]
    assert why in str(refused[0])


@paused
async def test_what_is_not_known_stops_it(tmp_path: Path) -> None:
    """Before anything was heard, and after the link of the interlock's points is lost."""
    async with running(tmp_path) as site:
        await site.aux.context()
        assert (await site.close()).status is S.LOCAL

        await site.well()
        await site.aux.stale(["earthed"], Quality.INVALID | Quality.OLD_DATA)
        answer = await site.close()
        assert answer.status is S.INTERLOCKED
        assert answer.detail == "the interlock does not hold: earthed is invalid,oldData"

        await site.well()
        site.aux.lose()
        await site.running.until(lambda: site.running.state("aux") != "up", what="aux is down")
        assert (await site.close()).status is S.LOCAL
        assert site.field.commands == []


@paused
async def test_a_role_of_the_file(tmp_path: Path) -> None:
    """A role that leaves a point out may not command it, and may command the others."""
    async with running(tmp_path) as site:
        await site.well()
        assert (await site.shift.ask("q0", 1.0)).status is S.NOT_AUTHORISED
        assert (await site.shift.ask("p", 60.0)).status is S.SUCCESS
        assert [one.value for one in site.field.commands] == [60.0]


@pytest.mark.parametrize("value", [-0.5, 100.5, 61.0, float("nan")])
@paused
async def test_limits_of_the_list(tmp_path: Path, value: float) -> None:
    """A setpoint outside low, high and step (here from 50) does not leave."""
    async with running(tmp_path) as site:
        await site.well()
        answer = await site.control.ask("p", value)
        assert answer.status is (S.FORMAT_ERROR if value != value else S.OUT_OF_RANGE)
        assert site.field.commands == []
