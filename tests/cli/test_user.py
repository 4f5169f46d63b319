"""`gateway user`: the users file from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.cli.command import gateway

GATEWAY = """\
gateway: {name: workshop}
points: points.csv
sources:
  - {name: field, type: simulator}
access:
  users: people/users.yaml
  roles: [{name: bay1, may: [read, command], points: [feeder1.*]}]
"""
POINTS = """\
name,kind,unit,field.signal
feeder1.voltage_a,analog,V,sine
"""
PASSWORD = "correct horse"
WEAK = "$argon2id$v=19$m=7168,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    (tmp_path / "points.csv").write_text(POINTS)
    (tmp_path / "people").mkdir()
    return tmp_path


@pytest.fixture
def users(folder: Path) -> Path:
    return folder / "people" / "users.yaml"


def run(folder: Path, command: str, *words: str, types: str = "") -> Result:
    """Run `gateway user COMMAND`, for the folder's gateway, with what a person types."""
    line = ["user", command, str(folder / "gateway.yaml"), *words]
    return CliRunner().invoke(gateway, line, input=types, catch_exceptions=False)


def add(folder: Path, name: str, role: str, *words: str) -> Result:
    return run(folder, "add", name, "--role", role, *words, types=f"{PASSWORD}\n{PASSWORD}\n")


def fits(users: Path, name: str, password: str) -> bool:
    """Ask OpenSSL, through cryptography, whether a password is the one in the file."""
    try:
        Argon2id.verify_phc_encoded(
            password.encode(), yaml.safe_load(users.read_text())[name]["password"]
        )
    except InvalidKey:
        return False
    return True


def test_added_user(folder: Path, users: Path) -> None:
    """A user is asked for a password twice; the file has its hash, and nothing shows it."""
    result = add(folder, "anna", "operator", "--comment", "night shift")

    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == f"{users}: added anna, operator"
    assert PASSWORD not in result.output + users.read_text()
    assert fits(users, "anna", PASSWORD)
    assert not fits(users, "anna", PASSWORD.upper())
    entry = yaml.safe_load(users.read_text())["anna"]
    assert (entry["role"], entry["comment"]) == ("operator", "night shift")


def test_added_user_gets_in(folder: Path) -> None:
    """`check` of gateway and user find nothing wrong, by the own role's name too."""
    add(folder, "anna", "bay1")
    checked = CliRunner().invoke(gateway, ["check", str(folder / "gateway.yaml")])
    tried = run(folder, "check", "anna", "--password-stdin", types=f"{PASSWORD}\n")

    assert checked.exit_code == 0, checked.output
    assert (tried.exit_code, tried.output) == (0, "anna gets in, as bay1\n")


def test_password_from_a_pipe(folder: Path, users: Path) -> None:
    """A program gives the password on its standard output; the line break is none of it."""
    words = ["user", "add", str(folder / "gateway.yaml"), "anna", "--role", "viewer"]
    command = [sys.executable, "-c", "from gateway.cli import main; main()", *words]
    command.append("--password-stdin")
    subprocess.run(command, input=b"pa\xc3\x9fword 12\r\nmore\n", timeout=60, check=True)

    assert fits(users, "anna", "paßword 12")


@pytest.mark.parametrize(
    ("words", "typed", "sentence"),
    [
        (["bert", "--role", "boss"], "", "found the role 'boss', allowed: viewer, operator, eng"),
        (["bert", "--role", "bay2"], "", "did you mean 'bay1'?"),
        (["anna", "--role", "viewer"], "", "there is a user 'anna' already"),
        (["Anna", "--role", "viewer"], "", "there is a user 'anna' already"),
        (["b t", "--role", "viewer"], "", "found the name 'b t', allowed: a letter or digit"),
        (["bert", "--role", "viewer"], "short\nshort\n", "has 5 characters, allowed: 10 or more"),
        (["bert", "--role", "viewer"], "bert bert\nbert bert\n", "9 characters"),
        (["bertbertbert", "--role", "viewer"], "bertbertbert\nbertbertbert\n", "the user's name"),
        (["bert", "--role", "viewer", "--comment", "a\nb"], "", "comment with control characters"),
        (["bert", "--role", "viewer", "--password-stdin"], "", "has 0 characters"),
        (["bert", "--role", "viewer", "--password-stdin", "--no-password"], "", "one of them"),
    ],
)
def test_users_that_are_not_added(
    folder: Path, users: Path, words: list[str], typed: str, sentence: str
) -> None:
    """What is wrong is said, and the file stays as it is."""
    add(folder, "anna", "operator")
    before = users.read_bytes()
    result = run(folder, "add", *words, types=typed)

    assert result.exit_code != 0
    assert sentence in result.stderr
    assert users.read_bytes() == before


def test_life_of_a_user(folder: Path, users: Path) -> None:
    """Role, password, disabled, enabled, removed: each is in the file, and in the list."""
    add(folder, "anna", "operator")
    run(folder, "add", "hmi", "--role", "viewer", "--no-password")
    run(folder, "role", "anna", "engineer")
    run(folder, "disable", "anna")
    run(folder, "passwd", "anna", types="another horse\nanother horse\n")
    listed = run(folder, "list")

    assert listed.output.splitlines() == [
        "user  role      state        comment",
        "anna  engineer  disabled",
        "hmi   viewer    no password",
    ]
    assert fits(users, "anna", "another horse")
    assert not fits(users, "anna", PASSWORD)

    run(folder, "enable", "anna")
    assert run(folder, "list").output.splitlines()[1] == "anna  engineer  active"
    assert run(folder, "remove", "anna").output == f"{users}: removed anna\n"
    assert list(yaml.safe_load(users.read_text())) == ["hmi"]


def test_list_for_machines_says_what_is_to_be_done(folder: Path, users: Path) -> None:
    """Weak hashes and roles that are no more are told apart, and shown all the same."""
    users.write_text(f'a: {{role: gone, password: "{WEAK}"}}\nb: {{role: viewer}}\n')

    assert json.loads(run(folder, "list", "--json").output) == [
        {
            "user": "a",
            "role": "gone",
            "state": "unknown role, weak hash: give a new password",
            "comment": "",
        },
        {"user": "b", "role": "viewer", "state": "no password", "comment": ""},
    ]


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("anna", "wrong horse\n", "this is not the password of anna"),
        ("ana", "", "there is no user 'ana'; did you mean 'anna'?"),
        ("hmi", "", "hmi has no password"),
        ("carl", f"{PASSWORD}\n", "the password is right, but carl is disabled"),
    ],
)
def test_who_would_not_get_in(folder: Path, name: str, typed: str, sentence: str) -> None:
    """`check` says why, as the gateway never does to a client."""
    add(folder, "anna", "operator")
    add(folder, "carl", "operator")
    run(folder, "disable", "carl")
    run(folder, "add", "hmi", "--role", "viewer", "--no-password")
    result = run(folder, "check", name, types=typed)

    assert result.exit_code == 1
    assert sentence in result.stderr


@pytest.mark.parametrize("command", ["remove", "disable", "enable", "passwd", "check"])
def test_unknown_user(folder: Path, command: str) -> None:
    """Each command names a user that there is not."""
    add(folder, "anna", "operator")
    result = run(folder, command, "bert")

    assert result.exit_code == 1
    assert result.stderr == "gateway user: there is no user 'bert'\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "there is no such file"),
        ("gateway: {name: x}\n", "there is no users file: write access: {users: FILE}"),
        ("access: {user: users.yaml}\n", ":1:10: found the unknown key 'user'"),
        ("access: [\n", ":2:1: this is not YAML"),
        ("access: 5\n", "there is no users file"),
    ],
)
def test_gateway_without_users(folder: Path, text: str | None, sentence: str) -> None:
    """A gateway's file that names no users file is told so."""
    file = folder / "gateway.yaml"
    file.unlink() if text is None else file.write_text(text)
    result = run(folder, "list")

    assert result.exit_code == 1
    assert sentence in result.stderr


def test_other_mistakes_do_not_matter(folder: Path) -> None:
    """A password is changed although a link is wrong: it is for another day."""
    file = folder / "gateway.yaml"
    file.write_text(GATEWAY.replace("simulator", "nothing"))

    assert add(folder, "anna", "operator").exit_code == 0


def test_users_file_that_is_wrong(folder: Path, users: Path) -> None:
    """Its mistake is named by file, line and column, and nothing is changed."""
    users.write_text("anna: {role: viewer}\nbert: {role: 'B!'}\n")
    result = run(folder, "remove", "anna")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"{users}:2:14: bert.role: found 'B!', allowed: ")
    assert users.read_text() == "anna: {role: viewer}\nbert: {role: 'B!'}\n"
