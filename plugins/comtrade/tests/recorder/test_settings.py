"""What a recorder's configuration may say, and what is said where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gateway_comtrade.recorder.sink import Recorder
from pydantic import ValidationError

from gateway.testing import Emitter, Sampler, configured, paused, running

WHEN = [{"name": "trip", "condition": "relay.trip"}]
LEAST: dict[str, Any] = {"name": "rec", "source": "mu", "when": WHEN}


def recorder(**fields: Any) -> Recorder:
    return Recorder.model_validate(LEAST | fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"format": "float32", "revision": 1999},
            "found format float32 with revision 1999, allowed: binary, ascii; or revision: 2013",
        ),
        (
            {"longest": "1s"},
            "found longest 1s, allowed: 1.2s or more, before and after together",
        ),
        (
            {"memory": "1100ms"},
            "found memory 1.1s, allowed: 1.2s or more, before and late together",
        ),
        ({"when": WHEN * 2}, "found the trigger 'trip' twice, allowed: once"),
        (
            {"when": [{"name": "x", "condition": "relay.trip and"}]},
            "column 15: the expression ends here, allowed: a point, not, (",
        ),
        ({"station": "North, Bay 1"}, "String should match pattern"),
        ({"when": []}, "at least 1 item"),
    ],
)
def test_fields_that_do_not_fit(fields: dict[str, Any], sentence: str) -> None:
    """Are named before anything runs."""
    with pytest.raises(ValidationError) as raised:
        recorder(**fields)
    assert sentence in str(raised.value)


HEAD = "name,kind,relay.at,rec.channel\n"


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            "relay.tripp,status,x,\n",
            "points.csv:2:1: rec: trigger 'trip': found the point 'relay.trip', allowed: points "
            "that the recorder takes; did you mean 'relay.tripp'?",
        ),
        (
            "relay.trip,status,x,T\nb,analog,x,B\n",
            "points.csv:3:12: rec: found a point of kind analog, allowed: status, double",
        ),
        (
            "relay.trip,status,x,T\nb,status,x,T\n",
            "points.csv:3:12: rec: found 'T', which already is relay.trip",
        ),
    ],
)
def test_points_that_do_not_fit(tmp_path: Path, rows: str, sentence: str) -> None:
    """Are named by file, line and column."""
    with pytest.raises(ValueError, match=r"points\.csv") as raised:
        configured([Emitter(name="relay")], [recorder()], HEAD + rows, tmp_path)
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"source": "relay"}, "found no waveforms of 'relay', allowed: a source that has them"),
        (
            {"when": [{"name": "x", "condition": "_health.nobody.up"}]},
            "trigger 'x': found the point '_health.nobody.up'",
        ),
    ],
)
@paused
async def test_what_shows_at_the_start(
    tmp_path: Path, fields: dict[str, Any], sentence: str
) -> None:
    """A source without waveforms, a health point that is none: the link is down and says so."""
    rows = HEAD + "relay.trip,status,x,\n"
    relay = Emitter(name="relay")
    async with running([relay], [recorder(**fields)], rows, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.status("rec").error)
        assert sentence in gateway.status("rec").error


@paused
async def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    """A file stands where it would be: the link is down and says so."""
    (tmp_path / "file").write_text("")
    one = recorder(folder=tmp_path / "file", source="mu")
    rows = HEAD + "relay.trip,status,x,\n"
    links = [Emitter(name="relay"), Sampler(name="mu")]
    async with running(links, [one], rows, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.status("rec").error)
        assert (
            gateway.status("rec").error == f"the folder {tmp_path}/file cannot be used: File exists"
        )
