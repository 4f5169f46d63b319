"""The source against devices that behave, and against devices that do not."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from gateway_modbus.source import Modbus
from gateway_modbus.testing import Act, ScriptedDevice, good, refused

from gateway import Quality
from gateway.testing import running

STALE = Quality.INVALID | Quality.OLD_DATA


def source(port: int, **more: Any) -> Modbus:
    settings: dict[str, Any] = {
        "name": "meter",
        "host": "127.0.0.1",
        "port": port,
        "poll": "50ms",
        "timeout": "150ms",
        "reconnect": {"min": "50ms", "max": "100ms"},
    }
    return Modbus.model_validate(settings | more)


def points(*rows: str) -> str:
    return "\n".join(["name,meter.register,meter.type,meter.unit,meter.poll", *rows, ""])


async def test_values_and_up(tmp_path: Path) -> None:
    """Registers that hold their own address arrive as such, good, and the link is up."""
    async with (
        ScriptedDevice().running() as device,
        running([source(device.port)], points=points("a,7,,,", "b,9,,,"), data=tmp_path) as gw,
    ):
        await gw.until(lambda: gw.sample("b").quality == Quality.GOOD)

        assert (gw.sample("a").value, gw.sample("b").value) == (7, 9)
        assert gw.state("meter") == "up"
        assert {request[2:] for request in device.requests} == {
            bytes.fromhex("000000060103 00070003")
        }


EXCEPTIONS = [
    (1, Quality.INVALID | Quality.BAD_REFERENCE),
    (2, Quality.INVALID | Quality.BAD_REFERENCE),
    (3, Quality.INVALID | Quality.BAD_REFERENCE),
    (4, Quality.INVALID | Quality.FAILURE),
    (5, Quality.QUESTIONABLE | Quality.OLD_DATA),
    (6, Quality.QUESTIONABLE | Quality.OLD_DATA),
    (8, Quality.INVALID | Quality.FAILURE),
    (10, STALE),
    (11, STALE),
    (0x77, Quality.INVALID | Quality.FAILURE),
]


@pytest.mark.parametrize(("code", "quality"), EXCEPTIONS)
async def test_exceptions(code: int, quality: Quality, tmp_path: Path) -> None:
    """An exception code gives its points the quality of the README's table, and no others."""
    bad: set[int] = set()

    def behaviour(request: bytes) -> Act:
        return Act(refused(request, code) if request[6] in bad else good(request))

    async with (
        ScriptedDevice(behaviour).running() as device,
        running(
            [source(device.port, busy_pause="1ms")],
            points=points("a,1,,1,", "b,1,,2,"),
            data=tmp_path,
        ) as gw,
    ):
        await gw.until(lambda: gw.sample("a").quality == gw.sample("b").quality == Quality.GOOD)
        bad.add(2)
        await gw.until(lambda: gw.sample("b").quality == quality, what=f"exception {code}")
        assert gw.sample("a").quality == Quality.GOOD
        assert gw.sample("b").value == 1
        assert gw.state("meter") == "up"


async def test_busy_is_asked_again(tmp_path: Path) -> None:
    """A device that is busy twice and then answers never loses its quality."""
    seen: Counter[int] = Counter()

    def behaviour(request: bytes) -> Act:
        seen[0] += 1
        return Act(refused(request, 6) if seen[0] % 3 else good(request))

    async with (
        ScriptedDevice(behaviour).running() as device,
        running(
            [source(device.port, busy_pause="1ms")], points=points("a,1,,,"), data=tmp_path
        ) as gw,
    ):
        await gw.until(lambda: seen[0] >= 9)
        assert gw.sample("a").quality == Quality.GOOD
        assert gw.counters("meter")["exceptions"] >= 4


@pytest.mark.parametrize("code", [2, 3])
async def test_one_bad_register(code: int, tmp_path: Path) -> None:
    """A register that the device does not have costs only its own points."""

    def behaviour(request: bytes) -> Act:
        start, count = int.from_bytes(request[8:10], "big"), int.from_bytes(request[10:12], "big")
        return Act(refused(request, code) if start <= 37 < start + count else good(request))

    rows = [f"p{n},{n},,," for n in range(100)]
    async with (
        ScriptedDevice(behaviour).running() as device,
        running([source(device.port)], points=points(*rows), data=tmp_path) as gw,
    ):
        await gw.until(lambda: gw.sample("p37").quality == Quality.INVALID | Quality.BAD_REFERENCE)
        others = [f"p{n}" for n in range(100) if n != 37]
        await gw.until(lambda: all(gw.sample(n).quality == Quality.GOOD for n in others))
        assert [gw.sample(n).value for n in others] == [n for n in range(100) if n != 37]

        # Remembered: the register is left alone from now on.
        asked = len(device.requests)
        await gw.until(lambda: len(device.requests) > asked + 40)
        spans = {(request[8:10], request[10:12]) for request in device.requests[asked:]}
        assert spans == {(b"\0\x00", b"\0\x25"), (b"\0\x26", b"\0\x3e")}  # 0..36 and 38..99


async def test_gap_that_cannot_be_read(tmp_path: Path) -> None:
    """Registers that nobody asked for and that the device refuses cost nobody anything."""

    def behaviour(request: bytes) -> Act:
        start, count = int.from_bytes(request[8:10], "big"), int.from_bytes(request[10:12], "big")
        return Act(refused(request, 2) if start <= 5 < start + count else good(request))

    async with (
        ScriptedDevice(behaviour).running() as device,
        running([source(device.port)], points=points("a,1,,,", "b,8,,,"), data=tmp_path) as gw,
    ):
        await gw.until(lambda: gw.sample("a").quality == gw.sample("b").quality == Quality.GOOD)
        assert (gw.sample("a").value, gw.sample("b").value) == (1, 8)


SILENCES = {
    "no answer": lambda request: Act(),
    "hangs after three bytes": lambda request: Act(good(request)[:3]),
    "hangs before the last byte": lambda request: Act(good(request)[:-1]),
}


@pytest.mark.parametrize("name", SILENCES)
async def test_silence(name: str, tmp_path: Path) -> None:
    """A device that stops in the middle makes its points old, and is good again when it goes on."""
    async with (
        ScriptedDevice().running() as device,
        running([source(device.port)], points=points("a,7,,,"), data=tmp_path) as gw,
    ):
        await gw.until(lambda: gw.sample("a").quality == Quality.GOOD)
        device.behaviour = SILENCES[name]
        await gw.until(lambda: gw.sample("a").quality == STALE)
        assert gw.sample("a").value == 7
        device.behaviour = lambda request: Act(good(request))
        await gw.until(lambda: gw.sample("a").quality == Quality.GOOD)
        assert gw.counters("meter")["timeouts"] >= 1


async def test_nothing_answers_for_long(tmp_path: Path) -> None:
    """A device that accepts connections and never answers is connected to again."""
    async with (
        ScriptedDevice(lambda request: Act()).running() as device,
        running(
            [source(device.port, timeout="20ms", retries=0)],
            points=points("a,7,,,"),
            data=tmp_path,
        ) as gw,
    ):
        await gw.until(lambda: device.connections >= 2, timeout=20)
        assert gw.sample("a").quality == STALE
        assert math.isnan(gw.sample("a").value)
        assert gw.state("meter") == "down"


def _with(request: bytes, at: int, value: int) -> bytes:
    answer = bytearray(good(request, b"\x66\x66"))
    answer[at] = value
    return bytes(answer)


GARBAGE = {
    "another transaction": lambda request: Act(_with(request, 1, request[1] ^ 0x55)),
    "another protocol": lambda request: Act(_with(request, 3, 1)),
    "oversize length": lambda request: Act(_with(request, 4, 0xFF)),
    "another unit": lambda request: Act(_with(request, 6, 99)),
    "another function": lambda request: Act(_with(request, 7, 4)),
    "another byte count": lambda request: Act(_with(request, 8, 4)),
    "text": lambda request: Act(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "more than was asked": lambda request: Act(good(request, b"\x66\x66\x66\x66")),
    "twice": lambda request: Act(good(request, b"\x66\x66"), b"\0" * 20, reset=True),
    "reset": lambda request: Act(reset=True),
    "reset in the middle": lambda request: Act(good(request)[:5], reset=True),
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_garbage(name: str, tmp_path: Path) -> None:
    """What is not the answer closes the connection, never becomes a value, and is got over."""
    async with (
        ScriptedDevice().running() as device,
        running([source(device.port)], points=points("a,7,,,"), data=tmp_path) as gw,
    ):
        await gw.until(lambda: gw.sample("a").quality == Quality.GOOD)
        before = device.connections
        device.behaviour = GARBAGE[name]
        await gw.until(lambda: device.connections >= before + 2)
        if name != "twice":
            assert gw.sample("a").value == 7
        device.behaviour = lambda request: Act(good(request))
        await gw.until(lambda: gw.sample("a").quality == Quality.GOOD and gw.sample("a").value == 7)


async def test_byte_by_byte(tmp_path: Path) -> None:
    """An answer in as many packets as it has bytes is a good answer."""
    async with (
        ScriptedDevice(
            lambda request: Act(*(good(request)[n : n + 1] for n in range(len(good(request)))))
        ).running() as device,
        running([source(device.port, timeout="1s")], points=points("a,7,,,"), data=tmp_path) as gw,
    ):
        await gw.until(lambda: gw.sample("a").quality == Quality.GOOD)
        assert gw.sample("a").value == 7


async def test_late_answers(tmp_path: Path) -> None:
    """An answer that comes after its time-out is dropped and counted; the link stays up."""
    slow = True

    def behaviour(request: bytes) -> Act:
        late = slow and int.from_bytes(request[:2], "big") % 2 == 1
        return Act(good(request), delay=0.08 if late else 0.0)

    async with (
        ScriptedDevice(behaviour).running() as device,
        running(
            [source(device.port, timeout="50ms")], points=points("a,7,,,"), data=tmp_path
        ) as gw,
    ):
        await gw.until(lambda: gw.counters("meter").get("late_answers", 0) >= 3)
        assert device.connections == 1
        slow = False
        await gw.until(lambda: gw.sample("a").quality == Quality.GOOD)
        assert gw.sample("a").value == 7


async def test_one_silent_read_of_a_unit(tmp_path: Path) -> None:
    """Where only some registers have no answer, the others go on and the link stays up."""

    def behaviour(request: bytes) -> Act:
        return Act() if int.from_bytes(request[8:10], "big") == 100 else Act(good(request))

    async with (
        ScriptedDevice(behaviour).running() as device,
        running(
            [source(device.port, timeout="50ms")],
            points=points("a,1,,,", "b,100,,,", "c,200,,,"),
            data=tmp_path,
        ) as gw,
    ):
        await gw.until(lambda: gw.sample("b").quality == STALE)
        await gw.until(lambda: gw.sample("a").quality == gw.sample("c").quality == Quality.GOOD)
        asked = len(device.requests)
        await gw.until(lambda: len(device.requests) > asked + 40)
        starts = Counter(int.from_bytes(r[8:10], "big") for r in device.requests[asked:])
        assert starts[100] <= 4
        assert min(starts[1], starts[200]) >= 15
        assert device.connections == 1


async def test_dead_unit_among_ten(tmp_path: Path) -> None:
    """One dead unit of ten takes no more of the line than its share, and comes back by itself."""
    dead = {5}

    def behaviour(request: bytes) -> Act:
        return Act() if request[6] in dead else Act(good(request))

    rows = [f"u{unit},{unit},,{unit}," for unit in range(1, 11)]
    async with (
        ScriptedDevice(behaviour).running() as device,
        running(
            [source(device.port, timeout="100ms", probe_share=0.1)],
            points=points(*rows),
            data=tmp_path,
        ) as gw,
    ):
        await gw.until(lambda: gw.counters("meter").get("silent_units"))
        first = len(device.requests)
        began = device.times[-1]
        await gw.until(lambda: device.times[-1] - began > 3.0)
        asked = Counter(request[6] for request in device.requests[first:])
        span = device.times[-1] - began
        # Each probe costs 100 ms, a tenth of the time is a probe a second; 50 ms is the period.
        assert asked[5] <= span / 1.0 + 1
        assert min(asked[unit] for unit in range(1, 11) if unit != 5) >= 0.6 * span / 0.05
        assert all(
            gw.sample(f"u{unit}").quality == Quality.GOOD for unit in range(1, 11) if unit != 5
        )
        dead.clear()
        await gw.until(lambda: gw.sample("u5").quality == Quality.GOOD)
        assert device.connections == 1


async def test_rates(tmp_path: Path) -> None:
    """A point with its own period is read at that period, not at the link's."""
    async with (
        ScriptedDevice().running() as device,
        running(
            [source(device.port)],
            points=points("fast,1,,,", "slow,1000,,,1s"),
            data=tmp_path,
        ) as gw,
    ):
        await gw.until(lambda: gw.sample("slow").quality == Quality.GOOD)
        began = device.times[0]
        await gw.until(lambda: device.times[-1] - began > 2.5)
        starts = Counter(int.from_bytes(r[8:10], "big") for r in device.requests)
        # At once, and then at two or three whole seconds (plus phase).
        assert 3 <= starts[1000] <= 4
        assert 30 <= starts[1] <= 53


async def test_pipeline(tmp_path: Path) -> None:
    """With a pipeline of four, four requests wait at once, and never more."""
    async with (
        ScriptedDevice(lambda request: Act(good(request), delay=0.005)).running() as device,
        running(
            [source(device.port, pipeline=4, timeout="1s")],
            points=points(*(f"p{n},{n * 200},,," for n in range(12))),
            data=tmp_path,
        ) as gw,
    ):
        await gw.until(lambda: gw.sample("p11").quality == Quality.GOOD)
        assert [gw.sample(f"p{n}").value for n in range(12)] == [n * 200 for n in range(12)]
        assert device.most_waiting == 4


async def test_one_at_a_time(tmp_path: Path) -> None:
    """Without a pipeline one request waits at a time, and `pause` lies between two."""
    async with (
        ScriptedDevice().running() as device,
        running(
            [source(device.port, pause="10ms")],
            points=points(*(f"p{n},{n * 200},,," for n in range(5))),
            data=tmp_path,
        ) as gw,
    ):
        await gw.until(lambda: len(device.requests) >= 20)
        assert device.most_waiting == 1
        gaps = [b - a for a, b in zip(device.times, device.times[1:], strict=False)]
        assert min(gaps) >= 0.009


async def test_close_after_read(tmp_path: Path) -> None:
    """With `after_read: close` each round has a connection of its own."""
    async with (
        ScriptedDevice().running() as device,
        running(
            [source(device.port, after_read="close")],
            points=points("a,1,,,", "b,500,,,"),
            data=tmp_path,
        ) as gw,
    ):
        await gw.until(lambda: device.connections >= 5)
        assert len(device.requests) in range(2 * device.connections - 2, 2 * device.connections + 1)
        assert gw.sample("b").value == 500
        assert gw.state("meter") == "up"


async def test_nobody_listens(tmp_path: Path) -> None:
    """A port that nobody listens at leaves the points old and the link down."""
    async with ScriptedDevice().running() as device:
        port = device.port
    async with running([source(port)], points=points("a,1,,,"), data=tmp_path) as gw:
        await gw.until(lambda: gw.counters("meter").get("disconnects", 0) >= 2)
        assert gw.sample("a").quality == STALE
        assert gw.state("meter") == "down"


REFUSED = [
    ({"transport": "rtu"}, "host is not for transport rtu"),
    ({"transport": "rtu", "host": None}, "/dev/ttyUSB0"),
    ({"host": None}, "transport tcp needs host"),
    ({"port": "/dev/ttyS0"}, "not a TCP port"),
    ({"port": 70000}, "not a TCP port"),
    ({"transport": "tls", "pipeline": 2}, "pipeline 2 needs transport tcp"),
    ({"poll": "0s"}, "greater than 0"),
    ({"transport": "tls", "tls": {"key": "k.pem"}}, "a key needs its certificate"),
    ({"tls": {"ca": "ca.pem"}}, "tls needs transport tls, not tcp"),
    ({"max_registers": 126}, "less than or equal to 125"),
]


@pytest.mark.parametrize(("fields", "sentence"), REFUSED)
def test_settings(fields: dict[str, Any], sentence: str) -> None:
    """A wrong field is refused with a sentence that says what is allowed."""
    with pytest.raises(ValueError, match=sentence):
        Modbus.model_validate({"name": "meter", "host": "127.0.0.1"} | fields)


POINTS = [
    ({"register": 400001}, "write table holding and register 0"),
    ({"register": -1}, "greater than or equal to 0"),
    ({"register": 65535, "type": "int32"}, "runs to 65536"),
    ({"register": 65533, "type": "float64"}, "runs to 65536"),
    ({"register": 1, "table": "coil", "type": "int16"}, "type int16 cannot be"),
    ({"register": 1, "table": "discrete", "bit": 3}, "a discrete has its own address"),
    ({"register": 1, "type": "uint16", "bit": 3}, "goes with type bit"),
    ({"register": 1, "bit": 16, "type": "bit"}, "less than or equal to 15"),
    ({"register": 1, "order": "ACBD"}, "ABCD"),
    ({}, "register"),
]


@pytest.mark.parametrize(("fields", "sentence"), POINTS)
def test_point_columns(fields: dict[str, Any], sentence: str) -> None:
    """Columns that do not go together are refused with a sentence."""
    with pytest.raises(ValueError, match=sentence):
        Modbus.Point.model_validate(fields)
