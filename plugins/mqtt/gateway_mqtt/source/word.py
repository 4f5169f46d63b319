"""What devices say, as numbers and qualities: `ON`, `"21.5"`, true, `questionable,oldData`, 192."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from gateway import Kind, Quality, quality_text

Words = Mapping[str, float]

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_FLAGS: Final = 0x7FFF

STATES: Mapping[Kind, Words] = MappingProxyType(
    {
        Kind.STATUS: MappingProxyType({"off": 0.0, "on": 1.0, "false": 0.0, "true": 1.0}),
        Kind.DOUBLE: MappingProxyType({"intermediate": 0.0, "off": 1.0, "on": 2.0, "bad": 3.0}),
    }
)
"""The words for states that need not be said; capitals do not matter."""


class QualityFormat(StrEnum):
    """How a quality is written.

    words:   `questionable,oldData`, those of IEC 61850-7-3.
    number:  the 16 flags of the gateway.
    boolean: true is good, false is invalid.
    """

    WORDS = "words"
    NUMBER = "number"
    BOOLEAN = "boolean"


# Plain numbers: to join two members of an enumeration costs a microsecond.
_WORD: Mapping[str, int] = MappingProxyType(
    {
        word: int(quality)
        for quality in (
            Quality.GOOD,
            Quality.INVALID,
            Quality.RESERVED,
            Quality.QUESTIONABLE,
            *(Quality(1 << bit) for bit in range(2, 14)),
        )
        for word in [quality_text(quality).removeprefix("good,")]
    }
)


def number(value: Any, words: Words, *, truth: bool) -> float:
    """Return the number that a device said; null is NaN.

    words: in small letters; they count before numbers in a text.
    truth: whether true and false are 1 and 0.
    Raises ValueError with what was found and what is allowed.
    """
    kind = type(value)
    if kind is float or kind is int:
        return float(value)
    if value is None:
        return float("nan")
    if kind is bool and truth:
        return float(value)
    if kind is str:
        text = value.strip()
        known = words.get(text.casefold())
        if known is not None:
            return known
        if _NUMBER.fullmatch(text) and abs(found := float(text)) != float("inf"):
            return found
    allowed = ", ".join(words) or "a number"
    raise ValueError(f"found {_shown(value)}, allowed: {allowed}")


def quality(text: str) -> int:
    """Return the flags of a quality in words, joined by commas, in any order.

    Raises ValueError with the word that is unknown and those that are known.
    """
    flags = 0
    for word in text.split(","):
        known = _WORD.get(word.strip())
        if known is None:
            raise ValueError(f"found the quality {word[:40]!r}, allowed: {', '.join(_WORD)}")
        flags |= known
    return flags


def qualities(form: QualityFormat, words: Mapping[str, str]) -> Callable[[Any], int]:
    """Return what makes flags of a device's quality; it raises ValueError where it is none.

    words: what the device says, numbers as text, and the quality that it stands for.
    """
    own = {word: quality(meaning) for word, meaning in words.items()}

    def read(value: Any) -> int:
        if own and not isinstance(value, bool | list | dict):
            known = own.get(value if isinstance(value, str) else f"{value}")
            if known is not None:
                return known
        if form is QualityFormat.BOOLEAN and isinstance(value, bool):
            return 0 if value else int(Quality.INVALID)
        if form is QualityFormat.NUMBER and type(value) is int and 0 <= value <= _FLAGS:
            return value
        if form is QualityFormat.WORDS and isinstance(value, str):
            return quality(value)
        raise ValueError(f"found the quality {_shown(value)}, allowed: {_ALLOWED[form]}")

    return read


_ALLOWED = {
    QualityFormat.WORDS: "words as questionable,oldData",
    QualityFormat.NUMBER: f"0 to {_FLAGS}",
    QualityFormat.BOOLEAN: "true or false",
}


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    return f"{value!r:.40}"
