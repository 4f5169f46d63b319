"""Whatever a link says of a frame becomes one line of bounded length, and never an error."""

from __future__ import annotations

from typing import Literal

import pytest

from gateway import Source
from gateway.testing import Emitter
from gateway.trace import words
from gateway.trace.words import WIDEST


class Speaker(Source):
    """Says what its name asks for."""

    type: Literal["speaker"] = "speaker"

    def describe(self, direction: str, frame: bytes) -> str:
        if frame == b"raise":
            raise IndexError("a mistake")
        return f"{direction} {frame.decode()}"


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"hello", "rx hello"),
        (b"raise", ""),
        (b"\xff", ""),
        (b"a\nb\x1b[2Jc\r", "rx a b [2Jc "),
        (b"x" * 1000, "rx " + "x" * (WIDEST - 4) + "…"),
    ],
)
def test_words(frame: bytes, said: str) -> None:
    """Control characters become spaces, what is long is cut, what raises says nothing."""
    assert words(Speaker(name="a"), "rx", frame) == said


def test_a_link_without_words() -> None:
    """It says nothing, and nothing reads it."""
    assert words(Emitter(name="a"), "rx", b"abc") == ""
    assert Emitter(name="a").dissector() is None
