"""A YAML text as a tree whose every node knows its line and column.

Built from the parser's events and not with `yaml.compose`, because composing recurses:
a file of brackets must end in a sentence and not in a stack overflow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from gateway.config.file import end_of
from gateway.config.problem import excerpt

MAX_DEPTH = 50
MAX_NODES = 1_000_000

_TAG = "tag:yaml.org,2002:"
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OCTAL = re.compile(r"[-+]?0[0-9_]+")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_SYNTAX = {
    "mapping values are not allowed": "a ': ' stands where no key can be: look at the indentation, "
    "or put quotes around the text",
    "did not find expected '-' indicator": "a list item begins with '- ' in the list's own column: "
    "look at the indentation",
    "expected <block end>": "the indentation does not fit the lines above",
    "did not find expected key": "the indentation does not fit the lines above",
    "found unexpected end of stream": "the file ends inside a text whose quote is never closed",
    "could not find expected ':'": "a key needs a ': ' behind it",
    "did not find expected node content": "a '[', '{' or ',' has nothing fitting behind it",
    "expected the node content": "a '[', '{' or ',' has nothing fitting behind it",
    "expected ',' or ']'": "a '[' is never closed, or a ',' is missing",
    "did not find expected ',' or ']'": "a '[' is never closed, or a ',' is missing",
    "expected ',' or '}'": "a '{' is never closed, or a ',' is missing",
    "did not find expected ',' or '}'": "a '{' is never closed, or a ',' is missing",
}


@dataclass(slots=True, eq=False)
class Scalar:
    """A value that is neither mapping nor list; `value` is what YAML reads it as."""

    line: int
    column: int
    text: str = ""
    plain: bool = False
    value: str | int | float | bool | None = None
    reported: bool = False
    size: int = 1
    depth: int = 1


@dataclass(slots=True, eq=False)
class Mapping:
    """Keys with values; a key's own node keeps its place."""

    line: int
    column: int
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    merged: list[Mapping] = field(default_factory=list)
    reported: bool = False
    size: int = 1
    depth: int = 1


@dataclass(slots=True, eq=False)
class Sequence:
    """A list of nodes."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)
    reported: bool = False
    size: int = 1
    depth: int = 1


Node: TypeAlias = Scalar | Mapping | Sequence
Report: TypeAlias = Callable[[int, int, str], None]
"""Takes line, column and sentence of a problem."""


class _Hopeless(Exception):  # noqa: N818 - never leaves this file
    """The rest of the document cannot be understood; why is reported already."""


def parse(text: str, report: Report) -> Node | None:
    """Return the root of the one document in a YAML text, or None where there is none to use.

    Every problem is reported; a tree is returned although some of its parts had one,
    and those are marked `reported`.
    """
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        line, column = end_of(text[: unprintable.start()])
        report(line, column, f"found the control character {unprintable[0]!r}, allowed: text")
        return None
    try:
        return _Builder(report).build(yaml.parse(text, Loader=_LOADER))
    except _Hopeless:
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        report(line, column, _syntax(error, text, line, column))
        return None


def _syntax(error: yaml.YAMLError, text: str, line: int, column: int) -> str:
    problem = str(getattr(error, "problem", None) or error)
    if "found a tab" in problem or "found character '\\t'" in problem:
        return "found a tab, allowed: YAML is indented with spaces only"
    if "cannot start any token" in problem:
        lines = text.split("\n")
        found = lines[line - 1][column - 1 : column] if line <= len(lines) else ""
        if found == "\t":
            return "found a tab, allowed: YAML is indented with spaces only"
        return f"found {found!r} at the beginning of a value: put quotes around the text"
    for beginning, sentence in _SYNTAX.items():
        if problem.startswith(beginning):
            return f"this is not YAML: {sentence}"
    return f"this is not YAML: {problem}"


class _Builder:
    """Puts events together; a stack of open collections stands for the recursion."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.resolver: Any = yaml.resolver.Resolver()
        self.constructor = yaml.constructor.SafeConstructor()
        self.anchors: dict[str, Node] = {}
        self.stack: list[tuple[Mapping | Sequence, list[Node]]] = []
        self.root: Node | None = None
        self.nodes = 0

    def build(self, events: Iterator[Any]) -> Node | None:
        documents = 0
        for event in events:
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        self.stop(line, column, "found a second document ('---'), allowed: one")
                case yaml.ScalarEvent():
                    self.add(self.scalar(event, line, column), event.anchor)
                case yaml.AliasEvent():
                    self.add(self.alias(event.anchor, line, column), None)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self.open(event, line, column)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self.close()
        return self.root

    def stop(self, line: int, column: int, sentence: str) -> None:
        self.report(line, column, sentence)
        raise _Hopeless

    def open(self, event: Any, line: int, column: int) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _TAG + ("map" if mapping else "seq")):
            self.report(line, column, f"found the tag {event.tag!r}, allowed: no tags")
        if len(self.stack) >= MAX_DEPTH:
            self.stop(line, column, f"nested deeper than {MAX_DEPTH} levels")
        node: Mapping | Sequence = Mapping(line, column) if mapping else Sequence(line, column)
        if event.anchor:
            self.anchors[event.anchor] = node
        self.stack.append((node, []))

    def close(self) -> None:
        node, parts = self.stack.pop()
        node.size = min(MAX_NODES + 1, 1 + sum(part.size for part in parts))
        node.depth = 1 + max((part.depth for part in parts), default=0)
        if node.size > MAX_NODES:
            self.stop(
                node.line, node.column, f"its aliases (*) unfold to more than {MAX_NODES} values"
            )
        if node.depth > MAX_DEPTH:
            self.stop(node.line, node.column, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(node, Sequence):
            node.items = parts
        else:
            self.fill(node, parts)
        self.place(node)

    def add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        self.place(node)

    def place(self, node: Node) -> None:
        if self.stack:
            self.stack[-1][1].append(node)
        else:
            self.root = node

    def alias(self, anchor: str | None, line: int, column: int) -> Node:
        node = self.anchors.get(anchor or "")
        if node is None:
            self.report(line, column, f"found the alias *{anchor}, but no anchor &{anchor} before")
            return Scalar(line, column, reported=True)
        if any(node is parent for parent, _ in self.stack):
            self.report(line, column, f"the alias *{anchor} stands inside its own anchor")
            return Scalar(line, column, reported=True)
        return node

    def fill(self, mapping: Mapping, parts: list[Node]) -> None:
        for key, value in zip(parts[::2], parts[1::2], strict=True):
            if isinstance(key, Scalar) and key.plain and key.text == "<<":
                self.merge(mapping, value)
            elif not isinstance(key, Scalar):
                self.report(key.line, key.column, "found a list or mapping as a key, allowed: text")
            elif not isinstance(key.value, str):
                if not key.reported:
                    self.report(
                        key.line,
                        key.column,
                        f"found the key {key.text or 'nothing'}, which YAML reads as "
                        f"{_word(key.value)}, allowed: text (in quotes)",
                    )
            elif key.value in mapping.entries:
                first = mapping.entries[key.value][0]
                self.report(
                    key.line,
                    key.column,
                    f"found the key {excerpt(key.value)} again, first in line {first.line}",
                )
            else:
                mapping.entries[key.value] = (key, value)
        for other in mapping.merged:
            self.nodes += len(other.entries)
            if self.nodes > MAX_NODES:
                self.stop(
                    mapping.line,
                    mapping.column,
                    f"its merge keys (<<) unfold to more than {MAX_NODES} values",
                )
            for name, entry in other.entries.items():
                if mapping.entries.setdefault(name, entry) is entry:
                    mapping.size = min(MAX_NODES + 1, mapping.size + 1 + entry[1].size)

    def merge(self, mapping: Mapping, value: Node) -> None:
        for other in value.items if isinstance(value, Sequence) else [value]:
            if isinstance(other, Mapping):
                mapping.merged.append(other)
            elif not other.reported:
                self.report(
                    other.line,
                    other.column,
                    f"found {found(other)} for the merge key <<, allowed: an alias of a mapping",
                )

    def scalar(self, event: Any, line: int, column: int) -> Scalar:
        plain = bool(event.implicit[0])
        node = Scalar(line, column, event.value, plain, event.value)
        tag = event.tag
        if tag is None or tag == "!":
            tag = self.resolver.resolve(yaml.ScalarNode, event.value, (plain, not plain))
        elif tag.removeprefix(_TAG) not in ("str", "int", "float", "bool", "null"):
            self.report(line, column, f"found the tag {tag!r}, allowed: no tags")
            node.reported = True
            return node
        try:
            self.construct(node, tag.removeprefix(_TAG))
        except (ValueError, KeyError, IndexError, yaml.YAMLError):
            self.wrong(node, f"found {excerpt(node.text)}, which YAML cannot read")
        return node

    def construct(self, node: Scalar, tag: str) -> None:
        source = yaml.ScalarNode(_TAG + tag, node.text)
        if tag in ("int", "float") and ":" in node.text:
            self.wrong(
                node,
                f"found {node.text} without quotes, which YAML reads as a number in base 60: "
                f"write {node.text!r} with quotes where text is meant",
            )
        elif tag == "int":
            if _OCTAL.fullmatch(node.text):
                self.wrong(
                    node,
                    f"found {node.text}, which YAML reads as an octal number: "
                    "write it without the leading zero, or with quotes where text is meant",
                )
                return
            number = int(self.constructor.construct_yaml_int(source))
            if abs(number) >= 2**64:
                self.wrong(node, f"found {excerpt(node.text)}, allowed: numbers of up to 64 bits")
                return
            node.value = number
        elif tag == "float":
            real = float(self.constructor.construct_yaml_float(source))
            if real - real != 0.0:
                self.wrong(node, f"found {node.text}, allowed: finite numbers")
                return
            node.value = real
        elif tag == "bool":
            node.value = bool(self.constructor.construct_yaml_bool(source))
        elif tag == "null":
            node.value = None

    def wrong(self, node: Scalar, sentence: str) -> None:
        self.report(node.line, node.column, sentence)
        node.reported = True


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else str(value)


def found(node: Node) -> str:
    """Return a node in the words of a sentence: `'abc'`, `5`, `a list`, `nothing`."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node.value, str):
        return excerpt(node.value)
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool) and node.text.lower() not in ("true", "false"):
        return f"{node.text} without quotes, which YAML reads as {_word(node.value)}"
    return node.text
