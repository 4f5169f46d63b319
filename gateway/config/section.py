"""A part of the YAML tree as an instance of its model, or as sentences with line and column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Sequence_
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.config import wording
from gateway.config.document import Mapping as MappingNode
from gateway.config.document import Node, Scalar, Sequence, found
from gateway.config.names import Names
from gateway.config.problem import Problem, did_you_mean, excerpt, listing
from gateway.config.wording import Schema, allowed, branches

M = TypeVar("M", bound=BaseModel)

MAX_SECRET = 65_536
_PATH_FORMATS = ("path", "file-path", "directory-path")


class Section:
    """Reads parts of one YAML file; every problem goes to `problems`.

    Relative paths become relative to the file's folder, and secrets are fetched,
    where the model's schema says that a path or a secret is meant.
    """

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        problems: list[Problem],
        *,
        sealed: bool = False,
    ) -> None:
        """sealed: secrets are not fetched, and count as given."""
        self.path = path
        self.sealed = sealed
        self.environ = environ
        self.problems = problems
        self._schemas: dict[int, list[Schema]] = {}
        self._root: Schema = {}

    def report(self, node: Node, sentence: str) -> None:
        """Add a problem at a node, which cannot be used then."""
        node.reported = True
        self.add(node, sentence)

    def add(self, node: Node, sentence: str) -> None:
        """Add a problem at a node whose parts may have problems of their own."""
        self.problems.append(Problem(self.path, node.line, node.column, sentence))

    def read(self, node: MappingNode, model: type[M], schema: Schema, plugin: str = "") -> M | None:
        """Return the model's instance for a mapping, or None where a problem was reported.

        `schema` is the model's JSON Schema; `plugin` names whose model it is, for its own errors.
        """
        self._schemas = {}
        self._root = schema
        before = len(self.problems)
        data = self._data(node, [schema], "")
        try:
            instance = model.model_validate(data)
        except ValidationError as error:
            self._explain(node, error)
        except Exception as error:
            self.report(
                node,
                f"{plugin or model.__name__} failed while it read this, which is a mistake in it: "
                f"{type(error).__name__}: {error}",
            )
        else:
            return instance if len(self.problems) == before and not _broken(node) else None
        return None

    def place(self, node: Node, loc: tuple[int | str, ...]) -> tuple[Node, str]:
        """Return the node that a location names, and the name of the way to it.

        Pydantic puts the tags of unions into locations, and missing keys: these name no node.
        """
        where = ""
        for i, step in enumerate(loc):
            if isinstance(node, MappingNode) and step in node.entries:
                key, value = node.entries[str(step)]
                node = key if loc[i + 1 : i + 2] == ("[key]",) else value
                where = _join(where, str(step))
            elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
                where = f"{where}[{step}]"
        return node, where

    def check_patterns(
        self,
        node: Node,
        way: tuple[int | str, ...],
        patterns: Sequence_[str],
        names: Names | None,
    ) -> bool:
        """Report patterns that fit no point, and an empty list, for it would mean all points.

        Returns whether all is well.
        """
        at, where = self.place(node, way)
        if not patterns:
            self.report(at, f'{where}: found an empty list, allowed: names; ["*"] is all points')
            return False
        strange = list(names.without_points(patterns)) if names is not None else []
        for i, sentence in strange:
            at, where = self.place(node, (*way, i))
            self.report(at, f"{where}: {sentence}")
        return not strange

    # From nodes to data --------------------------------------------------------------------------

    def _data(self, node: Node, schemas: list[Schema], where: str) -> Any:
        self._schemas[id(node)] = schemas
        if any(schema.get("format") == "password" for schema in schemas):
            return self._secret(node, schemas, where)
        if isinstance(node, MappingNode):
            inner = list(self._fitting(node, schemas))
            self._schemas[id(node)] = inner
            return {
                key: self._data(value, self._under(key, inner), _join(where, key))
                for key, (_, value) in node.entries.items()
            }
        if isinstance(node, Sequence):
            return [
                self._data(item, self._items(i, schemas), f"{where}[{i}]")
                for i, item in enumerate(node.items)
            ]
        return self._scalar(node, schemas, where)

    def _items(self, i: int, schemas: list[Schema]) -> list[Schema]:
        """Return what item `i` of a list may be; all items are alike unless each is named."""
        each = [
            schema.get("prefixItems", [])[i : i + 1] or [schema.get("items")] for schema in schemas
        ]
        return [branch for (one,) in each if one for branch in branches(one, self._root)]

    def _scalar(self, node: Scalar, schemas: list[Schema], where: str) -> Any:
        value = node.value
        types = {schema.get("type") for schema in schemas}
        if not types or None in types or node.reported:
            return value
        strange = (isinstance(value, bool) and "boolean" not in types) or (
            isinstance(value, float) and "number" not in types
        )
        if strange:
            self._refuse(node, schemas, where)
        if isinstance(value, str) and any(s.get("format") in _PATH_FORMATS for s in schemas):
            return str(self.path.parent.absolute() / value) if value else value
        return value

    def _fitting(self, node: MappingNode, schemas: list[Schema]) -> Iterator[Schema]:
        for schema in schemas:
            constants = {
                key: one["const"]
                for key, one in schema.get("properties", {}).items()
                if "const" in one
            }
            if all(
                key not in node.entries or getattr(node.entries[key][1], "value", None) == constant
                for key, constant in constants.items()
            ):
                yield schema

    def _under(self, key: str, schemas: list[Schema]) -> list[Schema]:
        parts: list[Schema] = []
        for schema in schemas:
            one = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if isinstance(one, dict):
                parts += branches(one, self._root)
        return parts

    def _secret(self, node: Node, schemas: list[Schema], where: str) -> Any:
        placeholder = "placeholder"
        if isinstance(node, MappingNode) and len(node.entries) == 1:
            ((kind, (_, value)),) = node.entries.items()
            if kind in ("env", "file"):
                secret = None
                if not isinstance(value, Scalar) or not isinstance(value.value, str):
                    if not value.reported:
                        quotes = "; put quotes around it" if getattr(value, "text", "") else ""
                        sentence = f"{where}.{kind}: found {found(value)}, allowed: text{quotes}"
                        self.report(value, sentence)
                elif not value.reported and self.sealed:
                    secret = placeholder
                elif not value.reported:
                    secret = self._from_env(value) if kind == "env" else self._from_file(value)
                node.reported = secret is None
                return placeholder if secret is None else secret
        if isinstance(node, MappingNode):
            for name, (key, _) in node.entries.items():
                if name not in ("env", "file"):
                    sentence = f"{where}: found the unknown key {excerpt(name)}, allowed: env, file"
                    self.report(key, sentence + did_you_mean(name, ("env", "file")))
                    node.reported = True
        others = [schema for schema in schemas if schema.get("format") != "password"]
        if isinstance(node, Scalar):
            if node.value is None and any(schema.get("type") == "null" for schema in others):
                return None
            if node.value is not None and not node.reported:
                self.report(
                    node,
                    f"{where}: found the secret itself, allowed: {{env: NAME}} or {{file: PATH}}, "
                    "so that it stays out of this file",
                )
        if not node.reported:
            self.report(
                node, f"{where}: found {found(node)}, allowed: {{env: NAME}} or {{file: PATH}}"
            )
        return placeholder

    def _from_env(self, node: Scalar) -> str | None:
        secret = self.environ.get(node.text)
        if secret:
            return secret
        state = "not set" if secret is None else "empty"
        self.report(
            node,
            f"the environment variable {excerpt(node.text)} is {state}"
            + ("" if secret == "" else did_you_mean(node.text, self.environ)),
        )
        return None

    def _from_file(self, node: Scalar) -> str | None:
        path = self.path.parent / node.text
        try:
            with path.open("rb") as file:
                data = file.read(MAX_SECRET + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            self.report(node, f"the secret file {excerpt(str(path), 200)} cannot be read: {reason}")
            return None
        try:
            secret = data.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            secret = ""
        if not secret or len(data) > MAX_SECRET:
            self.report(
                node,
                f"the secret file {excerpt(str(path), 200)} has {len(data)} bytes, "
                f"allowed: text in UTF-8, 1 to {MAX_SECRET} bytes",
            )
            return None
        return secret

    # From pydantic's errors to sentences ---------------------------------------------------------

    def _explain(self, node: MappingNode, error: ValidationError) -> None:
        errors = error.errors(include_input=False)
        places = [self.place(node, one["loc"]) for one in errors]
        per_node: dict[int, int] = {}
        for place, _ in places:
            per_node[id(place)] = per_node.get(id(place), 0) + 1
        for one, (place, where) in zip(errors, places, strict=True):
            kind, sentence = one["type"], wording.raised(one)
            if kind == "missing":
                self._missing(place, str(one["loc"][-1]))
            elif kind == "extra_forbidden":
                self._unknown(node, one["loc"])
            elif place.reported:
                continue
            elif sentence is None or (per_node[id(place)] > 1 and isinstance(place, Scalar)):
                schemas = self._schemas.get(id(place), [])
                bound = wording.bound(one, schemas) if per_node[id(place)] == 1 else ""
                if bound:
                    self.report(place, f"{where}: found {found(place)}, allowed: {bound}")
                else:
                    self._refuse(place, schemas, where, one["msg"])
            elif isinstance(place, Scalar):
                self.report(place, f"{where}: found {found(place)}: {sentence}")
            else:
                self.add(place, _label(where, sentence))
        if not errors or not any(p.path == self.path for p in self.problems):
            self.report(node, wording.plain(str(error)))

    def _refuse(self, node: Node, schemas: list[Schema], where: str, message: str = "") -> None:
        rule = f"allowed: {allowed(schemas, self._root)}" if schemas else wording.plain(message)
        near = wording.nearest(getattr(node, "value", None), schemas)
        quotes = ""
        if isinstance(node, Scalar) and not isinstance(node.value, str) and node.value is not None:
            texts = [s for s in schemas if s.get("type") == "string"]
            if texts and not any("examples" in s for s in texts):
                quotes = f"; put quotes around it if the text '{node.text}' is meant"
        self.report(node, _label(where, f"found {found(node)}, {rule}{near}{quotes}"))

    def _missing(self, node: Node, key: str) -> None:
        schemas = self._under(key, self._schemas.get(id(node), []))
        rule = f", allowed: {allowed(schemas, self._root)}" if schemas else ""
        self.add(node, f"the key '{key}' is missing{rule}")

    def _unknown(self, node: MappingNode, loc: tuple[int | str, ...]) -> None:
        parent, where = self.place(node, loc[:-1])
        name = str(loc[-1])
        key = parent.entries[name][0] if isinstance(parent, MappingNode) else parent
        schemas = self._schemas.get(id(parent), [])
        known = list(dict.fromkeys(wording.keys_of(schemas)))
        sentence = f"found the unknown key {excerpt(name)}, allowed: {listing(known)}"
        self.report(key, _label(where, sentence + did_you_mean(name, known)))


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _label(where: str, sentence: str) -> str:
    return f"{where}: {sentence}" if where else sentence


def _broken(node: Node) -> bool:
    """Return whether anything in a tree has a problem, its aliases' included."""
    if node.reported:
        return True
    if isinstance(node, MappingNode):
        return any(_broken(value) for _, value in node.entries.values())
    return isinstance(node, Sequence) and any(_broken(item) for item in node.items)
