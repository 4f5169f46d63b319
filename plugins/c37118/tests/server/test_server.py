"""The sink `c37118.server` in a gateway: samples in, frames at a control centre."""

from __future__ import annotations

import asyncio
import cmath
import logging
import math
import sys
from pathlib import Path

import pytest

from gateway import Quality
from gateway.testing import Emitter, free_port, paused, running

sys.path.insert(0, str(Path(__file__).parent))
import pdc_wire as wire
from pdc_bench import NS, POINTS, REPORT, SECOND, TIMED, Centre, server, station

PDC = """\
name,kind,unit,north.at,south.at,wams.item,wams.pmu
n.v,analog,kV,x,,phasor/V1/magnitude,NORTH
n.a,analog,deg,x,,phasor/V1/angle,NORTH
n.f,analog,Hz,x,,frequency,NORTH
s.v,analog,kV,,x,phasor/V1/real,72
s.a,analog,kV,,x,phasor/V1/imaginary,72
s.f,analog,Hz,,x,frequency,72
"""
PMUS = [
    {"idcode": 71, "station": "NORTH"},
    {"idcode": 72, "station": "SOUTH", "phasors": "rectangular", "numbers": "integer"},
]


@paused
async def test_a_report_is_a_frame(tmp_path: Path) -> None:
    """The values of the points of an instant are those of its frame, in V, A, Hz and Hz/s."""
    async with station(tmp_path) as s, Centre.at(s.port) as centre:
        config = await centre.begin()
        (pmu,) = config.pmus
        assert (config.idcode, config.rate, pmu.station, pmu.idcode) == (1, 50, "wams", 1)
        assert pmu.names[:3] == ["VA", "IA", "P"]
        assert (pmu.names[3], pmu.names[6], set(pmu.names[4:6])) == ("breaker", "earth", {""})
        assert [current for current, _ in pmu.phasors] == [False, True]
        assert (pmu.masks, pmu.nominal, pmu.changes) == ([(0, 0b1001)], 50, 0)
        await s.emit(0.05, {"p": 12.5, "breaker": 1, "earth": 0})
        await s.report(0.5)

        frame = await centre.data_at(0.5)
        (block,) = frame.blocks
        assert (frame.time_quality, block.stat) == (0, 0)
        assert block.phasors[0] == pytest.approx(cmath.rect(230_000, math.radians(-30)), rel=1e-6)
        assert block.phasors[1] == pytest.approx(cmath.rect(400, math.radians(90)), rel=1e-6)
        assert block.frequency == pytest.approx(49.98, rel=1e-7)
        assert block.rocof == 0.25
        assert (block.analogs, block.digitals) == ([12.5], [0b0001])


@paused
async def test_a_missing_report(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A frame whose PMU has not reported leaves `wait` after its instant, without values."""
    caplog.set_level(logging.INFO)
    async with station(tmp_path, wait="50ms") as s, Centre.at(s.port) as centre:
        await centre.begin()
        loop = asyncio.get_running_loop()
        await s.emit(0.1, {"p": 3.0, "breaker": 1})
        frame = await centre.data_at(0.5)
        assert loop.time() == pytest.approx(0.55, abs=0.003)

        (block,) = frame.blocks
        assert block.stat == 0x8000
        assert all(map(cmath.isnan, block.phasors))
        assert math.isnan(block.frequency)
        assert math.isnan(block.rocof)
        assert block.digitals == [1]
        await s.report(0.5)
        await asyncio.sleep(1.5)
        assert s.counters["late_samples"] == 6
        assert s.counters["late_pmus"] >= 25
        assert s.gw.ledger("wams").dropped["link_full"] == 6
        centre.say(wire.STOP)
        for _ in range(3):
            await asyncio.sleep(2)
            await s.report(0.6)
        await asyncio.sleep(70)
    told = [line for line in caplog.messages if "samples" in line]
    assert len(told) == 2
    assert "ms after their instant, when their frame has gone: `wait` is 50ms" in told[0]
    assert "samples are in time again" in told[1]


@paused
async def test_a_report_leaves_at_once(tmp_path: Path) -> None:
    """A frame does not wait for its deadline when its PMU has reported."""
    async with station(tmp_path, wait="1s") as s, Centre.at(s.port) as centre:
        await centre.begin()
        loop = asyncio.get_running_loop()
        begun = round(loop.time() * 50) + 2
        for k in range(begun, begun + 10):
            await asyncio.sleep(k / 50 + 0.004 - loop.time())
            await s.report(k / 50)
            frame = await centre.data_at(k / 50) if k >= begun + 1 else await centre.data()
            if k > begun:
                assert frame.blocks[0].stat == 0
                # 4 ms of the device, 2 ms in which the gateway gathers samples.
                assert loop.time() - k / 50 < 0.008


@paused
async def test_a_concentrator_of_two_pmus(tmp_path: Path) -> None:
    """Reports 5 and 60 ms late go in one frame; the one whose device is gone is not waited for."""
    north, south = Emitter(name="north"), Emitter(name="south")
    port = free_port()
    sink = server(port, pmus=PMUS, idcode=7, wait="300ms")

    async def report(of: Emitter, at: float, values: list[float]) -> None:
        names = [f"{of.name[0]}.{x}" for x in "vaf"]
        await of.emit(names, values, TIMED, SECOND * NS + round(at * NS), every=True)

    async with running([north, south], [sink], PDC, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("wams") == "up")
        async with Centre.at(port, 7) as centre:
            config = await centre.begin()
            assert [(p.station, p.idcode, p.form) for p in config.pmus] == [
                ("NORTH", 71, 0b1111),
                ("SOUTH", 72, 0b0000),
            ]
            loop = asyncio.get_running_loop()

            async def speak(of: Emitter, late: float, values: list[float], until: int) -> None:
                for k in range(5, until):
                    await asyncio.sleep(max(0, k / 50 + late - loop.time()))
                    await report(of, k / 50, values)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(speak(north, 0.005, [231.0, 0.0, 50.01], 150))
                tasks.create_task(speak(south, 0.06, [-200.0, 115.5, 50.02], 100))
                frame = await centre.data_at(1.0)
                assert 1.06 <= loop.time() < 1.07
                assert [b.stat for b in frame.blocks] == [0, 0]
                assert frame.blocks[0].phasors[0] == pytest.approx(231_000, rel=1e-6)
                assert frame.blocks[1].phasors[0] == pytest.approx(-200_000 + 115_500j)
                assert frame.blocks[1].frequency == pytest.approx(50.02)
                frame = await centre.data_at(2.0)
                assert loop.time() == pytest.approx(2.3, abs=0.005)
                assert [b.stat for b in frame.blocks] == [0, 0x8000]
                await asyncio.sleep(2.45 - loop.time())
                south.lose()
                frame = await centre.data_at(2.8)
                assert loop.time() == pytest.approx(2.805, abs=0.005)
                assert [b.stat for b in frame.blocks] == [0, 0x8000]
                assert cmath.isnan(frame.blocks[1].phasors[0])
        await asyncio.sleep(1.5)
        counters = gw.counters("wams")
        assert counters["late_pmus"] > 0
        assert counters["absent_pmus"] > 0


@paused
async def test_decimation(tmp_path: Path) -> None:
    """Of 50 reports a second a stream of 10 sends each fifth, that of its own instant."""
    async with station(tmp_path, rate=10) as s, Centre.at(s.port) as centre:
        assert (await centre.begin()).rate == 10
        for k in range(10, 51):
            await s.report(k / 50, va=1000.0 * k)
        found = [await centre.data_at(0.2 + n / 10) for n in range(9)]
        assert [round(abs(f.blocks[0].phasors[0])) for f in found] == [
            1000 * k for k in range(10, 51, 5)
        ]
        await asyncio.sleep(1.2)
        assert s.gw.ledger("wams").coalesced == 6 * (41 - 9)


@paused
async def test_integers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Counts are of the scale that the configuration says; what does not fit is absent."""
    more = {"numbers": "integer", "phasors": "rectangular", "nominal": 60, "rate": 60}
    pmus = [{"idcode": 1, "station": "A", "voltage_scale": 10, "current_scale": 0.5}]
    points = POINTS.replace("wams.item", "wams.item,wams.scale")
    points = points.replace("magnitude", "magnitude,").replace("angle\n", "angle,\n")
    points = points.replace("frequency", "frequency,").replace("rocof\n", "rocof,\n")
    points = points.replace("analog/P", "analog/P,2").replace("/1/0", "/1/0,").replace("/3", "/3,")
    async with station(tmp_path, points, pmus=pmus, **more) as s, Centre.at(s.port) as centre:
        (pmu,) = (await centre.begin()).pmus
        assert [pytest.approx(scale) for _, scale in pmu.phasors] == [10, 0.5]
        assert (pmu.form, pmu.analogs, pmu.nominal) == (0, [2], 60)
        await s.emit(0.1, {"p": -7.1})
        await s.report(0.5, f=59.875)
        (block,) = (await centre.data_at(0.5)).blocks
        # 230 kV at -30 degrees: 19918.58 and -11500 counts of 10 V.
        assert block.phasors == [pytest.approx(199_190 - 115_000j), pytest.approx(400j)]
        assert (block.frequency, block.rocof) == (59.875, 0.25)
        assert block.analogs == [-8]
        await s.report(0.6, va=400_000, **{"va.angle": 0.0}, rocof=400.0)
        (block,) = (await centre.data_at(0.6)).blocks
        assert cmath.isnan(block.phasors[0])
        assert math.isnan(block.rocof)
        assert block.phasors[1] == pytest.approx(400j)
        await asyncio.sleep(1.5)
        assert s.counters["values_unfit"] == 2
    assert sum("too large for integers" in line for line in caplog.messages) == 1


@paused
async def test_quality_is_stat(tmp_path: Path) -> None:
    """STAT and the time quality say what the points' quality says; one bad phasor is left out."""
    unsynchronised = int(Quality.CLOCK_NOT_SYNCHRONISED)
    async with station(tmp_path) as s, Centre.at(s.port) as centre:
        await centre.begin()
        cases = [
            (0, 0x0000, 0),
            (int(Quality.INVALID), 0x8000, 0),
            (int(Quality.INVALID | Quality.FAILURE), 0xC000, 0),
            (int(Quality.TEST), 0x8000, 0),
            (int(Quality.SUBSTITUTED), 0x0200, 0),
            (unsynchronised, 0x2000, 15),
        ]
        for k, (quality, stat, time_quality) in enumerate(cases):
            at = 0.5 + k / 10
            await s.report(at, quality=quality)
            frame = await centre.data_at(at)
            found = (frame.blocks[0].stat, frame.time_quality)
            assert found == (stat, time_quality), Quality(quality)
        loop = asyncio.get_running_loop()
        for _ in range(12):
            await asyncio.sleep(1)
            at = math.floor(loop.time()) + 1.0
            await s.report(at, quality=unsynchronised)
        # Without a lock since 1.0, that is for more than 10 s.
        assert (await centre.data_at(at)).blocks[0].stat == 0x2010
        at += 0.5
        await asyncio.sleep(at - loop.time())
        bad = {name: REPORT[name] for name in ("ia", "ia.angle")}
        good = {name: value for name, value in REPORT.items() if name not in bad}
        await s.emit(at, bad, int(Quality.INVALID))
        await s.emit(at, good)
        (block,) = (await centre.data_at(at)).blocks
        assert (block.stat, cmath.isnan(block.phasors[1])) == (0, True)
        assert abs(block.phasors[0]) == pytest.approx(230_000)
