"""Sessions, with a clock that the test moves."""

from __future__ import annotations

import base64

import pytest
from gateway_console.sessions import Full, Session, Sessions, Way

from gateway import Client

ANNA = Client("desk", "10.0.0.7", "anna", "operator", "1")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def made(clock: Clock, ended: list[Session] | None = None, most: int = 3) -> Sessions:
    told: list[Session] = [] if ended is None else ended
    return Sessions(idle=60, lasts=300, most=most, clock=clock, on_end=told.append)


def test_a_token_is_256_random_bits_and_never_kept() -> None:
    """No two tokens are alike, each has 32 bytes, and none can be read out of the sessions."""
    sessions = made(Clock(), most=100)
    tokens = {sessions.open(ANNA, Way.BEARER)[0] for _ in range(50)}
    assert len(tokens) == 50
    assert {len(base64.urlsafe_b64decode(token + "=")) for token in tokens} == {32}
    kept = repr(vars(sessions))
    assert not any(token in kept for token in tokens)


def test_a_session_ends_without_use() -> None:
    """Each use begins the idle time again; after it the token is nobody's."""
    clock, ended = Clock(), list[Session]()
    sessions = made(clock, ended)
    token, session = sessions.open(ANNA, Way.BEARER)
    clock.now += 59
    assert sessions.find(token, Way.BEARER) is session
    clock.now += 59
    assert sessions.alive(session)
    clock.now += 1
    assert not sessions.alive(session)
    assert sessions.find(token, Way.BEARER) is None
    assert ended == [session]


def test_a_session_ends_at_its_age_however_busy() -> None:
    """A token that is used every second is nobody's after the longest time all the same."""
    clock = Clock()
    sessions = made(clock)
    token, _ = sessions.open(ANNA, Way.BEARER)
    for _ in range(299):
        clock.now += 1
        assert sessions.find(token, Way.BEARER) is not None
    clock.now += 1
    assert sessions.find(token, Way.BEARER) is None


def test_a_token_counts_only_on_its_way() -> None:
    """A cookie's token is none in the header, where no CSRF token would be asked for."""
    sessions = made(Clock())
    token, _ = sessions.open(ANNA, Way.COOKIE)
    assert sessions.find(token, Way.BEARER) is None
    assert sessions.find(token, Way.COOKIE) is not None


def test_sessions_are_bounded_and_make_room_by_age() -> None:
    """One too many is refused, until one of them is over."""
    clock, ended = Clock(), list[Session]()
    sessions = made(clock, ended)
    for _ in range(3):
        sessions.open(ANNA, Way.BEARER)
    with pytest.raises(Full):
        sessions.open(ANNA, Way.BEARER)
    clock.now += 60
    sessions.open(ANNA, Way.BEARER)
    assert (len(sessions), len(ended)) == (1, 3)


def test_a_log_out_is_told_once() -> None:
    """What the session had selected is to be freed when it is closed, and not again."""
    ended: list[Session] = []
    sessions = made(Clock(), ended)
    token, session = sessions.open(ANNA, Way.BEARER)
    sessions.close(session)
    sessions.close(session)
    assert ended == [session]
    assert sessions.find(token, Way.BEARER) is None
