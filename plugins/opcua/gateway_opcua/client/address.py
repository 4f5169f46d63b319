"""Where a node is: node ids and browse paths, as a point list writes them."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

Namespace: TypeAlias = int | str
"""An index, which may change with every start of the server, or a URI, which stays."""
Identifier: TypeAlias = int | str | uuid.UUID | bytes

REFERENCES = {
    "References": 31,
    "NonHierarchicalReferences": 32,
    "HierarchicalReferences": 33,
    "HasChild": 34,
    "Organizes": 35,
    "HasEventSource": 36,
    "Aggregates": 44,
    "HasSubtype": 45,
    "HasProperty": 46,
    "HasComponent": 47,
    "HasNotifier": 48,
    "HasOrderedComponent": 49,
}
"""Reference types of OPC 10000-3 (7) that a path may name, by their ids in namespace 0."""

_NODE = re.compile(
    r"(?:ns=(?P<ns>\d+);|nsu=(?P<nsu>[^;]*);)?(?P<type>[isgb])=(?P<id>.+)", re.DOTALL
)
_RESERVED = "/.<>:#!&"
_EXAMPLE = "nsu=urn:plant;s=Feeder1.Voltage, or i=2258 in namespace 0"


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """A node id (OPC 10000-6, 5.3.1.10)."""

    namespace: Namespace
    identifier: Identifier


@dataclass(frozen=True, slots=True)
class Step:
    """One element of a path: the reference that is followed, and the name at its end.

    reference: id of the reference type in namespace 0.
    inverse:   from target to source.
    subtypes:  whether subtypes of the reference are followed, too.
    """

    reference: int
    inverse: bool
    subtypes: bool
    namespace: Namespace
    name: str


@dataclass(frozen=True, slots=True)
class PathAddress:
    """A path from the Root folder (OPC 10000-4, annex A.2)."""

    steps: tuple[Step, ...]


Address: TypeAlias = NodeAddress | PathAddress


def parse(text: str) -> Address:
    """Return the address that a text is: a path where it begins with / or ., else a node id.

    Raises ValueError with a sentence.
    """
    return parse_path(text) if text[:1] in ("/", ".", "<") else parse_node(text)


def parse_node(text: str) -> NodeAddress:
    """Return the node id that a text is; raises ValueError with a sentence."""
    match = _NODE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no node id; one is written {_EXAMPLE}")
    namespace: Namespace = 0
    if match["ns"] is not None:
        namespace = int(match["ns"])
        if namespace > 0xFFFF:
            raise ValueError(f"namespace index {namespace} is not in 0..65535")
    elif match["nsu"] is not None:
        namespace = _uri(match["nsu"])
    return NodeAddress(namespace, _identifier(match["type"], match["id"], text))


def _identifier(kind: str, text: str, whole: str) -> Identifier:
    try:
        match kind:
            case "i":
                if not text.isdecimal() or int(text) > 0xFFFF_FFFF:
                    raise ValueError("i= wants a number in 0..4294967295")
                return int(text)
            case "g":
                return uuid.UUID(text)
            case "b":
                return base64.b64decode(text, validate=True)
            case _:
                return text
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"{whole!r} is no node id: {error}") from None


def _uri(text: str) -> str:
    """Undo the escapes of a namespace URI (OPC 10000-6, 5.3.1.11)."""
    uri = text.replace("%3B", ";").replace("%3b", ";").replace("%25", "%")
    if not uri:
        raise ValueError("nsu= wants the URI of a namespace: nsu=urn:plant;s=Feeder1")
    return uri


def parse_path(text: str) -> PathAddress:
    """Return the path that a text is; raises ValueError with a sentence.

    Besides the grammar of the standard a namespace may be given by its URI, which is taken up to
    the semicolon as it stands: `/Objects/nsu=http://plant.example/UA/;Feeder1`.
    """
    if not text.startswith("/"):
        raise ValueError(
            f"{text!r} is no browse path; one begins at the Root folder: /Objects/2:Plant/2:Feeder1"
        )
    steps = tuple(_steps(text))
    return PathAddress(steps)


def _steps(text: str) -> Iterator[Step]:
    at = 0
    while at < len(text):
        reference, inverse, subtypes = REFERENCES["HierarchicalReferences"], False, True
        match text[at]:
            case "/":
                at += 1
            case ".":
                reference = REFERENCES["Aggregates"]
                at += 1
            case "<":
                end = text.find(">", at)
                if end < 0:
                    raise ValueError(f"{text!r}: the reference type that < begins has no >")
                reference, inverse, subtypes = _reference(text[at + 1 : end], text)
                at = end + 1
            case other:  # pragma: no cover - names end at reserved characters only
                raise ValueError(f"{text!r}: {other!r} at {at + 1} stands where / . or < is wanted")
        namespace, name, at = _name(text, at)
        yield Step(reference, inverse, subtypes, namespace, name)


def _reference(text: str, whole: str) -> tuple[int, bool, bool]:
    name = text.lstrip("#!")
    flags = text[: len(text) - len(name)]
    name = name.removeprefix("0:")
    if name not in REFERENCES or len(set(flags)) != len(flags):
        raise ValueError(f"{whole!r}: <{text}> is none of <{'>, <'.join(REFERENCES)}>")
    return REFERENCES[name], "!" in flags, "#" not in flags


def _name(text: str, at: int) -> tuple[Namespace, str, int]:
    namespace: Namespace = 0
    if text.startswith("nsu=", at):
        end = text.find(";", at)
        if end < 0:
            raise ValueError(f"{text!r}: the namespace URI that nsu= begins has no semicolon")
        namespace = _uri(text[at + 4 : end])
        at = end + 1
    elif (index := re.compile(r"(\d+):").match(text, at)) is not None:
        namespace = int(index[1])
        if namespace > 0xFFFF:
            raise ValueError(f"{text!r}: namespace index {namespace} is not in 0..65535")
        at = index.end()
    name = []
    while at < len(text) and text[at] not in "/.<":
        if text[at] == "&":
            at += 1
            if text[at : at + 1] not in tuple(_RESERVED):
                raise ValueError(f"{text!r}: & stands before one of {_RESERVED} only")
        elif text[at] in _RESERVED:
            raise ValueError(f"{text!r}: {text[at]!r} at {at + 1} must be written &{text[at]}")
        name.append(text[at])
        at += 1
    if not name:
        raise ValueError(f"{text!r}: a name is missing at {at + 1}")
    return namespace, "".join(name), at
