"""The source `c37118.client` in a whole gateway, before a device made of octets, over TCP."""

from __future__ import annotations

import logging
import math
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
    """Every item of a report arrives with its unit, quality and time; commands go in their order."""
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
