"""Access: log-ins, certificates, names that a transport vouches for, and what each may."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.access import Access, UsersError
from gateway.access import access as module
from gateway.access.password import verified
from gateway.model.access import (
    AccessRefused,
    AccessSettings,
    CertificateRule,
    Lockout,
    Permission,
    Role,
)
from gateway.model.command import Client

READ, COMMAND = Permission.READ, Permission.COMMAND
RIGHT = "right horse battery"
# The least work that the gateway takes, so that tests of log-ins are quick.
HASH = PasswordHasher(time_cost=1, memory_cost=7168, parallelism=1).hash(RIGHT)
OTHER = PasswordHasher(time_cost=2, memory_cost=7168, parallelism=1).hash("other horse")

POINTS = ("bay1.breaker", "bay1.voltage", "", "bay2.breaker")
USERS = f"""\
anna: {{role: operator, password: "{HASH}"}}
bert: {{role: viewer, password: "{OTHER}"}}
carl: {{role: engineer, password: "{HASH}", disabled: true}}
hmi: {{role: bay1}}
"""
BAY1 = Role(name="bay1", may=frozenset({READ, COMMAND}), points=("bay1.*",))
RULE = Lockout(attempts=3, address_attempts=7, within=60.0, lasts=300.0)
CONSOLE, STRANGER = "10.0.0.7:50214", "192.0.2.66:40000"

Events = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "users.yaml"
    path.write_text(USERS)
    return path


@pytest.fixture
def events() -> Events:
    return []


@pytest.fixture
def make(users: Path, clock: Any, events: Events) -> Callable[..., Access]:
    def make(**changes: Any) -> Access:
        told = {"users": users, "roles": (BAY1,), "lockout": RULE, **changes}
        return Access(AccessSettings(**told), POINTS, lambda *one: events.append(one), clock)

    return make


async def refused(access: Access, user: str, password: str, address: str = CONSOLE) -> str:
    """Try a log-in that must be refused; return the sentence."""
    with pytest.raises(AccessRefused) as caught:
        await access.login("ua", user, password, address)
    return str(caught.value)


# Log-ins --------------------------------------------------------------------------------------


async def test_right_password_lets_in(make: Callable[..., Access], events: Events) -> None:
    """A client has the user's name and role, and the log-in is told."""
    client = await make().login("ua", "anna", RIGHT, CONSOLE, "session 1")

    assert client == Client("ua", CONSOLE, "anna", "operator", "session 1")
    assert events == [
        ("login", {"sink": "ua", "user": "anna", "address": CONSOLE, "role": "operator"})
    ]


@pytest.mark.parametrize(
    ("user", "password", "why"),
    [
        ("anna", "guess", "the password is wrong"),
        ("anna", "", "the password is wrong"),
        ("anna", RIGHT + " ", "the password is wrong"),
        ("anna", RIGHT * 100, "the password is wrong"),
        ("Anna", RIGHT, "there is no such user"),
        ("zoe", RIGHT, "there is no such user"),
        ("", "", "there is no such user"),
        ("carl", RIGHT, "the user is disabled"),
        ("hmi", RIGHT, "the user has no password"),
        ("hmi", "", "the user has no password"),
        ("a" * 100_000, RIGHT, "there is no such user"),
        ("an\nna\ud800", RIGHT, "there is no such user"),
    ],
)
async def test_everything_else_does_not(
    make: Callable[..., Access], events: Events, user: str, password: str, why: str
) -> None:
    """Each refusal is told with its reason, on one line, whatever a stranger sends."""
    sentence = await refused(make(), user, password)

    assert why in sentence
    assert sentence.isprintable()
    ((step, facts),) = events
    assert step == "login_refused"
    assert facts["why"] == why
    assert len(facts["user"]) <= 128
    assert password not in sentence or not password


async def test_unknown_names_cost_the_same(
    make: Callable[..., Access], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a name that is not there, a known user's hash is worked out: always the same one."""
    worked: list[str] = []

    def noting(hashed: str, password: str) -> bool:
        worked.append(hashed)
        return verified(hashed, password)

    monkeypatch.setattr(module, "verified", noting)
    access = make(lockout=Lockout(attempts=100, address_attempts=1000))
    for name in ("zoe", "zoe", "hmi", "hmi", *(f"x{n}" for n in range(20))):
        # The dummy's own password does not let an unknown name in.
        sentence = await refused(access, name, RIGHT)
        assert ("no password" if name == "hmi" else "no such user") in sentence

    assert len(worked) == 24
    assert worked[0] == worked[1]
    assert worked[2] == worked[3]
    # 2 of 3 users have the one, 1 the other: an unknown name looks like any of them.
    assert set(worked) == {HASH, OTHER}


async def test_nobody_can_log_in_without_users(clock: Any, events: Events) -> None:
    """Without a users file every log-in is refused, and the gateway says that it has none."""
    access = Access(AccessSettings(), POINTS, lambda *one: events.append(one), clock)

    assert not access.authenticates
    assert "no such user" in await refused(access, "anna", RIGHT)


async def test_door_does_not_open_when_the_last_user_goes(
    make: Callable[..., Access], users: Path, clock: Any
) -> None:
    """A gateway with a users file has users, also where the file is empty."""
    access = make()
    users.write_text("")
    clock.now += 1.0

    assert "no such user" in await refused(access, "anna", RIGHT)
    assert access.authenticates


async def test_guessing_ends(make: Callable[..., Access], events: Events, clock: Any) -> None:
    """After three wrong passwords the right one does not help, until the lock ends."""
    access = make()
    for _ in range(3):
        await refused(access, "anna", "wrong", STRANGER)
    assert "user 'anna' is locked out" in await refused(access, "anna", RIGHT, STRANGER)
    assert access.locks == ["user 'anna' for 300s more"]

    clock.now += 300.0
    assert (await access.login("ua", "anna", RIGHT, STRANGER)).user == "anna"
    assert access.locks == []
    assert [step for step, _ in events] == [
        "login_refused", "login_refused", "locked_out", "login_refused", "login_refused", "login",
    ]  # fmt: skip
    assert events[2][1] == {
        "sink": "ua",
        "user": "anna",
        "address": STRANGER,
        "locked": "user 'anna'",
        "seconds": 300.0,
    }


async def test_unknown_names_are_locked_out_as_known_ones(make: Callable[..., Access]) -> None:
    """A lock-out does not say which names there are."""
    access = make()
    said = [
        [(await refused(access, name, "x", STRANGER)).split(": ")[1] for _ in range(4)]
        for name in ("anna", "zoe")
    ]

    assert said[0][3] == "user 'anna' is locked out"
    assert said[1][3] == "user 'zoe' is locked out"


async def test_console_in_use_is_not_locked_out(make: Callable[..., Access]) -> None:
    """A stranger who guesses at anna keeps her out from elsewhere, and not from her console."""
    access = make()
    await access.login("ua", "anna", RIGHT, CONSOLE)
    for _ in range(5):
        await refused(access, "anna", "wrong", STRANGER)

    assert "locked out" in await refused(access, "anna", RIGHT, STRANGER)
    assert (await access.login("ua", "anna", RIGHT, "10.0.0.7:50999")).role == "operator"


async def test_running_against_a_lock_does_not_fill_the_log(
    make: Callable[..., Access], events: Events
) -> None:
    """Of a thousand log-ins while locked out, the 1st, 10th, 100th and 1000th are told."""
    access = make()
    for _ in range(1003):
        await refused(access, "anna", "wrong", STRANGER)

    told = [facts.get("count", 1) for step, facts in events if step == "login_refused"]
    assert told == [1, 1, 1, 1, 10, 100, 1000]


# Many at once -----------------------------------------------------------------------------------


class Gate:
    """Stands for the hash: counts how many run, and holds them until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.running = 0
        self.most = 0
        self.done = 0

    def __call__(self, hashed: str, password: str) -> bool:
        self.running += 1
        self.most = max(self.most, self.running)
        assert self.opened.wait(20)
        self.running -= 1
        self.done += 1
        return password == RIGHT


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(module, "verified", gate)
    return gate


def outcome(result: Client | BaseException) -> str:
    return result.user if isinstance(result, Client) else str(result).split(": ")[1]


async def test_waiting_log_ins_are_bounded(make: Callable[..., Access], gate: Gate) -> None:
    """One is worked on, sixteen wait, the others hear at once that there are too many."""
    access = make()
    tasks = [
        asyncio.create_task(access.login("ua", "anna", RIGHT, f"10.0.1.{n}:1")) for n in range(30)
    ]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    assert {outcome(one.exception()) for one in done} == {"too many log-ins at once"}  # type: ignore[arg-type]
    gate.opened.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert Counter(outcome(one) for one in results) == {"anna": 17, "too many log-ins at once": 13}
    assert gate.most == 1
    assert gate.done == 17


async def test_one_address_cannot_take_all_places(make: Callable[..., Access], gate: Gate) -> None:
    """An address has four places; somebody else still gets one."""
    access = make()
    flood = [asyncio.create_task(access.login("ua", "zoe", "x", STRANGER)) for _ in range(50)]
    await asyncio.sleep(0)
    operator = asyncio.create_task(access.login("ua", "anna", RIGHT, CONSOLE))
    await asyncio.sleep(0)
    gate.opened.set()
    results = await asyncio.gather(*flood, return_exceptions=True)

    assert (await operator).user == "anna"
    assert Counter(outcome(one) for one in results) == {
        "too many log-ins at once": 46,
        "there is no such user": 3,
        "user 'zoe' is locked out": 1,
    }


async def test_guesses_at_once_are_counted_one_by_one(
    make: Callable[..., Access], gate: Gate
) -> None:
    """Guesses that were sent together have no more tries than guesses in a row."""
    access = make()
    tasks = [
        asyncio.create_task(access.login("ua", "anna", "wrong", f"10.0.1.{n}:1")) for n in range(10)
    ]
    gate.opened.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert gate.done == 3
    assert Counter(outcome(one) for one in results) == {
        "the password is wrong": 3,
        "user 'anna' is locked out": 7,
    }


async def leave(access: Access) -> None:
    """Begin four log-ins from one address, of which one is worked on, and hang up."""
    tasks = [asyncio.create_task(access.login("ua", "anna", RIGHT, CONSOLE)) for _ in range(4)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_client_that_leaves_frees_its_place(make: Callable[..., Access], gate: Gate) -> None:
    """Cancelled log-ins, waiting or worked on, leave the door to the next one."""
    access = make()
    await leave(access)
    await leave(access)
    gate.opened.set()

    assert (await access.login("ua", "anna", RIGHT, CONSOLE)).user == "anna"
    assert gate.most == 1


async def test_leaving_is_no_way_around_the_lock(
    make: Callable[..., Access], gate: Gate, events: Events
) -> None:
    """Who hangs up while the password is hashed has had a guess: else hashing never ended."""
    access = make()
    for _ in range(4):
        await leave(access)
    gate.opened.set()

    assert "user 'anna' is locked out" in await refused(access, "anna", RIGHT)
    assert [facts.get("why") for _, facts in events[:4]] == [
        *["the client left before the answer"] * 2, None, "the client left before the answer",
    ]  # fmt: skip
    assert events[2][0] == "locked_out"


async def test_loop_runs_on_while_a_password_is_hashed(users: Path) -> None:
    """A real hash of full strength does not hold up the event loop."""
    real = PasswordHasher(time_cost=3, memory_cost=33 * 1024, parallelism=1).hash(RIGHT)
    users.write_text(USERS.replace(HASH, real))
    access = Access(AccessSettings(users=users, roles=(BAY1,)), POINTS, lambda *_: None)
    login = asyncio.create_task(access.login("ua", "anna", RIGHT, CONSOLE))
    turns = 0
    while not login.done():
        await asyncio.sleep(0)
        turns += 1

    assert (await login).user == "anna"
    # Held up, the loop would have had a handful of turns.
    assert turns > 50
    access.close()


# The users file changes -------------------------------------------------------------------------


async def test_removed_user_loses_its_rights(
    make: Callable[..., Access], users: Path, clock: Any, events: Events
) -> None:
    """An open session of a user who is no more may nothing, a second later at most."""
    access = make()
    client = await access.login("ua", "anna", RIGHT, CONSOLE)
    assert access.may(client, COMMAND, 0)

    users.write_text(USERS.replace("anna", "dora"))
    clock.now += 1.0
    assert not any(access.may(client, one, 0) for one in Permission)
    assert access.client("mqtt", "t", user="anna", role="operator").role == ""
    assert events[-1] == ("users_changed", {"added": "dora", "removed": "anna"})

    users.write_text(USERS.replace("anna", "dora").replace("bert", "eve"))
    clock.now += 1.0
    assert not any(access.may(client, one, 0) for one in Permission)

    users.write_text(USERS)
    clock.now += 1.0
    assert access.may(client, COMMAND, 0)


@pytest.mark.parametrize(
    ("before", "after", "rights"),
    [
        ("role: operator", "role: viewer", {"read"}),
        ("role: operator", "role: operator, disabled: true", set()),
        ("role: operator", "role: admin", {one.value for one in Permission}),
    ],
)
async def test_changed_user_has_its_new_rights(
    make: Callable[..., Access], users: Path, clock: Any, before: str, after: str, rights: set[str]
) -> None:
    """An open session has the rights that the file gives now, whatever it had at the log-in."""
    access = make()
    client = await access.login("ua", "anna", RIGHT, CONSOLE)
    users.write_text(USERS.replace(before, after))
    clock.now += 1.0

    assert {one.value for one in Permission if access.may(client, one, 0)} == rights


async def test_file_is_looked_at_once_a_second(
    make: Callable[..., Access], users: Path, clock: Any
) -> None:
    """Before the second is over the old users count; asked to, it is read at once."""
    access = make()
    client = await access.login("ua", "anna", RIGHT, CONSOLE)
    users.write_text(USERS.replace("anna", "dora"))
    clock.now += 0.5

    assert access.may(client, COMMAND, 0)
    access.reload()
    assert not access.may(client, COMMAND, 0)


async def test_broken_file_keeps_the_users(
    make: Callable[..., Access],
    users: Path,
    clock: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One line says that the file is broken, and one that it is not any more."""
    caplog.set_level(logging.INFO, "gateway.access")
    access = make()
    for text in ("anna: {role: bos}", "anna: [", None, USERS.replace("bert", "eve")):
        if text is None:
            users.unlink()
        else:
            users.write_text(text)
        for _ in range(3):
            clock.now += 1.0
            assert (await access.login("ua", "anna", RIGHT, CONSOLE)).role == "operator"

    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3
    assert "users.yaml:1:14: anna.role: found 'bos', allowed: viewer, operator" in lines[0]
    assert "can be read again" in lines[1]
    assert lines[2] == "the users changed: added eve; removed bert"


async def test_new_password_opens_at_once(
    make: Callable[..., Access], users: Path, clock: Any
) -> None:
    """An engineer who gives a locked-out user a new password has let the user in again."""
    access = make()
    for _ in range(3):
        await refused(access, "anna", "wrong")
    users.write_text(USERS.replace(HASH, OTHER, 1))
    clock.now += 1.0

    assert (await access.login("ua", "anna", "other horse", CONSOLE)).user == "anna"
    assert "wrong" in await refused(access, "anna", RIGHT)


async def test_user_changed_while_its_password_is_hashed(
    make: Callable[..., Access], users: Path, gate: Gate
) -> None:
    """What counts is the file when the hash is done."""
    access = make()
    login = asyncio.create_task(access.login("ua", "anna", RIGHT, CONSOLE))
    await asyncio.sleep(0)
    users.write_text(USERS.replace("role: operator", "role: operator, disabled: true"))
    access.reload()
    gate.opened.set()

    with pytest.raises(AccessRefused, match="disabled"):
        await login


def test_file_must_be_good_at_the_start(make: Callable[..., Access], users: Path) -> None:
    """A gateway does not start with users that it cannot read."""
    users.write_text("anna: {role: boss}")

    with pytest.raises(UsersError, match="allowed: viewer, operator, engineer, admin, bay1"):
        make()


# Without a password -----------------------------------------------------------------------------


def certificate(name: str) -> bytes:
    """Return a certificate in DER for a common name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + timedelta(1))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


RULES = (CertificateRule(subject="CN=scada1", role="operator"),)
SCADA, OTHER_CERTIFICATE = certificate("scada1"), certificate("laptop")


@pytest.mark.parametrize(
    ("given", "user", "role"),
    [
        ({}, "", ""),
        ({"role": "viewer"}, "", "viewer"),
        ({"certificate": SCADA}, "CN=scada1", "operator"),
        ({"certificate": SCADA, "role": "viewer", "user": "hmi"}, "CN=scada1", "operator"),
        ({"certificate": OTHER_CERTIFICATE}, "CN=laptop", ""),
        ({"certificate": OTHER_CERTIFICATE, "role": "viewer"}, "CN=laptop", "viewer"),
        ({"certificate": OTHER_CERTIFICATE, "user": "hmi"}, "hmi", "bay1"),
        ({"user": "hmi", "role": "viewer"}, "hmi", "bay1"),
        ({"user": "somebody", "role": "viewer"}, "somebody", "viewer"),
        ({"user": "somebody"}, "somebody", ""),
        ({"user": "carl", "role": "admin"}, "carl", ""),
    ],
)
def test_who_gave_no_password(
    make: Callable[..., Access], given: dict[str, Any], user: str, role: str
) -> None:
    """The rule of the certificate comes first, then the account, then the link's role."""
    client = make(certificates=RULES).client("ua", CONSOLE, session="s", **given)

    assert client == Client("ua", CONSOLE, user, role, "s")


def test_bytes_that_are_no_certificate(make: Callable[..., Access]) -> None:
    """They are refused, and not taken for nobody."""
    with pytest.raises(ValueError, match="asn1"):
        make().client("ua", CONSOLE, certificate=b"\x30\x00")


@pytest.mark.parametrize(
    ("given", "may"),
    [
        ({}, {READ: [0, 1, 3]}),
        ({"role": "viewer"}, {READ: [0, 1, 3]}),
        ({"user": "hmi"}, {READ: [0, 1], COMMAND: [0, 1]}),
        ({"certificate": SCADA}, {READ: [0, 1, 3], COMMAND: [0, 1, 3],
                                  Permission.OVERRIDE: [0, 1, 3]}),
        ({"user": "carl"}, {}),
        ({"role": "boss"}, {}),
    ],
)  # fmt: skip
def test_what_they_may(
    make: Callable[..., Access], given: dict[str, Any], may: dict[Permission, list[int]]
) -> None:
    """Each has its role's permissions for its role's points, and nobody has others."""
    access = make(certificates=RULES)
    client = access.client("ua", CONSOLE, **given)
    allowed = {
        permission: [point for point in range(-1, 6) if access.may(client, permission, point)]
        for permission in Permission
    }

    assert {one: points for one, points in allowed.items() if points} == may
    assert all(access.may(client, one) == (one in may) for one in Permission)
