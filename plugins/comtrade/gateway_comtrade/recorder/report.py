"""What a person reads of a recording: its HDR file."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from gateway import Quality
from gateway_comtrade.codec import Header
from gateway_comtrade.recorder.captures import Capture

NANO = 1_000_000_000
MOST_LINES = 50
"""Of stretches of one kind that are listed one by one."""


def report(
    header: Header,
    capture: Capture,
    there: npt.NDArray[np.bool_],
    quality: npt.NDArray[np.uint16],
    times: npt.NDArray[np.int64],
) -> str:
    """Return the text: where it was, why, and what is to be known of the samples.

    there, quality, times: of each row.
    """
    rate = header.rates[0].hertz
    lines = [
        f"Station: {header.station}",
        f"Device: {header.device}",
        f"First row: {moment(header.start)}",
        f"Rows: {header.rows} at {rate:g} Hz",
    ]
    lines += [
        f"Trigger: {moment(one.time)}, {one.name}: {one.condition} ({one.why})"
        + ("; this is when it was received, its own clock is not to be trusted" * one.unsure)
        for one in capture.fired[:MOST_LINES]
    ]
    if len(capture.fired) > MOST_LINES:
        lines.append(f"Triggers that are not listed: {len(capture.fired) - MOST_LINES}")
    if capture.continues:
        lines.append("It continues the recording before it.")
    if len(times) and times[0] > capture.start + NANO / rate:
        lines.append(f"Asked for from {moment(capture.start)}; there were no samples before.")
    if not len(times) or times[-1] < capture.end - 2 * NANO / rate:
        lines.append(f"Asked for until {moment(capture.end)}; there were no samples any more.")
    validity = quality & Quality.VALIDITY
    flags = (
        ("Missing", ~there),
        ("Invalid", there & ((validity == Quality.INVALID) | (validity == Quality.RESERVED))),
        ("Questionable", there & (validity == Quality.QUESTIONABLE)),
        ("Clock not synchronised", there & ((quality & Quality.CLOCK_NOT_SYNCHRONISED) != 0)),
    )
    for word, rows in flags:
        lines += _stretches(word, rows, times)
    return "\r\n".join(lines) + "\r\n"


def _stretches(word: str, rows: npt.NDArray[np.bool_], times: npt.NDArray[np.int64]) -> list[str]:
    edges = np.flatnonzero(np.diff(rows.astype(np.int8), prepend=0, append=0))
    begins, ends = edges[::2], edges[1::2]
    lines = [
        f"{word}: rows {begin + 1} to {end}, from {moment(int(times[begin]))}"
        for begin, end in zip(begins[:MOST_LINES].tolist(), ends[:MOST_LINES].tolist(), strict=True)
    ]
    if len(begins) > MOST_LINES:
        left = int(np.sum(ends[MOST_LINES:] - begins[MOST_LINES:]))
        lines.append(f"{word}: {left} rows in {len(begins) - MOST_LINES} stretches more")
    return lines


def moment(time: int) -> str:
    """Write ns since 1970 UTC: `2026-01-01T12:00:00.123456789Z`."""
    second, fraction = divmod(time, NANO)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"
