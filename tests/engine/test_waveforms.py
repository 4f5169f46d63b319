"""The third door: waveforms become samples of points, and reach the sinks that listen."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.engine import measuring as module
from gateway.engine.waveforms import MOST
from gateway.model.errors import GatewayError, LinkError
from gateway.model.quality import Quality
from gateway.model.waveform import Waveform
from gateway.testing import Collector, Emitter, Running, Sampler, circuit, paused, running
from gateway.testing.waves import in_parts

SECOND = 1_767_225_600
"""Where the paused clock begins."""
POINTS = (
    "name,deadband,mu.result,mu.at\n"
    "f,,phasor/frequency,\n"
    "u,,phasor/magnitude/u1,\n"
    "rms,5,cycles/rms/ua,\n"
    "wh,,total/energy/import_all,\n"
    "dip,,dip/active/all,\n"
    "un,,phasor/magnitude/un,\n"
)
WAVEFORM = {"phasors": {"class": "P", "rate": 50}, "meter": {"declared": 230}}


def sampler(**fields: Any) -> Sampler:
    return Sampler(name="mu", type="testing.sampler", waveform=fields or WAVEFORM)


def collector() -> Collector:
    return Collector(name="scada", type="testing.collector")


async def settled(gateway: Running, sink: Collector, name: str, n: int) -> list[Any]:
    await gateway.until(lambda: len(sink.rows(name)) >= n, what=f"{n} samples of {name}")
    return sink.rows(name)


@paused
async def test_results_are_samples_of_points(tmp_path: Path) -> None:
    """Every report reaches a sink, though it repeats the one before; a deadband thins it."""
    mu, scada = sampler(), collector()
    async with running([mu], [scada], POINTS, data=tmp_path) as gateway:
        made = await mu.emit(circuit(SECOND, 2.0), 24)
        # 99 instants are complete: the last needs half a window more.
        frequency = await settled(gateway, scada, "f", 99)
        assert made > 0
        assert [row.time for row in frequency] == [
            SECOND * 10**9 + i * 20_000_000 for i in range(99)
        ]
        good = [row for row in frequency if row.quality & Quality.VALIDITY == Quality.GOOD]
        assert [row.value for row in good] == pytest.approx([50.0] * 97, abs=1e-6)
        # Nothing is measured of the neutral, again and again.
        neutral = [row.value for row in scada.rows("un") if row.value == row.value]
        assert neutral == [0.0] * 97
        # The first window has no value yet; then one of 230 V, within 5 V ever after.
        assert [row.value for row in scada.rows("rms")] == [pytest.approx(230.0, abs=0.05)]
        assert gateway.ledger("scada").pending == 0


@paused
async def test_waveforms_reach_who_listens(tmp_path: Path) -> None:
    """A sink has the blocks as they were handed over, from when it asked, of that source only."""
    mu, scada = sampler(), collector()
    async with running([mu], [scada], POINTS, data=tmp_path):
        await mu.emit(circuit(SECOND, 0.1))
        ctx = await scada.context()
        blocks = ctx.waveforms("mu")
        whole = circuit(SECOND + 1, 0.5)
        await mu.emit(whole, 480)
        found = [await anext(blocks) for _ in range(5)]

        assert [block.index for block in found] == [whole.index + i * 480 for i in range(5)]
        assert np.array_equal(np.concatenate([block.samples for block in found]), whole.samples)
        with pytest.raises(LinkError, match=r"found no waveforms of 'relay', allowed: .*: mu"):
            ctx.waveforms("relay")


@paused
async def test_a_slow_listener_loses_the_oldest(tmp_path: Path) -> None:
    """What waits is bounded by time; what goes is counted; another sink is not touched."""
    mu, slow, quick = sampler(), collector(), Collector(name="quick", type="testing.collector")
    async with running([mu], [slow, quick], POINTS, data=tmp_path) as gateway:
        waiting = (await slow.context()).waveforms("mu")
        taken = (await quick.context()).waveforms("mu")
        for i in range(10):
            await mu.emit(circuit(SECOND + i, 1.0))
            assert (await anext(taken)).index == (SECOND + i) * 4800

        assert gateway.counters("scada") == {"waveforms_dropped": 10 - int(MOST)}
        assert "waveforms_dropped" not in gateway.counters("quick")
        assert (await anext(waiting)).index == (SECOND + 10 - int(MOST)) * 4800


@paused
async def test_a_connection_that_ends_listens_no_more(tmp_path: Path) -> None:
    """What waited for it is gone with it: nothing gathers for a sink that is down."""
    mu, scada = sampler(), collector()
    async with running([mu], [scada], POINTS, data=tmp_path) as gateway:
        (await scada.context()).waveforms("mu")
        scada.lose()
        await gateway.until(lambda: gateway.state("scada") == "down")
        for i in range(10):
            await mu.emit(circuit(SECOND + i, 1.0))

        assert gateway.counters("scada").get("waveforms_dropped", 0) == 0


@paused
async def test_missing_samples_are_counted(tmp_path: Path) -> None:
    """Gaps, lost and late rows are the link's counters."""
    mu = sampler(**{**WAVEFORM, "hold": 2})
    async with running([mu], [], POINTS, data=tmp_path) as gateway:
        whole = circuit(SECOND, 1.0)
        for first, end in ((0, 1000), (1002, 2000), (2100, 3000), (2990, 3500)):
            part = Waveform(4800, whole.channels, whole.index + first, whole.samples[first:end])
            await mu.emit(part)

        assert gateway.counters("mu") == {
            "samples_held": 2,
            "gaps": 1,
            "samples_lost": 100,
            "samples_late": 10,
        }


@paused
async def test_a_reconnect_is_a_gap_as_any_other(tmp_path: Path) -> None:
    """Points of a source that broke are old; with its samples they are good again."""
    mu, scada = sampler(), collector()
    async with running([mu], [scada], POINTS, data=tmp_path) as gateway:
        await mu.emit(circuit(SECOND, 1.0))
        assert gateway.sample("f").value == pytest.approx(50.0, abs=1e-6)
        mu.lose()
        await gateway.until(lambda: gateway.state("mu") == "down")
        assert gateway.sample("f").quality & Quality.OLD_DATA
        await gateway.until(lambda: gateway.state("mu") == "up")
        await mu.emit(circuit(SECOND + 10, 1.0, hertz=50.1))

        assert gateway.sample("f").value == pytest.approx(50.1, abs=1e-3)
        assert gateway.sample("f").quality & Quality.VALIDITY == Quality.GOOD
        assert gateway.counters("mu")["samples_lost"] == 9 * 4800


@paused
async def test_a_clock_that_is_set_back(tmp_path: Path) -> None:
    """What lies more than a second back is measured as a new stream; energy goes on."""
    mu = sampler()
    async with running([mu], [], POINTS, data=tmp_path) as gateway:
        await mu.emit(circuit(SECOND, 2.0))
        energy = gateway.sample("wh").value
        await mu.emit(circuit(SECOND - 3600, 1.0, hertz=50.1))

        assert gateway.sample("f").value == pytest.approx(50.1, abs=1e-3)
        assert gateway.sample("f").time == (SECOND - 3600) * 10**9 + 960_000_000
        assert gateway.sample("wh").value > energy
        assert gateway.counters("mu") == {"time_went_back": 1}


@paused
async def test_energy_outlives_the_gateway(tmp_path: Path) -> None:
    """3450 W for two hours in two runs of the gateway; the registers are on disk between them."""
    for hour in range(2):
        mu = sampler()
        async with running([mu], [], POINTS, data=tmp_path) as gateway:
            # A pause of half a minute in which no energy is counted.
            for i in range(3):
                await mu.emit(circuit(SECOND + 60 * hour + i, 1.0))
            energy = gateway.sample("wh").value
    kept = json.loads((tmp_path / "mu" / "energy.json").read_text())

    # All phases' import; up to two windows of 0.2 s at both ends of a run are not yet counted.
    assert kept[3] == pytest.approx(3450.0 * 6 / 3600, rel=0.2)
    assert energy == pytest.approx(kept[3], rel=0.1)
    assert energy > 3450.0 * 3 / 3600


@paused
async def test_energy_that_cannot_be_read_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The gateway begins at 0 and says so, with the file."""
    (tmp_path / "mu").mkdir()
    (tmp_path / "mu" / "energy.json").write_text("[1, 2]")
    async with running([sampler()], [], POINTS, data=tmp_path):
        pass

    assert "energy.json: found 2 numbers, allowed: 16: energy begins at 0" in caplog.text


async def test_a_long_block_is_measured_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop goes on meanwhile, blocks stay in order, and the results are the same."""
    threads = 0
    real = asyncio.to_thread

    async def to_thread(*args: Any) -> Any:
        nonlocal threads
        threads += 1
        return await real(*args)

    monkeypatch.setattr(module.asyncio, "to_thread", to_thread)
    whole, rows = circuit(SECOND, 6.0, hertz=49.9), []
    for block in (480, 14_400):
        mu, scada = sampler(), collector()
        async with running([mu], [scada], POINTS, data=tmp_path / str(block)) as gateway:
            await asyncio.gather(*(mu.emit(part) for part in in_parts(whole, block)))
            assert threads == (0 if block == 480 else 2)
            await settled(gateway, scada, "f", 299)
            named = [row for row in scada.rows() if row.name in ("f", "u", "rms")]
            rows.append([row for row in named if row.value == row.value])
        threads = 0

    assert len(rows[0]) > 590
    assert sorted(rows[0]) == sorted(rows[1])


@paused
async def test_a_stream_that_cannot_be_measured(tmp_path: Path) -> None:
    """The source is told why, with rate and channels."""
    mu = sampler(channels={"ua": "VA"}, **WAVEFORM)
    async with running([mu], [], POINTS, data=tmp_path):
        with pytest.raises(LinkError, match=r"waveform of 4800 samples/s, channels ia, .* 'VA'"):
            await mu.emit(circuit(SECOND, 0.1))


@paused
async def test_a_stream_that_nobody_measures(tmp_path: Path) -> None:
    """Without phasors and meter its channels have any names: it is there for who listens."""
    mu, scada = Sampler(name="mu", type="testing.sampler"), collector()
    whole = circuit(SECOND, 0.1)
    channels = tuple(replace(one, name=f"x{one.name}") for one in whole.channels)
    async with running([mu], [scada], "name,mu.at\np,x\n", data=tmp_path):
        blocks = (await scada.context()).waveforms("mu")
        await mu.emit(replace(whole, channels=channels))
        assert (await anext(blocks)).channels[0].name == "xia"


@paused
async def test_only_a_waveform_source_has_this_door(tmp_path: Path) -> None:
    """Any other source is told so."""
    relay = Emitter(name="relay", type="testing.emitter")
    async with running([relay], [], "name,relay.at\na,1\n", data=tmp_path):
        with pytest.raises(GatewayError, match="relay is no WaveformSource"):
            await (await relay.context()).emit_waveform(circuit(SECOND, 0.1))
