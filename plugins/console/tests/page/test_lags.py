"""How far device times lie behind, with clocks that the test sets."""

from __future__ import annotations

import numpy as np
from gateway_console.page.columns import Columns
from gateway_console.page.lags import Lags
from gateway_console.page.wording import lag_text

from gateway import Definition, Image, Quality

MS = 10**6
NOW = 1_800_000_000_000 * MS
STAMPED = int(Quality.DEVICE_TIME)


def test_only_new_samples_with_the_time_of_a_device_count() -> None:
    """Not the gateway's own time, not what an operator holds, not what was there before."""
    names = ("a1", "a2", "b", "held", "own")
    sources = ("a", "a", "b", "c", None)
    definitions = [Definition(n, source=s) for n, s in zip(names, sources, strict=True)]
    image = Image(np.zeros(5), np.zeros(5, np.uint16), np.zeros(5, np.int64))
    columns = Columns(definitions, image)
    image.time[:] = (100, 300, 400, 500, 600)
    image.quality[:] = (STAMPED, STAMPED, 0, STAMPED, STAMPED)
    image.quality[3] |= int(Quality.OPERATOR_BLOCKED)
    columns.changes()
    assert columns.stamped() == {"a": 300}
    columns.changes()
    assert columns.stamped() == {}
    image.time[0] = 200
    columns.changes()
    assert columns.stamped() == {"a": 200}


def test_the_least_of_ten_seconds_is_shown() -> None:
    """Looks find 420, 80 and 300 ms: it was 80 at most, until that look is 10 s old."""
    lags = Lags()
    assert lags.of("a") is None
    for at, lag in ((0.0, 420), (0.5, 80), (1.0, 300)):
        lags.take(at, NOW, {"a": NOW - lag * MS})
    assert lags.of("a") == 80 * MS
    assert lags.of("b") is None
    lags.take(10.6, NOW, {})
    assert lags.of("a") == 300 * MS
    lags.take(11.1, NOW, {})
    assert lags.of("a") is None


def test_a_clock_that_runs_ahead_is_told() -> None:
    """A device's time of tomorrow is a lag below nothing, and not hidden."""
    lags = Lags()
    lags.take(0.0, NOW, {"a": NOW + 250 * MS})
    assert lags.of("a") == -250 * MS
    assert [lag_text(s) for s in (-0.25, 0.0004, 0.012, 3.21)] == [
        "-250 ms",
        "0.4 ms",
        "12 ms",
        "3.2 s",
    ]
