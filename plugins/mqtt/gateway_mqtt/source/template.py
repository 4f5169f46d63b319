"""What a device is sent as a command: a text in which some fields are filled in.

Braces around anything else stay as they are, so that JSON needs no doubled ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import orjson

DEFAULT: Final = "{raw}"
FIELDS: Final = (
    "raw", "value", "id", "name", "operation", "time", "expires", "on_time", "off_time", "count",
)  # fmt: skip
MOST: Final = 4096
"""Characters of a template."""

_FIELD: Final = re.compile(r"\{(" + "|".join(FIELDS) + r")\}")
_ALIKE: Final = re.compile(r"\{([A-Za-z_]\w*)\}")


def check(template: str) -> str:
    """Return the template, or raise ValueError with what was found and what is allowed."""
    if not template or len(template) > MOST:
        raise ValueError(f"a template has 1 to {MOST} characters, this one has {len(template)}")
    for match in _ALIKE.finditer(template):
        if match[1] not in FIELDS:
            raise ValueError(
                f"found the field {match[0]}, allowed: {', '.join(f'{{{f}}}' for f in FIELDS)}"
            )
    check_filled(template, "1")
    return template


def check_filled(template: str, value: str) -> None:
    """Raise ValueError where a template of JSON is none with this value in it."""
    if not is_json(template):
        return
    texts = dict.fromkeys(("id", "name", "operation"), "x")
    try:
        orjson.loads(fill(template, dict.fromkeys(FIELDS, "1") | texts | _values(value)))
    except orjson.JSONDecodeError as error:
        raise ValueError(
            f"it begins as JSON and is none with {value} in it: {error}; "
            'words stand in quotes: {"state": "{raw}"}'
        ) from None


def is_json(template: str) -> bool:
    """Return whether what is sent is a JSON document, by its beginning."""
    start = template.lstrip()
    return start[:1] in ("{", "[") and _FIELD.match(start) is None


def fill(template: str, fields: Mapping[str, str]) -> str:
    """Return the text with its fields filled in; in JSON they stay inside their quotes."""
    if is_json(template):
        fields = {name: orjson.dumps(text).decode()[1:-1] for name, text in fields.items()}
    return _FIELD.sub(lambda match: fields[match[1]], template)


def _values(text: str) -> dict[str, str]:
    return {"raw": text, "value": text}


def number(value: float) -> str:
    """Write a number in its shortest form: `1`, `230.5`."""
    value = float(value)
    return f"{value:.0f}" if value.is_integer() and abs(value) < 2**53 else repr(value)
