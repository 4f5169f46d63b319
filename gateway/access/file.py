"""The users file: YAML, one entry a user, every mistake with its line and column.

anna: {role: operator, password: "$argon2id$v=19$m=33792,t=3,p=1$…", comment: night shift}

Read from the parser's events: the file has two levels and no more, and what is where
is needed by whoever changes it (`gateway.access.edit`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gateway.access.password import hash_flaw
from gateway.access.users import User, name_flaw
from gateway.model.access import ROLE_NAME
from gateway.model.errors import GatewayError, reason

MOST_BYTES = 2**20
FIELDS = ("role", "password", "disabled", "comment")

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EMPTY = ("", "~", "null")


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing that is wrong with a users file; line and column count from 1."""

    line: int
    column: int
    sentence: str


class UsersError(GatewayError):
    """A users file cannot be used; `mistakes` has what is wrong, in the order of the file."""

    def __init__(self, path: Path, *mistakes: Mistake) -> None:
        self.path = path
        self.mistakes = tuple(sorted(mistakes))
        super().__init__(
            "\n".join(f"{path}:{one.line}:{one.column}: {one.sentence}" for one in self.mistakes)
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar of the file, and where it stands: `start` and `end` count characters."""

    value: str
    plain: bool
    line: int
    column: int
    start: int
    end: int


@dataclass(slots=True)
class Entry:
    """One user in the file; `flow` says that the fields stand in braces."""

    name: Text
    flow: bool
    fields: dict[str, tuple[Text, Text]] = field(default_factory=dict)


def load_users(path: Path, roles: Collection[str] | None = None) -> dict[str, User]:
    """Return the users of a file by name, in its order; `roles` are those that there are.

    Raises UsersError with everything that is wrong.
    """
    return users_of(path, read(path), roles)


def read(path: Path) -> str:
    """Return the text of a users file, without byte order mark; raises UsersError."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            sentence = f"the users file is larger than {MOST_BYTES // 2**20} MiB"
            raise UsersError(path, Mistake(1, 1, sentence))
        return data.decode("utf-8-sig")
    except OSError as error:
        sentence = f"the users file cannot be read: {reason(error)}"
        raise UsersError(path, Mistake(1, 1, sentence)) from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsersError(path, Mistake(line, 1, "this is not UTF-8")) from None


def users_of(path: Path, text: str, roles: Collection[str] | None = None) -> dict[str, User]:
    """Return the users that a text describes; see `load_users`."""
    mistakes: list[Mistake] = []
    users: dict[str, User] = {}
    folded: dict[str, str] = {}
    for entry in entries(path, text):
        name = entry.name.value
        before = folded.setdefault(name.casefold(), name)
        flaw = name_flaw(name)
        if not flaw and before != name:
            flaw = f"found the user '{name}', which differs from '{before}' only in its case"
        if flaw:
            mistakes.append(_at(entry.name, flaw))
        mistakes += _mistakes(entry, roles)
        values = {key: value.value for key, (_, value) in entry.fields.items()}
        if values.get("password") in _EMPTY and entry.fields["password"][1].plain:
            del values["password"]
        users[name] = User(
            name,
            values.get("role", ""),
            values.get("password", ""),
            values.get("disabled") == "true",
            values.get("comment", ""),
        )
    if mistakes:
        raise UsersError(path, *mistakes)
    return users


def _mistakes(entry: Entry, roles: Collection[str] | None) -> list[Mistake]:
    found: list[Mistake] = []
    name = entry.name.value
    for key, (word, value) in entry.fields.items():
        if key not in FIELDS:
            sentence = f"{name}: found the unknown key {key!r}, allowed: {', '.join(FIELDS)}"
            found.append(_at(word, sentence))
        elif key == "disabled" and (value.value not in ("true", "false") or not value.plain):
            sentence = f"{name}.disabled: found {value.value!r}, allowed: true or false"
            found.append(_at(value, sentence))
        elif key == "password" and not (value.plain and value.value in _EMPTY):
            flaw = hash_flaw(value.value)
            if flaw:
                found.append(_at(value, f"{name}.password: {flaw}"))
        elif key == "role":
            known = re.fullmatch(ROLE_NAME, value.value) if roles is None else value.value in roles
            if not known:
                allowed = ", ".join(roles or ()) or "viewer, operator, engineer, admin or your own"
                sentence = f"{name}.role: found {value.value!r}, allowed: {allowed}"
                found.append(_at(value, sentence))
    if "role" not in entry.fields:
        found.append(_at(entry.name, f"{name}: the key 'role' is missing"))
    return found


def entries(path: Path, text: str) -> list[Entry]:
    """Return what stands in a users file, and where; raises UsersError where it is no such file."""
    try:
        return _Reader(text).entries()
    except _Wrong as error:
        raise UsersError(path, error.mistake) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = getattr(error, "problem", None) or "a control character"
        raise UsersError(path, Mistake(line, column, f"this is not YAML: {what}")) from None


def _at(text: Text, sentence: str) -> Mistake:
    return Mistake(text.line, text.column, sentence)


class _Wrong(Exception):  # noqa: N818 - never leaves this file
    def __init__(self, event: Any, sentence: str) -> None:
        mark = event.start_mark
        self.mistake = Mistake(mark.line + 1, mark.column + 1, sentence)


class _Reader:
    """Two levels of mappings, read from the events of a parser."""

    def __init__(self, text: str) -> None:
        self.events = yaml.parse(text, Loader=_LOADER)

    def entries(self) -> list[Entry]:
        self.take()
        if isinstance(event := self.take(), yaml.StreamEndEvent):
            return []
        event = self.take()
        found: dict[str, Entry] = {}
        if isinstance(event, yaml.MappingStartEvent):
            self.plain(event)
            while not isinstance(event := self.take(), yaml.MappingEndEvent):
                name = self.text(event, "the name of a user")
                if name.value in found:
                    line = found[name.value].name.line
                    raise _Wrong(event, f"found '{name.value}' again, first in line {line}")
                found[name.value] = self.entry(name)
        elif not (isinstance(event, yaml.ScalarEvent) and event.value in _EMPTY):
            raise _Wrong(event, f"found {_found(event)}, allowed: one entry for each user")
        self.take()
        if not isinstance(event := self.take(), yaml.StreamEndEvent):
            raise _Wrong(event, "found a second document ('---'), allowed: one")
        return list(found.values())

    def entry(self, name: Text) -> Entry:
        event = self.take()
        if not isinstance(event, yaml.MappingStartEvent):
            raise _Wrong(event, f"{name.value}: found {_found(event)}, allowed: {{role: …}}")
        self.plain(event)
        entry = Entry(name, bool(event.flow_style))
        while not isinstance(event := self.take(), yaml.MappingEndEvent):
            key = self.text(event, "the name of a field")
            if key.value in entry.fields:
                raise _Wrong(event, f"{name.value}: found {key.value!r} again")
            what = "text" if key.value != "password" else "a hash in quotes"
            entry.fields[key.value] = (key, self.text(self.take(), what))
        return entry

    def text(self, event: Any, what: str) -> Text:
        if not isinstance(event, yaml.ScalarEvent):
            raise _Wrong(event, f"found {_found(event)}, allowed: {what}")
        self.plain(event)
        start: Any = event.start_mark
        end: Any = event.end_mark
        return Text(
            event.value,
            bool(event.implicit[0]),
            start.line + 1,
            start.column + 1,
            start.index,
            end.index,
        )

    def plain(self, event: Any) -> None:
        if event.anchor or event.tag not in (None, "!"):
            raise _Wrong(event, "found an anchor or a tag, allowed: neither in a users file")

    def take(self) -> Any:
        return next(self.events)


def _found(event: Any) -> str:
    if isinstance(event, yaml.MappingStartEvent):
        return "a mapping"
    if isinstance(event, yaml.SequenceStartEvent):
        return "a list"
    if isinstance(event, yaml.AliasEvent):
        return "an alias (*)"
    return "nothing" if event.value in _EMPTY else "text"
