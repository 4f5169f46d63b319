"""The PMU of configs/pmu.yaml: a control centre and a broker hear what the capture was made of."""

from __future__ import annotations

import asyncio
import cmath
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_mqtt.payload import Payload
from gateway_mqtt.testing import Broker, Subscriber
from gateway_sv.publisher import SampledValuesPublisher

from gateway.testing import free_port

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "plugins" / "c37118" / "tests" / "server"))
import pdc_wire as wire
from wiretap import PORT, Wiretap

pytestmark = pytest.mark.timeout(300)
CONFIGS = Path(__file__).parents[2] / "configs"
CENTRE, BROKER, IDCODE = 4712, 1883, 100
TOPIC = "pmu/#"
REMARKS = "_ws.malformed or synphasor.bad_checksum or synphasor.checksum.status == 0"
# What pmu.pcap was made of.
VOLTS, AMPERES, BEHIND, UNBALANCE = 63_700.0, 412.0, 18.0, 0.006
HARMONICS = {5: 0.021, 7: 0.012, 11: 0.006}
SIGNAL = {"voltage": VOLTS, "current": AMPERES, "angle": BEHIND, "unbalance": UNBALANCE}


def test_the_capture_is_what_the_publisher_writes(tmp_path: Path) -> None:
    """Octet for octet: nothing in it is but what is said here."""
    publisher = SampledValuesPublisher.model_validate(
        {
            "name": "unit",
            "to_file": str(tmp_path / "pmu.pcap"),
            "seconds": "100ms",
            "profile": "9-2LE-80",
            "sv_id": "LINE1-MU",
            "signal": {**SIGNAL, "harmonics": {str(k): part for k, part in HARMONICS.items()}},
        }
    )
    publisher.write(tmp_path / "pmu.pcap")

    assert (tmp_path / "pmu.pcap").read_bytes() == (CONFIGS / "pmu.pcap").read_bytes()


async def frames(port: int, count: int) -> tuple[wire.Config, list[wire.Data]]:
    """Speak as a control centre that takes so many data frames."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def frame() -> bytes:
        async with asyncio.timeout(30):
            head = await reader.readexactly(4)
            return head + await reader.readexactly(wire.size(head) - 4)

    writer.write(wire.command(IDCODE, wire.SEND_CONFIG_2))
    config = wire.configuration(await frame())
    writer.write(wire.command(IDCODE, wire.START))
    found = [wire.data(await frame(), config) for _ in range(count)]
    writer.close()
    await writer.wait_closed()
    return config, found


async def test_a_control_centre_gets_synchrophasors(
    copied: Callable[[str], Any], start: Callable[[Path], Any], tmp_path: Path
) -> None:
    """50 frames a second without a gap, with the phasors by hand, and a broker beside it."""
    config = copied("pmu.yaml")
    with Broker(tmp_path).running() as broker:
        config.replace(f"127.0.0.1:{config.ports[BROKER]}", str(broker.endpoint))
        tap = Wiretap(free_port(), config.ports[CENTRE])
        with Subscriber(broker.endpoint, TOPIC).listening() as subscriber:
            gateway = start(config.path)
            await asyncio.to_thread(gateway.until, r"2/2 sources up, 2/2 sinks up")
            async with tap.listening():
                said, found = await frames(tap.port, 250)
            power = await asyncio.to_thread(
                subscriber.await_message,
                lambda heard: heard.topic == "pmu/line1" and "thd_ua" in values_of(heard.payload),
            )

    assert [(pmu.station, pmu.idcode) for pmu in said.pmus] == [("LINE1-P", 101), ("LINE1-M", 102)]
    assert said.rate == 50
    times = [round(frame.time * 50) for frame in found]
    assert times == list(range(times[0], times[0] + 250))
    full = [frame for frame in found if all(block.stat == 0 for block in frame.blocks)]
    # At the beginning windows are not full; on a busy machine a frame may go without a sample.
    assert len(full) > 150
    for frame in full:
        for block, pmu in zip(frame.blocks, said.pmus, strict=True):
            phasors = dict(zip(pmu.names, block.phasors, strict=False))
            # 0.1 % and 0.1 degrees: a tenth of what the standard's 1 % TVE allows.
            assert abs(phasors["V1"] - VOLTS) < 1e-3 * VOLTS
            current = cmath.rect(AMPERES, -math.radians(BEHIND))
            assert abs(phasors["I1"] - current) < 2e-3 * AMPERES
            assert block.frequency == pytest.approx(50.0, abs=0.005)
        block = frame.blocks[0]
        # The negative sequence stands on the positive one in phase a, 60 degrees off in the others.
        assert abs(block.phasors[0]) == pytest.approx(VOLTS * (1 + UNBALANCE), rel=1e-3)
        assert block.digitals == [0]

    tap.write(tmp_path / "centre.pcap")
    # A packet may have several frames.
    assert len(re.split("[,\n]", tshark(tmp_path / "centre.pcap", "synphasor.data"))) > 250
    assert tshark(tmp_path / "centre.pcap", REMARKS) == ""

    values = values_of(power.payload)
    # P = 3 U1 I1 cos, of a current without harmonics and negative sequence.
    expected = 3 * VOLTS * AMPERES * math.cos(math.radians(BEHIND))
    assert values["power"] == pytest.approx(expected, rel=2e-3)
    thd = 100 * math.sqrt(sum(part**2 for part in HARMONICS.values()))
    assert values["thd_ua"] == pytest.approx(thd, rel=0.01)


def values_of(payload: bytes) -> dict[str, float]:
    """Return the values of a message by the last part of their names."""
    message = Payload.model_validate_json(payload)
    names = (name.rpartition(".")[2] for name in message.points)
    return {
        name: value for name, value in zip(names, message.values, strict=True) if value is not None
    }


def tshark(capture: Path, wanted: str) -> str:
    """Return a line of each packet that tshark reads so, with the size of each of its frames."""
    done = subprocess.run(
        [
            *("tshark", "-r", capture, "-d", f"tcp.port=={PORT},synphasor", "-Y", wanted),
            *("-T", "fields", "-e", "synphasor.frsize"),
        ],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout
