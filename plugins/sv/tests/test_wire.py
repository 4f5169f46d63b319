"""The frames on the cable, as tshark reads them there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
from gateway_sv.publisher import SampledValuesPublisher
from gateway_sv.source import SampledValuesSource
from sv_cable import Cable
from sv_listener import Listener

from gateway.testing import running

FIELDS = [
    "frame.time_epoch", "vlan.id", "vlan.priority", "sv.appid", "sv.noASDU", "sv.svID", "sv.datSet",
    "sv.smpCnt", "sv.confRev", "sv.smpSynch", "sv.smpRate", "sv.meas_value", "sv.meas_quality",
    "_ws.malformed", "_ws.expert.message",
]  # fmt: skip


async def test_tshark_sees_what_is_sent_and_received(cable: Cable, tmp_path: Path) -> None:
    """For each of the frames tshark has tag, head and values that the publisher was asked for, the
    values that the subscriber got, and times of which no frame left early."""
    unit = SampledValuesPublisher.model_validate(
        {
            "name": "unit", "interface": cable.near, "profile": "F4800S2I4U4", "vlan": 77,
            "priority": 6, "sv_id": "MU0101", "data_set": "MU0101/LLN0$PhsMeas1",
            "smp_mod": "second", "synch": "local", "seconds": "200ms",
            "signal": {"harmonics": {"3": 0.1}, "dip": {"every": "50ms", "for": "10ms"}},
        }
    )  # fmt: skip
    mu = SampledValuesSource.model_validate(
        {"name": "mu", "interface": cable.far, "profile": "F4800S2I4U4"}
    )
    ear = Listener(name="ear")
    shark = await asyncio.create_subprocess_exec(
        "tshark", "-i", cable.far, "-c", "480", "-l", "-w", str(tmp_path / "wire.pcap"),
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert shark.stderr is not None
    async with asyncio.timeout(20):
        while b"Capturing on" not in await shark.stderr.readline():
            pass
        # It says so a moment before it does.
        while not _listens(cable.far):
            await asyncio.sleep(0.01)
        async with running([mu, unit], [ear], data=tmp_path) as gateway:
            await gateway.until(lambda: sum(map(len, ear.heard)) == 960)
            await shark.wait()
    lines = await _read(tmp_path / "wire.pcap")

    assert len(lines) == 480
    got = dict(zip(ear.index().tolist(), ear.samples(), strict=True))
    first = int(ear.index()[0])
    for number, line in enumerate(lines):
        rows = [first + 2 * number, first + 2 * number + 1]
        assert (line["vlan.id"], line["vlan.priority"]) == ("77", "6")
        assert int(line["sv.appid"], 16) == 0x4000
        assert line["sv.noASDU"] == "2"
        assert line["sv.svID"] == "MU0101,MU0101"
        assert line["sv.datSet"] == "MU0101/LLN0$PhsMeas1,MU0101/LLN0$PhsMeas1"
        assert line["sv.smpCnt"] == ",".join(str(row % 4800) for row in rows)
        assert line["sv.confRev"] == "1,1"
        assert line["sv.smpSynch"] == "1,1"
        assert line["sv.smpRate"] == "4800,4800"
        values = [int(value) for value in line["sv.meas_value"].split(",")]
        assert values == np.concatenate([got[row] for row in rows]).tolist()
        assert set(line["sv.meas_quality"].split(",")) == {"0x00000000"}
        assert line["_ws.malformed"] == line["_ws.expert.message"] == ""
        # A capture has times in µs.
        assert float(line["frame.time_epoch"]) * 4800 > rows[1] - 0.1


def _listens(interface: str) -> bool:
    """Whether a packet socket of any program is bound to the interface."""
    index = int(Path(f"/sys/class/net/{interface}/ifindex").read_text())
    lines = Path("/proc/net/packet").read_text().splitlines()[1:]
    return any(int(line.split()[4]) == index for line in lines)


async def _read(path: Path) -> list[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        "tshark", "-r", str(path), "-o", "sv.decode_data_as_phsmeas:TRUE", "-T", "fields",
        "-E", "separator=|", *[part for name in FIELDS for part in ("-e", name)],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    return [dict(zip(FIELDS, line.split("|"), strict=True)) for line in out.decode().splitlines()]
