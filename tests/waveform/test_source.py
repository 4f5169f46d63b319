"""What `gateway check` says of results that a source cannot measure."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from gateway.model.waveform import Channel
from gateway.testing import Sampler, configured
from gateway.testing.waves import CIRCUIT
from gateway.waveform import WaveformSettings, WaveformSource


class Fixed(WaveformSource):
    """A source whose configuration fixes its stream."""

    type: Literal["fixed"] = "fixed"
    rate: int = 4800

    def stream(self) -> tuple[int, tuple[Channel, ...]]:
        return self.rate, CIRCUIT


def problems(source: WaveformSource, rows: str, folder: Path) -> list[str]:
    try:
        configured([source], [], f"name,mu.result\n{rows}", folder)
    except ValueError as error:
        return str(error).splitlines()
    return []


WHOLE = {"phasors": {"class": "M", "rate": 25}, "meter": {"declared": 230, "orders": 40}}


def test_a_sound_list(tmp_path: Path) -> None:
    """Results of all sections, each once."""
    source = Fixed(name="mu", waveform=WHOLE)  # type: ignore[arg-type]

    assert problems(source, "a,phasor/rocof\nb,2h/thd/ub\nc,swell/voltage/all\n", tmp_path) == []


@pytest.mark.parametrize(
    ("waveform", "rows", "place", "sentence"),
    [
        (WHOLE, "a,phasor/rofoc\n", "2:3", "found 'phasor/rofoc': found 'rofoc' after 'phasor/'"),
        (WHOLE, "a,3s/rms/ua\nb,3s/rms/ua\n", "3:3", "found '3s/rms/ua', which already is a"),
        ({}, "a,phasor/rocof\n", "2:3", "needs the section `waveform: {phasors: …}`"),
        ({}, "a,dip/active/a\n", "2:3", "needs the section `waveform: {meter: …}`"),
        (WHOLE, "a,3s/harmonic/ua/41\n", "2:3", "with `meter: {orders: 40}`, which has it not"),
        ({**WHOLE, "channels": {"ua": "UA"}}, "a,3s/rms/ub\n", "2:3", "found channels.ua 'UA'"),
        (
            {"meter": {"declared": 230, "orders": 50}},
            "a,3s/rms/ub\n",
            "2:3",
            "orders",
        ),
    ],
)
def test_a_wrong_row(
    waveform: dict[str, Any], rows: str, place: str, sentence: str, tmp_path: Path
) -> None:
    """The sentence stands at the cell, and there is one of it."""
    (problem,) = problems(Fixed(name="mu", waveform=waveform), rows, tmp_path)  # type: ignore[arg-type]

    assert problem.startswith(f"{tmp_path / 'points.csv'}:{place}: mu")
    assert sentence in problem


def test_what_the_device_says_is_not_judged_before(tmp_path: Path) -> None:
    """A source that learns its channels from the device is checked when it knows them."""
    source = Sampler(name="mu", waveform={**WHOLE, "channels": {"ua": "VA"}})  # type: ignore[arg-type]

    assert problems(source, "a,3s/rms/ub\n", tmp_path) == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"nominal": 60, "phasors": {"rate": 50}}, "allowed at 60 Hz: 10, 12, 15, 20, 30, 60, 120"),
        ({"nominal": 50, "phasors": {"rate": 60}}, "found phasors.rate 60, allowed at 50 Hz"),
        ({"channels": {"ud": "X"}}, "ua"),
        ({"meter": {}}, "declared"),
        ({"meter": {"declared": 230, "swell": 0.9}}, "greater than 1"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], sentence: str) -> None:
    """The model refuses them, with what is allowed."""
    with pytest.raises(ValidationError, match=sentence):
        WaveformSettings.model_validate(settings)
