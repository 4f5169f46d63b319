"""What the point list of a server may say, and the sheet for the control centre."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.testing import Emitter, configured, paused

sys.path.insert(0, str(Path(__file__).parent))
from pdc_bench import POINTS, Centre, server, station

HEAD = "name,kind,unit,field.at,wams.item,wams.pmu,wams.scale,wams.quantity,wams.label\n"
PMUS = [{"idcode": 71, "station": "NORTH"}, {"idcode": 72, "station": "SOUTH"}]
MAGNITUDE = "v,analog,V,x,phasor/VA/magnitude,,,,\n"
ANGLE = "a,analog,deg,x,phasor/VA/angle,,,,\n"


def checked(folder: Path, rows: str, **more: Any) -> None:
    configured([Emitter(name="field")], [server(4712, **more)], HEAD + rows, folder)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("x,analog,V,x,phasor,,,,\n", "found 'phasor', allowed: phasor/NAME/PART"),
        ("x,analog,V,x,phasors/VA/angle,,,,\n", "found 'phasors', allowed: frequency"),
        (MAGNITUDE, "phasor VA has magnitude, allowed: magnitude and angle, or real and"),
        (MAGNITUDE + "r,analog,V,x,phasor/VA/real,,,,\n", "phasor VA has magnitude, real, allowed"),
        (MAGNITUDE + MAGNITUDE.replace("v,", "w,") + ANGLE, "v is this item already"),
        (MAGNITUDE.replace("V", "W", 1) + ANGLE, "found no quantity and the unit 'W', allowed"),
        (MAGNITUDE + ANGLE.replace("deg", "V"), "found an angle in 'V', allowed: deg, rad"),
        (
            "r,analog,V,x,phasor/V/real,,,,\ni,analog,A,x,phasor/V/imaginary,,,,\n",
            "phasor V has a part in V and one in A",
        ),
        ("f,analog,kHz,x,frequency,,,,\n", "found frequency in 'kHz', allowed: Hz, mHz"),
        ("f,status,,x,frequency,,,,\n", "frequency is of a point of kind analog or counter"),
        ("b,analog,,x,digital/1/0,,,,\n", "digital is of a point of kind status, found analog"),
        ("b,double,,x,digital/1/0,,,,\n", "digital is of a point of kind status, found double"),
        ("b,status,,x,digital/0/0,,,,\n", "words from 1, bits 0..15"),
        ("b,status,,x,digital/17/0,,,,\n", "words 1..16, bits 0..15"),
        ("b,status,,x,digital/1/16,,,,\n", "words from 1, bits 0..15"),
        ("b,status,,x,digital/BREAKER,,,,\n", "found 'digital/BREAKER', allowed: digital/WORD/BIT"),
        ("b,status,,x,digital/1/1,,,,A label of a breaker\n", "names of 1 to 16 letters"),
        ("b,status,,x,stat/modified,,,,\n", "allowed: stat/trigger, stat/trigger_reason"),
        ("b,analog,,x,time/quality,,,,\n", "allowed: stat/trigger, stat/trigger_reason"),
        ("p,analog,,x,analog/a name of an analog,,,,\n", "names of 1 to 16 letters of ASCII"),
        ("p,analog,,x,analog/Wärme,,,,\n", "names of 1 to 16 letters of ASCII"),
        ("f,analog,Hz,x,frequency,73,,,\n", r"found '73', allowed: NORTH \(71\), SOUTH \(72\)"),
        ("p,analog,MW,x,analog/P,72,2,,\n", "found a scale, allowed: none, SOUTH sends floats"),
        ("f,analog,Hz,x,frequency,,2,,\n", "found a scale, allowed: none for frequency"),
    ],
)
def test_what_is_refused(tmp_path: Path, rows: str, sentence: str) -> None:
    """Each problem is named at its line, with what was found and what is allowed."""
    with pytest.raises(ValueError, match=sentence) as error:
        checked(tmp_path, rows, pmus=PMUS)
    assert str(error.value).count("\n") == 0
    assert "points.csv:" in str(error.value)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("p,analog,MW,x,analog/P,,2.5,,\n", "found 2.5, allowed: a whole number"),
        (MAGNITUDE.replace("magnitude,,", "magnitude,,168") + ANGLE, "and up to 167.77215"),
    ],
)
def test_scales_of_integers(tmp_path: Path, rows: str, sentence: str) -> None:
    """A scale is what configuration 2 can say."""
    with pytest.raises(ValueError, match=sentence):
        checked(tmp_path, rows, numbers="integer")


def test_a_frame_that_would_be_too_long(tmp_path: Path) -> None:
    """More channels than a configuration of 65,535 octets names are refused at once."""
    # 16 octets of name and 4 of ANUNIT each: 3300 of them have 66,000.
    rows = "".join(f"p{i},analog,MW,x,analog/P{i},,,,\n" for i in range(3300))
    with pytest.raises(ValueError, match="no frame holds all of them"):
        checked(tmp_path, rows)


@paused
async def test_the_sheet(tmp_path: Path) -> None:
    """`gateway profile` says what a PDC reads of the configuration, and where to connect."""
    more: dict[str, Any] = {"idcode": 12, "numbers": "integer", "rate": 25, "wait": "150ms"}
    async with station(tmp_path, **more) as s, Centre.at(s.port, 12) as centre:
        (pmu,) = (await centre.begin()).pmus
        frame = await centre.frame()
    sink = server(s.port, **more)
    points = configured([Emitter(name="field")], [sink], POINTS, tmp_path)
    text = sink.profile(linked(points.points))
    for line in (
        f"| address | 127.0.0.1:{s.port}; 0.0.0.0 is any address of the gateway |",
        f"| openPDC: connection string | `transportProtocol=tcp; server=127.0.0.1:{s.port}` |",
        "| IDCODE (access ID) | 12 |",
        "| rate | 25 frames per second |",
        "| lag time | above 0.15 s: so long a frame waits for samples at the gateway |",
        f"A data frame has {len(frame)} octets; with its headers "
        f"{(len(frame) + 40) * 8 * 25 / 1000:.1f} kbit/s.",
        f"## {pmu.station}, IDCODE {pmu.idcode}",
        f"| phasor/{pmu.names[0]}/magnitude | va | V | {pmu.phasors[0][1]:g} V |",
        f"| phasor/{pmu.names[1]}/angle | ia.angle | rad | 0.0001 rad |",
        f"| analog/{pmu.names[2]} | p | MW | {pmu.analogs[0]} |",
        "| digital/1/0 | breaker |  |  |",
    ):
        assert line in text.splitlines()


def test_the_sheet_of_other_transports(tmp_path: Path) -> None:
    """Data over UDP are told of, commanded and not, and slow streams in seconds."""
    more: dict[str, Any] = {"listen": "0.0.0.0:4712", "transport": "tcp-udp", "rate": -10}
    sink = server(**more, spontaneous=[{"to": "239.1.1.1:4714"}])
    points = configured([Emitter(name="field")], [sink], POINTS, tmp_path)
    lines = sink.profile(linked(points.points)).splitlines()
    for line in (
        "| transport | TCP for commands, UDP port 4713 of the PDC for data |",
        "| openPDC: connection string | `transportProtocol=udp; port=4713` |",
        "| openPDC: alternate command channel | `transportProtocol=tcp; server=GATEWAY:4712` |",
        "| UDP without commands | 239.1.1.1:4714, configuration 2 each minute |",
        "| rate | a frame each 10 s |",
        # 14 up to FRACSEC, STAT 2, two phasors 16, FREQ and DFREQ 8, an analog 4, a word 2, CHK 2.
        "A data frame has 48 octets; with its headers 0.1 kbit/s.",
    ):
        assert line in lines


def linked(definitions: Any) -> list[Any]:
    """Return the points as the sink sees them."""
    from gateway import LinkPoint

    return [LinkPoint(i, one, one.addresses.get("wams")) for i, one in enumerate(definitions)]
