"""The source `iec104.client` in a whole gateway, in front of stations that do as they are told."""

from __future__ import annotations

import asyncio
import logging
import ssl
import struct
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway import Quality
from gateway.testing import Collector, paused
from gateway.testing.authority import Authority

sys.path.insert(0, str(Path(__file__).parent))
from client_bench import bench, interrogated
from octet_station import (
    STARTDT_ACT,
    TESTFR_ACT,
    Station,
    asdu,
    at,
    cp56,
    kinds,
    mirrored,
    obedient,
)

Q = Quality
STALE = Q.INVALID | Q.OLD_DATA
NOW = datetime(2026, 1, 1, tzinfo=UTC)  # where the paused clock begins
T = datetime(2025, 6, 30, 23, 59, 59, 999000, tzinfo=UTC)
T_NS = 1_751_327_999_999_000_000  # the same, by date(1)
ROWS = """\
name,kind,scale,rtu.ioa,rtu.ca,rtu.bit
breaker,status,,100,,
isolator,double,,101,,
tap,analog,,102,,
word,counter,,103,,
word_3,status,,103,,3
word_31,status,,103,,31
load,analog,200,104,,
level,analog,,105,,
voltage,analog,0.1,66051,,
energy,counter,10,107,,
other,status,,100,2,
"""
ONE = "name,kind,rtu.ioa\nbreaker,status,100\nvoltage,analog,200\n"


def ns(when: datetime) -> int:
    return int(when.timestamp() * 1000) * 10**6


@paused
async def test_samples(tmp_path: Path) -> None:
    """Every type reaches its point, with its quality, its time and the row's scale, in order."""
    script = interrogated(
        asdu(1, 20, at(100) + b"\x01"),
        asdu(3, 20, at(101) + b"\x40"),  # intermediate, not topical
        asdu(5, 20, at(102) + bytes((0x80 | 0x7D, 0))),  # transient, -3
        asdu(7, 20, at(103) + bytes.fromhex("08 00 00 80 00")),
        asdu(9, 20, at(104) + struct.pack("<hB", -16384, 0x01)),  # -1/2, overflow
        asdu(11, 20, at(105) + struct.pack("<hB", -7, 0x10)),  # blocked
        asdu(13, 20, bytes.fromhex("03 02 01") + struct.pack("<fB", 1234.5, 0x20)),  # substituted
        asdu(15, 20, at(107) + struct.pack("<iB", 6, 0x05)),
        asdu(1, 20, at(100) + b"\x80", ca=2),  # invalid
    )
    device, collector = Station(script), Collector(name="scada")
    async with bench(tmp_path, ROWS, device, collector) as gw:
        await gw.until(lambda: gw.sample("other").quality == Q.INVALID)
        device.link.say(
            asdu(30, 3, at(100) + b"\x00" + cp56(T)),
            asdu(31, 3, at(101) + b"\x02" + cp56(T, 0x80)),  # the station's clock is not set
            asdu(36, 3, at(0x010203) + struct.pack("<fB", 5, 0) + cp56(T)
                 + at(0x010203) + struct.pack("<fB", 6, 0) + cp56(T), count=2),
            asdu(30, 11 | 0x80, at(100) + b"\x01" + cp56(T)),  # a test, after a remote command
            asdu(37, 37, at(107) + struct.pack("<iB", 7, 0x40) + cp56(T)),  # adjusted
        )  # fmt: skip
        await gw.until(lambda: gw.sample("energy").value == 70)
        rows = [(r.name, r.value, r.quality, r.time) for r in collector.rows()]
        now = rows[0][3]
        assert ns(NOW) <= now < ns(NOW) + 10**9
        device_time = Q.DEVICE_TIME
        assert rows == [
            ("breaker", 1, Q.GOOD, now),
            ("isolator", 0, Q.QUESTIONABLE | Q.OLD_DATA, now),
            ("tap", -3, Q.QUESTIONABLE | Q.INACCURATE, now),
            ("word", 0x80000008, Q.GOOD, now),
            ("word_3", 1, Q.GOOD, now),
            ("word_31", 1, Q.GOOD, now),
            ("load", -100, Q.QUESTIONABLE | Q.OVERFLOW, now),
            ("level", -7, Q.OPERATOR_BLOCKED, now),
            ("voltage", pytest.approx(123.45), Q.SUBSTITUTED, now),
            ("energy", 60, Q.GOOD, now),
            ("other", 0, Q.INVALID, now),
            ("breaker", 0, device_time, T_NS),
            ("isolator", 2, device_time | Q.CLOCK_NOT_SYNCHRONISED, T_NS),
            ("voltage", 0.5, device_time, T_NS),
            ("voltage", pytest.approx(0.6), device_time, T_NS),
            ("breaker", 1, device_time | Q.TEST, T_NS),
            ("energy", 70, device_time | Q.QUESTIONABLE | Q.INCONSISTENT, T_NS),
        ]


@paused
async def test_events_count_each(tmp_path: Path) -> None:
    """A spontaneous value that has not changed is taken again, one that was asked for is not."""
    device, collector = Station(), Collector(name="scada")
    async with bench(tmp_path, ONE, device, collector) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        for cause in (20, 3, 11, 12, 1, 2, 5, 36, 3):
            device.link.say(asdu(1, cause, at(100) + b"\x01"))
            await asyncio.sleep(0.1)
        assert len([row for row in collector.rows() if row.name == "breaker"]) == 5


@paused
async def test_the_start(tmp_path: Path) -> None:
    """STARTDT, a general interrogation, the clock, the counters; up when something has come."""
    device = Station(lambda request: [])
    more = {"clock": "1h", "counters": {"every": "15min"}, "originator": 7, "time_zone": "UTC"}
    async with bench(tmp_path, ONE, device, timeout="100s", **more) as gw:
        await device.until(lambda: device.asdus)
        assert device.functions == [STARTDT_ACT]
        assert device.asdus == [bytes.fromhex("64 01 06 07 01 00 00 00 00 14")]
        await asyncio.sleep(10)
        assert gw.state("rtu") != "up"
        device.script = obedient
        device.link.say(mirrored(device.asdus[0], 7))
        await gw.until(lambda: gw.state("rtu") == "up")
        await asyncio.sleep(10)
        assert len(device.asdus) == 1
        device.link.say(mirrored(device.asdus[0], 10))
        await device.until(lambda: len(device.asdus) == 3)
        # 20 s and the time of opening are over since the clock began.
        clock = device.asdus[1]
        assert clock[:9] == bytes.fromhex("67 01 06 07 01 00 00 00 00")
        ms, minute, hour, day, month, year = struct.unpack("<HBBBBB", clock[9:])
        assert 20_000 <= ms < 21_000
        assert (minute, hour, day & 0x1F, month, year) == (0, 0, 1, 1, 26)
        assert device.asdus[2] == bytes.fromhex("65 01 06 07 01 00 00 00 00 05")


@paused
async def test_periods(tmp_path: Path) -> None:
    """Interrogations, groups, the clock and counters come again; counters by the wall clock."""
    device = Station()
    more = {
        "interrogation": "5min",
        "groups": [{"group": 2, "every": "100s"}, {"group": 16, "every": "1min", "ca": 3}],
        "counters": {"every": "15min", "group": 4, "freeze": "freeze"},
        "clock": "10min",
    }
    async with bench(tmp_path, ONE, device, **more) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        await asyncio.sleep(1810)
        began = device.times[0]
        told = [
            (one[0], one[9:], round(when - began))
            for one, when in zip(device.asdus, device.times, strict=True)
        ]

        def when(kind: int, body: str) -> list[int]:
            return [
                time for one, octets, time in told if one == kind and octets == bytes.fromhex(body)
            ]

        assert when(100, "14") == [0, 300, 600, 900, 1200, 1500, 1800]
        assert when(100, "16") == list(range(100, 1801, 100))
        assert when(100, "24") == []
        # FRZ 1 with group 4, and then it is read; at the start it is only read.
        assert when(101, "44") == [900, 1800]
        assert when(101, "04") == [0, 900, 1800]
        assert [time for kind, _, time in told if kind == 103] == [0, 600, 1200, 1800]


@pytest.mark.parametrize(
    ("freeze", "bodies"), [("none", "05"), ("freeze_reset", "85 05"), ("reset", "05 c5")]
)
def test_counters(freeze: str, bodies: str, tmp_path: Path) -> None:
    """FRZ of the qualifier (101 clause 7.2.6.23), and the order of freezing and reading."""

    @paused
    async def test() -> None:
        device = Station()
        counters = {"every": "10min", "freeze": freeze}
        async with bench(tmp_path, ONE, device, counters=counters):
            await device.until(lambda: device.times[-1:] > [590.0])
            await asyncio.sleep(1)
            later = [
                one for one, time in zip(device.asdus, device.times, strict=True) if time > 500
            ]
            assert b"".join(one[9:] for one in later) == bytes.fromhex(bodies)

    test()


@paused
async def test_a_station_starts_anew(tmp_path: Path) -> None:
    """After M_EI_NA_1 it is interrogated and set again, once, whenever it comes."""
    device = Station(interrogated())
    async with bench(tmp_path, ONE, device, clock="start") as gw:
        await device.until(lambda: device.requests(103))
        device.link.say(asdu(70, 4, at(0) + b"\x00"))
        await device.until(lambda: len(device.requests(103)) == 2)
        await asyncio.sleep(60)
        assert kinds(device.asdus) == [(100, 6), (103, 6)] * 2
        # In the middle of an interrogation that it had confirmed, and will not end any more.
        device.script = lambda request: [mirrored(request, 7)]
        device.link.say(asdu(70, 4, at(0) + b"\x02"))
        await device.until(lambda: len(device.requests(100)) == 3)
        device.script = obedient
        device.link.say(asdu(70, 4, at(0) + b"\x01"))
        await device.until(lambda: len(device.requests(103)) == 3)
        assert len(device.requests(100)) == 4
        assert gw.counters("rtu")["restarts"] == 3


@paused
async def test_a_station_says_it_started_before_it_answers(tmp_path: Path) -> None:
    """M_EI_NA_1 that passes the first interrogation on its way makes no second one."""
    device = Station()
    device.greeting = [asdu(70, 4, at(0) + b"\x00")]
    async with bench(tmp_path, ONE, device) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        await asyncio.sleep(30)
        assert len(device.requests(100)) == 1


@paused
async def test_an_interrogation_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Refused or without an end: said once, asked again after a minute, and said when it works."""
    caplog.set_level(logging.INFO)
    device = Station(lambda request: [mirrored(request, 0x47)])
    async with bench(tmp_path, ONE, device) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        await asyncio.sleep(130)
        assert len(device.asdus) == 3
        assert gw.counters("rtu")["refused"] == 3
        device.script = lambda request: [mirrored(request, 7)]
        await asyncio.sleep(150)
        assert gw.counters("rtu")["timeouts"] == 2
        device.script = obedient
        await asyncio.sleep(200)
        before = len(device.asdus)
        await asyncio.sleep(1000)
        assert len(device.asdus) == before
    said = [record.getMessage() for record in caplog.records if "interrogation" in record.message]
    assert len(said) == 2
    assert (
        "general interrogation of station 1 failed: refused with cause 7 (activation con, neg"
        in said[0]
    )
    assert "general interrogation of station 1 works again" in said[1]


@paused
async def test_a_long_interrogation(tmp_path: Path) -> None:
    """The time-out counts from one answer to the next, not for the whole of them."""

    device = Station(lambda request: [mirrored(request, 7)])
    async with bench(tmp_path, ONE, device, timeout="5s", interrogation="10min") as gw:
        await device.until(lambda: device.asdus)
        for value in range(20):
            await asyncio.sleep(4)
            device.link.say(asdu(13, 20, at(200) + struct.pack("<fB", value, 0)))
        device.link.say(mirrored(device.asdus[0], 10))
        await asyncio.sleep(300)
        assert gw.sample("voltage").value == 19
        assert "timeouts" not in gw.counters("rtu")
        assert len(device.asdus) == 1


@paused
async def test_one_of_two_is_silent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its points become stale, those of the other one do not; it is probed, and comes back."""
    caplog.set_level(logging.INFO)
    rows = "name,kind,rtu.ioa,rtu.ca\nmine,analog,5,1\nother,analog,5,2\n"

    def script(request: bytes) -> list[bytes]:
        value = asdu(13, 20, at(5) + struct.pack("<fB", 1.5, 0), ca=request[4])
        return [mirrored(request, 7), value, mirrored(request, 10)]

    device = Station(script)
    async with bench(tmp_path, rows, device, interrogation="1min", timeout="5s") as gw:
        await gw.until(lambda: gw.sample("mine").value == gw.sample("other").value == 1.5)
        device.mute.add(2)
        await gw.until(lambda: gw.sample("other").quality == STALE, timeout=100)
        assert gw.sample("other").value == 1.5
        assert gw.sample("mine").quality == Q.GOOD
        assert gw.state("rtu") == "up"
        before = len(device.asdus)
        await asyncio.sleep(300)
        probes = [one for one in device.asdus[before:] if one[4] == 2]
        # Pauses of 2, 4, 8, 16, 32 s and then 60 s, and 5 s of waiting each.
        assert len(probes) == 8
        assert gw.counters("rtu")["silent_stations"] == 1
        device.mute.clear()
        # Whatever it says: it is asked at once, and not at the end of the pause.
        device.link.say(asdu(1, 3, at(9) + b"\x00", ca=2))
        await gw.until(lambda: gw.sample("other").quality == Q.GOOD, timeout=2)
        await asyncio.sleep(3)
    said = [r.getMessage() for r in caplog.records if "answer" in r.message]
    assert len(said) == 2
    assert "station 2 does not answer" in said[0]
    assert "station 2 answers again" in said[1]


@paused
async def test_nobody_answers(tmp_path: Path) -> None:
    """The link is down with a sentence, which tells who does speak, and connects again."""
    device = Station()
    device.mute.add(1)
    device.greeting = [asdu(1, 3, at(9) + b"\x00", ca=47)]
    async with bench(tmp_path, ONE, device, timeout="5s") as gw:
        await device.until(lambda: len(device.links) == 3)
        assert gw.state("rtu") == "down"
        assert (
            "station 1 does not answer, station 47 does, which no row names"
            in gw.status("rtu").error
        )
        device.mute.clear()
        await gw.until(lambda: gw.state("rtu") == "up")


@paused
async def test_none_of_several_answers(tmp_path: Path) -> None:
    """The sentence names them."""
    rows = "name,kind,rtu.ioa,rtu.ca\nmine,analog,5,1\nother,analog,5,2\n"
    device = Station()
    device.mute |= {1, 2}
    async with bench(tmp_path, rows, device, timeout="5s") as gw:
        await gw.until(lambda: gw.state("rtu") == "down")
        assert "none of the stations 1, 2 answers" in gw.status("rtu").error


@paused
async def test_a_test_command(tmp_path: Path) -> None:
    """A station that is quiet is sent C_TS_TA_1; one that does not answer it is silent."""
    rows = "name,kind,rtu.ioa,rtu.ca\nmine,analog,5,1\nother,analog,5,2\n"
    device = Station()
    async with bench(tmp_path, rows, device, test="10s", timeout="5s") as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        for _ in range(30):
            await asyncio.sleep(5)
            device.link.say(asdu(13, 3, at(5) + struct.pack("<fB", 1, 0)))
        tests = device.requests(107)
        assert {one[4] for one in tests} == {2}
        assert len(tests) in (14, 15)
        # A counter of two octets, and the time.
        assert [one[9] for one in tests] == list(range(1, len(tests) + 1))
        assert len(tests[0]) == 9 + 2 + 7
        device.mute.add(2)
        await gw.until(lambda: gw.counters("rtu").get("silent_stations"), timeout=30)


@paused
async def test_strangers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What no row names is counted, and said once; so is what cannot be read."""
    device = Station()
    async with bench(tmp_path, ONE, device) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        for _ in range(3):
            device.link.say(
                asdu(1, 3, at(7) + b"\x00" + at(100) + b"\x01" + at(8) + b"\x00", count=3),
                asdu(13, 3, at(100) + struct.pack("<fB", 1, 0)),  # a number, the row is a status
                asdu(1, 3, at(100) + b"\x00", ca=9),
                asdu(142, 3, b"whatever"),  # a private type
                asdu(1, 3, at(100) + b"\x00\x00"),  # an octet too many
                b"\x01",
            )
            await asyncio.sleep(0.1)
        device.link.say(asdu(13, 3, at(200) + struct.pack("<fB", 9, 0)))
        await gw.until(lambda: gw.sample("voltage").value == 9)
        assert gw.sample("breaker").value == 1
        await asyncio.sleep(11)
        assert device.link.acknowledged == device.link.sent
        counters = gw.counters("rtu")
        assert counters["unknown_objects"] == 12
        assert counters["unknown_types"] == 3
        assert counters["malformed"] == 6
    said = [r.getMessage() for r in caplog.records if r.name == "gateway_iec104.rtu"]
    assert len(said) == 5
    assert "station 1 sends M_SP_NA_1 of object 7, which no row names" in said[3]


@paused
async def test_the_connection_breaks(tmp_path: Path) -> None:
    """All points become stale, and come back after the start of the next connection."""
    value = asdu(13, 20, at(200) + struct.pack("<fB", 1.5, 0))
    device = Station(interrogated(value))
    async with bench(tmp_path, ONE, device) as gw:
        await gw.until(lambda: gw.sample("voltage").quality == Q.GOOD)
        device.link.hang_up()
        await gw.until(lambda: gw.sample("voltage").quality == STALE)
        await gw.until(lambda: gw.sample("voltage").quality == Q.GOOD)
        assert kinds(device.asdus) == [(100, 6)]
        assert len(device.links) == 2


@paused
async def test_the_other_side_is_dead(tmp_path: Path) -> None:
    """A quiet connection is tested after t3; without an answer within t1 it is closed."""
    device = Station()
    async with bench(tmp_path, ONE, device, t1="8s", t2="5s", t3="30s") as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        await asyncio.sleep(100)
        assert device.functions.count(TESTFR_ACT) >= 2
        assert gw.state("rtu") == "up"
        device.tests = False
        loop = asyncio.get_running_loop()
        began = loop.time()
        await gw.until(lambda: gw.state("rtu") != "up", timeout=60)
        assert loop.time() - began <= 38.1
        device.tests = True
        await gw.until(lambda: gw.state("rtu") == "up")


@paused
async def test_no_start(tmp_path: Path) -> None:
    """A device that does not confirm STARTDT: the link is down, and nothing else is sent."""
    device = Station()
    device.starts = False
    async with bench(tmp_path, ONE, device, t1="8s", t2="5s") as gw:
        await device.until(lambda: len(device.links) == 2)
        assert gw.state("rtu") != "up"
        assert device.asdus == []
        assert "STARTDT" in gw.status("rtu").error


@paused
async def test_tls(tmp_path: Path) -> None:
    """Both sides prove who they are (IEC 62351-3); a station of another authority is refused."""
    for folder in ("mine", "foreign"):
        (tmp_path / folder).mkdir()
        authority = Authority(tmp_path / folder)
        for name in ("gateway", "station"):
            authority.issue(name, "127.0.0.1")
    tls = {
        "ca": str(tmp_path / "mine/ca.pem"),
        "certificate": str(tmp_path / "mine/gateway.pem"),
        "key": str(tmp_path / "mine/gateway.key"),
    }

    def station(folder: str) -> Station:
        device = Station()
        device.tls = ssl.create_default_context(
            ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "mine/ca.pem")
        )
        device.tls.verify_mode = ssl.CERT_REQUIRED
        device.tls.load_cert_chain(
            tmp_path / folder / "station.pem", tmp_path / folder / "station.key"
        )
        return device

    device = station("mine")
    async with bench(tmp_path, ONE, device, tls=tls) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        device.link.say(asdu(1, 3, at(100) + b"\x01"))
        await gw.until(lambda: gw.sample("breaker").value == 1)
    device = station("foreign")
    async with bench(tmp_path, ONE, device, tls=tls) as gw:
        await gw.until(lambda: gw.state("rtu") == "down")
        assert "the other side's certificate is not good" in gw.status("rtu").error
        assert device.links == []
