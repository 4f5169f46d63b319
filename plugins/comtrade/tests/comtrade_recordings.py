"""Recordings for tests: made by hypothesis, and read by the partner."""

from __future__ import annotations

from pathlib import Path

import comtrade
import numpy as np
from gateway_comtrade.codec import (
    MISSING,
    AnalogChannel,
    Format,
    Header,
    Rate,
    Recording,
    StatusChannel,
)
from hypothesis import strategies as st

LIMITS = {Format.ASCII: 99_998, Format.BINARY: 32_767, Format.BINARY32: 2**31 - 1}


def partner(path: Path) -> comtrade.Comtrade:
    """Let python-comtrade read a recording."""
    return comtrade.load(
        str(path), ignore_warnings=True, use_numpy_arrays=True, use_double_precision=True
    )


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Any recording that can be written."""
    revision = draw(st.sampled_from([1999, 2013]))
    kind = draw(st.sampled_from(list(Format)[: 4 if revision == 2013 else 2]))
    analogs, statuses = draw(st.integers(0, 4)), draw(st.integers(0, 35))
    text = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=12)
    # A few texts and numbers for all the channels: drawing each one takes most of the time.
    texts = draw(st.lists(text.filter(lambda one: "," not in one), min_size=1, max_size=5))
    reals = draw(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))

    def name() -> str:
        return texts[seed.integers(len(texts))]

    def real() -> float:
        return reals[seed.integers(len(reals))]

    analog = tuple(
        AnalogChannel(
            *(number, name(), name(), name(), name(), real(), real(), real()),
            *(-99999.0, 99998.0, real(), real(), "PS"[seed.integers(2)]),
        )
        for number in range(1, analogs + 1)
    )
    status = tuple(
        StatusChannel(number, name(), name(), name(), int(seed.integers(2)))
        for number in range(1, statuses + 1)
    )
    hertz = st.sampled_from([500.0, 1000.0, 4800.0]) | st.floats(0.5, 1e5)
    pieces = draw(st.lists(st.tuples(hertz, st.integers(1, 9)), max_size=3))
    rows = sum(many for _, many in pieces) or draw(st.integers(1, 20))
    ends = np.cumsum([many for _, many in pieces]).tolist()
    rates = tuple(Rate(hertz, end) for (hertz, _), end in zip(pieces, ends, strict=True))
    resolution = draw(st.sampled_from([1000, 1]))
    moment = st.integers(0, 2_000_000_000 * 10**9).map(lambda ns: ns // resolution * resolution)
    zone = st.integers(-14 * 60, 14 * 60).map(lambda minutes: minutes * 60)
    new = revision == 2013
    header = Header(
        *(name(), name(), revision, analog, status, draw(st.floats(0, 100))),
        *(rates, rows, draw(moment), draw(moment), kind, resolution, draw(st.floats(1e-3, 1e3))),
        draw(st.none() | zone) if new else None,
        draw(st.none() | zone) if new else None,
        draw(st.integers(0, 15)) if new else None,
        draw(st.integers(0, 3)) if new else 3,
    )
    if kind is Format.FLOAT32:
        samples = seed.normal(0, 1e4, (rows, analogs)).astype(np.float32).astype(np.float64)
        samples[seed.random(samples.shape) < 0.1] = np.nan
    else:
        limit = LIMITS[kind]
        samples = seed.integers(-limit, limit, (rows, analogs), np.int32, endpoint=True)
        samples[seed.random(samples.shape) < 0.1] = MISSING
    states = seed.integers(0, 2, (rows, statuses), np.uint8)
    stamps = np.cumsum(seed.integers(0, 1000, rows))
    return Recording(header, np.arange(1, rows + 1), stamps, samples, states, name(), "")
