"""The sheet as a whole: the clause of the standard on interoperability, filled in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from gateway import LinkPoint
from gateway_iec60870.controlled.point import address_of, ca_of
from gateway_iec60870.controlled.sheet.functions import functions
from gateway_iec60870.controlled.sheet.lower_layers import LowerLayers
from gateway_iec60870.controlled.sheet.markdown import Row, Rows, mark, table
from gateway_iec60870.controlled.sheet.points import lists
from gateway_iec60870.controlled.sheet.types import causes, selections
from gateway_iec60870.controlled.sheet.uses import outputs, uses

if TYPE_CHECKING:
    from gateway_iec60870.controlled.link import ControlledLink

_ITEM = ("item", "this station")
_CHOICE = ("parameter", "used", "in this station")
_REFUSALS = (
    "What has no row is refused: with cause 44, C_RP_NA_1 with a negative confirmation.\n"
    "A command to an object that takes none is answered with cause 47, with 44 where the object "
    "takes another type or another qualifier, and with a negative confirmation from whom it is not "
    "taken.\n"
    "Causes 44 to 47 come with P/N negative."
)


def sheet(link: ControlledLink, points: Sequence[LinkPoint], lower: LowerLayers) -> str:
    """Return the interoperability sheet of a link with its points, as Markdown."""
    return "\n\n".join(_parts(link, points, lower)) + "\n"


def _parts(link: ControlledLink, points: Sequence[LinkPoint], lower: LowerLayers) -> Iterator[str]:
    clause = lower.clause
    # Commands that nobody may give are none.
    obeys = lower.certified or link.role is not None
    commanded = list(outputs(points)) if obeys else []
    shown = [point for point in points if address_of(point).ioa is not None]
    used = uses(link, shown, commanded)
    yield f"# Interoperability of {link.name}: {lower.standard}, controlled station"
    yield (
        f"The tables of clause {clause} of the standard.\n"
        "X is used, in the standard direction; blank is not used."
    )
    yield f"## {clause}.1 System or device"
    yield table(_CHOICE, _system(link))
    for number, (title, rows) in enumerate(
        (
            ("Network configuration", lower.network),
            ("Physical layer", lower.physical),
            ("Link layer", lower.link),
        ),
        2,
    ):
        yield f"## {clause}.{number} {title}"
        yield rows if isinstance(rows, str) else table(_ITEM, rows)
    yield f"## {clause}.5 Application layer"
    yield "### Transmission mode and addresses"
    yield table(_CHOICE, _application(link, points))
    yield "### Lengths"
    yield table(_ITEM, _lengths(link, lower.length))
    yield from selections(used, lower.foreign)
    yield "### Type identifier and cause of transmission assignments"
    yield causes(used)
    yield _REFUSALS
    yield f"## {clause}.6 Basic application functions"
    yield from functions(link, shown, commanded, lower.certified)
    for title, (head, rows) in lower.parameters.items():
        yield f"### {title}"
        yield table(head, rows)
    yield "## Points"
    yield from lists(link, shown, commanded)


def _system(link: ControlledLink) -> Iterator[Row]:
    yield "System definition", "", ""
    yield "Controlling station definition (master)", "", ""
    yield "Controlled station definition (slave)", "X", f"{link.name}, of grid-gateway {_version()}"


def _version() -> str:
    return version("grid-gateway")


def _application(link: ControlledLink, points: Sequence[LinkPoint]) -> Iterator[Row]:
    sizes = link.sizes
    addresses = sorted({ca_of(point, link.ca) for point in points})
    yield "Mode 1 (least significant octet first)", "X", ""
    for octets, words in ((1, "one octet"), (2, "two octets")):
        here = sizes.address == octets
        yield f"Common address of ASDU: {words}", mark(here), _several(addresses) if here else ""
    for octets, words in ((1, "one octet"), (2, "two octets"), (3, "three octets")):
        yield f"Information object address: {words}", mark(sizes.object == octets), ""
    yield "Information object address: structured", "", ""
    yield "Information object address: unstructured", "X", ""
    yield "Cause of transmission: one octet", mark(sizes.cause == 1), ""
    mirrored = "that of a request is in its answers; else 0"
    yield (
        "Cause of transmission: two octets (with originator address)",
        mark(sizes.cause == 2),
        mirrored if sizes.cause == 2 else "",
    )


def _several(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _lengths(link: ControlledLink, length: Rows) -> Iterator[Row]:
    yield from length
    yield "Maximum length of an ASDU", f"{link.longest} octets"
