"""Paths against the tables of RFC 9535."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gateway_mqtt.source.path import ABSENT, find, steps
from hypothesis import given
from hypothesis import strategies as st

# RFC 9535, table 5 (name selectors) and table 8 (index selectors), with their documents;
# the queries that select one place. What stands in brackets with a hyphen is ours to add.
NAMES = {"o": {"j j": {"k.k": 3}}, "'": {"@": 2}}
STORE = {"store": {"book": [{"price": 8.95}, {"price": 12.99}], "bicycle": {"price": 399}}}
PLACES: list[tuple[Any, str, Any]] = [
    (NAMES, "$.o['j j']", {"k.k": 3}),
    (NAMES, "$.o['j j']['k.k']", 3),
    (NAMES, '$.o["j j"]["k.k"]', 3),
    (NAMES, '$["\'"]["@"]', 2),
    (["a", "b"], "$[1]", "b"),
    (["a", "b"], "$[-2]", "a"),
    ({"k": "v"}, "$", {"k": "v"}),
    (STORE, "store.book[1].price", 12.99),
    (STORE, "$.store.bicycle.price", 399),
    ({"": {"a": 1}}, "['']['a']", 1),
    ({"power-on": 1}, "['power-on']", 1),
    ({"it's": 1}, r"['it\'s']", 1),
    ({'"': 1}, "['\"']", 1),
    ({"a\nb": 1}, r"['a\nb']", 1),
    ({"☺": 1}, "☺", 1),
    ({"☺": 1}, r"['\u263A']", 1),
    (5, "", 5),
    ([[1, 2]], "[0][1]", 2),
]
NOTHING: list[tuple[Any, str]] = [
    ({"a": 1}, "b"),
    ({"a": 1}, "a.b"),
    (["a", "b"], "[2]"),
    (["a", "b"], "[-3]"),
    (["a", "b"], "a"),
    ({"0": 1}, "[0]"),
    ("text", "[0]"),
    (None, "a"),
    ({"a": "text"}, "a[0]"),
]
BAD = [
    "$.", "$..a", "$.*", "$[*]", "a.", ".", "a b", "a-b", "0a", "$[01]", "$[-0]", "$[1:2]", "$[",
    "$[1", "$['a", "$[a]", "$[?@.a]", "$a", "a[1.5]", "a['\\q']", "$['\\uD800']", "[0]a",
    "[99999999999999999]", "a" * 1001,
]  # fmt: skip


@pytest.mark.parametrize(("document", "path", "expected"), PLACES)
def test_a_path_leads_to_its_place(document: Any, path: str, expected: Any) -> None:
    """The value is the one of the RFC's table."""
    assert find(document, steps(path)) == expected


@pytest.mark.parametrize(("document", "path"), NOTHING)
def test_where_nothing_is_nothing_is_found(document: Any, path: str) -> None:
    """What is not there is ABSENT, whatever stands in its way."""
    assert find(document, steps(path)) is ABSENT


def test_null_is_something() -> None:
    """A null is a value (RFC 9535 section 2.6), and nothing absent."""
    assert find({"a": None}, steps("a")) is None


@pytest.mark.parametrize("path", BAD)
def test_what_is_no_place_of_one_value_is_refused(path: str) -> None:
    """Queries for several values, and what is no query, with the sign where it goes wrong."""
    with pytest.raises(ValueError, match="cannot be read from"):
        steps(path)


@given(
    st.recursive(st.none() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_every_place_of_a_document_has_a_path(document: Any) -> None:
    """A path in brackets, as the RFC's normalized paths are, leads to each value."""
    pending = [("$", document)]
    while pending:
        path, node = pending.pop()
        found = find(document, steps(path)) if len(path) < 1000 else node
        assert found is node or found == node
        inner = (
            node.items()
            if isinstance(node, dict)
            else enumerate(node or ())
            if isinstance(node, list)
            else ()
        )
        pending += [(f"{path}[{json.dumps(key)}]", value) for key, value in inner]
