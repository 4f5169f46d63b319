"""What was done to one point by hand, and what an action makes of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.model.override import Override
from gateway.model.quality import Quality


class Record(BaseModel):
    """What the file of overrides is made of; it may say NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Said(Record):
    """One sample: value in the point's unit, `Quality`, ns since the Unix epoch, UTC."""

    value: float
    quality: Annotated[int, Field(ge=0, le=0xFFFF)]
    time: int

    def stamped(self, time: int, time_quality: int) -> Said:
        """Return the sample with a time of the gateway's own."""
        quality = self.quality & ~Quality.TIME | time_quality
        return Said(value=self.value, quality=quality, time=time)


class Entry(Record):
    """What was done to one point.

    shown:  of a point that is blocked or substituted, what it shows, marks aside.
    device: what its device had said last, when it was done.
    """

    blocked: bool = False
    substituted: bool = False
    test: bool = False
    shown: Said | None = None
    device: Said

    @property
    def mark(self) -> Quality:
        """The bits that all samples of the point get."""
        return Quality(
            Quality.OPERATOR_BLOCKED * self.blocked
            | Quality.SUBSTITUTED * self.substituted
            | Quality.TEST * self.test
        )

    def idle(self, action: Override) -> str:
        """Say why an action has nothing to do here; empty where it has."""
        if action is Override.BLOCK and self.blocked:
            return "was blocked already"
        if action is Override.RELEASE and self.shown is None:
            return "was neither blocked nor substituted"
        if action is Override.TEST and self.test:
            return "was in test already"
        if action is Override.END_TEST and not self.test:
            return "was not in test"
        return ""

    def after(
        self, action: Override, value: float, device: Said, time: int, time_quality: int
    ) -> Entry:
        """Return what is in force after an action at this time.

        value:  of a substitute.
        device: what the device said last.
        """
        blocked, substituted, test, shown = self.blocked, self.substituted, self.test, self.shown
        if action is Override.BLOCK:
            blocked, shown = True, shown or device
        elif action is Override.SUBSTITUTE:
            substituted, shown = True, Said(value=value, quality=0, time=time)
        elif action is Override.RELEASE:
            blocked, substituted, shown = False, False, None
        else:
            test = action is Override.TEST
        if shown is not None:
            shown = shown.stamped(time, time_quality)
        if shown is not None and blocked:
            # IEC 61850-7-3 clause 6.2.1: with operatorBlocked oldData is set as well.
            shown = shown.model_copy(update={"quality": shown.quality | Quality.OLD_DATA})
        return Entry(
            blocked=blocked, substituted=substituted, test=test, shown=shown, device=device
        )
