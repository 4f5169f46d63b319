"""Changes to the users file that leave everything else in it as it is: order, comments, layout."""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from gateway.access.file import Entry, Mistake, Text, UsersError, entries, read, users_of
from gateway.access.users import User
from gateway.model.errors import reason

PATIENCE = 10.0
"""Seconds that a second writer waits for the first."""

HEAD = "# Users of the gateway; `gateway user` changes this file.\n"

_SIMPLE = re.compile(r"[a-z][a-z0-9_-]*")
_NOT_TEXT = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")


@contextmanager
def editing(path: Path) -> Iterator[UsersFile]:
    """Give the users file for changes, and write it in one step when the block ends well.

    One writer at a time; who reads sees the old file or the new one. A file that is not there
    begins empty. The new one belongs to whom the old one did, and nobody else may read it.
    Raises UsersError where the file is wrong, in use for too long, or cannot be written.
    """
    path = path.resolve()
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _refused(path, f"its folder cannot be opened: {reason(error)}") from None
    try:
        _lock(folder, path)
        file = UsersFile(path, read(path) if path.exists() else HEAD)
        before = file.text
        yield file
        if file.text != before or not path.exists():
            file.check()
            try:
                _write(path, file.text)
                os.fsync(folder)
            except OSError as error:
                raise _refused(path, f"it cannot be written: {reason(error)}") from None
    finally:
        os.close(folder)


class UsersFile:
    """The text of a users file, and the users that it must have after the changes."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.users = users_of(path, text)

    def add(self, user: User) -> None:
        """Add a user at the end."""
        fields = [f"role: {user.role}"]
        if user.password:
            fields.append(f"password: {_quoted(user.password)}")
        if user.disabled:
            fields.append("disabled: true")
        if user.comment:
            fields.append(f"comment: {_quoted(user.comment)}")
        known = entries(self.path, self.text)
        margin = " " * (known[0].name.column - 1 if known else 0)
        text = self.text if not self.text or self.text.endswith("\n") else self.text + "\n"
        text += f"{margin}{_key(user.name)}:\n"
        self.text = text + "".join(f"{margin}  {one}\n" for one in fields)
        self.users[user.name] = user

    def remove(self, name: str) -> None:
        """Take a user's lines out; comments above and below stay."""
        entry = self._entry(name)
        last = max((value.end for _, value in entry.fields.values()), default=entry.name.end)
        start = self.text.rfind("\n", 0, entry.name.start) + 1
        self.text = self.text[:start] + self.text[self._line_end(last) :]
        del self.users[name]

    def set_role(self, name: str, role: str) -> None:
        self._set(name, "role", role)
        self.users[name] = replace(self.users[name], role=role)

    def set_password(self, name: str, hashed: str) -> None:
        self._set(name, "password", _quoted(hashed))
        self.users[name] = replace(self.users[name], password=hashed)

    def set_disabled(self, name: str, disabled: bool) -> None:
        self._set(name, "disabled", "true" if disabled else "false")
        self.users[name] = replace(self.users[name], disabled=disabled)

    def check(self) -> None:
        """Raise UsersError where the text does not say what the changes meant."""
        try:
            good = users_of(self.path, self.text) == self.users
        except UsersError:
            good = False
        if not good:
            raise _refused(self.path, "its layout is too unusual for this: change it by hand")

    def _entry(self, name: str) -> Entry:
        return next(one for one in entries(self.path, self.text) if one.name.value == name)

    def _set(self, name: str, field: str, written: str) -> None:
        entry = self._entry(name)
        found = entry.fields.get(field)
        if found is not None:
            value = found[1]
            space = " " * (self.text[value.start - 1 : value.start] == ":")
            self.text = self.text[: value.start] + space + written + self.text[value.end :]
            return
        key, last = list(entry.fields.values())[-1]
        if entry.flow:
            self.text = f"{self.text[: last.end]}, {field}: {written}{self.text[last.end :]}"
        else:
            end = self._line_end(last.end)
            line = f"{self._margin(key)}{field}: {written}\n"
            broken = "" if self.text[:end].endswith("\n") else "\n"
            self.text = self.text[:end] + broken + line + self.text[end:]

    def _margin(self, key: Text) -> str:
        return " " * (key.column - 1)

    def _line_end(self, index: int) -> int:
        """Return where the line of a character ends, its line break included."""
        if self.text[index - 1 : index] == "\n":
            return index
        end = self.text.find("\n", index)
        return len(self.text) if end < 0 else end + 1


def _key(name: str) -> str:
    simple = _SIMPLE.fullmatch(name) and name not in _NOT_TEXT
    return name if simple else _quoted(name)


def _quoted(text: str) -> str:
    """Return a text between double quotes; JSON's are YAML's, too."""
    return json.dumps(text, ensure_ascii=False)


def _lock(folder: int, path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                why = f"somebody else has been changing it for {PATIENCE:.0f} s: try again"
                raise _refused(path, why) from None
            time.sleep(0.02)
        else:
            return


def _write(path: Path, text: str) -> None:
    mode, owner = 0o600, None
    with suppress(FileNotFoundError):
        found = path.stat()
        mode = stat.S_IMODE(found.st_mode) & 0o640 | 0o600
        owner = found.st_uid, found.st_gid
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            if owner is not None and owner != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _refused(path: Path, why: str) -> UsersError:
    return UsersError(path, Mistake(1, 1, f"the users file was not changed: {why}"))
