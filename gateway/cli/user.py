"""`gateway user`: who may log in, and with which role."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from gateway.access import User

FILE = click.Path(path_type=Path)

_PASSWORD_STDIN = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of the input."
)


@click.group()
def user() -> None:
    """Manage the users that FILE, the gateway's YAML, names under access.users."""


@user.command()
@click.argument("file", type=FILE)
@click.argument("name")
@click.option("--role", required=True, help="viewer, operator, engineer, admin or one of FILE's.")
@click.option("--comment", default="", help="Who this is, for people.")
@click.option("--no-password", is_flag=True, help="Only a transport vouches for this user.")
@_PASSWORD_STDIN
def add(
    file: Path, name: str, role: str, comment: str, no_password: bool, password_stdin: bool
) -> None:
    """Add a user; asks for the password."""
    from gateway.access import User, load_users
    from gateway.access.edit import editing
    from gateway.access.users import name_flaw, prepared

    if no_password and password_stdin:
        raise click.UsageError("found --no-password and --password-stdin, allowed: one of them")
    place = _place(file)
    name = prepared(name)
    _end_if(name_flaw(name))
    _end_if(place.role_flaw(role))
    if not comment.isprintable():
        _end("found a comment with control characters, allowed: one line of text")
    with _sentences():
        if place.users.exists():
            _end_if(_taken(name, load_users(place.users)))
        hashed = "" if no_password else _new_password(name, password_stdin)
        with editing(place.users) as users:
            _end_if(_taken(name, users.users))
            users.add(User(name, role, hashed, comment=comment))
    click.echo(f"{place.users}: added {name}, {role}")


@user.command()
@click.argument("file", type=FILE)
@click.argument("name")
def remove(file: Path, name: str) -> None:
    """Remove a user; sessions that are open lose their rights within a second."""
    from gateway.access.edit import editing

    place = _place(file)
    with _sentences(), editing(place.users) as users:
        users.remove(_known(name, users.users))
    click.echo(f"{place.users}: removed {name}")


@user.command()
@click.argument("file", type=FILE)
@click.argument("name")
@click.argument("role")
def role(file: Path, name: str, role: str) -> None:
    """Give a user another role."""
    from gateway.access.edit import editing

    place = _place(file)
    _end_if(place.role_flaw(role))
    with _sentences(), editing(place.users) as users:
        users.set_role(_known(name, users.users), role)
    click.echo(f"{place.users}: {name} is now {role}")


@user.command()
@click.argument("file", type=FILE)
@click.argument("name")
@_PASSWORD_STDIN
def passwd(file: Path, name: str, password_stdin: bool) -> None:
    """Give a user a new password, which also ends a lock-out."""
    from gateway.access import load_users
    from gateway.access.edit import editing

    place = _place(file)
    with _sentences():
        known = _known(name, load_users(place.users))
        hashed = _new_password(known, password_stdin)
        with editing(place.users) as users:
            users.set_password(_known(name, users.users), hashed)
    click.echo(f"{place.users}: {name} has a new password")


@user.command()
@click.argument("file", type=FILE)
@click.argument("name")
def disable(file: Path, name: str) -> None:
    """Keep a user, who may nothing from now on."""
    _set_disabled(file, name, True)


@user.command()
@click.argument("file", type=FILE)
@click.argument("name")
def enable(file: Path, name: str) -> None:
    """Give a disabled user its role back."""
    _set_disabled(file, name, False)


@user.command("list")
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
def list_users(file: Path, as_json: bool) -> None:
    """Show the users, their roles, and what is to be done about them."""
    from gateway.access import load_users

    place = _place(file)
    with _sentences():
        users = load_users(place.users)
    rows = [
        {"user": one.name, "role": one.role, "state": _state(one, place), "comment": one.comment}
        for one in users.values()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not rows:
        click.echo(f"{place.users} has no users")
        return
    heads = ("user", "role", "state", "comment")
    widths = [max(len(head), *(len(row[head]) for row in rows)) for head in heads]
    for line in (heads, *([row[head] for head in heads] for row in rows)):
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


@user.command()
@click.argument("file", type=FILE)
@click.argument("name")
@_PASSWORD_STDIN
def check(file: Path, name: str, password_stdin: bool) -> None:
    """Try a user's password; succeeds where it would let the user in."""
    from gateway.access import load_users
    from gateway.access.password import verified

    place = _place(file)
    with _sentences():
        users = load_users(place.users)
    account = users[_known(name, users)]
    if not account.password:
        _end(f"{name} has no password, and cannot log in with one")
    if not verified(account.password, _password(password_stdin, again=False)):
        _end(f"this is not the password of {name}")
    _end_if(f"the password is right, but {name} is disabled" if account.disabled else "")
    _end_if(place.role_flaw(account.role))
    click.echo(f"{name} gets in, as {account.role}")


@dataclass(frozen=True, slots=True)
class _Place:
    """The users file, and the roles that its gateway has."""

    users: Path
    roles: tuple[str, ...]

    def role_flaw(self, role: str) -> str:
        from gateway.config.problem import did_you_mean, listing

        if role in self.roles:
            return ""
        near = did_you_mean(role, self.roles)
        return f"found the role '{role}', allowed: {listing(self.roles)}{near}"


def _place(file: Path) -> _Place:
    """Read the `access:` of a gateway's YAML, whatever the rest of the file is like."""
    from gateway.config import document
    from gateway.config.file import MAX_YAML, Unreadable, read
    from gateway.config.problem import Problem
    from gateway.config.section import Section
    from gateway.model.access import BUILT_IN, AccessSettings

    problems: list[Problem] = []
    settings: AccessSettings | None = None
    try:
        root = document.parse(
            read(file, MAX_YAML), lambda *place: problems.append(Problem(file, *place))
        )
    except Unreadable as error:
        problems.append(Problem(file, error.line, error.column, str(error)))
    else:
        if isinstance(root, document.Mapping) and "access" in root.entries:
            node = root.entries["access"][1]
            if isinstance(node, document.Mapping):
                section = Section(file, os.environ, problems)
                settings = section.read(node, AccessSettings, AccessSettings.model_json_schema())
    if settings is None or settings.users is None:
        for problem in problems:
            click.echo(str(problem), err=True)
        if not problems:
            click.echo(f"{file}: there is no users file: write access: {{users: FILE}}", err=True)
        sys.exit(1)
    return _Place(settings.users, tuple({**BUILT_IN, **{r.name: r for r in settings.roles}}))


def _set_disabled(file: Path, name: str, disabled: bool) -> None:
    from gateway.access.edit import editing

    place = _place(file)
    with _sentences(), editing(place.users) as users:
        users.set_disabled(_known(name, users.users), disabled)
    click.echo(f"{place.users}: {name} is {'disabled' if disabled else 'enabled'}")


def _state(account: User, place: _Place) -> str:
    from gateway.access.password import outdated

    states = []
    if place.role_flaw(account.role):
        states.append("unknown role")
    if account.disabled:
        states.append("disabled")
    if not account.password:
        states.append("no password")
    elif outdated(account.password):
        states.append("weak hash: give a new password")
    return ", ".join(states) or "active"


def _new_password(name: str, stdin: bool) -> str:
    from gateway.access.password import hash_password, password_flaw

    password = _password(stdin, again=True)
    _end_if(password_flaw(password, name))
    return hash_password(password)


def _password(stdin: bool, again: bool) -> str:
    if not stdin:
        prompted: str = click.prompt("Password", hide_input=True, confirmation_prompt=again)
        return prompted
    try:
        line = sys.stdin.buffer.readline(65_536).decode()
    except UnicodeDecodeError:
        _end("the password on the input is not UTF-8")
    return line.removesuffix("\n").removesuffix("\r")


def _taken(name: str, users: dict[str, User]) -> str:
    for other in users:
        if other.casefold() == name.casefold():
            return f"there is a user '{other}' already"
    return ""


def _known(name: str, users: dict[str, User]) -> str:
    from gateway.access.users import prepared
    from gateway.config.problem import did_you_mean

    if prepared(name) not in users:
        _end(f"there is no user '{name}'{did_you_mean(name, users)}")
    return prepared(name)


@contextmanager
def _sentences() -> Iterator[None]:
    from gateway.access import UsersError

    try:
        yield
    except UsersError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _end_if(sentence: str) -> None:
    if sentence:
        _end(sentence)


def _end(sentence: str) -> NoReturn:
    click.echo(f"gateway user: {sentence}", err=True)
    sys.exit(1)
