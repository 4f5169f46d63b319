"""Monitored items: values, types, times and qualities, as another implementation sends them."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from asyncua import ua

from gateway import Quality

TYPES: list[tuple[str, Any, Any, float]] = [
    ("boolean", True, ua.VariantType.Boolean, 1.0),
    ("sbyte", -5, ua.VariantType.SByte, -5.0),
    ("byte", 250, ua.VariantType.Byte, 250.0),
    ("int16", -30_000, ua.VariantType.Int16, -30_000.0),
    ("uint16", 60_000, ua.VariantType.UInt16, 60_000.0),
    ("int32", -2_000_000_000, ua.VariantType.Int32, -2e9),
    ("uint32", 4_000_000_000, ua.VariantType.UInt32, 4e9),
    ("int64", -(2**53), ua.VariantType.Int64, -(2.0**53)),
    ("uint64", 2**53, ua.VariantType.UInt64, 2.0**53),
    ("float", 0.5, ua.VariantType.Float, 0.5),
    ("double", 230.25, ua.VariantType.Double, 230.25),
    ("datetime", datetime(2026, 1, 1, tzinfo=UTC), ua.VariantType.DateTime, 1_767_225_600.0),
]
STAMP = datetime(2026, 3, 4, 5, 6, 7, 250_000, tzinfo=UTC)
STAMP_NS = 1_772_600_767_250_000_000


async def test_every_type_of_number_arrives(plant: Any, link: Any) -> None:
    """Each built-in type of a number is the number that asyncua was given, with its time."""
    for name, value, kind, _ in TYPES:
        await plant.add(name, value, kind)
        await plant.put(name, value, kind, SourceTimestamp=STAMP)
    rows = "".join(f"p.{name},nsu=urn:test:plant;s={name}\n" for name, *_ in TYPES)
    async with link(plant.url, f"name,plc.node\n{rows}") as linked:
        await linked.gateway.until(lambda: len(linked.sink.rows("p.")) >= len(TYPES))
        found = {row.name: row for row in linked.sink.rows("p.")}
        assert {name: row.value for name, row in found.items()} == {
            f"p.{name}": expected for name, *_, expected in TYPES
        }
        assert {row.time for row in found.values()} == {STAMP_NS}
        assert {row.quality for row in found.values()} == {Quality.GOOD | Quality.DEVICE_TIME}
