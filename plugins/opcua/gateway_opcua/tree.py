"""Where points stand in the address space: folders and names, no OPC UA types yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway import LinkPoint

COMMANDS = "/Commands"
"""Ends the NodeId of the object with a point's commands."""
OPERATOR = "/Operator"
"""The NodeId of the object with what an operator does."""


@dataclass(slots=True, eq=False)
class Folder:
    """A folder of the tree; `path` is () for the root."""

    path: tuple[str, ...]
    folders: dict[str, Folder] = field(default_factory=dict)
    points: list[Leaf] = field(default_factory=list)

    @property
    def identifier(self) -> str:
        """The string NodeId; its last slash keeps it apart from every point's."""
        return "/".join(self.path) + "/"


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A point in its folder: its string NodeId and its name there."""

    point: LinkPoint
    identifier: str
    name: str


def place(point: LinkPoint) -> tuple[str, ...]:
    """Return the names from the root to the point.

    `Feeder1/MMXU1.PhV.phsA` (the `model` column, an IEC 61850-7-2 object reference)
    stands in Feeder1, MMXU1, PhV as phsA; without a model the dotted name decides.
    """
    text = point.definition.model or point.name
    return tuple(part for part in re.split(r"[/.]", text) if part) or (point.name,)


def identifier(point: LinkPoint) -> str:
    """Return the string NodeId of a point."""
    return getattr(point.address, "node", None) or point.name


def doubles(points: Sequence[LinkPoint]) -> Iterator[tuple[LinkPoint, str]]:
    """Yield each point whose NodeId something else has, with a name of that."""
    taken: dict[str, str] = {}
    commanded = {identifier(point): point.name for point in points if point.command is not None}
    for point in points:
        text = identifier(point)
        above, slash, _ = f"{text}/".partition(COMMANDS + "/")
        if slash and above in commanded:
            yield point, f"the commands of {commanded[above]}"
        elif f"{text}/".startswith(OPERATOR + "/"):
            yield point, "the operator's methods"
        else:
            other = taken.setdefault(text, point.name)
            if other != point.name:
                yield point, other


def grow(points: Iterable[LinkPoint]) -> Folder:
    """Return the root of the tree that the points make."""
    root = Folder(())
    for point in points:
        *above, name = place(point)
        folder = root
        for part in above:
            below = folder.folders.get(part)
            if below is None:
                below = folder.folders[part] = Folder((*folder.path, part))
            folder = below
        name = getattr(point.address, "browse_name", None) or name
        folder.points.append(Leaf(point, identifier(point), name))
    return root
