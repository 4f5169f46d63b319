"""Every measurement as the figures of the standard draw it, there and back."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from gateway_iec60870.asdu import (
    IEC104,
    LAYOUTS,
    AsduError,
    Columns,
    Use,
    decode,
    encode,
    encode_events,
    parse,
)

sys.path.insert(0, str(Path(__file__).parent))
from asdu_published import MEASUREMENTS, RESERVED, asdu

FIELDS = ("kind", "element", "value", "flags", "time", "clock", "extra")
Row = tuple[int, float, int, int, int, int]


def rows(columns: Columns) -> list[Row]:
    """Address, value, flags, time, clock and extra of each row."""
    return list(
        zip(
            *(
                getattr(columns, name).tolist()
                for name in ("object", "value", "flags", "time", "clock", "extra")
            ),
            strict=True,
        )
    )


def test_the_table_has_every_type() -> None:
    """No measurement is left out."""
    known = {kind for kind, one in LAYOUTS.items() if one.use is Use.MEASUREMENT}
    assert {kind for kind, *_ in MEASUREMENTS} == known


@pytest.mark.parametrize(FIELDS, MEASUREMENTS)
def test_a_measurement(
    kind: int, element: str, value: float, flags: int, time: int, clock: int, extra: int
) -> None:
    """One object, read as it stands, and written to the same octets."""
    octets = asdu(kind, f"05 01 02 {element}")
    found = parse(octets, IEC104)
    columns = decode(found, IEC104)
    assert rows(columns) == [(0x020105, value, flags, time, clock, extra)]
    assert (columns.type, columns.time_size) == (kind, LAYOUTS[kind].time.value)
    if (kind, element) not in RESERVED:
        (again,) = encode(columns, IEC104, cause=3, address=10)
        assert again.encode(IEC104) == octets
        events = encode_events([(columns, np.zeros(1, int))], IEC104, cause=3, address=10)
        assert events == [octets]


@pytest.mark.parametrize(FIELDS, MEASUREMENTS)
def test_two_measurements(
    kind: int, element: str, value: float, flags: int, time: int, clock: int, extra: int
) -> None:
    """Two objects with an address each, and two after one address, say the same."""
    apart = decode(parse(asdu(kind, f"05 01 02 {element} 06 01 02 {element}", 2), IEC104), IEC104)
    after = decode(parse(asdu(kind, f"05 01 02 {element} {element}", 0x82), IEC104), IEC104)
    expected = [(at, value, flags, time, clock, extra) for at in (0x020105, 0x020106)]
    assert rows(apart) == rows(after) == expected


@pytest.mark.parametrize("structure", [1, 0x81])
@pytest.mark.parametrize(("kind", "element"), [one[:2] for one in MEASUREMENTS])
def test_a_measurement_cut_short_or_followed(kind: int, element: str, structure: int) -> None:
    """Each octet less and each octet more is refused, and the error says where."""
    octets = asdu(kind, f"05 01 02 {element}", structure)
    for length in range(len(octets)):
        with pytest.raises(AsduError) as caught:
            parse(octets[:length], IEC104)
        assert caught.value.offset == length
    for more in (b"\0", b"\xff" * 5):
        with pytest.raises(AsduError) as caught:
            parse(octets + more, IEC104)
        assert caught.value.offset == len(octets)


def test_a_float_that_is_no_number() -> None:
    """NaN comes through, also a signalling one, and with no flag that was not there."""
    for octets in ("00 00 C0 7F 00", "01 00 80 7F 00", "FF FF FF FF 80"):
        columns = decode(parse(asdu(13, f"05 00 00 {octets}"), IEC104), IEC104)
        assert np.isnan(columns.value).all()
        assert columns.flags.tolist() == [int(octets[-2:], 16)]
        (again,) = encode(columns, IEC104, cause=3, address=10)
        assert np.isnan(decode(again, IEC104).value).all()
