"""What c104 calls the information of a point, as JSON and back; for the two partner programs.

{"value": ..., "flags": 0, "time": null, "extra": 0}

value: a number: 0/1 single, 0..3 double and single events of protection, -64..63 step,
       0..2^32-1 bitstring, -1..1 normalised, -32768..32767 scaled, a float, a counter, bits of
       start events and output circuits, 16 states of packed single points.
flags: of the quality, as they stand on the wire; for counters CY 0x20, CA 0x40, IV 0x80.
time:  milliseconds since 1970 in UTC, null where the type has none.
extra: transient of a step, sequence number of a counter, elapsed or operating time of protection
       in milliseconds, changed states of packed single points, qualifier of a command.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import c104

CY, CA, IV = 0x20, 0x40, 0x80
Counter = c104.BinaryCounterQuality

# c104 takes `Carry` and `Adjusted` for the right flags when it writes, and for each other when it
# reads: the number that it shows of what it received is the octet of the wire all the same.
_WRITTEN = {CY: Counter.Carry, CA: Counter.Adjusted, IV: Counter.Invalid}


def _moment(time: int | None) -> datetime | None:
    return None if time is None else datetime.fromtimestamp(time / 1000, UTC)


def _quality(flags: int) -> c104.Quality:
    quality = c104.Quality()
    for one in (1, 8, 16, 32, 64, 128):
        if flags & one:
            quality |= c104.Quality(one)
    return quality


def _counter_quality(flags: int) -> c104.BinaryCounterQuality:
    quality = Counter()
    for flag, name in _WRITTEN.items():
        if flags & flag:
            quality |= name
    return quality


def _bits(value: Any) -> c104.Byte32:
    # Of a number as such c104 makes 0 when it is small.
    return c104.Byte32(int(value).to_bytes(4, "little"))


Maker = Callable[[Any, int, datetime | None, int], c104.Information]

_INFORMATION: dict[str, Maker] = {
    "M_SP": lambda v, q, t, _: c104.SingleInfo(bool(v), _quality(q), t),
    "M_DP": lambda v, q, t, _: c104.DoubleInfo(c104.Double(int(v)), _quality(q), t),
    "M_ST": lambda v, q, t, x: c104.StepInfo(c104.Int7(int(v)), bool(x), _quality(q), t),
    "M_BO": lambda v, q, t, _: c104.BinaryInfo(_bits(v), _quality(q), t),
    "M_ME_NA": lambda v, q, t, _: c104.NormalizedInfo(c104.NormalizedFloat(v), _quality(q), t),
    "M_ME_NB": lambda v, q, t, _: c104.ScaledInfo(c104.Int16(int(v)), _quality(q), t),
    "M_ME_NC": lambda v, q, t, _: c104.ShortInfo(float(v), _quality(q), t),
    "M_IT": lambda v, q, t, x: c104.BinaryCounterInfo(
        int(v), c104.UInt5(int(x)), _counter_quality(q), t
    ),
    "M_PS": lambda v, q, t, x: c104.StatusAndChanged(
        c104.PackedSingle(int(v)), c104.PackedSingle(int(x)), _quality(q), t
    ),
    "M_EP_TD": lambda v, q, t, x: c104.ProtectionEventInfo(
        c104.EventState(int(v)), c104.UInt16(int(x)), _quality(q), t
    ),
    "M_EP_TE": lambda v, q, t, x: c104.ProtectionStartInfo(
        c104.StartEvents(int(v)), c104.UInt16(int(x)), _quality(q), t
    ),
    "M_EP_TF": lambda v, q, t, x: c104.ProtectionCircuitInfo(
        c104.OutputCircuits(int(v)), c104.UInt16(int(x)), _quality(q), t
    ),
    "C_SC": lambda v, _, t, x: c104.SingleCmd(bool(v), c104.Qoc(int(x)), t),
    "C_DC": lambda v, _, t, x: c104.DoubleCmd(c104.Double(int(v)), c104.Qoc(int(x)), t),
    "C_RC": lambda v, _, t, x: c104.StepCmd(c104.Step(int(v)), c104.Qoc(int(x)), t),
    "C_SE_NA": lambda v, _, t, x: c104.NormalizedCmd(
        c104.NormalizedFloat(v), c104.UInt7(int(x)), t
    ),
    "C_SE_NB": lambda v, _, t, x: c104.ScaledCmd(c104.Int16(int(v)), c104.UInt7(int(x)), t),
    "C_SE_NC": lambda v, _, t, x: c104.ShortCmd(float(v), c104.UInt7(int(x)), t),
    "C_BO": lambda v, _, t, __: c104.BinaryCmd(_bits(v), t),
}
_SAME = {
    "M_ME_ND": "M_ME_NA",
    "M_ME_TD": "M_ME_NA",
    "M_ME_TE": "M_ME_NB",
    "M_ME_TF": "M_ME_NC",
    "C_SE_TA": "C_SE_NA",
    "C_SE_TB": "C_SE_NB",
    "C_SE_TC": "C_SE_NC",
}


def information(
    type_name: str, value: Any, flags: int = 0, time: int | None = None, extra: int = 0
) -> c104.Information:
    """Return the information of a type such as `M_SP_TB_1`.

    A type with time gets the present one from c104 where none is given.
    """
    name = type_name.removesuffix("_1")
    name = _SAME.get(name, name)
    maker = _INFORMATION.get(name) or _INFORMATION[name.rpartition("_")[0]]
    return maker(value, flags, _moment(time), extra)


_EXTRA = (
    "transient",
    "sequence",
    "elapsed_ms",
    "relay_duration_ms",
    "relay_operating_ms",
    "changed",
    "qualifier",
)


def described(info: c104.Information) -> dict[str, Any]:
    """Return what stands in an information."""
    value, quality, time = info.value, info.quality, info.recorded_at
    extra = next((getattr(info, name) for name in _EXTRA if hasattr(info, name)), 0)
    return {
        "value": value if isinstance(value, float) else _number(value),
        "flags": 0 if quality is None else int(quality),
        "time": None if time is None else round(time.timestamp() * 1000),
        "extra": _number(extra),
    }


def _number(value: Any) -> float:
    if isinstance(value, c104.NormalizedFloat):
        return float(value)
    if isinstance(value, c104.Byte32):
        return int.from_bytes(bytes(value), "little")
    return int(value)
