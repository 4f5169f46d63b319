"""What is allowed, in words, for each form of JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config.wording import allowed, branches


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer"}, "a whole number"),
        ({"type": "integer", "minimum": 1, "maximum": 65535}, "a whole number from 1 to 65535"),
        (
            {"type": "integer", "minimum": 0, "maximum": 2**32},
            "a whole number from 0 to 4294967296",
        ),
        ({"type": "integer", "minimum": 1}, "a whole number of at least 1"),
        ({"type": "number", "maximum": 5}, "a number of at most 5"),
        (
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "a number above 0 and below 1",
        ),
        ({"type": "integer", "multipleOf": 2}, "a whole number that is a multiple of 2"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "null"}, "nothing"),
        ({"type": "string"}, "text"),
        ({"type": "string", "minLength": 1}, "text that is not empty"),
        ({"type": "string", "minLength": 2}, "text (at least 2 characters)"),
        ({"type": "string", "minLength": 2, "maxLength": 5}, "text (2 to 5 characters)"),
        ({"type": "string", "pattern": "^[A-Z]$"}, "text that matches ^[A-Z]$"),
        ({"type": "string", "pattern": "^(debug|info)$"}, "debug, info"),
        ({"type": "string", "pattern": "^x$", "examples": ["x"]}, "text such as x"),
        ({"type": "string", "format": "file-path"}, "the path of a file"),
        ({"type": "string", "format": "password"}, "{env: NAME} or {file: PATH}"),
        ({"type": "string", "enum": ["a", "b"]}, "a, b"),
        ({"const": "a"}, "a"),
        ({"enum": [1, 2]}, "1, 2"),
        ({"type": "array"}, "a list"),
        (
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "a list (at least 1 items) of text",
        ),
        ({"type": "object"}, "a mapping"),
        ({"type": "object", "properties": {"a": {}, "b": {}}}, "a mapping with the keys a, b"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "a whole number"),
        (
            {"anyOf": [{"type": "integer"}, {"const": "auto"}, {"type": "string"}]},
            "auto or a whole number or text",
        ),
        ({"oneOf": [{"const": "a"}, {"const": "b"}]}, "a, b"),
        ({"$ref": "#/$defs/Level"}, "low, high"),
        ({"allOf": [{"$ref": "#/$defs/Level"}]}, "low, high"),
        ({"$ref": "#/$defs/Loop"}, "something else"),
        ({}, "something else"),
    ],
)
def test_words(schema: dict[str, Any], words: str) -> None:
    """Each form has its own words, bounds and units included."""
    root = {
        "$defs": {
            "Level": {"enum": ["low", "high"], "type": "string"},
            "Loop": {"anyOf": [{"$ref": "#/$defs/Loop"}]},
        }
    }

    assert allowed(branches(schema, root), root) == words
