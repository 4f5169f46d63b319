"""Sums over samples are exact, on every level, and the same as numpy's whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.kernel import levels
from gateway.kernel.waveform import check_samples, row_sums

NEXT = [1, 2, 0, 3]


def oracle(rows: np.ndarray, dtype: Any) -> list[int]:
    """The sums in numpy: int64 where they fit, Python's own numbers where they do not."""
    u, i = rows[:, :4].astype(dtype), rows[:, 4:].astype(dtype)
    products = np.concatenate([u * u, i * i, u * i, u * u[:, NEXT]], axis=1)
    return [int(total) for total in products.sum(axis=0)]


@pytest.mark.parametrize("name", levels())
def test_sums_are_those_of_int64(name: str, running_on: Any) -> None:
    """Samples of 24 bits, a second of them."""
    rows = np.random.default_rng(7).integers(-(2**23), 2**23, (14400, 8)).astype(np.int32)

    with running_on(name):
        assert row_sums(rows) == oracle(rows, np.int64)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.integers(0, 2**32), st.sampled_from([0.0, 0.5, 1.0]))
def test_sums_do_not_overflow(n: int, seed: int, extreme: float) -> None:
    """Samples of all 32 bits, their ends among them."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(-(2**31), 2**31, (n, 8)).astype(np.int32)
    ends = rng.choice(np.array([-(2**31), 2**31 - 1], np.int64), (n, 8)).astype(np.int32)
    rows = np.ascontiguousarray(np.where(rng.random((n, 8)) < extreme, ends, rows))

    assert row_sums(rows) == oracle(rows, object)


def test_other_samples_are_refused() -> None:
    """Of another type, shape or order, or with too few columns."""
    good = np.zeros((4, 8), np.int32)
    check_samples(good, 8)
    for bad in (good.astype(np.int64), good[0], good[:, ::2], np.asfortranarray(good)):
        with pytest.raises(ValueError, match="they must be int32, 2 dimensions, C-contiguous"):
            check_samples(bad, 1)
    with pytest.raises(ValueError, match="samples of 8 columns; the stream has 9"):
        check_samples(good, 9)
    with pytest.raises(ValueError, match="samples of 9 columns; sums are of 8 lanes"):
        row_sums(np.zeros((1, 9), np.int32))
