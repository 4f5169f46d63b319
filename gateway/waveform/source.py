"""The base of sources that hand over waveforms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from gateway.model.link import Source
from gateway.model.point import LinkPoint, Point
from gateway.model.waveform import Channel
from gateway.waveform.estimator import faults
from gateway.waveform.result import Result, parse_result
from gateway.waveform.settings import WaveformSettings


class WaveformPoint(Point):
    """The column of a point that is measured of a waveform."""

    result: Annotated[
        str | None,
        Field(
            description="what is measured: phasor/angle/u1, cycles/rms/ua, 10min/thd/ua, "
            "dip/active/all …",
            examples=["phasor/frequency"],
        ),
    ] = None

    @field_validator("result")
    @classmethod
    def _known(cls, result: str | None) -> str | None:
        if result is not None:
            parse_result(result)
        return result


class WaveformSource(Source):
    """A source that hands waveforms to `ctx.emit_waveform`; its field `waveform` says what is
    measured, and the column `result` of a row, which point that is.

    A subclass that has more columns derives its `Point` from `WaveformPoint`.
    """

    Point: ClassVar[type[WaveformPoint]] = WaveformPoint

    waveform: Annotated[WaveformSettings, Field(description="what is measured of the waveform")] = (
        WaveformSettings()
    )

    def stream(self) -> tuple[int, tuple[Channel, ...]] | None:
        """Return rate and channels where the configuration fixes them, so that `gateway check`
        finds what cannot be measured; None where the device says them."""
        return None

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        sound: list[tuple[LinkPoint, Result]] = []
        first: dict[str, str] = {}
        for point in points:
            name = result_of(point)
            if name is None:
                continue
            section = "phasors" if name.startswith("phasor/") else "meter"
            if getattr(self.waveform, section) is None:
                sentence = f"found '{name}', which needs the section `waveform: {{{section}: …}}`"
                yield point, "result", sentence
            elif (other := first.setdefault(name, point.name)) != point.name:
                yield point, "result", f"found '{name}', which already is {other}"
            else:
                sound.append((point, parse_result(name)))
        stream = self.stream()
        if stream is not None:
            of = {result: point for point, result in sound}
            for result, sentence in faults(self.waveform, *stream, list(of)):
                yield of[result], "result", sentence


def result_of(point: LinkPoint) -> str | None:
    """Return the result that a point stands for; None where it is none."""
    return point.address.result if isinstance(point.address, WaveformPoint) else None
