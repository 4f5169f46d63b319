"""Every field wrong in turn, generated from the JSON Schema of every installed plugin.

The YAML is written by this file, which notes where it puts each node;
what the gateway reports is compared with these notes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gateway.config import ConfigError, load, schema
from gateway.config.schema import plugins
from gateway.host import Component, Host
from gateway.model.access import AccessSettings
from gateway.model.command import Control
from gateway.model.configuration import CommandSettings, GatewaySettings

HOST = Host()
ENVIRON = {"TEST_SECRET": "opensesame-opensesame"}
GOOD, BAD = plugins(HOST)
COMPONENTS = [component for plugin in GOOD for component in plugin.components]
SCHEMA = schema(COMPONENTS)
LEFTOVERS = re.compile(
    r"pydantic|Input should|Value error|String should|Assertion failed|Field required"
    r"|Extra inputs|NoneType|Traceback|type=|input_value"
)
STRANGER = "zz_stranger"


@dataclass(frozen=True)
class Bare:
    """A scalar as it stands in the YAML, without quotes."""

    text: str


# Writing YAML and noting places ------------------------------------------------------------------


class Writer:
    """Writes block-style YAML; `keys` and `values` map paths to line and column."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self.lines: list[str] = []
        self.keys: dict[tuple[Any, ...], tuple[int, int]] = {}
        self.values: dict[tuple[Any, ...], tuple[int, int]] = {}
        self._mapping(tree, (), 0, "")
        self.text = "\n".join(self.lines) + "\n"

    def _mapping(self, node: dict[str, Any], path: tuple[Any, ...], indent: int, lead: str) -> None:
        for i, (key, value) in enumerate(node.items()):
            start = lead if i == 0 and lead else " " * indent
            here = (*path, key)
            line = len(self.lines) + 1
            self.keys[here] = (line, indent + 1)
            if i == 0:
                self.values[path] = (line, indent + 1)
            self._value(value, here, indent, f"{start}{key}:")

    def _value(self, value: Any, path: tuple[Any, ...], indent: int, lead: str) -> None:
        if isinstance(value, dict) and value:
            self.lines.append(lead)
            self._mapping(value, path, indent + 2, "")
        elif isinstance(value, list) and value:
            self.lines.append(lead)
            self.values[path] = (len(self.lines) + 1, indent + 3)
            for i, item in enumerate(value):
                dash = " " * (indent + 2) + "- "
                if isinstance(item, dict) and item:
                    self._mapping(item, (*path, i), indent + 4, dash)
                else:
                    self.values[(*path, i)] = (len(self.lines) + 1, len(dash) + 1)
                    self.lines.append(dash + _scalar(item))
        else:
            self.values[path] = (len(self.lines) + 1, len(lead) + 2)
            self.lines.append(f"{lead} {_scalar(value)}")


def _scalar(value: Any) -> str:
    return value.text if isinstance(value, Bare) else json.dumps(value)


# Reading the schema ------------------------------------------------------------------------------


def branches(part: dict[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in part:
        return branches(SCHEMA["$defs"][part["$ref"].rsplit("/", 1)[-1]])
    for word in ("anyOf", "oneOf", "allOf"):
        if word in part:
            return [branch for one in part[word] for branch in branches(one)]
    return [part]


def types_of(parts: list[dict[str, Any]]) -> set[str]:
    types = set()
    for part in parts:
        if "type" in part:
            types.add(part["type"])
        elif "const" in part or "enum" in part:
            types.add("string")
        else:
            types |= {"string", "integer", "number", "boolean", "array", "object", "null"}
    return types


def example(part: dict[str, Any]) -> Any:
    """Return a value that a schema allows."""
    part = next((b for b in branches(part) if b.get("type") != "null"), {"type": "null"})
    if "const" in part:
        return part["const"]
    if "enum" in part:
        return part["enum"][0]
    if part.get("examples"):
        return part["examples"][0]
    match part.get("type"):
        case "string":
            return _text(part)
        case "integer":
            low = part.get("minimum", part.get("exclusiveMinimum", 0) + 1)
            return min(low, part.get("maximum", low))
        case "number":
            low = part.get("minimum", part.get("exclusiveMinimum"))
            high = part.get("maximum", part.get("exclusiveMaximum"))
            if low is None:
                return 1.5
            return low + 0.5 if high is None else (low + high) / 2
        case "boolean":
            return True
        case "array" if "prefixItems" in part:
            return [example(one) for one in part["prefixItems"]]
        case "array":
            return [example(part["items"])] * part.get("minItems", 1 if "items" in part else 0)
        case "object":
            return example_of_object(part)
    return None


def example_of_object(part: dict[str, Any]) -> dict[str, Any]:
    required = part.get("required", ())
    found = {key: example(part["properties"][key]) for key in required}
    if "env" in found:
        found["env"] = "TEST_SECRET"
    return found


def _text(part: dict[str, Any]) -> str:
    pattern = str(part.get("pattern", ""))
    length = max(int(part.get("minLength", 1)), 1)
    texts = ("abcd", "a", "A", "1", "AB", pattern[2:-2].split("|")[0], "a/{point}", "a.b")
    for text in (*texts, "0" * 64):
        if re.search(pattern, text) and length <= len(text) <= part.get("maxLength", 1000):
            return text
    return "x" * length


# Breaking one node -------------------------------------------------------------------------------


def wrong_values(part: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield names and values that a schema does not allow."""
    parts = branches(part)
    types = types_of(parts)
    if "boolean" not in types:
        yield "a truth value", True
        yield "yes without quotes", Bare("yes")
    if "array" not in types:
        yield "a list", []
        yield "a list of lists", [[]]
    if "object" not in types:
        yield "a mapping", {}
        yield "a mapping in it", {"x": 1}
    if not types & {"string"}:
        yield "text", "three phases"
    if not types & {"number", "integer"}:
        yield "a fraction", 1.5
    elif "number" not in types:
        yield "a fraction of a whole number", 7.25
    if "null" not in types:
        yield "nothing", None
    yield "base 60", Bare("12:30:45")
    yield "an octal number", Bare("0777")
    yield "not a number", Bare(".nan")
    yield "an unknown alias", Bare("*nowhere")
    yield "a strange tag", Bare("!!python/name:os.system x")
    kinds = [one for one in parts if one.get("type") != "null"]
    if all("enum" in one or "const" in one or "examples" in one for one in kinds):
        yield "an unknown word", "three phases"
    if len(kinds) == 1:
        yield from _out_of_range(kinds[0])


def _out_of_range(part: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if part.get("type") in ("integer", "number"):
        if "minimum" in part:
            yield "below the minimum", part["minimum"] - 1
        if "exclusiveMinimum" in part:
            yield "at the excluded minimum", part["exclusiveMinimum"]
        if "maximum" in part:
            yield "above the maximum", part["maximum"] + 1
        if "exclusiveMaximum" in part:
            yield "at the excluded maximum", part["exclusiveMaximum"]
        yield "a giant", Bare("9" * 400)
    if part.get("type") == "string" and "enum" not in part and "const" not in part:
        if part.get("minLength"):
            yield "too short", "x" * (part["minLength"] - 1)
        if "maxLength" in part:
            yield "too long", "x" * (part["maxLength"] + 1)
        if "pattern" in part and not re.search(part["pattern"], "§ no"):
            yield "outside the pattern", "§ no"
    if part.get("type") == "array":
        if part.get("minItems"):
            yield "too few", []
        if "maxItems" in part:
            item = part["items"] if "items" in part else part["prefixItems"][0]
            yield "too many", [example(item)] * (part["maxItems"] + 1)


@dataclass(frozen=True)
class Case:
    """One broken document: the place is that of the key or of the value at `path`.

    `whole` is the document with the key or value that this one lacks.
    """

    what: str
    tree: dict[str, Any]
    path: tuple[Any, ...]
    at_key: bool = False
    whole: dict[str, Any] | None = None


def breakages(part: dict[str, Any], path: tuple[Any, ...], tree: Any) -> Iterator[Case]:
    """Yield documents with one thing wrong at or below `path`; `tree` is good there."""
    for what, value in wrong_values(part):
        yield Case(what, put(tree, path, value), path, whole=tree if value is None else None)
    for branch in branches(part):
        if branch.get("type") == "object" and "properties" in branch:
            yield from _object(branch, path, put(tree, path, example_of_object(branch)))
        elif branch.get("type") == "object" and isinstance(
            branch.get("additionalProperties"), dict
        ):
            below = branch["additionalProperties"]
            inner = put(tree, path, {"some": example(below)})
            yield from breakages(below, (*path, "some"), inner)
        elif branch.get("type") == "array" and isinstance(branch.get("items"), dict):
            inner = put(tree, path, [example(branch["items"])])
            yield from breakages(branch["items"], (*path, 0), inner)
        elif branch.get("type") == "array":
            items = branch.get("prefixItems", [])
            inner = put(tree, path, [example(item) for item in items])
            for i, item in enumerate(items):
                yield from breakages(item, (*path, i), inner)


def _object(branch: dict[str, Any], path: tuple[Any, ...], tree: Any) -> Iterator[Case]:
    node = get(tree, path)
    stranger = put(tree, (*path, STRANGER), 1)
    if branch.get("additionalProperties") is False:
        yield Case("an unknown key", stranger, (*path, STRANGER), at_key=True)
    for key in branch.get("required", ()):
        if len(node) > 1:
            less = put(tree, path, {k: v for k, v in node.items() if k != key})
            yield Case(f"no {key}", less, path, whole=tree)
        else:
            yield Case(f"no {key}", put(tree, path, {}), path, whole=tree)
    for key, below in branch["properties"].items():
        if "const" not in below:
            yield from breakages(below, (*path, key), put(tree, (*path, key), example(below)))


def get(tree: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def put(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy of a tree with another value at a path."""
    if not path:
        return value
    copy = list(tree) if isinstance(tree, list) else dict(tree)
    old = None
    if isinstance(copy, list) or path[0] in copy:
        old = copy[path[0]]
    copy[path[0]] = put(old, path[1:], value)
    return copy


# The tests ---------------------------------------------------------------------------------------


def document(component: Component | None) -> dict[str, Any]:
    tree: dict[str, Any] = {"gateway": {"name": "north"}, "points": "points.csv", "sources": []}
    if component is not None:
        link = example_of_object(link_schema(component))
        link["type"] = component.types[0]
        tree["sources" if component.is_source else "sinks"] = [link]
    return tree


def link_schema(component: Component) -> dict[str, Any]:
    key = "sources" if component.is_source else "sinks"
    for one in branches(SCHEMA["properties"][key]["items"]):
        word = one["properties"]["type"]
        if component.types[0] in word.get("enum", [word.get("const")]):
            return one
    raise LookupError(component.types)


def problems_of(folder: Path, text: str) -> set[tuple[int, int, str]]:
    path = folder / "gateway.yaml"
    path.write_text(text)
    (folder / "points.csv").write_text("name\n")
    try:
        load(path, ENVIRON, HOST)
    except ConfigError as error:
        return {(one.line, one.column, one.sentence) for one in error.problems if one.path == path}
    return set()


def _sentences(found: set[tuple[int, int, str]]) -> set[str]:
    return {sentence for _, _, sentence in found}


def hold(cases: Iterator[Case], folder: Path) -> int:
    """Break the document in each way and compare where the problem is with where it was put."""
    number = 0
    for case in cases:
        writer = Writer(case.tree)
        found = problems_of(folder, writer.text)
        place = (writer.keys if case.at_key else writer.values)[case.path]
        shown = f"{case.what} at {case.path}\n{writer.text}\n{sorted(found)}"
        if case.whole is not None and _sentences(found) == _sentences(
            problems_of(folder, Writer(case.whole).text)
        ):
            # A validator of the model fills in the key, although the schema has it as required.
            continue
        assert place in {(line, column) for line, column, _ in found}, f"not at {place}: {shown}"
        for _, _, sentence in found:
            assert not LEFTOVERS.search(sentence), shown
        number += 1
    return number


def test_all_installed_plugins_are_usable() -> None:
    """No plugin is left out of these tests because it cannot be loaded."""
    assert [str(error) for error in BAD] == []
    assert COMPONENTS, "no plugin is installed: run `make setup`"


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.types[0])
def test_every_field_of_a_link(component: Component, tmp_path: Path) -> None:
    """Whatever is wrong with a field of a link is reported at its line and column."""
    key = "sources" if component.is_source else "sinks"
    tree = document(component)

    def cases() -> Iterator[Case]:
        yield from _object(link_schema(component), (key, 0), tree)

    assert hold(cases(), tmp_path) > 30


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.types[0])
def test_every_misspelled_key(component: Component, tmp_path: Path) -> None:
    """A key with a letter too many is answered with the key that was meant."""
    key = "sources" if component.is_source else "sinks"
    for name in link_schema(component)["properties"]:
        if name in ("name", "type"):
            continue
        wrong = f"{name}{name[-1]}"
        writer = Writer(put(document(component), (key, 0, wrong), 1))
        line, column = writer.keys[(key, 0, wrong)]
        meant = [
            s for at, col, s in problems_of(tmp_path, writer.text) if (at, col) == (line, column)
        ]
        assert len(meant) == 1
        assert f"'{wrong}'" in meant[0]
        assert meant[0].endswith(f"did you mean '{name}'?")


@pytest.mark.parametrize("key", ["gateway", "commands", "access"])
def test_every_field_of_the_gateway(key: str, tmp_path: Path) -> None:
    """Whatever is wrong with a setting of the gateway is reported at its line and column."""
    part = branches(SCHEMA["properties"][key])[0]
    tree = {key: {}} | document(None)
    assert hold(_object(part, (key,), tree), tmp_path) > 30


@pytest.mark.parametrize("key", ["gateway", "commands", "access"])
def test_every_setting_is_in_the_schema(key: str) -> None:
    """What the cases above are generated from has every field of the model."""
    models: dict[str, type[BaseModel]] = {
        "gateway": GatewaySettings,
        "commands": CommandSettings,
        "access": AccessSettings,
    }

    described = branches(SCHEMA["properties"][key])[0]["properties"]
    assert set(described) == set(models[key].model_fields)


def test_every_top_level_key(tmp_path: Path) -> None:
    """Whatever is wrong at the top of the file is reported at its line and column."""
    tree = document(None)

    def cases() -> Iterator[Case]:
        yield Case("an unknown key", put(tree, (STRANGER,), 1), (STRANGER,), at_key=True)
        for key in SCHEMA["required"]:
            yield Case(f"no {key}", {k: v for k, v in tree.items() if k != key}, ())
        for key in SCHEMA["properties"]:
            nothing_is_allowed = key == "sinks"
            for what, value in wrong_values(SCHEMA["properties"][key]):
                if value == [[]]:
                    continue
                if not (nothing_is_allowed and value is None):
                    yield Case(what, put(tree, (key,), value), (key,))

    assert hold(cases(), tmp_path) > 30


# The point list ----------------------------------------------------------------------------------


def point_cases(cls: type[BaseModel]) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield names, cells by field, and the field where the problem must be."""
    model = cls.model_json_schema()
    SCHEMA["$defs"].update(model.get("$defs", {}))
    good = {key: _cell(example(one)) for key, one in model["properties"].items()}
    for key, one in model["properties"].items():
        kinds = [part for part in branches(one) if part.get("type") != "null"]
        types = types_of(kinds)
        listed = all("enum" in part or "const" in part or "examples" in part for part in kinds)
        if "string" not in types or listed:
            yield "text", good | {key: "three phases"}, key
        if types == {"integer"}:
            yield "a fraction", good | {key: "7.25"}, key
        if types == {"number"}:
            yield "a decimal comma", good | {key: '"7,25"'}, key
            yield "not a number", good | {key: "nan"}, key
        if len(kinds) == 1:
            for what, value in _out_of_range(kinds[0]):
                text = value.text if isinstance(value, Bare) else _cell(value)
                if text and value != []:
                    yield what, good | {key: text}, key
        if key in model.get("required", ()) and len(good) > 1:
            yield "an empty cell", good | {key: ""}, key


def _cell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.types[0])
def test_every_column_of_a_point(component: Component, tmp_path: Path) -> None:
    """Whatever is wrong with a cell of a point is reported at its line and column."""
    tree = document(component)
    key = "sources" if component.is_source else "sinks"
    link = tree[key][0]["name"]
    (tmp_path / "gateway.yaml").write_text(Writer(tree).text)
    for what, cells, field in point_cases(component.cls.Point):
        header = "name," + ",".join(f"{link}.{name}" for name in cells)
        row = "feeder1.voltage," + ",".join(cells.values())
        before = ["feeder1.voltage", *list(cells.values())[: list(cells).index(field)]]
        place = (3, len(",".join(before)) + 2)
        path = tmp_path / "points.csv"
        path.write_text(f"# the list\n{header}\n{row}\n")
        with pytest.raises(ConfigError) as raised:
            load(tmp_path / "gateway.yaml", ENVIRON, HOST)
        if what == "an empty cell" and field not in str(raised.value).replace(header, ""):
            # A validator of the model fills in the cell, although the schema has it as required.
            continue
        problems = [one for one in raised.value.problems if one.path == path]
        if not problems:
            # The example of the link itself is refused by a rule across its fields.
            assert raised.value.problems, what
            continue
        shown = f"{what} at {field}\n{header}\n{row}\n{raised.value}"
        assert place in {(one.line, one.column) for one in problems}, f"not at {place}: {shown}"
        assert not LEFTOVERS.search(str(raised.value)), shown


def test_every_column_of_a_command(tmp_path: Path) -> None:
    """Whatever is wrong with a cell of a command is reported at its line and column."""
    (tmp_path / "gateway.yaml").write_text(Writer(document(None)).text)
    path, number = tmp_path / "points.csv", 0
    for what, cells, field in point_cases(Control):
        header = "name," + ",".join(f"command.{name}" for name in cells)
        before = ["p", *list(cells.values())[: list(cells).index(field)]]
        path.write_text(f"{header}\np,{','.join(cells.values())}\n")
        with pytest.raises(ConfigError) as raised:
            load(tmp_path / "gateway.yaml", ENVIRON, HOST)
        places = {
            (one.line, one.column): one.sentence
            for one in raised.value.problems
            if one.path == path
        }
        sentence = places.get((2, len(",".join(before)) + 2), "nothing here")
        assert sentence.startswith(f"command.{field}: "), f"{what} at {field}: {raised.value}"
        assert not LEFTOVERS.search(str(raised.value)), raised.value
        number += 1
    assert number > 15
