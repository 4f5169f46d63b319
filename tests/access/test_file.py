"""The users file: what it says, and where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.access import User, UsersError, load_users
from gateway.access import file as module
from gateway.access.file import users_of

HASH = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
FILE = Path("users.yaml")

GOOD = f"""\
# the night shift
anna: {{role: operator, password: "{HASH}"}}

"żaneta.k@grid":
  role: viewer      # reads
  comment: 'since May: "trainee"'
hmi: {{role: operator, password: null, disabled: false}}
no: {{role: viewer, disabled: true, password: ~}}
"""


def test_file_is_read_as_yaml_says(tmp_path: Path) -> None:
    """The users are those that PyYAML's own loader finds, in the order of the file."""
    path = tmp_path / "users.yaml"
    path.write_text(GOOD, encoding="utf-8-sig")
    theirs = yaml.load(GOOD, yaml.BaseLoader)
    expected = {
        name: User(
            name,
            entry["role"],
            entry.get("password", "").removeprefix("null").removeprefix("~"),
            entry.get("disabled") == "true",
            entry.get("comment", ""),
        )
        for name, entry in theirs.items()
    }

    assert load_users(path) == expected
    assert list(load_users(path)) == ["anna", "żaneta.k@grid", "hmi", "no"]


@pytest.mark.parametrize("text", ["", "# nobody yet\n", "---\n", "{}", "null\n", "~"])
def test_file_without_users(text: str) -> None:
    """A file that has nobody yet is a good one."""
    assert users_of(FILE, text) == {}


BAD = [
    ("- anna\n", 1, 1, "found a list, allowed: one entry for each user"),
    ("anna\n", 1, 1, "found text"),
    ("anna: operator\n", 1, 7, "anna: found text, allowed: {role"),
    ("anna:\n", 1, 6, "anna: found nothing"),
    ("anna: {}\n", 1, 1, "anna: the key 'role' is missing"),
    ("anna: {role: [viewer]}\n", 1, 14, "found a list, allowed: text"),
    ("anna: {role: boss}\n", 1, 14, "anna.role: found 'boss', allowed: viewer, operator"),
    (
        "anna: {rôle: viewer, role: viewer}\n",
        1,
        8,
        "anna: found the unknown key 'rôle', allowed: role, pass",
    ),
    ("anna: {role: viewer}\nanna: {role: viewer}\n", 2, 1, "found 'anna' again, first in line 1"),
    ("anna: {role: viewer, role: viewer}\n", 1, 22, "anna: found 'role' again"),
    ("anna: {role: viewer}\nAnna: {role: viewer}\n", 2, 1, "differs from 'anna' only in its case"),
    ("anna: {role: viewer, disabled: yes}\n", 1, 32, "anna.disabled: found 'yes', allowed: true"),
    ("anna: {role: viewer, disabled: 'true'}\n", 1, 32, "anna.disabled: found 'true', allowed"),
    ("anna: {role: viewer, password: hunter2}\n", 1, 32, "anna.password: found no Argon2id hash"),
    ("a b: {role: viewer}\n", 1, 1, "found the name 'a b', allowed: a letter or digit"),
    ("'': {role: viewer}\n", 1, 1, "found the name '', allowed"),
    (f"{'a' * 65}: {{role: viewer}}\n", 1, 1, "64 in all"),
    ("z\u0307: {role: viewer}\n", 1, 1, "found the name"),
    ("? [a]\n: {role: viewer}\n", 1, 3, "found a list, allowed: the name of a user"),
    ("a: &x {role: viewer}\nb: *x\n", 1, 4, "found an anchor or a tag"),
    ("a: {role: viewer}\nb: *a\n", 2, 4, "b: found an alias (*)"),
    ("a: !!map {role: viewer}\n", 1, 4, "found an anchor or a tag"),
    ("a: {role: viewer}\n---\nb: {role: viewer}\n", 2, 1, "found a second document"),
    ("a: {role: viewer\n", 2, 1, "this is not YAML"),
    ("a:\n\t{role: viewer}\n", 2, 1, "this is not YAML"),
    ("a: {role: vie\x07wer}\n", 1, 1, "this is not YAML"),
    (f"a: {{role: viewer, password: {HASH}}}\n", 1, 29, "a.password: found no Argon2id hash"),
]


@pytest.mark.parametrize(("text", "line", "column", "sentence"), BAD)
def test_mistakes_have_a_place(text: str, line: int, column: int, sentence: str) -> None:
    """Every mistake is named by line and column, and says what was found and what is allowed."""
    with pytest.raises(UsersError) as caught:
        users_of(FILE, text, ["viewer", "operator"])

    first = caught.value.mistakes[0]
    assert (first.line, first.column) == (line, column)
    assert sentence in first.sentence
    assert str(caught.value).startswith(f"users.yaml:{line}:{column}: ")
    assert "hunter2" not in str(caught.value)


def test_all_mistakes_are_named_at_once() -> None:
    """One reading finds what is wrong with every user."""
    with pytest.raises(UsersError) as caught:
        users_of(FILE, "a: {role: x}\nb: {disabled: 1}\nc: {role: viewer, old: 2}\n", ["viewer"])

    assert [one.line for one in caught.value.mistakes] == [1, 2, 2, 3]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read: No such file"), (b"a" * (2**20 + 1), "larger than 1 MiB"),
     (b"a: {role: viewer}\n\xff", "not UTF-8")],
)  # fmt: skip
def test_unreadable_files(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    """A file that is not there, too large or no text is a mistake like any other."""
    path = tmp_path / "users.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UsersError, match=sentence):
        load_users(path)


def test_brackets_without_end() -> None:
    """A file of brackets ends in a sentence, not in a stack overflow."""
    with pytest.raises(UsersError, match="found a list"):
        users_of(FILE, "a: " + "[" * 100_000)


SCRAPS = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    "? ",
    "- ",
    "\n",
    "\n  ",
    "'",
    '"',
    "|\n",
    ">",
    "&a ",
    "*a",
    "!x ",
]
SCRAPS += ["---\n", "...\n", "#", "%", "\t", "\r\n", "\x85", "\u2028", "\x00", "role: viewer", HASH]
SCRAPS += ["password: ", "anna", "disabled: true"]


@given(st.lists(st.one_of(st.sampled_from(SCRAPS), st.text(max_size=3)), max_size=30).map("".join))
@example(GOOD)
def test_any_text_is_users_or_mistakes(text: str) -> None:
    """Whatever the text is: users whose fields are fit, or a UsersError with a place in it."""
    users: dict[str, User] = {}
    places = [(1, 1)]
    try:
        users = users_of(FILE, text)
    except UsersError as error:
        places = [(one.line, one.column) for one in error.mistakes]

    assert places
    assert min(min(place) for place in places) >= 1
    assert all(name and user.role for name, user in users.items())


def test_places_are_those_of_the_pure_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML count characters in the same way."""
    text = GOOD.replace("\n", "\r\n")
    fast = module.entries(FILE, text)
    monkeypatch.setattr(module, "_LOADER", yaml.SafeLoader)

    assert module.entries(FILE, text) == fast
    assert [text[one.name.start : one.name.end] for one in fast] == [
        "anna", '"żaneta.k@grid"', "hmi", "no",
    ]  # fmt: skip
