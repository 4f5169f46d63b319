"""Where a point comes from, what is done to it, and where it goes, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateway.model.point import Definition


@dataclass(frozen=True, slots=True)
class Hop:
    """A point at one link.

    link, type: the link's name and type.
    settings:   what the YAML says of the link, secrets masked.
    address:    the columns of the point there; empty where it goes by its name.
    keep:       at a sink, what it must have; `rule` says where that is written.
    left_out:   at a sink that does not take the point, why.
    """

    link: str
    type: str
    settings: dict[str, Any] = field(default_factory=dict)
    address: dict[str, Any] = field(default_factory=dict)
    keep: str = ""
    rule: str = ""
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every address and conversion of one point, from device to each sink, and its commands.

    `command` is empty for a measurement.
    """

    point: Definition
    source: Hop | None
    conversions: tuple[tuple[str, str], ...]
    sinks: tuple[Hop, ...]
    command: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        point = self.point
        title = f"{point.name}  {point.kind.value}" + (f", {point.unit}" if point.unit else "")
        lines = [title]
        lines += [f"  {text}" for text in (point.description, point.model) if text]
        if self.source is not None:
            lines += ["", "from " + _heading(self.source), *_fields(self.source)]
        lines += ["", "in the gateway", *(f"  {what:<10}{how}" for what, how in self.conversions)]
        if self.command:
            by = f", carried out by {self.source.link} ({self.source.type})" if self.source else ""
            lines += ["", f"commands{by}", *(f"  {what:<10}{how}" for what, how in self.command)]
        for hop in self.sinks:
            if hop.left_out:
                lines += ["", f"not to {hop.link} ({hop.type}): {hop.left_out}"]
            else:
                lines += ["", "to " + _heading(hop), *_fields(hop)]
                lines.append(f"  {'keep':<10}{hop.keep} ({hop.rule})")
        return "\n".join(lines)


def _heading(hop: Hop) -> str:
    settings = ", ".join(f"{key} {_text(value)}" for key, value in hop.settings.items())
    return f"{hop.link} ({hop.type})" + (f": {settings}" if settings else "")


def _fields(hop: Hop) -> list[str]:
    if not hop.address:
        return [f"  {'address':<10}its name"]
    width = max(10, *(len(key) + 2 for key in hop.address))
    return [f"  {key:<{width}}{_text(value)}" for key, value in hop.address.items()]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_text(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
