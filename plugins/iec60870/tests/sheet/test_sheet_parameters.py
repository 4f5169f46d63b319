"""The sheet's numbers hold for the running station: sizes, lengths, time-outs, windows, places."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.asdu import (
    Asdu,
    Interrogation,
    Sizes,
    TypeId,
    encode_system,
    parse,
)
from gateway_iec60870.controlled import ControlledLink, Iec60870ServerPoint
from gateway_iec60870.controlled.sheet import LowerLayers

from gateway import Definition, Kind, LinkPoint
from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from sheet_station import BARE, Check, Sheet, numbers

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))
from control_centre import Centre, station

FORM = "Transmission mode and addresses"
LENGTHS = "Lengths"
PLACES = "Port number, redundant connections, security"
GATEWAY = str(Path(sys.executable).with_name("gateway"))


def parameter(sheet: Sheet, name: str) -> float:
    """Return a time-out in seconds, or a number of APDUs."""
    title = "Time-outs" if name[0] == "t" else "Maximum number of outstanding I format APDUs"
    cell = sheet.said(title, name, "this station")
    return numbers(cell)[0] * (60 if "min" in cell else 1)


def sizes_of(sheet: Sheet) -> Sizes:
    """Return the sizes of the fields that a sheet has an X at."""
    used = sheet.used(FORM)
    octets = {"one": 1, "two": 2, "three": 3}
    found: dict[str, int] = {}
    for item, here in used.items():
        field, _, words = item.partition(": ")
        size = octets.get(words.partition(" ")[0])
        if here and size is not None:
            assert field not in found
            found[field] = size
    return Sizes(
        found["Cause of transmission"],
        found["Common address of ASDU"],
        found["Information object address"],
        int(numbers(sheet.said(LENGTHS, "Maximum length of an ASDU", "this station"))[0]),
    )


@paused
@pytest.mark.parametrize("cause", [1, 2])
@pytest.mark.parametrize("address", [1, 2])
@pytest.mark.parametrize("object_octets", [1, 2, 3])
async def test_sizes(tmp_path: Path, cause: int, address: int, object_octets: int) -> None:
    """An interrogation in the sizes of the sheet is understood, and answered in them; the
    originator comes back where there is one."""
    more = {"cause_octets": cause, "ca_octets": address, "ioa_octets": object_octets}
    sizes = sizes_of(Sheet.of(BARE, **more))
    assert (sizes.cause, sizes.address, sizes.object) == (cause, address, object_octets)
    async with station(tmp_path, points=BARE, **more) as here, Centre.at(here.port) as centre:
        assert parse(await centre.hear(), sizes) == Asdu(
            TypeId.M_EI_NA_1, 4, 7, bytes(object_octets + 1)
        )
        asked = Interrogation()
        body = encode_system(asked, sizes)
        centre.say(Asdu(asked.type, 6, 7, body, originator=5).encode(sizes))
        heard = [parse(await centre.hear(), sizes) for _ in range(4)]
        assert [(one.type, one.cause) for one in heard] == [(100, 7), (1, 20), (13, 20), (100, 10)]
        assert {one.originator for one in heard} == {5 if cause == 2 else 0}
        assert {one.body[:object_octets] for one in heard} == {
            number.to_bytes(object_octets, "little") for number in (0, 1, 2)
        }


@paused
async def test_lengths(tmp_path: Path) -> None:
    """Of 300 objects no APDU is longer than the sheet says, and the longest is nearly as long."""
    rows = "name,kind,field.at,scada.ioa\n" + "".join(
        f"p{n},analog,x,{2 * n}\n" for n in range(1, 300)
    )
    sheet = Sheet.of(rows)
    longest = numbers(sheet.said(LENGTHS, "Maximum length of an ASDU", "this station"))[0]
    apdu = numbers(
        sheet.said(LENGTHS, "Maximum length of an APDU, both directions", "this station")
    )
    # The APDU counts from its control field, of four octets (104 clause 5.1).
    assert apdu == [longest + 4]
    async with Check.at(tmp_path, rows) as check:
        await check.hear()
        await check.system(Interrogation())
        # An address of three octets, a float and its quality: an object has eight.
        assert longest - 8 < check.longest <= longest


@paused
async def test_windows(tmp_path: Path) -> None:
    """k ASDUs leave without an acknowledgement, and not one more; the station acknowledges the
    w-th, and not the one before."""
    more = {"k": 5, "w": 3}
    sheet = Sheet.of(BARE, **more)
    k, w = int(parameter(sheet, "k")), int(parameter(sheet, "w"))
    async with station(tmp_path, points=BARE, **more) as here, Centre.at(here.port) as centre:
        await centre.hear()
        centre.acknowledges = False
        for n in range(k + 1):
            await here.emit(breaker=n % 2)
        await centre.hear_all(k)
        with pytest.raises(TimeoutError):
            await centre.frame(1)
        # What is refused is acknowledged like anything else; there is no room for an answer.
        for _ in range(w):
            with pytest.raises(TimeoutError):
                await centre.frame(0.5)
            centre.say(bytes((200, 1, 6, 0, 7, 0, 0, 0, 0)))
        frame = await centre.frame(0.5)
        assert frame == bytes((0x68, 4, 1, 0)) + (2 * w).to_bytes(2, "little")


@paused
async def test_time_outs(tmp_path: Path) -> None:
    """t2: an ASDU is acknowledged after it; t3: so long after the last frame comes a test; t1: a
    test that is not answered within it ends the connection."""
    more = {"t1": "7s", "t2": "2s", "t3": "11s"}
    sheet = Sheet.of(BARE, **more)
    loop = asyncio.get_running_loop()
    async with station(tmp_path, points=BARE, **more) as here, Centre.at(here.port) as centre:
        await centre.hear()
        # Answered by another station: the type is without use here, and nothing is said.
        centre.say(bytes((200, 1, 0x47, 0, 7, 0, 0, 0, 0)))
        begin = loop.time()
        assert (await centre.frame(20))[:4] == bytes.fromhex("68040100")
        assert loop.time() - begin == pytest.approx(parameter(sheet, "t2"))
        assert (await centre.frame(20))[2] == 0x43
        assert loop.time() - begin == pytest.approx(parameter(sheet, "t3"))
        begin = loop.time()
        assert await centre.ended(20)
        assert loop.time() - begin == pytest.approx(parameter(sheet, "t1"))


@paused
async def test_redundant_connections(tmp_path: Path) -> None:
    """N connections stand at once, one more is closed; the one that was started last is used, and
    what the other one did not acknowledge comes again on it."""
    more = {"max_clients": 3}
    said = Sheet.of(BARE, **more).said(PLACES, "Redundant connections", "this station")
    count = int(numbers(said)[0])
    async with station(tmp_path, points=BARE, **more) as here, Centre.at(here.port) as first:
        await first.hear()
        first.acknowledges = False
        await here.emit(breaker=1)
        event = await first.hear()
        async with Centre.at(here.port, start=False) as second:
            others = [Centre.at(here.port, start=False) for _ in range(count - 2)]
            for one in others:
                await one.__aenter__()
            async with Centre.at(here.port, start=False) as beyond:
                assert await beyond.ended()
            await second.start()
            assert await second.hear() == event
            for one in others:
                await one.__aexit__(None, None, None)


def test_places() -> None:
    """The port, who is let in, and with what certificates, are those of the link."""
    tls = {"certificate": "a.pem", "key": "a.key", "ca": "ca.pem"}
    sheet = Sheet.of(BARE, clients=["10.0.0.0/24", "10.1.0.7"], tls=tls, fingerprints=["ab" * 32])

    def said(item: str) -> str:
        return sheet.said(PLACES, item, "this station")

    assert said("Port number") == "20000; that of the standard is 2404"
    assert said("Control centre accepted from") == "10.0.0.0/24, 10.1.0.7"
    shows = "yes; the control centre shows a certificate"
    assert said("TLS (IEC 62351-3)") == f"{shows}, one of those that are expected"


class Other(ControlledLink):
    """A station of another transport."""

    sheeted: bool = True

    @property
    def longest(self) -> int:
        return 253

    def lower_layers(self) -> LowerLayers | None:
        if not self.sheeted:
            return None
        return LowerLayers(
            standard="IEC 60870-5-101:2003",
            clause=8,
            network=[("Multipoint-party line", "yes")],
            physical=[("Speed", "9600 bit/s")],
            link=[("Transmission", "unbalanced"), ("Link address", "1 octet: 3")],
            length=[("Maximum length L", "255 octets")],
            foreign=frozenset((TypeId.C_TS_TA_1, TypeId.C_SC_TA_1, TypeId.F_SC_NB_1)),
        )


def other(**more: Any) -> str | None:
    link = Other.model_validate({"name": "rtu", "type": "other", "ca": 7} | more)
    point = LinkPoint(0, Definition("p", Kind.STATUS), Iec60870ServerPoint(ioa=1))
    return link.profile([point])


def test_another_transport_says_its_own() -> None:
    """A station of 101 gives its lower layers, the rest is the same; types that its standard does
    not have are shown where the station understands them all the same."""
    text = other()
    assert text is not None
    sheet = Sheet(text)
    assert sheet.titles[0] == "Interoperability of rtu: IEC 60870-5-101:2003, controlled station"
    assert sheet.said("8.2 Network configuration", "Multipoint-party line", "this station") == "yes"
    assert sheet.said("8.3 Physical layer", "Speed", "this station") == "9600 bit/s"
    assert sheet.said("8.4 Link layer", "Transmission", "this station") == "unbalanced"
    assert sheet.said(LENGTHS, "Maximum length L", "this station") == "255 octets"
    assert sheet.said(LENGTHS, "Maximum length of an ASDU", "this station") == "253 octets"
    assert "test command with time tag CP56Time2a, not of this standard" in text
    assert "C_SC_TA_1" not in text
    assert "Port number" not in text
    assert other(sheeted=False) is None


def test_it_is_printed(tmp_path: Path) -> None:
    """`gateway profile FILE NAME` prints it."""
    (tmp_path / "points.csv").write_text("name,kind,field.signal,scada.ioa\na,analog,sine,1\n")
    (tmp_path / "gateway.yaml").write_text(
        "gateway: {name: t}\npoints: points.csv\n"
        "sources:\n  - {name: field, type: simulator}\n"
        'sinks:\n  - {name: scada, type: iec104.server, ca: 7, listen: "127.0.0.1:2404"}\n'
    )
    done = subprocess.run(
        [GATEWAY, "profile", str(tmp_path / "gateway.yaml"), "scada"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    sheet = Sheet(done.stdout)
    assert sheet.titles[0] == "Interoperability of scada: IEC 60870-5-104:2006, controlled station"
    assert [row["name"] for row in sheet.objects] == ["a"]
