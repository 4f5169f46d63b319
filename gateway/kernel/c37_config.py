"""Configurations 1, 2 and 3 of IEEE C37.118.2-2011: what the data frames of a stream hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.c37_frame import LONGEST, FrameKind, Octets, c_header
from gateway.kernel.error import KernelError

PHASOR_STEPS = 100_000
"""PHUNIT counts 1e-5 V or A (table 9)."""
_CURRENT = 1 << 11
_BITS = 16
_SHORT = 16
_PADDING = " \0"


@dataclass(frozen=True, slots=True)
class PhasorChannel:
    """A phasor (PHUNIT of table 9, PHSCALE of table 11).

    scale:        V or A per count of an integer; floats are in V or A.
    current:      A instead of V.
    component:    0, 1, 2: zero, positive, negative sequence; 4, 5, 6: phases A, B, C.
    turn:         rad, subtracted from the angle of integers.
    modification: bits of what was done to it; user: what its owner says.

    Configurations 1 and 2 say name, scale and current.
    """

    name: str
    scale: float = 1.0
    current: bool = False
    component: int = 0
    turn: float = 0.0
    modification: int = 0
    user: int = 0


@dataclass(frozen=True, slots=True)
class AnalogChannel:
    """An analog (ANUNIT of table 9, ANSCALE of table 11): unit = count * scale + offset.

    kind: 0 point on wave, 1 rms, 2 peak; said by configurations 1 and 2, whose scale is whole.
    """

    name: str
    scale: float = 1.0
    offset: float = 0.0
    kind: int = 0


@dataclass(frozen=True, slots=True)
class DigitalWord:
    """Sixteen bits: the name of each from the least significant, normal state, valid inputs."""

    names: tuple[str, ...]
    normal: int = 0
    valid: int = 0xFFFF


@dataclass(frozen=True, slots=True)
class PmuConfiguration:
    """A PMU of the stream, and how it sends.

    polar: phasors as magnitude and angle, else real and imaginary part.
    float_*: not integers of 16 bits.
    nominal: 50 or 60 Hz.  changes: CFGCNT.
    The rest is of configuration 3: latitude and longitude in degrees and elevation in m, infinite
    where nobody says; service class; window and delay in us.
    """

    name: str
    idcode: int
    phasors: tuple[PhasorChannel, ...] = ()
    analogs: tuple[AnalogChannel, ...] = ()
    digitals: tuple[DigitalWord, ...] = ()
    polar: bool = False
    float_phasors: bool = False
    float_analogs: bool = False
    float_frequency: bool = False
    nominal: int = 50
    changes: int = 0
    global_id: bytes = bytes(16)
    latitude: float = math.inf
    longitude: float = math.inf
    elevation: float = math.inf
    service: str = "M"
    window: int = 0
    delay: int = 0

    @property
    def data_format(self) -> int:
        """FORMAT (table 9)."""
        bits: int = (
            self.polar * lib.GW_C37_POLAR
            | self.float_phasors * lib.GW_C37_FLOAT_PHASORS
            | self.float_analogs * lib.GW_C37_FLOAT_ANALOGS
            | self.float_frequency * lib.GW_C37_FLOAT_FREQUENCY
        )
        return bits

    def names(self) -> Iterator[str]:
        """Return all names in their order."""
        yield self.name
        yield from (phasor.name for phasor in self.phasors)
        yield from (analog.name for analog in self.analogs)
        for word in self.digitals:
            yield from word.names


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration of a stream.

    time_base: parts of a second that FRACSEC counts.
    rate:      frames per second, or below zero seconds per frame.
    """

    idcode: int
    pmus: tuple[PmuConfiguration, ...]
    rate: int
    time_base: int = 1_000_000

    def encode(
        self,
        kind: FrameKind,
        second: int = 0,
        fraction: int = 0,
        *,
        time_quality: int = 0,
        version: int = 2,
    ) -> bytes:
        """Return a configuration frame of this kind.

        Raises ValueError for what it cannot say, such as a name of more than 16 octets in
        configurations 1 and 2.
        """
        third = kind == FrameKind.CONFIG_3
        try:
            config, _keep = _c_config(self, third)
        except (OverflowError, TypeError) as error:
            raise KernelError(lib.GW_BAD_CONFIG, str(error)) from None
        header = c_header(kind, self.idcode, second, fraction, time_quality, version)
        out = ffi.new("uint8_t[]", LONGEST)
        made: int = lib.gw_c37_config_pack(header, config, out, LONGEST)
        if made < 0:
            raise KernelError(made, f"{kind.name} of stream {self.idcode}, {len(self.pmus)} PMUs")
        whole: bytes = ffi.buffer(out, made)[:]
        return whole


def _within(value: int, low: int, high: int, what: str) -> int:
    if not low <= value <= high:
        raise ValueError(f"{what} is {value}; there are {low}..{high}")
    return value


def _phasor_unit(phasor: PhasorChannel, third: bool) -> int:
    if third:
        component = _within(phasor.component, 0, 7, f"component of {phasor.name!r}")
        return (
            _within(phasor.modification, 0, 0xFFFF, f"modification of {phasor.name!r}") << 16
            | phasor.current * _CURRENT
            | component << 8
            | _within(phasor.user, 0, 0xFF, f"user of {phasor.name!r}")
        )
    steps = round(phasor.scale * PHASOR_STEPS)
    return phasor.current << 24 | _within(steps, 0, 0xFFFFFF, f"1e-5 of {phasor.name!r}")


def _analog_unit(analog: AnalogChannel, third: bool) -> int:
    if third:
        return 0
    if analog.scale != round(analog.scale) or analog.offset:
        raise ValueError(
            f"{analog.name!r} has scale {analog.scale} and offset {analog.offset}; "
            "configurations 1 and 2 have whole scales and no offset"
        )
    scale = _within(int(analog.scale), -0x800000, 0x7FFFFF, f"scale of {analog.name!r}")
    return _within(analog.kind, 0, 0xFF, f"kind of {analog.name!r}") << 24 | scale & 0xFFFFFF


def _columns(counts: tuple[int, ...]) -> tuple[Any, list[Any]]:
    """Return a configuration with room for that much, and what keeps its memory."""
    pmus, phasors, analogs, digitals, names, text = counts
    config = ffi.new("gw_c37_config *")
    config.counts = counts
    keep = []
    for name, ctype, n in (
        ("pmu", "gw_c37_pmu[]", pmus),
        ("phasor_unit", "uint32_t[]", phasors),
        ("phasor_scale", "float[]", phasors),
        ("phasor_turn", "float[]", phasors),
        ("analog_unit", "uint32_t[]", analogs),
        ("analog_scale", "float[]", analogs),
        ("analog_offset", "float[]", analogs),
        ("digital_unit", "uint32_t[]", digitals),
        ("name_end", "int32_t[]", names),
        ("text", "uint8_t[]", text),
    ):
        keep.append(ffi.new(ctype, n))
        setattr(config, name, keep[-1])
    return config, keep


def _c_config(configuration: Configuration, third: bool) -> tuple[Any, list[Any]]:
    pmus = configuration.pmus
    phasors = [phasor for pmu in pmus for phasor in pmu.phasors]
    analogs = [analog for pmu in pmus for analog in pmu.analogs]
    digitals = [word for pmu in pmus for word in pmu.digitals]
    for word in digitals:
        if len(word.names) != _BITS:
            raise ValueError(f"a digital word has {len(word.names)} names, not {_BITS}")
    names = [name.encode() for pmu in pmus for name in pmu.names()]
    most = 255 if third else _SHORT
    for text in names:
        if len(text) > most:
            raise ValueError(f"{text.decode()!r} has {len(text)} octets; a name has {most} at most")
    whole = b"".join(names)
    config, keep = _columns(
        (len(pmus), len(phasors), len(analogs), len(digitals), len(names), len(whole))
    )
    config.time_base, config.rate = configuration.time_base, configuration.rate
    end = 0
    for i, text in enumerate(names):
        end += len(text)
        config.name_end[i] = end
    ffi.memmove(config.text, whole, len(whole))
    for i, phasor in enumerate(phasors):
        config.phasor_unit[i] = _phasor_unit(phasor, third)
        config.phasor_scale[i], config.phasor_turn[i] = phasor.scale, phasor.turn
    for i, analog in enumerate(analogs):
        config.analog_unit[i] = _analog_unit(analog, third)
        config.analog_scale[i], config.analog_offset[i] = analog.scale, analog.offset
    for i, word in enumerate(digitals):
        normal = _within(word.normal, 0, 0xFFFF, "normal state")
        config.digital_unit[i] = normal << 16 | _within(word.valid, 0, 0xFFFF, "valid inputs")
    for i, pmu in enumerate(pmus):
        config.pmu[i] = {
            "idcode": pmu.idcode,
            "block": c_block(pmu),
            "changes": pmu.changes,
            "service": ord(pmu.service),
            "window": pmu.window,
            "delay": pmu.delay,
            "latitude": pmu.latitude,
            "longitude": pmu.longitude,
            "elevation": pmu.elevation,
            "global_id": list(pmu.global_id),
        }
    return config, keep


def c_block(pmu: PmuConfiguration) -> tuple[int, int, int, int, int]:
    """Return a PMU's block of data frames as the kernel takes it."""
    return (pmu.data_format, len(pmu.phasors), len(pmu.analogs), len(pmu.digitals), pmu.nominal)


def decode_configuration(octets: Octets) -> Configuration:
    """Read a configuration frame of any kind.

    Names lose the spaces and zeros that fill them up.
    Raises KernelError where it is none, its check does not hold, or it contradicts itself.
    """
    frame, length = ffi.from_buffer("uint8_t[]", octets), len(octets)
    counts = ffi.new("gw_c37_counts *")
    code: int = lib.gw_c37_config_counts(frame, length, counts)
    if code < 0:
        raise KernelError(code, f"{length} octets, {bytes(octets[:16]).hex(' ')}")
    c, _keep = _columns(
        (counts.pmus, counts.phasors, counts.analogs, counts.digitals, counts.names, counts.text)
    )
    lib.gw_c37_config_unpack(frame, length, c)
    header = ffi.new("gw_c37_header *")
    lib.gw_c37_open(frame, length, header)
    third = header.kind == FrameKind.CONFIG_3
    text = bytes(ffi.buffer(c.text, counts.text))
    ends = [0, *c.name_end[0 : counts.names]]
    names = iter([text[a:b].decode(errors="replace").rstrip(_PADDING) for a, b in pairwise(ends)])
    phasors = iter(range(counts.phasors))
    analogs = iter(range(counts.analogs))
    digitals = iter(range(counts.digitals))
    pmus = []
    for i in range(counts.pmus):
        p = c.pmu[i]
        name = next(names)
        phasor_names = [next(names) for _ in range(p.block.phasors)]
        analog_names = [next(names) for _ in range(p.block.analogs)]
        bits = [tuple(next(names) for _ in range(_BITS)) for _ in range(p.block.digitals)]
        units = [c.digital_unit[next(digitals)] for _ in bits]
        pmus.append(
            PmuConfiguration(
                name=name,
                idcode=p.idcode,
                phasors=tuple(_phasor(c, next(phasors), text, third) for text in phasor_names),
                analogs=tuple(_analog(c, next(analogs), text, third) for text in analog_names),
                digitals=tuple(
                    DigitalWord(words, unit >> 16, unit & 0xFFFF)
                    for words, unit in zip(bits, units, strict=True)
                ),
                polar=bool(p.block.format & lib.GW_C37_POLAR),
                float_phasors=bool(p.block.format & lib.GW_C37_FLOAT_PHASORS),
                float_analogs=bool(p.block.format & lib.GW_C37_FLOAT_ANALOGS),
                float_frequency=bool(p.block.format & lib.GW_C37_FLOAT_FREQUENCY),
                nominal=p.block.nominal,
                changes=p.changes,
                global_id=bytes(p.global_id),
                latitude=p.latitude,
                longitude=p.longitude,
                elevation=p.elevation,
                service=chr(p.service) if third else "M",
                window=p.window,
                delay=p.delay,
            )
        )
    return Configuration(header.idcode, tuple(pmus), c.rate, c.time_base)


def _phasor(c: Any, k: int, name: str, third: bool) -> PhasorChannel:
    unit = c.phasor_unit[k]
    if not third:
        return PhasorChannel(name, (unit & 0xFFFFFF) / PHASOR_STEPS, bool(unit >> 24))
    return PhasorChannel(
        name,
        c.phasor_scale[k],
        bool(unit & _CURRENT),
        unit >> 8 & 7,
        c.phasor_turn[k],
        unit >> 16,
        unit & 0xFF,
    )


def _analog(c: Any, k: int, name: str, third: bool) -> AnalogChannel:
    if third:
        return AnalogChannel(name, c.analog_scale[k], c.analog_offset[k])
    unit = c.analog_unit[k]
    scale = ((unit & 0xFFFFFF) ^ 0x800000) - 0x800000  # 24 bits with a sign
    return AnalogChannel(name, float(scale), kind=unit >> 24)
