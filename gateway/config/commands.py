"""What `commands:` says of points: the bays and their switches."""

from __future__ import annotations

from gateway.config.control import STATES
from gateway.config.document import Node
from gateway.config.names import Names
from gateway.config.problem import excerpt
from gateway.config.section import Section
from gateway.model.configuration import Bay, CommandSettings
from gateway.model.selector import selector


def check(section: Section, node: Node, settings: CommandSettings, names: Names | None) -> None:
    """Report what is wrong with the bays; `names` is None where the points are not known."""
    first: dict[str, int] = {}
    for i, bay in enumerate(settings.bays):
        way = ("bays", i)
        at, where = section.place(node, (*way, "name"))
        if bay.name in first:
            line = first[bay.name]
            sentence = f"{where}: found the bay {excerpt(bay.name)} again, first in line {line}"
            section.report(at, sentence)
        first.setdefault(bay.name, at.line)
        known = section.check_patterns(node, (*way, "points"), bay.points, names)
        if names is None:
            continue
        if sentence := _switch(bay, names):
            at, where = section.place(node, (*way, "switch"))
            section.report(at, f"{where}: {sentence}")
        if known and not _commanded(bay, names):
            at, where = section.place(node, (*way, "points"))
            rule = "allowed: some with command.… columns"
            section.report(at, f"{where}: none of these points takes commands, {rule}")


def _commanded(bay: Bay, names: Names) -> bool:
    taken = selector(bay.points)
    return any(point.command is not None and taken(name) for name, point in names.points.items())


def _switch(bay: Bay, names: Names) -> str:
    point = names.points.get(bay.switch)
    if point is None:
        return names.unknown(bay.switch)
    if point.kind not in STATES:
        allowed = " or ".join(kind.value for kind in STATES)
        return f"found {excerpt(bay.switch)}, whose kind is {point.kind}, allowed: {allowed}"
    return ""
