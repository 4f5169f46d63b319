"""An ASDU in words, for who looks at a trace."""

from __future__ import annotations

from gateway_iec60870.asdu.asdu import Asdu, parse
from gateway_iec60870.asdu.cause import Cause
from gateway_iec60870.asdu.command import command
from gateway_iec60870.asdu.decode import decode
from gateway_iec60870.asdu.error import AsduError
from gateway_iec60870.asdu.layout import LAYOUTS, Use
from gateway_iec60870.asdu.sizes import Sizes
from gateway_iec60870.asdu.type_id import TypeId

SHOWN = 4
"""Objects that are shown with what they hold."""
FLAGS = ((0x80, "IV"), (0x40, "NT"), (0x20, "SB"), (0x10, "BL"), (0x01, "OV"))
COUNTER_FLAGS = ((0x80, "IV"), (0x40, "CA"), (0x20, "CY"))
_COUNTERS = (TypeId.M_IT_NA_1, TypeId.M_IT_TA_1, TypeId.M_IT_TB_1)


def describe(data: bytes, sizes: Sizes) -> str:
    """Return type, cause, common address and objects of an ASDU; of what is none, why not."""
    try:
        asdu = parse(data, sizes)
    except AsduError as error:
        return f"no ASDU: {error}"
    originator = f" OA {asdu.originator}" if asdu.originator else ""
    bits = " negative" * asdu.negative + " test" * asdu.test
    return (
        f"ASDU {asdu.type} {_name(asdu.type)} COT {asdu.cause} {_cause(asdu.cause)}{bits}"
        f"{originator} CA {asdu.address}, {_objects(asdu, sizes)}"
    )


def _name(kind: int) -> str:
    try:
        return TypeId(kind).name
    except ValueError:
        return "of an unknown type"


def _cause(cause: int) -> str:
    try:
        return Cause(cause).name.lower()
    except ValueError:
        return "of no meaning"


def _objects(asdu: Asdu, sizes: Sizes) -> str:
    layout = LAYOUTS.get(asdu.type)
    use = None if layout is None else layout.use
    if use is Use.MEASUREMENT and asdu.count:
        return _measurements(asdu, sizes)
    if use is Use.COMMAND and asdu.count == 1:
        said = command(asdu, sizes)
        select = "select " if said.select else ""
        qualifier = f" qualifier {said.qualifier}" if said.qualifier else ""
        return f"{select}{said.object} = {said.value:g}{qualifier}"
    if len(asdu.body) >= sizes.object and asdu.count:
        first = int.from_bytes(asdu.body[: sizes.object], "little")
        rest = asdu.body[sizes.object :]
        octets = f": {rest[:16].hex(' ')}{' …' * (len(rest) > 16)}" if rest else ""
        return f"{_count(asdu.count)} {first}{octets}"
    return _count(asdu.count)


def _measurements(asdu: Asdu, sizes: Sizes) -> str:
    columns = decode(asdu, sizes)
    words = FLAGS if asdu.type not in _COUNTERS else COUNTER_FLAGS
    first = (column[:SHOWN].tolist() for column in (columns.object, columns.value, columns.flags))
    shown = [
        f"{ioa} = {value:g}" + "".join(f" {word}" for bit, word in words if flags & bit)
        for ioa, value, flags in zip(*first, strict=True)
    ]
    more = ", …" if asdu.count > SHOWN else ""
    return f"{_count(asdu.count)}: {', '.join(shown)}{more}"


def _count(n: int) -> str:
    return f"{n} object" + ("" if n == 1 else "s")
