"""Changes to the users file: what changes, and what stays as it is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.access import User, UsersError, load_users
from gateway.access import edit as module
from gateway.access.edit import editing

HASH = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
OTHER = HASH.replace("t=2", "t=3")

BEFORE = f"""\
# Control room.

# the night shift
anna: {{role: operator, password: "{HASH}"}}  # since May
bert:
    role: viewer  # reads
    comment: trainee   # until June

# machines
hmi: {{role: operator}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "users.yaml"
    path.write_text(BEFORE)
    return path


def test_comments_order_and_layout_stay(path: Path) -> None:
    """Only what is meant to change changes, to the character."""
    with editing(path) as users:
        users.set_role("anna", "engineer")
        users.set_disabled("bert", True)
        users.set_password("hmi", OTHER)
        users.add(User("dora", "admin", HASH, comment='she said: "# no"'))

    assert (
        path.read_text()
        == f"""\
# Control room.

# the night shift
anna: {{role: engineer, password: "{HASH}"}}  # since May
bert:
    role: viewer  # reads
    comment: trainee   # until June
    disabled: true

# machines
hmi: {{role: operator, password: "{OTHER}"}}
dora:
  role: admin
  password: "{HASH}"
  comment: "she said: \\"# no\\""
"""
    )


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("anna", f'anna: {{role: operator, password: "{HASH}"}}  # since May\n'),
        (
            "bert",
            "bert:\n    role: viewer  # reads\n    comment: trainee   # until June\n",
        ),
        ("hmi", "hmi: {role: operator}\n"),
    ],
)
def test_only_the_users_lines_go(path: Path, name: str, gone: str) -> None:
    """A removed user takes its own lines along, and nobody else's comments."""
    with editing(path) as users:
        users.remove(name)

    assert path.read_text() == BEFORE.replace(gone, "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: {role: viewer}", "a: {role: admin}"),
        ("a:\n  role: viewer", "a:\n  role: admin"),
        ("  a:\r\n     role: 'viewer'\r\n", "  a:\r\n     role: admin\r\n"),
        ("a: {role: viewer, }\n", "a: {role: admin, }\n"),
        ("a:\n  role:\n    viewer\n", "a:\n  role:\n    admin\n"),
        ("a: {\n  role:\n  viewer\n}\n", "a: {\n  role:\n  admin\n}\n"),
        ('"a":\n  ? role\n  : viewer\n', '"a":\n  ? role\n  : admin\n'),
        ("{a: {role: viewer}}\n", "{a: {role: admin}}\n"),
    ],
)
def test_values_are_replaced_in_any_layout(path: Path, before: str, after: str) -> None:
    """A value that stands there already is changed in its place."""
    path.write_text(before, newline="")
    with editing(path) as users:
        users.set_role("a", "admin")

    assert path.read_bytes().decode() == after


def test_layout_that_cannot_be_kept_is_left_alone(path: Path) -> None:
    """Where a change would not say what is meant, nothing is written, and a sentence says so."""
    path.write_text("{a: {role: viewer}}\n")

    with pytest.raises(UsersError, match="change it by hand"), editing(path) as users:
        users.add(User("b", "viewer"))

    assert path.read_text() == "{a: {role: viewer}}\n"


def test_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """A file that was not there begins with the first user, mode 0600."""
    path = tmp_path / "users.yaml"
    with editing(path) as users:
        users.add(User("no", "viewer"))

    assert yaml.safe_load(path.read_text()) == {"no": {"role": "viewer"}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(("before", "after"), [(0o600, 0o600), (0o640, 0o640), (0o666, 0o640)])
def test_others_cannot_read_it(path: Path, before: int, after: int) -> None:
    """The group may go on reading where it could (a gateway that runs as its own user)."""
    path.chmod(before)
    with editing(path) as users:
        users.remove("anna")

    assert stat.S_IMODE(path.stat().st_mode) == after


def test_symbolic_link_stays_one(tmp_path: Path, path: Path) -> None:
    """What a link leads to is changed, and the link still leads there."""
    link = tmp_path / "elsewhere" / "link.yaml"
    link.parent.mkdir()
    link.symlink_to(path)
    with editing(link) as users:
        users.remove("anna")

    assert link.is_symlink()
    assert list(load_users(path)) == ["bert", "hmi"]


def test_failed_write_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk changes nothing, leaves no scraps, and is said in a sentence."""

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(UsersError, match="No space left"), editing(path) as users:
        users.remove("anna")

    assert path.read_text() == BEFORE
    assert list(path.parent.iterdir()) == [path]


def give_up(path: Path) -> None:
    with editing(path) as users:
        users.remove("anna")
        raise ZeroDivisionError


def test_error_in_the_block_changes_nothing(path: Path) -> None:
    """Who gives up halfway gives up the whole change."""
    with pytest.raises(ZeroDivisionError):
        give_up(path)

    assert path.read_text() == BEFORE


ADDER = """\
import sys
from pathlib import Path
from gateway.access import User
from gateway.access.edit import editing
for n in range(10):
    with editing(Path(sys.argv[1])) as users:
        users.add(User(f"{sys.argv[2]}{n}", "viewer"))
"""


def test_two_writers_lose_nothing(path: Path) -> None:
    """Processes that change the file at the same time do so one after the other."""
    writers = [
        subprocess.Popen([sys.executable, "-c", ADDER, str(path), name]) for name in ("x", "y")
    ]
    assert [one.wait(60) for one in writers] == [0, 0]

    expected = {"anna", "bert", "hmi"} | {f"{name}{n}" for name in "xy" for n in range(10)}
    assert set(yaml.safe_load(path.read_text())) == expected


def test_waiting_for_another_writer_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that never ends is waited for, for a time, and then named."""
    monkeypatch.setattr(module, "PATIENCE", 0.0)

    with editing(path), pytest.raises(UsersError, match="somebody else"), editing(path):
        pass


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    """A path into nowhere is said in a sentence."""
    with pytest.raises(UsersError, match="No such file"), editing(tmp_path / "x" / "u.yaml"):
        pass


NAMES = st.sampled_from(["anna", "bert", "hmi", "no", "Zoë", "x.y@z", "9"])
STEPS = st.one_of(
    st.tuples(st.just("add"), NAMES, st.sampled_from(["", "a: b", "# c", "'\"\\", "é\u2028"])),
    st.tuples(st.just("remove"), NAMES, st.just("")),
    st.tuples(st.just("role"), NAMES, st.sampled_from(["viewer", "admin"])),
    st.tuples(st.just("password"), NAMES, st.sampled_from([HASH, OTHER])),
    st.tuples(st.just("disabled"), NAMES, st.sampled_from(["true", "false"])),
)


@given(st.lists(STEPS, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_changes_in_any_order(path: Path, steps: list[tuple[str, str, str]]) -> None:
    """After any changes the file says, to PyYAML's own loader, what a dictionary says."""
    path.write_text(BEFORE)
    model = {
        "anna": User("anna", "operator", HASH),
        "bert": User("bert", "viewer", comment="trainee"),
        "hmi": User("hmi", "operator"),
    }
    for what, name, value in steps:
        if (what == "add") == (name in model):
            continue
        with editing(path) as users:
            if what == "add":
                model[name] = User(name, "viewer", HASH, comment=value)
                users.add(model[name])
            elif what == "remove":
                del model[name]
                users.remove(name)
            elif what == "role":
                model[name] = replace(model[name], role=value)
                users.set_role(name, value)
            elif what == "password":
                model[name] = replace(model[name], password=value)
                users.set_password(name, value)
            else:
                model[name] = replace(model[name], disabled=value == "true")
                users.set_disabled(name, value == "true")

    found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    assert {name: tuple(entry.get(key, default) for key, default in
                        (("role", ""), ("password", ""), ("disabled", False), ("comment", "")))
            for name, entry in found.items()} == {
        name: (one.role, one.password, one.disabled, one.comment) for name, one in model.items()
    }  # fmt: skip
