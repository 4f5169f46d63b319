"""A point that takes commands, with everything that has a say in it looked up once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway.interlock import Interlock, parse
from gateway.model.command import Control, ControlModel
from gateway.model.configuration import Bay
from gateway.model.context import Image
from gateway.model.point import Definition, Kind
from gateway.model.quality import Quality, quality_text
from gateway.model.selector import selector

REMOTE = {Kind.STATUS: 1.0, Kind.DOUBLE: 2.0}
"""The value of a bay's switch that stands on remote."""
ROUNDING = 1e-6
"""How far a setpoint may come back from its value, relatively: a device may count in float32."""


@dataclass(frozen=True, slots=True)
class Indication:
    """A point whose value says how things stand."""

    point: int
    definition: Definition

    @property
    def name(self) -> str:
        return self.definition.name

    def value(self, image: Image) -> float | None:
        """Return its value, None where it is not to be relied on.

        A value that an operator froze is old, whatever it was; one that he put there counts.
        """
        value, quality = float(image.value[self.point]), int(image.quality[self.point])
        return None if doubtful(quality) or math.isnan(value) else value

    def shown(self, image: Image) -> float | None:
        """Return the value that the device itself shows, None where it does not."""
        by_hand = int(image.quality[self.point]) & Quality.SUBSTITUTED
        return None if by_hand else self.value(image)

    def text(self, image: Image) -> str:
        """Return its value for people, or its quality where it is not good."""
        value = self.value(image)
        if value is None:
            return f"{self.name} is {quality_text(int(image.quality[self.point]))}"
        return f"{self.name} is {value:g}"


@dataclass(frozen=True, slots=True)
class Switch:
    """The local/remote switch of a bay."""

    bay: str
    indication: Indication

    def local(self, image: Image) -> str:
        """Return why the bay is not on remote; empty where it is."""
        value = self.indication.value(image)
        if value is not None and value == REMOTE.get(self.indication.definition.kind):
            return ""
        return f"bay {self.bay} is not on remote: {self.indication.text(image)}"


@dataclass(frozen=True, slots=True)
class Target:
    """A commanded point."""

    own: Indication
    control: Control
    source: str
    feedback: Indication | None
    switches: tuple[Switch, ...]
    interlock: Interlock | None

    @property
    def point(self) -> int:
        return self.own.point

    @property
    def name(self) -> str:
        return self.own.name

    def raw(self, value: float) -> float:
        """Return a value as the device counts."""
        return (value - self.own.definition.offset) / self.own.definition.scale

    def shows(self, value: float, image: Image) -> bool:
        """Return whether the feedback shows the commanded value; True where there is none."""
        if self.feedback is None:
            return True
        shown = self.feedback.shown(image)
        if shown is None:
            return False
        if self.feedback.definition.kind is Kind.DOUBLE:
            return shown == value + 1.0  # off is 1 and on is 2: IEC 61850-7-3, Dbpos
        if self.control.model is not ControlModel.SETPOINT:
            return shown == value
        # Moves within the deadband are not reported at all.
        band = max(self.control.feedback_band, self.feedback.definition.deadband.width)
        return abs(shown - value) <= band or math.isclose(shown, value, rel_tol=ROUNDING)


def doubtful(quality: int) -> bool:
    """Return whether a value of this quality is not good, or one that an operator froze."""
    hand = quality & (Quality.OPERATOR_BLOCKED | Quality.SUBSTITUTED)
    return bool(quality & Quality.VALIDITY) or hand == Quality.OPERATOR_BLOCKED


def targets(
    definitions: Sequence[Definition | None], bays: Sequence[Bay] = ()
) -> Iterator[tuple[int, Target]]:
    """Yield every commanded point by id; `definitions` are in the order of ids.

    The configuration has been checked: KeyError or InterlockError is a mistake of ours.
    """
    indications = {
        one.name: Indication(number, one) for number, one in enumerate(definitions) if one
    }
    chosen: list[tuple[Callable[[str], bool], Switch]] = [
        (selector(bay.points), Switch(bay.name, indications[bay.switch])) for bay in bays
    ]
    for own in indications.values():
        control, source = own.definition.command, own.definition.source
        if control is None or source is None:
            continue
        yield (
            own.point,
            Target(
                own,
                control,
                source,
                indications[control.feedback] if control.feedback else None,
                tuple(switch for takes, switch in chosen if takes(own.name)),
                parse(control.interlock) if control.interlock else None,
            ),
        )
