"""What a configuration says of how a waveform is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.model.fields import Settings

RATES = {50: (10, 25, 50, 100), 60: (10, 12, 15, 20, 30, 60, 120)}
"""Reports per second that there are at a nominal frequency."""
Lane = Literal["ua", "ub", "uc", "un", "ia", "ib", "ic", "in"]
"""The voltages and currents of a three-phase circuit, as results name them."""


class Correction(Settings):
    """What is known of the error of an instrument transformer."""

    scale: Annotated[float, Field(gt=0, description="what the magnitude is multiplied by")] = 1.0
    angle: Annotated[
        float, Field(ge=-180, le=180, description="degrees that are added to the angle")
    ] = 0.0


class PhasorSettings(Settings):
    """Synchrophasors, designed to the limits of IEC/IEEE 60255-118-1:2018."""

    performance: Annotated[
        Literal["P", "M"],
        Field(alias="class", description="P answers sooner, M keeps out what is not the network's"),
    ] = "P"
    rate: Annotated[
        int,
        Field(
            description="reports per second: 10, 25, 50 or 100 at 50 Hz; "
            "10, 12, 15, 20, 30, 60 or 120 at 60 Hz"
        ),
    ] = 50
    least: Annotated[
        float,
        Field(ge=0, description="magnitude [V, or A] below which there is no frequency"),
    ] = 0.0


class MeterSettings(Settings):
    """Power quality and power, designed to IEC 61000-4-30 class A and IEEE 1459."""

    declared: Annotated[
        float, Field(gt=0, description="declared voltage Udin of the channels ua, ub, uc [V]")
    ]
    orders: Annotated[int, Field(ge=0, le=50, description="of harmonics; 0 for none")] = 0
    floor: Annotated[
        float | None,
        Field(
            ge=0,
            description="fundamental [V, or A without voltages] below which there is no phase to "
            "follow; 2 % of `declared` where it is left out",
        ),
    ] = None
    dip: Annotated[
        float, Field(ge=0, lt=1, description="a dip begins below, as a part of `declared`; 0: none")
    ] = 0.9
    swell: Annotated[
        float | None, Field(gt=1, description="a swell begins above, as a part; null: none")
    ] = 1.1
    interruption: Annotated[
        float, Field(ge=0, lt=1, description="an interruption begins below, as a part; 0: none")
    ] = 0.05
    hysteresis: Annotated[
        float, Field(ge=0, lt=0.5, description="of the three, as a part of `declared`")
    ] = 0.02
    change: Annotated[
        float,
        Field(ge=0, lt=0.5, description="a rapid voltage change is above, as a part; 0: none"),
    ] = 0.0
    change_hysteresis: Annotated[float, Field(ge=0, lt=1, description="a part of `change`")] = 0.5
    sliding: Annotated[
        bool, Field(description="whether parts are of a 1-minute mean instead of `declared`")
    ] = False


class WaveformSettings(Settings):
    """How a waveform is measured; without `phasors` and `meter` it is not."""

    nominal: Annotated[Literal[50, 60], Field(description="frequency of the network [Hz]")] = 50
    hold: Annotated[
        int,
        Field(
            ge=0,
            le=4096,
            description="so many missing samples are filled with the last one, as questionable; "
            "after more of them all begins anew",
        ),
    ] = 0
    channels: Annotated[
        Mapping[Lane, str],
        Field(description="channel of each lane, where it is not named as the lane is"),
    ] = {}
    correct: Annotated[
        Mapping[Lane, Correction], Field(description="errors of instrument transformers, by lane")
    ] = {}
    phasors: Annotated[PhasorSettings | None, Field(description="results `phasor/...`")] = None
    meter: Annotated[MeterSettings | None, Field(description="all other results")] = None

    @model_validator(mode="after")
    def _reported(self) -> Self:
        rates = RATES[self.nominal]
        if self.phasors is not None and self.phasors.rate not in rates:
            raise ValueError(
                f"found phasors.rate {self.phasors.rate}, allowed at {self.nominal} Hz: "
                + ", ".join(map(str, rates))
            )
        return self
