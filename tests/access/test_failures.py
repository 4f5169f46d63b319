"""Lock-out: who is kept out after wrong passwords, from where, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.access import failures as module
from gateway.access.failures import Failures, host_of
from gateway.model.access import Lockout

CONSOLE, STRANGER, THIRD = "10.0.0.7", "192.0.2.66", "192.0.2.77"
RULE = Lockout(attempts=3, address_attempts=7, within=60.0, lasts=300.0)


@pytest.fixture
def failures(clock: Any) -> Failures:
    return Failures(RULE, clock)


def guess(failures: Failures, user: str, host: str, times: int) -> int:
    """Guess so often, or until locked out; return how many were looked at."""
    for done in range(times):
        if failures.locked(user, host):
            return done
        failures.failed(user, host)
    return times


def test_user_is_locked_after_so_many(failures: Failures, clock: Any) -> None:
    """The third wrong password is the last that is looked at, for 300 s."""
    assert guess(failures, "anna", STRANGER, 10) == 3

    clock.now += 299.9
    assert failures.locked("anna", STRANGER)
    clock.now += 0.1
    assert not failures.locked("anna", STRANGER)
    assert guess(failures, "anna", STRANGER, 10) == 3


def test_addresses_are_counted_together_for_a_user(failures: Failures) -> None:
    """Who changes the address has no more guesses at a user."""
    assert guess(failures, "anna", STRANGER, 2) == 2
    assert guess(failures, "anna", THIRD, 9) == 1
    assert failures.locked("anna", CONSOLE)
    assert not failures.locked("bert", CONSOLE)


def test_only_failures_within_the_time_count(failures: Failures, clock: Any) -> None:
    """Two wrong passwords now and two behind the window lock nobody out."""
    guess(failures, "anna", STRANGER, 2)
    clock.now += 60.0
    assert guess(failures, "anna", STRANGER, 2) == 2
    assert not failures.locked("anna", STRANGER)


def test_right_password_ends_the_row(failures: Failures) -> None:
    """Wrong, wrong, right, wrong, wrong is no row of three."""
    guess(failures, "anna", CONSOLE, 2)
    failures.succeeded("anna", CONSOLE)
    assert guess(failures, "anna", CONSOLE, 2) == 2
    assert not failures.locked("anna", CONSOLE)


def test_stranger_cannot_lock_out_the_console(failures: Failures) -> None:
    """Where a user has logged in before, guesses from elsewhere do not count."""
    failures.succeeded("anna", CONSOLE)
    assert guess(failures, "anna", STRANGER, 10) == 3

    assert failures.locked("anna", STRANGER)
    assert failures.locked("anna", THIRD)
    assert not failures.locked("anna", CONSOLE)
    assert guess(failures, "anna", CONSOLE, 10) == 3


def test_address_is_locked_whoever_is_named(failures: Failures) -> None:
    """Two guesses at each of many users end with the seventh."""
    looked_at = [guess(failures, f"user{n}", STRANGER, 2) for n in range(10)]

    assert looked_at == [2, 2, 2, 1, 0, 0, 0, 0, 0, 0]
    assert not failures.locked("user0", CONSOLE)


def test_own_account_buys_no_guesses_at_others(failures: Failures) -> None:
    """A right password of one's own does not end the row of an address at others' users."""
    looked_at = 0
    for n in range(10):
        looked_at += guess(failures, f"user{n}", STRANGER, 1)
        failures.succeeded("mallory", STRANGER)

    assert looked_at == RULE.address_attempts


def test_lock_is_not_made_longer(failures: Failures, clock: Any) -> None:
    """Who runs against a lock all the time does not keep it shut."""
    guess(failures, "anna", STRANGER, 3)
    for _ in range(300):
        clock.now += 1.0
        failures.locked("anna", STRANGER)

    assert not failures.locked("anna", STRANGER)


def test_each_lock_is_told_once(failures: Failures) -> None:
    """The failure that begins a lock returns it; each in words."""
    assert [[str(one) for one in failures.failed("anna", STRANGER)] for _ in range(3)] == [
        [], [], ["user 'anna'"],
    ]  # fmt: skip
    assert [(str(one), left) for one, left in failures.locks()] == [("user 'anna'", 300.0)]


def test_new_password_ends_a_lock(failures: Failures) -> None:
    """What is forgiven is open again, and no address is familiar."""
    failures.succeeded("anna", CONSOLE)
    guess(failures, "anna", STRANGER, 3)
    guess(failures, "anna", CONSOLE, 3)
    failures.forgive("anna")

    assert not failures.locked("anna", STRANGER)
    assert guess(failures, "anna", CONSOLE, 2) + guess(failures, "anna", STRANGER, 9) == 3


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, clock: Any) -> None:
    """Names without end are not remembered without end, and locks outlive mere counts."""
    monkeypatch.setattr(module, "MOST_COUNTS", 50)
    monkeypatch.setattr(module, "MOST_FAMILIAR", 10)
    failures = Failures(RULE, clock)
    guess(failures, "anna", THIRD, 3)
    for n in range(500):
        failures.failed(f"user{n}", f"10.1.{n // 250}.{n % 250}")
        failures.succeeded(f"friend{n}", CONSOLE)

    assert len(failures._counts) <= 50
    assert len(failures._familiar) == 10
    assert failures.locked("anna", THIRD)


def test_what_is_long_ago_goes_first(monkeypatch: pytest.MonkeyPatch, clock: Any) -> None:
    """Counts that could lead to nothing any more make room, and not those of a minute ago."""
    monkeypatch.setattr(module, "MOST_COUNTS", 20)
    failures = Failures(RULE, clock)
    for n in range(10):
        failures.failed(f"old{n}", f"10.1.0.{n}")
    clock.now += 61.0
    failures.failed("anna", THIRD)
    failures.failed("anna", THIRD)

    assert set(failures._counts) == {("anna", ""), ("", THIRD)}


# RFC 4291 (::ffff:0:0/96 is an IPv4 address), RFC 6177 (a site has a /64 at least).
@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("10.0.0.7:50214", "10.0.0.7"),
        ("10.0.0.7", "10.0.0.7"),
        ("[2001:db8::1]:4840", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::1", "2001:db8::/64"),
        ("[fe80::1%eth0]:4840", "fe80::/64"),
        ("[::ffff:10.0.0.7]:4840", "10.0.0.7"),
        ("scada1:50214", "scada1"),
        ("plant/anna/cmd", "plant/anna/cmd"),
        ("master 3", "master 3"),
        ("", ""),
        ("x" * 500, "x" * 128),
    ],
)
def test_addresses_without_ports(address: str, host: str) -> None:
    """Guesses from one host are one guesser's, whatever the port."""
    assert host_of(address) == host
