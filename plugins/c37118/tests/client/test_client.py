"""The source `c37118.client` in a whole gateway, before a device made of octets, over TCP."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_c37118.client.source import C37Client

from gateway import Quality
from gateway.testing import Collector, paused, running

sys.path.insert(0, str(Path(__file__).parent))
import c37_octets as c37
from c37_device import tcp_device

T = Quality.DEVICE_TIME
NS = c37.SOC * 1_000_000_000
LABELS = tuple(f"IN{i}" for i in range(16))
# PHUNIT in 1e-5 V, A: 9.15527 V, 0.45776 A, as annex D has them.
PMU = c37.Pmu(
    "North",
    7,
    phasors=(("VA", False, 915527), ("I1", True, 45776)),
    analogs=(("POWER", 10),),
    words=((LABELS, 0, 0xFFFF),),
)
ROWS = """\
name,kind,pmu.item
frequency,analog,frequency
rocof,analog,rocof
voltage,analog,phasor/VA/magnitude
angle,analog,phasor/1/angle
real,analog,phasor/I1/real
imaginary,analog,phasor/2/imaginary
power,analog,analog/POWER
breaker,status,digital/IN3
other,status,digital/1/4
trigger,status,stat/trigger
"""


def source(port: int, **more: Any) -> C37Client:
    return C37Client.model_validate(
        {
            "name": "pmu",
            "host": "127.0.0.1",
            "port": port,
            "idcode": 7,
            "reconnect": {"min": "1s", "max": "1s"},
        }
        | more
    )


def report(fraction: int = 0, **more: Any) -> bytes:
    one = {
        "phasors": [(14635, 0), (0, -1092)],  # annex D: 14635 is 134 kV
        "frequency": 2500,  # mHz beside 50 Hz
        "rocof": -50,  # 0.01 Hz/s
        "analogs": [100],
        "words": [0b1000],
    } | more
    quality = one.pop("quality", 0)
    return c37.data(7, c37.block(**one), fraction=fraction, quality=quality)


ANSWERS = {c37.SEND_CONFIG_2: [c37.config_2(7, [PMU])]}


@paused
async def test_samples(tmp_path: Path) -> None:
    """Every item of a report arrives with its unit, quality and time; commands have their order."""
    async with tcp_device(ANSWERS) as device:
        sink = Collector(name="all")
        async with running([source(device.port)], [sink], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            assert gateway.state("pmu") == "starting"
            device.send(report(20_000))
            await gateway.until(lambda: gateway.sample("trigger").time)

            assert gateway.status("pmu").detail == "1 PMU, 50 frames/s"
            values = {row.name: row.value for row in sink.rows()}
            assert values == {
                "frequency": 52.5,
                "rocof": -0.5,
                "voltage": pytest.approx(14635 * 9.15527),
                "angle": 0.0,
                "real": 0.0,
                "imaginary": pytest.approx(-1092 * 0.45776),
                "power": 1000.0,
                "breaker": 1.0,
                "other": 0.0,
                "trigger": 0.0,
            }
            assert {row.quality for row in sink.rows()} == {T}
            assert {row.time for row in sink.rows()} == {NS + 20_000_000}
        # The gateway has ended: the data are turned off.
        await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON, c37.OFF)


@paused
async def test_octet_by_octet(tmp_path: Path) -> None:
    """How the connection cuts frames changes nothing."""
    octets = report(0) + report(20_000, frequency=100)
    async with tcp_device(ANSWERS) as device:
        sink = Collector(name="all")
        async with running([source(device.port)], [sink], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            for i in range(len(octets)):
                device.send(octets[i : i + 1])
                await asyncio.sleep(0.001)
            await gateway.until(lambda: len(sink.rows("frequency")) == 2)
            assert [(row.value, row.time - NS) for row in sink.rows("frequency")] == [
                (52.5, 0),
                (50.1, 20_000_000),
            ]
            assert "bad_frames" not in gateway.counters("pmu")


@paused
async def test_each_report_is_a_sample_unless_there_is_a_deadband(tmp_path: Path) -> None:
    """Measurements that stay the same are samples all the same; bits and codes are not, and
    neither is what moves within a deadband."""
    rows = ROWS.replace("name,kind,", "name,kind,deadband,").replace(",analog,", ",analog,,")
    rows = rows.replace(",status,", ",status,,").replace("rocof,analog,,", "rocof,analog,0.2,")
    async with tcp_device(ANSWERS) as device:
        sink = Collector(name="all")
        async with running([source(device.port)], [sink], rows, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            device.send(*(report(20_000 * i, rocof=-50 + i) for i in range(40)))
            await gateway.until(lambda: len(sink.rows("frequency")) == 40)
            times = [row.time - NS for row in sink.rows("frequency")]
            assert times == [20_000_000 * i for i in range(40)]
            # From -0.50 Hz/s on, 0.01 more each time: more than 0.2 away at -0.29.
            assert [row.value for row in sink.rows("rocof")] == [-0.5, -0.29]
            assert len(sink.rows("breaker")) == len(sink.rows("trigger")) == 1


@paused
async def test_several_pmus(tmp_path: Path) -> None:
    """A PDC's stream: PMUs by IDCODE and by name, each with its own quality and format."""
    south = c37.Pmu("South", 9, phasors=(("VA", False, 100_000),), form=0xF, nominal=60)
    east = c37.Pmu("East side", 11, analogs=(("A", 1),))
    rows = (
        "name,pmu.pmu,pmu.item\n"
        "f7,7,frequency\nf9,South,frequency\nv9,9,phasor/VA/magnitude\na9,9,phasor/VA/angle\n"
        "a11,East side,analog/1\n"
    )
    answers = {c37.SEND_CONFIG_2: [c37.config_2(7, [PMU, south, east])]}
    async with (
        tcp_device(answers) as device,
        running([source(device.port)], [], rows, data=tmp_path) as gateway,
    ):
        await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
        device.send(
            c37.data(
                7,
                c37.block(
                    stat=0x8000,  # 10 in bits 15-14: test, or data tags that are absent
                    phasors=[(1, 1), (1, 1)], frequency=-20, analogs=[0], words=[0],
                ),
                c37.block(0xF, 0x2000, [(63_500.0, 2.5)], 60.01, 0.0),  # bit 13: no sync
                c37.block(analogs=[-3]),
            )
        )  # fmt: skip
        await gateway.until(lambda: gateway.sample("a11").time)
        assert gateway.status("pmu").detail == "3 PMUs, 50 frames/s"
        f7, f9, v9 = (gateway.sample(name) for name in ("f7", "f9", "v9"))
        assert (f7.value, f7.quality) == (pytest.approx(49.98), T | Quality.INVALID)
        assert f9.value == pytest.approx(60.01, rel=1e-7)
        assert f9.quality == T | Quality.CLOCK_NOT_SYNCHRONISED
        assert v9.value == 63_500.0
        assert gateway.sample("a9").value == pytest.approx(math.degrees(2.5), rel=1e-6)
        assert (gateway.sample("a11").value, gateway.sample("a11").quality) == (-3.0, T)


@paused
async def test_what_is_absent_is_invalid(tmp_path: Path) -> None:
    """0x8000 in an integer says that there is no value (clause 6.3); the others are good."""
    async with (
        tcp_device(ANSWERS) as device,
        running([source(device.port)], [], ROWS, data=tmp_path) as gateway,
    ):
        await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
        device.send(report(0), report(20_000, phasors=[(14635, 0), (-0x8000, -0x8000)]))
        await gateway.until(lambda: gateway.sample("real").quality == T | Quality.INVALID)
        assert gateway.sample("real").value == 0.0
        assert gateway.sample("imaginary").quality == T | Quality.INVALID
        assert gateway.sample("voltage").quality == gateway.sample("frequency").quality == T


@paused
async def test_points_that_the_stream_has_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They are named in one line, with what there is, and invalid; all others work."""
    rows = ROWS + "lost,analog,phasor/VX/angle\ngone,analog,analog/2\nlabel,status,digital/BRK\n"
    async with (
        tcp_device(ANSWERS) as device,
        running([source(device.port)], [], rows, data=tmp_path) as gateway,
    ):
        await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
        device.send(report())
        await gateway.until(lambda: gateway.sample("frequency").value == 52.5)
        assert gateway.state("pmu") == "up"
        for name in ("lost", "gone", "label"):
            wrong = Quality.INVALID | Quality.BAD_REFERENCE
            assert gateway.sample(name).quality & wrong == wrong
    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert "3 of 13 points are not in the configuration" in line
    assert "lost: PMU 7 'North' has no phasor 'VX', it has 2: 'VA', 'I1'" in line
    assert "gone: PMU 7 'North' has no analog '2', it has 1: 'POWER'" in line
    assert "label: PMU 7 'North' has no digital 'BRK', it has 1 words: 'IN0', 'IN1'" in line


@paused
async def test_the_configuration_changes(tmp_path: Path) -> None:
    """STAT bit 10 has the configuration asked for; points are then read where they are now."""
    async with tcp_device(dict(ANSWERS)) as device:
        sink = Collector(name="all")
        async with running([source(device.port)], [sink], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            device.send(report(0, stat=0x0400))
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON, c37.SEND_CONFIG_2)

            turned = c37.Pmu(
                "North", 7, PMU.phasors[::-1], (("A", 1), ("POWER", 10)), PMU.words, changes=1
            )
            device.answers[c37.SEND_CONFIG_2] = [c37.config_2(7, [turned])]
            device.send(report(20_000, phasors=[(0, 100), (200, 0)], analogs=[1, 2]))
            # The frame is longer than it was: that, too, is a reason to ask.
            await gateway.until(lambda: gateway.counters("pmu").get("configuration_changes"))
            device.send(report(40_000, phasors=[(0, 100), (200, 0)], analogs=[1, 2]))
            await gateway.until(lambda: len(sink.rows("power")) == 2)
            assert [row.value for row in sink.rows("power")] == [1000.0, 20.0]
            assert [row.value for row in sink.rows("voltage")][1] == pytest.approx(1831.054)
            assert gateway.counters("pmu")["unfit_frames"] == 1
            assert gateway.state("pmu") == "up"


@paused
async def test_a_configuration_that_nobody_asked_for(tmp_path: Path) -> None:
    """It counts for the frames behind it, in the same breath."""
    other = c37.Pmu("North", 7, PMU.phasors, (("POWER", 3),), PMU.words, changes=1)
    async with tcp_device(ANSWERS) as device:
        sink = Collector(name="all")
        async with running([source(device.port)], [sink], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            device.send(report(0), c37.config_2(7, [other]), report(20_000))
            await gateway.until(lambda: len(sink.rows("power")) == 2)
            assert [row.value for row in sink.rows("power")] == [1000.0, 300.0]
            # The same one again is no change.
            device.send(c37.config_2(7, [other]), report(40_000))
            await gateway.until(lambda: len(sink.rows("power")) == 3)
            assert gateway.counters("pmu")["configuration_changes"] == 1


@paused
async def test_garbage(tmp_path: Path) -> None:
    """Octets between frames, a frame with a wrong check, one of another stream, one cut short:
    each is counted, and what is sound behind it is read."""
    wrong = bytearray(report(20_000))
    wrong[20] ^= 1
    pieces = [
        report(0),
        b"\x00\xaa\x01noise\xaa",
        report(10_000),
        bytes(wrong),
        report(30_000),
        c37.data(8, c37.block()),
        report(40_000)[:-9],
        report(50_000),
    ]
    async with tcp_device(ANSWERS) as device:
        sink = Collector(name="all")
        async with running([source(device.port)], [sink], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            device.send(b"".join(pieces))
            await gateway.until(lambda: len(sink.rows("frequency")) == 4)
            times = [row.time - NS for row in sink.rows("frequency")]
            assert times == [0, 10_000_000, 30_000_000, 50_000_000]
            counters = gateway.counters("pmu")
            assert counters["bad_frames"] == 3
            assert counters["other_streams"] == 1


@paused
async def test_fragments_of_configuration_3(tmp_path: Path) -> None:
    """A configuration 3 in three frames is put together."""
    answers = {c37.SEND_CONFIG_3: c37.config_3(7, [PMU], pieces=3)}
    async with tcp_device(answers) as device:
        pmu = source(device.port, configuration=3)
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_3, c37.ON)
            device.send(report())
            await gateway.until(lambda: gateway.sample("frequency").value == 52.5)
            assert gateway.sample("voltage").value == pytest.approx(14635 * 9.15527, rel=1e-7)
            assert gateway.sample("power").value == 1000.0


@paused
async def test_a_device_without_configuration_3(tmp_path: Path) -> None:
    """It is asked twice, then for configuration 2."""
    async with tcp_device(ANSWERS) as device:
        pmu = source(device.port, configuration=3, timeout="1s")
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            await device.until(
                c37.OFF, c37.SEND_CONFIG_3, c37.SEND_CONFIG_3, c37.SEND_CONFIG_2, c37.ON
            )
            device.send(report())
            await gateway.until(lambda: gateway.state("pmu") == "up")
            assert gateway.counters("pmu")["timeouts"] == 2


@paused
async def test_a_device_that_gives_no_configuration(tmp_path: Path) -> None:
    """The link breaks with a sentence that says what was asked for, and turns the data off."""
    async with tcp_device({}) as device:
        pmu = source(device.port, timeout="1s", attempts=1)
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            await gateway.until(lambda: gateway.state("pmu") == "down")
            assert gateway.status("pmu").error == (
                f"127.0.0.1:{device.port}, stream 7: it gives no configuration: "
                "neither CFG-2 nor CFG-3, asked for 1 times each, 1 s"
            )
            assert device.heard[:4] == [c37.OFF, c37.SEND_CONFIG_2, c37.SEND_CONFIG_3, c37.OFF]


@paused
async def test_silence(tmp_path: Path) -> None:
    """Without data for 2 s the link is down and its points are old; then it begins anew."""
    async with (
        tcp_device(ANSWERS) as device,
        running([source(device.port)], [], ROWS, data=tmp_path) as gateway,
    ):
        await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
        device.send(report())
        await gateway.until(lambda: gateway.state("pmu") == "up")
        await gateway.until(lambda: gateway.state("pmu") == "down")
        assert gateway.status("pmu").error.endswith("stream 7: no data for 2 s")
        old = Quality.INVALID | Quality.OLD_DATA
        assert gateway.sample("frequency").quality & old == old
        begun = [c37.OFF, c37.SEND_CONFIG_2, c37.ON]
        await device.until(*begun, c37.OFF, *begun)
        device.send(report(20_000))
        await gateway.until(lambda: gateway.state("pmu") == "up")
        assert gateway.sample("frequency").quality == T
        assert device.connections == 2


@paused
async def test_a_device_that_hangs_up(tmp_path: Path) -> None:
    """What it sent before is taken; the link says who closed, and connects again."""
    async with tcp_device(ANSWERS) as device:
        sink = Collector(name="all")
        async with running([source(device.port)], [sink], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
            device.send(report(0), report(20_000))
            device.hang_up()
            await gateway.until(lambda: gateway.state("pmu") == "down")
            assert gateway.status("pmu").error == f"127.0.0.1:{device.port} closed the connection"
            assert [row.value for row in sink.rows("frequency")][:2] == [52.5, 52.5]
            await gateway.until(lambda: device.connections == 2)


@paused
async def test_lost_frames_are_counted(tmp_path: Path) -> None:
    """At 50 frames/s three frames are missing between 20 ms and 100 ms."""
    async with (
        tcp_device(ANSWERS) as device,
        running([source(device.port)], [], ROWS, data=tmp_path) as gateway,
    ):
        await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
        device.send(report(0), report(20_000), report(100_000))
        await gateway.until(lambda: gateway.sample("frequency").time == NS + 100_000_000)
        assert gateway.counters("pmu")["lost_frames"] == 3


@paused
async def test_the_header_frame_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is asked for once, and what it says is for people."""
    caplog.set_level(logging.INFO)
    answers = {**ANSWERS, c37.SEND_HEADER: [c37.frame(c37.HEADER, 7, b"SEL-421\r\nbay 4\x00")]}
    async with tcp_device(answers) as device:
        pmu = source(device.port, header=True)
        async with running([pmu], [], ROWS, data=tmp_path):
            await device.until(c37.OFF, c37.SEND_HEADER, c37.SEND_CONFIG_2, c37.ON)
    assert any("says of itself: SEL-421  bay 4" in r.getMessage() for r in caplog.records)


@paused
async def test_whatever_configuration_comes(tmp_path: Path) -> None:
    """Three hundred that are wrong in up to three octets, but for their check: none of them breaks
    anything, and with the sound one behind them the points are read."""
    chance = random.Random(37118)
    sound = c37.config_2(7, [PMU])
    wrong = []
    for _ in range(300):
        body = bytearray(sound[14:-2])
        for _ in range(chance.randrange(1, 4)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        wrong.append(c37.frame(c37.CONFIG_2, 7, bytes(body)))
    async with (
        tcp_device({c37.SEND_CONFIG_2: [*wrong, sound]}) as device,
        running([source(device.port)], [], ROWS, data=tmp_path) as gateway,
    ):
        await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)
        device.send(report())
        await gateway.until(lambda: gateway.sample("frequency").value == 52.5)
        assert gateway.sample("trigger").quality == T
        assert gateway.counters("pmu")["bad_configurations"] > 10
        assert device.connections == 1
