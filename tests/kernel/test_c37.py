"""Frames of C37.118.2 beside a slow codec in plain Python, and the examples of annex D.

The codec is written from the tables of the standard and not from the C: `struct` and `binascii` do
the work, one field at a time.
"""

from __future__ import annotations

import binascii
import math
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.kernel import (
    AnalogChannel,
    Command,
    Configuration,
    DataLayout,
    DataRows,
    DigitalWord,
    Frame,
    FrameKind,
    KernelError,
    PhasorChannel,
    PmuConfiguration,
    decode_configuration,
    decode_frame,
    find_frame,
    quality_of,
    stat_of,
)
from gateway.kernel.c37_frame import crc
from gateway.model.quality import Quality

# Annex D of the standard, as the octets stand in the tests of pyPMU (validate_frames.py).
CONFIG_2 = bytes.fromhex(
    "aa3101c61e36448527f056071098000f4240000153746174696f6e2041202020202020201e36000400040003000156"
    "4120202020202020202020202020205642202020202020202020202020202056432020202020202020202020202020"
    "49312020202020202020202020202020414e414c4f4731202020202020202020414e414c4f47322020202020202020"
    "20414e414c4f4733202020202020202020425245414b4552203120535441545553425245414b455220322053544154"
    "5553425245414b4552203320535441545553425245414b4552203420535441545553425245414b4552203520535441"
    "545553425245414b4552203620535441545553425245414b4552203720535441545553425245414b45522038205354"
    "41545553425245414b4552203920535441545553425245414b4552204120535441545553425245414b455220422053"
    "5441545553425245414b4552204320535441545553425245414b4552204420535441545553425245414b4552204520"
    "535441545553425245414b4552204620535441545553425245414b4552204720535441545553000df847000df84700"
    "0df8470100b2d00000000101000001020000010000ffff00000016001ed5d1"
)
DATA = bytes.fromhex(
    "aa0100341e3644853600000041b10000392b0000e36ace7ce36a31830444000009c4000042c80000447a0000461c40"
    "003c12d43f"
)
HEADER = bytes.fromhex(
    "aa1100271e36448560300f0bbfd048656c6c6f2049276d20486561646572204672616d652e17cc"
)
START = bytes.fromhex("aa4100121e36448560300f0bbfd00002ce00")

ANNEX_PMU = PmuConfiguration(
    "Station A",
    7734,
    phasors=(
        *(PhasorChannel(name, 9.15527) for name in ("VA", "VB", "VC")),
        PhasorChannel("I1", 0.45776, current=True),
    ),
    analogs=tuple(AnalogChannel(f"ANALOG{i + 1}", kind=i) for i in range(3)),
    digitals=(DigitalWord(tuple(f"BREAKER {c} STATUS" for c in "123456789ABCDEFG")),),
    float_analogs=True,
    nominal=60,
    changes=22,
)
ANNEX = Configuration(7734, (ANNEX_PMU,), 30)


# ---- the slow codec ----


class Reader:
    """Takes fields off octets; an IndexError where there are no more."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def take(self, n: int) -> bytes:
        if n > len(self.octets):
            raise IndexError(n)
        taken, self.octets = self.octets[:n], self.octets[n:]
        return taken

    def get(self, letter: str) -> Any:
        (value,) = struct.unpack(">" + letter, self.take(struct.calcsize(">" + letter)))
        return value


def slow_frame(octets: bytes) -> tuple[int, int, int, int, int, bytes] | None:
    """Return kind, IDCODE, SOC, time quality, fraction and body; None for what is no frame."""
    if len(octets) < 16 or octets[0] != 0xAA or octets[1] & 0x80 or octets[1] >> 4 > 5:
        return None
    size, idcode, soc, fracsec = struct.unpack(">HHII", octets[2:14])
    if size < 16 or size > len(octets):
        return None
    if binascii.crc_hqx(octets[: size - 2], 0xFFFF) != int.from_bytes(octets[size - 2 : size]):
        return None
    return (
        octets[1] >> 4, idcode, soc, fracsec >> 24, fracsec & 0xFFFFFF, octets[14 : size - 2],
    )  # fmt: skip


def slow_name(reader: Reader, kind: int) -> str:
    octets = reader.take(reader.get("B") if kind == 5 else 16)
    return octets.decode("utf-8", "replace").rstrip(" \0")


def slow_pmu(r: Reader, kind: int) -> PmuConfiguration:
    name, idcode = slow_name(r, kind), r.get("H")
    global_id = r.take(16) if kind == 5 else bytes(16)
    form, nph, nan, ndg = (r.get("H") for _ in range(4))
    ph = [slow_name(r, kind) for _ in range(nph)]
    an = [slow_name(r, kind) for _ in range(nan)]
    dg = [tuple(slow_name(r, kind) for _ in range(16)) for _ in range(ndg)]
    phasors, analogs = [], []
    for text in ph:
        if kind == 5:
            modification, component, user, y, theta = (r.get(x) for x in "HBBff")
            phasors.append(
                PhasorChannel(
                    text, y, bool(component & 8), component & 7, theta, modification, user
                )
            )
        else:
            unit = r.get("I")
            phasors.append(PhasorChannel(text, (unit & 0xFFFFFF) / 1e5, unit >> 24 != 0))
    for text in an:
        if kind == 5:
            analogs.append(AnalogChannel(text, r.get("f"), r.get("f")))
        else:
            what = r.get("B")
            scale = int.from_bytes(r.take(3), "big", signed=True)
            analogs.append(AnalogChannel(text, float(scale), kind=what))
    words = [DigitalWord(names, r.get("H"), r.get("H")) for names in dg]
    rest: dict[str, Any] = {"global_id": global_id}
    if kind == 5:
        rest |= {"latitude": r.get("f"), "longitude": r.get("f"), "elevation": r.get("f")}
        rest |= {"service": r.take(1).decode("latin-1"), "window": r.get("i"), "delay": r.get("i")}
    return PmuConfiguration(
        name, idcode, tuple(phasors), tuple(analogs), tuple(words),
        bool(form & 1), bool(form & 2), bool(form & 4), bool(form & 8),
        50 if r.get("H") & 1 else 60, r.get("H"), **rest,
    )  # fmt: skip


def slow_configuration(octets: bytes) -> Configuration | None:
    """Read a configuration frame; None for what is none."""
    found = slow_frame(octets)
    if found is None or found[0] not in (2, 3, 5):
        return None
    kind, idcode, *_, body = found
    r = Reader(body)
    try:
        if kind == 5 and r.get("H"):
            return None
        base = r.get("I") & 0xFFFFFF
        pmus = tuple(slow_pmu(r, kind) for _ in range(r.get("H")))
        rate = r.get("h")
    except IndexError:
        return None
    if r.octets or not base or not pmus:
        return None
    return Configuration(idcode, pmus, rate, base)


def slow_name_out(text: str, kind: int) -> bytes:
    octets = text.encode()
    return bytes((len(octets),)) + octets if kind == 5 else octets.ljust(16)


def slow_seal(kind: int, version: int, idcode: int, soc: int, fracsec: int, body: bytes) -> bytes:
    head = struct.pack(">BBHHII", 0xAA, kind << 4 | version, 16 + len(body), idcode, soc, fracsec)
    return head + body + binascii.crc_hqx(head + body, 0xFFFF).to_bytes(2)


def slow_encode(c: Configuration, kind: int) -> bytes:
    """Write a configuration frame of version 2 and time 0."""
    out = b"\0\0" if kind == 5 else b""
    out += struct.pack(">IH", c.time_base, len(c.pmus))
    for p in c.pmus:
        names = [x.name for x in p.phasors] + [a.name for a in p.analogs]
        names += [name for word in p.digitals for name in word.names]
        out += slow_name_out(p.name, kind) + struct.pack(">H", p.idcode)
        out += p.global_id if kind == 5 else b""
        form = p.polar | p.float_phasors << 1 | p.float_analogs << 2 | p.float_frequency << 3
        out += struct.pack(">HHHH", form, len(p.phasors), len(p.analogs), len(p.digitals))
        out += b"".join(slow_name_out(name, kind) for name in names)
        for x in p.phasors:
            if kind == 5:
                byte = x.current << 3 | x.component
                out += struct.pack(">HBBff", x.modification, byte, x.user, x.scale, x.turn)
            else:
                out += struct.pack(">I", x.current << 24 | round(x.scale * 100_000))
        for a in p.analogs:
            if kind == 5:
                out += struct.pack(">ff", a.scale, a.offset)
            else:
                out += bytes((a.kind,)) + int(a.scale).to_bytes(3, "big", signed=True)
        out += b"".join(struct.pack(">HH", w.normal, w.valid) for w in p.digitals)
        if kind == 5:
            out += struct.pack(">fff", p.latitude, p.longitude, p.elevation)
            out += p.service.encode("latin-1") + struct.pack(">ii", p.window, p.delay)
        out += struct.pack(">HH", p.nominal == 50, p.changes)
    return slow_seal(kind, 2, c.idcode, 0, 0, out + struct.pack(">h", c.rate))


def slow_values(r: Reader, p: PmuConfiguration) -> dict[str, list[float]]:
    """Read a PMU's block of a data frame; an IndexError where it is short (table 5)."""

    def count() -> float:
        value = r.get("h")
        return math.nan if value == -32768 else float(value)

    found: dict[str, list[float]] = {"stat": [r.get("H")], "phasor": [], "analog": []}
    for x in p.phasors:
        if p.float_phasors:
            found["phasor"] += [r.get("f"), r.get("f")]
            continue
        if p.polar:
            magnitude, angle = float(r.get("H")), count()
            pair = [magnitude * x.scale, angle / 10_000]
        else:
            pair = [count() * x.scale, count() * x.scale]
        found["phasor"] += [math.nan] * 2 if any(map(math.isnan, pair)) else pair
    if p.float_frequency:
        found["frequency"], found["rocof"] = [r.get("f")], [r.get("f")]
    else:
        found["frequency"], found["rocof"] = [p.nominal + count() / 1000], [count() / 100]
    for a in p.analogs:
        found["analog"].append(
            r.get("f") if p.float_analogs else count() * (a.scale or 1) + a.offset
        )
    found["digital"] = [r.get("H") for _ in p.digitals]
    return found


def slow_data(c: Configuration, octets: bytes) -> dict[str, list[float]] | None:
    """Read a data frame of a stream; None for what is none."""
    frame = slow_frame(octets)
    if frame is None or frame[0] != 0 or frame[1] != c.idcode:
        return None
    _, _, soc, quality, fraction, body = frame
    row: dict[str, list[float]] = {
        "time": [soc * 10**9 + (2 * fraction * 10**9 + c.time_base) // (2 * c.time_base)],
        "time_quality": [quality],
    }
    r = Reader(body)
    try:
        for p in c.pmus:
            for name, values in slow_values(r, p).items():
                row.setdefault(name, []).extend(values)
    except IndexError:
        return None
    return None if r.octets else row


def row_of(rows: DataRows, i: int) -> dict[str, list[float]]:
    names = ("time", "time_quality", "stat", "frequency", "rocof", "phasor", "analog", "digital")
    return {name: np.atleast_1d(getattr(rows, name)[i]).ravel().tolist() for name in names}


def same(ours: dict[str, list[float]], theirs: dict[str, list[float]]) -> bool:
    """Say whether two rows are equal to the bit, where NaN is NaN."""
    return ours.keys() == theirs.keys() and all(
        np.array_equal(ours[name], theirs[name], equal_nan=name not in ("time", "digital"))
        for name in ours
    )


# ---- what is made up ----

words = st.integers(0, 0xFFFF)
short = st.text(st.characters(codec="ascii", min_codepoint=33), max_size=16)
# What floats of 32 bits say.
singles = st.floats(width=32, allow_nan=False, allow_infinity=False)
scales = st.integers(1, 0xFFFFFF).map(lambda steps: steps / 100_000)
phasor_channels = st.builds(PhasorChannel, short, scales, st.booleans())
analog_channels = st.builds(
    AnalogChannel, short, st.integers(-0x800000, 0x7FFFFF).map(float), kind=st.integers(0, 255)
)
digital_words = st.builds(DigitalWord, st.tuples(*[short] * 16), words, words)
pmus = st.builds(
    PmuConfiguration,
    short,
    words,
    st.lists(phasor_channels, max_size=5).map(tuple),
    st.lists(analog_channels, max_size=3).map(tuple),
    st.lists(digital_words, max_size=2).map(tuple),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([50, 60]),
    words,
)
configurations = st.builds(
    Configuration,
    words,
    st.lists(pmus, min_size=1, max_size=3).map(tuple),
    st.integers(-32768, 32767),
    st.integers(1, 0xFFFFFF),
)
component = st.integers(0, 7)
phasor_3 = st.builds(PhasorChannel, short, singles, st.booleans(), component, singles, words)
pmu_3 = st.builds(
    lambda pmu, phasors, analogs, places, service, times, octets: replace(
        pmu,
        phasors=tuple(phasors),
        analogs=tuple(analogs),
        latitude=places[0],
        longitude=places[1],
        elevation=places[2],
        service=service,
        window=times[0],
        delay=times[1],
        global_id=octets,
    ),
    pmus,
    st.lists(phasor_3, max_size=4),
    st.lists(st.builds(AnalogChannel, short, singles, singles), max_size=3),
    st.tuples(*[st.one_of(singles, st.just(math.inf))] * 3),
    st.sampled_from("MP"),
    st.tuples(*[st.integers(-(2**31), 2**31 - 1)] * 2),
    st.binary(min_size=16, max_size=16),
)
configurations_3 = st.builds(
    Configuration,
    words,
    st.lists(pmu_3, min_size=1, max_size=3).map(tuple),
    st.integers(-32768, 32767),
    st.integers(1, 0xFFFFFF),
)


# ---- annex D ----


def test_configuration_of_annex_d() -> None:
    """Table D.2 is read as it stands there, and written again to the same octets."""
    assert decode_configuration(CONFIG_2) == ANNEX
    frame = ANNEX.encode(FrameKind.CONFIG_2, 1149577200, 463000, time_quality=0x56, version=1)
    assert frame == CONFIG_2


def test_data_of_annex_d() -> None:
    """Table D.3: three voltages of 134 kV, 500 A, 62.5 Hz, and the same octets back."""
    layout = DataLayout(ANNEX, version=1)
    rows = layout.rows(1)

    assert layout.unpack(DATA, rows) == (1, 52)
    voltage = rows.phasor[0, :, 0] + 1j * rows.phasor[0, :, 1]
    assert abs(voltage[:3]) == pytest.approx([133987, 134003, 133995], abs=1)
    assert np.degrees(np.angle(voltage)) == pytest.approx([0, -120, 120, 0], abs=0.01)
    assert abs(voltage[3]) == pytest.approx(499.87, abs=0.01)
    assert (rows.frequency[0, 0], rows.rocof[0, 0]) == (62.5, 0)
    assert rows.analog[0].tolist() == [100, 1000, 10000]
    assert rows.digital[0, 0] == 0b0011110000010010
    assert rows.time[0] == 1149580800_016817000
    assert rows.quality[0, 0] == Quality.DEVICE_TIME
    assert layout.pack(rows) == (DATA, 0)


def test_header_and_command_of_annex_d() -> None:
    """The header and the command are read, and written again to the same octets."""
    text = Frame(
        FrameKind.HEADER, 7734, b"Hello I'm Header Frame.", 1149591600, 770000, 0x0F, version=1
    )
    start = replace(text, kind=FrameKind.COMMAND, body=Command.START.body())

    assert decode_frame(HEADER) == (text, 39)
    assert decode_frame(START + b"more") == (start, 18)
    assert (text.encode(), start.encode()) == (HEADER, START)


# ---- beside the slow codec ----


@settings(max_examples=40, deadline=None)
@given(configurations, st.sampled_from([FrameKind.CONFIG_1, FrameKind.CONFIG_2]))
def test_configurations_1_and_2(configuration: Configuration, kind: FrameKind) -> None:
    """They are written to the octets of the slow codec, and come back."""
    frame = configuration.encode(kind)

    assert frame == slow_encode(configuration, kind)
    assert decode_configuration(frame) == configuration == slow_configuration(frame)


@settings(max_examples=40, deadline=None)
@given(configurations_3)
def test_configuration_3(configuration: Configuration) -> None:
    """It is written to the octets of the slow codec, and comes back but for the kind of analogs."""
    frame = configuration.encode(FrameKind.CONFIG_3)

    assert frame == slow_encode(configuration, 5)
    assert decode_configuration(frame) == configuration == slow_configuration(frame)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        configurations.map(lambda c: slow_encode(c, 3)),
        configurations_3.map(lambda c: slow_encode(c, 5)),
    ),
    st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=3),
    st.integers(-20, 20),
)
def test_mutated_configurations(frame: bytes, changes: list[tuple[int, int]], longer: int) -> None:
    """Both decoders accept the same frames, and see the same in them."""
    body = bytearray(frame[14:-2])
    for at, octet in changes:
        body[at % len(body)] = octet
    body = body[:longer] if longer < 0 else body + bytes(longer)
    mutated = slow_seal(frame[1] >> 4, 2, 1, 0, 0, bytes(body))
    expected = slow_configuration(mutated)

    if expected is None:
        with pytest.raises(KernelError):
            decode_configuration(mutated)
    else:
        assert repr(decode_configuration(mutated)) == repr(expected)  # NaN is not itself


@settings(max_examples=40, deadline=None)
@given(configurations, st.randoms(use_true_random=False), st.integers(-2, 2))
def test_data(configuration: Configuration, random: Any, longer: int) -> None:
    """Octets of chance are the same values to both decoders, to the bit."""
    layout = DataLayout(configuration)
    rows = layout.rows(2)
    body = random.randbytes(max(0, layout.size - 16 + longer))
    frame = slow_seal(
        0, 2, configuration.idcode, random.getrandbits(32), random.getrandbits(32), body
    )
    expected = slow_data(configuration, frame)

    if expected is None:
        with pytest.raises(KernelError, match="length"):
            layout.unpack(frame, rows)
    else:
        assert layout.unpack(frame + frame, rows) == (2, 2 * len(frame))
        assert same(row_of(rows, 0), expected)
        assert same(row_of(rows, 1), expected)


@settings(max_examples=40, deadline=None)
@given(configurations, st.randoms(use_true_random=False))
def test_data_comes_back(configuration: Configuration, random: Any) -> None:
    """What was unpacked is packed to the same octets, but for bits of NaN and angles beyond pi."""
    layout = DataLayout(configuration)
    rows, again = layout.rows(1), layout.rows(1)
    fraction = random.randrange(configuration.time_base)
    body = random.randbytes(layout.size - 16)
    frame = slow_seal(0, 2, configuration.idcode, random.getrandbits(31), fraction, body)
    layout.unpack(frame, rows)
    for p in configuration.pmus:
        if p.polar and not p.float_phasors:
            beyond = np.abs(rows.phasor[..., 1]) > 3.1416
            rows.phasor[beyond] = np.nan
    packed, unfit = layout.pack(rows)

    assert (
        unfit == 0
        or np.isinf(rows.phasor).any()
        or np.isinf(rows.analog).any()
        or (np.isinf(rows.frequency).any() or np.isinf(rows.rocof).any())
    )
    if not unfit:
        layout.unpack(packed, again)
        assert same(row_of(again, 0), row_of(rows, 0))


def test_turned_phasors() -> None:
    """Configuration 3 turns integers back when they come, and forward when they go."""
    turns = (0.5, -3.0, 2.0)
    for polar in (False, True):
        pmu = PmuConfiguration(
            "A", 1, tuple(PhasorChannel("V", 0.25, turn=turn) for turn in turns), polar=polar
        )
        layout = DataLayout(Configuration(1, (pmu,), 50))
        rows = layout.rows(1)
        sent = np.array([3000 * np.exp(1j), 2000 * np.exp(-2j), 1000 * np.exp(3j)])
        pair = (abs(sent), np.angle(sent)) if polar else (sent.real, sent.imag)
        rows.phasor[0] = np.stack(pair, axis=1)
        rows.count = 1
        frame, _ = layout.pack(rows)
        wire = np.frombuffer(frame[16:28], ">i2").reshape(3, 2)
        on_wire = wire[:, 0] * np.exp(1j * wire[:, 1] / 1e4) if polar else wire @ [1, 1j]
        rows.count = 0
        layout.unpack(frame, rows)
        a, b = rows.phasor[0].T
        back = a * np.exp(1j * b) if polar else a + 1j * b

        assert on_wire * 0.25 == pytest.approx(sent * np.exp(1j * np.array(turns)), abs=0.3)
        assert back == pytest.approx(sent, abs=0.3)


# ---- streams of octets ----


def test_a_stream_is_taken_frame_by_frame() -> None:
    """Data around another frame and octets that are none: each call says how far it came."""
    layout = DataLayout(ANNEX, version=1)
    rows = layout.rows(10)
    octets = DATA * 2 + START + DATA + b"\xaa\x7fnoise" + DATA + DATA[:30]

    assert layout.unpack(octets, rows) == (2, 104)
    with pytest.raises(KernelError, match="of another kind or stream"):
        layout.unpack(octets[104:], rows)
    octets = octets[104 + 18 :]
    assert layout.unpack(octets, rows) == (1, 52)
    octets = octets[52:]
    with pytest.raises(KernelError, match="no frame"):
        layout.unpack(octets, rows)
    octets = octets[find_frame(octets) :]
    assert layout.unpack(octets, rows) == (1, 52)
    assert layout.unpack(octets[52:], rows) == (0, 0)
    assert rows.count == 4


def test_a_full_batch_is_refused() -> None:
    """Rows that are full take nothing, and say so."""
    layout = DataLayout(ANNEX, version=1)
    rows = layout.rows(1)

    assert layout.unpack(DATA * 2, rows) == (1, 52)
    with pytest.raises(KernelError, match="fewer free rows"):
        layout.unpack(DATA, rows)


def test_frames_that_are_none() -> None:
    """A frame waits for its last octet; a wrong check and another start are refused."""
    assert [decode_frame(START[:n]) for n in range(18)] == [None] * 18
    with pytest.raises(KernelError, match="check"):
        decode_frame(START[:-1] + b"\x01")
    with pytest.raises(KernelError, match="no frame"):
        decode_frame(b"\xab" + START)
    assert find_frame(b"\xaa\xaa\x41\x00") == 2 - 1
    assert crc(b"123456789") == 0x29B1


def test_fragments_are_refused() -> None:
    """A configuration 3 in several frames is refused by name."""
    frame = slow_seal(5, 2, 1, 0, 0, struct.pack(">HIHh", 1, 1000, 0, 50))

    with pytest.raises(KernelError, match="several frames"):
        decode_configuration(frame)


# ---- what is refused ----


@pytest.mark.parametrize(
    ("pmu", "kind", "match"),
    [
        (replace(ANNEX_PMU, name="x" * 17), FrameKind.CONFIG_2, "17 octets; a name has 16"),
        (replace(ANNEX_PMU, name="x" * 256), FrameKind.CONFIG_3, "256 octets; a name has 255"),
        (replace(ANNEX_PMU, phasors=(PhasorChannel("V", 200.0),)), FrameKind.CONFIG_2, "1e-5 of"),
        (replace(ANNEX_PMU, analogs=(AnalogChannel("P", 0.5),)), FrameKind.CONFIG_1, "scale 0.5"),
        (replace(ANNEX_PMU, analogs=(AnalogChannel("P", 1e9),)), FrameKind.CONFIG_1, "scale of"),
        (replace(ANNEX_PMU, digitals=(DigitalWord(("a",)),)), FrameKind.CONFIG_3, "1 names"),
        (replace(ANNEX_PMU, nominal=16), FrameKind.CONFIG_3, "contradicts"),
        (replace(ANNEX_PMU, idcode=2**40), FrameKind.CONFIG_3, "contradicts"),
        (replace(ANNEX_PMU, service=""), FrameKind.CONFIG_3, "contradicts"),
        (ANNEX_PMU, FrameKind.COMMAND, "contradicts"),
    ],
)
def test_configurations_that_cannot_be_said(
    pmu: PmuConfiguration, kind: FrameKind, match: str
) -> None:
    """What a frame cannot say is refused with what was found."""
    with pytest.raises(ValueError, match=match):
        Configuration(1, (pmu,), 50).encode(kind)


def test_what_frames_cannot_say() -> None:
    """Fields beyond their octets, bodies beyond a frame, layouts and rows that do not fit."""
    with pytest.raises(KernelError, match="cannot say"):
        Frame(FrameKind.HEADER, 65536, b"").encode()
    with pytest.raises(KernelError, match="cannot say"):
        Frame(FrameKind.HEADER, 1, b"", second=-1).encode()
    with pytest.raises(KernelError, match="no frame has that length"):
        Frame(FrameKind.HEADER, 1, bytes(65520)).encode()
    with pytest.raises(KernelError, match="1 PMUs, 1 phasors"):
        DataLayout(Configuration(1, (PmuConfiguration("A", 1, (PhasorChannel("V", 0),)),), 50))
    layout = DataLayout(ANNEX)
    rows = layout.rows(1)
    with pytest.raises(KernelError, match=r"rows 0\.\.0 of 0"):
        layout.pack(rows, 0, 1)
    with pytest.raises(ValueError, match="for a stream of"):
        layout.pack(DataRows(1, 1, 1, 1, 1))
    with pytest.raises(ValueError, match="2 rows of 1"):
        rows.count = 2
    with pytest.raises(ValueError, match="capacity 0"):
        layout.rows(0)
    rows.count, rows.time[0] = 1, -1
    with pytest.raises(KernelError, match="cannot say"):
        layout.pack(rows)


def test_values_that_do_not_fit() -> None:
    """They are sent as absent and counted; NaN is absent and not counted."""
    pmu = PmuConfiguration("A", 1, (PhasorChannel("V", 0.01), PhasorChannel("I", 0.01)))
    layout = DataLayout(Configuration(1, (pmu,), 50))
    rows = layout.rows(1)
    rows.phasor[0] = [[327.67, -327.67], [327.68, 0]]
    rows.frequency[0, 0], rows.rocof[0, 0] = 82.767, np.nan
    rows.count = 1
    frame, unfit = layout.pack(rows)

    assert unfit == 1
    assert frame[16:28].hex() == "7fff8001" + "80008000" + "7fff8000"


# ---- quality ----


def test_quality_of_stat() -> None:
    """Every combination of error, sync, sorting, time and modification is as table 7 has it."""
    stat, times = np.meshgrid(
        np.arange(0x10000, dtype=np.uint16), np.arange(16, dtype=np.uint8), indexing="ij"
    )
    found = quality_of(stat, times)

    error = stat >> 14
    assert np.array_equal(found & Quality.VALIDITY == Quality.INVALID, error >= 2)
    late = (stat >> 6 & 7 >= 4) | (times >= 6) | (stat & 0x200 != 0)
    assert np.array_equal(found & Quality.INACCURATE != 0, late)
    assert np.array_equal(
        found & Quality.VALIDITY == Quality.QUESTIONABLE, (error == 1) | (late & (error == 0))
    )
    assert np.array_equal(found & Quality.FAILURE != 0, error & 1 == 1)
    clock = (stat & 0x3030 != 0) | (stat >> 6 & 7 == 7) | (times == 15)
    assert np.array_equal(found & Quality.CLOCK_NOT_SYNCHRONISED != 0, clock)
    assert (found & Quality.DEVICE_TIME != 0).all()


def test_quality_comes_back() -> None:
    """Validity and the clock survive the way through STAT, whatever the quality is; what is old or
    failed does not become good, and what was made up or is inaccurate is said to be modified."""
    quality = np.arange(0x8000, dtype=np.uint16)
    back = quality_of(stat_of(quality), np.zeros(quality.shape, np.uint8))

    invalid = np.isin(quality & 3, [1, 2]) | (quality & Quality.TEST != 0)
    assert np.array_equal(back & 3 == Quality.INVALID, invalid)
    clock = Quality.CLOCK_NOT_SYNCHRONISED
    assert np.array_equal(back & clock, quality & clock)
    bad = quality & (Quality.OLD_DATA | Quality.FAILURE) != 0
    assert (back[bad] & 3 != Quality.GOOD).all()
    made_up = quality & (Quality.SUBSTITUTED | Quality.INACCURATE) != 0
    assert np.array_equal(back & Quality.INACCURATE != 0, made_up)
    with pytest.raises(ValueError, match="uint16"):
        stat_of(quality.astype(np.int32))
    with pytest.raises(ValueError, match="shape"):
        quality_of(quality, np.zeros(3, np.uint8))
