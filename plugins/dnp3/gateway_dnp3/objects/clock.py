"""Times (g50v1, g50v3, g51), delays (g52) and schedules (g50v2, g50v4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.header import ObjectHeader, header
from gateway_dnp3.objects.layout import LAYOUTS, Use
from gateway_dnp3.objects.qualifier import FORMS, Qualifier


class IntervalUnit(IntEnum):
    """The unit of the interval of g50v4 (IEEE 1815 annex A)."""

    NONE = 0
    MILLISECONDS = 1
    SECONDS = 2
    MINUTES = 3
    HOURS = 4
    DAYS = 5
    WEEKS = 6
    MONTHS = 7
    MONTHS_BY_WEEKDAY = 8
    MONTHS_BY_WEEKDAY_FROM_END = 9
    SEASONS = 10


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something begins (ms since 1970 UTC) and how often it comes again.

    The unit is an octet of IntervalUnit, and milliseconds in g50v2, which has no index.
    """

    index: int
    start: int
    interval: int
    unit: int = IntervalUnit.MILLISECONDS


_SECONDS = (52, 1)


def times(header: ObjectHeader) -> list[int]:
    """Return times in ms since 1970 UTC, delays in ms; raise ObjectError where there are none."""
    known = LAYOUTS.get((header.group, header.variation))
    if known is None or known.use is not Use.TIME or known.size is None:
        raise header.error("no time", "g50v1, g50v3, g51, g52", Reason.UNKNOWN)
    header.expect(known.size)
    prefix = header.prefix
    step = prefix + known.size
    unit = 1000 if (header.group, header.variation) == _SECONDS else 1
    return [
        int.from_bytes(header.data[at + prefix : at + step], "little") * unit
        for at in range(0, len(header.data), step)
    ]


def time_object(group: int, variation: int, ms: int) -> bytes:
    """Return one time or delay with its header; g52v1 is rounded up to seconds."""
    known = LAYOUTS.get((group, variation))
    if known is None or known.use is not Use.TIME or known.size is None:
        raise ObjectError(0, f"g{group}v{variation}", "allowed: g50v1, g50v3, g51, g52")
    number = -(-ms // 1000) if (group, variation) == _SECONDS else ms
    if not 0 <= number < 1 << 8 * known.size:
        raise ObjectError(
            0, f"g{group}v{variation} of {number}", f"allowed: 0 to {(1 << 8 * known.size) - 1}"
        )
    data = number.to_bytes(known.size, "little")
    return header(group, variation, Qualifier.COUNT_8, count=1, data=data)


def schedules(header: ObjectHeader) -> list[Schedule]:
    """Return the schedules of a header; raise ObjectError where it holds none."""
    known = LAYOUTS.get((header.group, header.variation))
    if known is None or known.use is not Use.SCHEDULE or known.size is None:
        raise header.error("no schedule", "g50v2, g50v4", Reason.UNKNOWN)
    header.expect(known.size)
    prefix = header.prefix
    step = prefix + known.size
    bare = header.start is None and not prefix
    indexes = range(header.count) if bare else header.indexes().tolist()
    found = []
    for row, index in enumerate(indexes):
        octets = bytes(header.data[row * step + prefix : (row + 1) * step])
        start = int.from_bytes(octets[:6], "little")
        (interval,) = struct.unpack_from("<I", octets, 6)
        unit = octets[10] if header.variation == 4 else IntervalUnit.MILLISECONDS
        found.append(Schedule(index, start, interval, unit))
    return found


def encode_schedules(
    given: Sequence[Schedule], variation: int = 4, qualifier: Qualifier | None = None
) -> bytes:
    """Return schedules with their header: g50v4 with an index each, g50v2 by their count."""
    if qualifier is None:
        qualifier = Qualifier.INDEX_16 if variation == 4 else Qualifier.COUNT_8
    prefix = FORMS[qualifier].prefix
    try:
        data = b"".join(
            one.index.to_bytes(prefix, "little") * bool(prefix)
            + one.start.to_bytes(6, "little")
            + struct.pack("<I", one.interval)
            + bytes((one.unit,)) * (variation == 4)
            for one in given
        )
    except (OverflowError, ValueError, struct.error):
        raise ObjectError(
            0, str(list(given)), "allowed: start of 48 bits, interval of 32, unit an octet"
        ) from None
    start = given[0].index if given else 0
    return header(50, variation, qualifier, start=start, count=len(given), data=data)
