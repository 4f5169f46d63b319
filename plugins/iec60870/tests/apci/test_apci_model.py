"""Two sessions back to back, at random, with connections that are lost: nobody loses an ASDU.

The model is the two applications: each has a list of what it has to say, keeps what is not
acknowledged, and takes into custody what it confirms.
"""

from __future__ import annotations

import random

import pytest
from gateway_iec60870.apci import ApciSettings, Event, Session, State, Turn


class Station:
    """An application and its session, as far as a connection goes."""

    def __init__(self, *, controlling: bool) -> None:
        self.controlling = controlling
        self.mark = "c" if controlling else "d"
        self.unsaid = 0  # the number of the next ASDU that is made
        self.kept: list[bytes] = []  # not acknowledged, oldest first
        self.custody: list[bytes] = []
        self.connect(ApciSettings(), 0.0)

    def connect(self, settings: ApciSettings, now: float) -> None:
        """Begin anew: what is kept is said again."""
        self.session = Session(settings, controlling=self.controlling, now=now)
        self.said = 0  # of those kept
        self.came: list[bytes] = []  # not in custody
        self.wire = b""  # on its way to the other side
        self.given = 0  # that are in custody, of this connection
        self.told = 0  # that the other side has acknowledged, of this connection

    def take(self, turn: Turn) -> str:
        """Do what the session wants; returns why it is broken."""
        self.wire += b"".join(turn.frames)
        self.came += turn.received
        del self.kept[: turn.acknowledged]
        self.said -= turn.acknowledged
        self.told += turn.acknowledged
        return turn.broken

    def say(self, count: int, now: float) -> str:
        """Send what is kept and was not sent, then new ones."""
        count = min(count, self.session.room)
        while len(self.kept) - self.said < count:
            self.kept.append(f"{self.mark}{self.unsaid}".encode())
            self.unsaid += 1
        asdus = self.kept[self.said : self.said + count]
        self.said += count
        return self.take(self.session.send(asdus, now))

    def confirm(self, count: int, now: float) -> str:
        """Take into custody."""
        count = min(count, len(self.came))
        self.custody += self.came[:count]
        del self.came[:count]
        self.given += count
        return self.take(self.session.confirm(count, now))


def check(stations: tuple[Station, Station], now: float) -> None:
    """What holds at any moment."""
    for one, other in (stations, stations[::-1]):
        assert one.told <= other.given, "acknowledged before it was in custody"
        assert one.session.unacknowledged == one.said <= one.session.settings.k
        assert one.session.unconfirmed == len(one.came)
        deadline = one.session.deadline
        assert deadline is None or deadline > now, "a tick that is due has done nothing"


def run(seed: int, steps: int) -> tuple[Station, Station]:
    """Play at random; every sentence that breaks a connection must be one of time."""
    rng = random.Random(seed)
    stations = Station(controlling=True), Station(controlling=False)
    ours = stations[0]
    now = 0.0
    why = ""
    for _ in range(steps):
        one, other = stations if rng.random() < 0.5 else stations[::-1]
        match rng.choices(range(8), (30, 20, 20, 10, 3, 3, 2, 0.2))[0]:
            case 0:  # some octets arrive
                cut = rng.randint(1, 60)
                data, one.wire = one.wire[:cut], one.wire[cut:]
                why = other.take(other.session.receive(data, now))
            case 1:
                why = one.say(rng.randint(0, 5), now)
            case 2:
                why = one.confirm(rng.randint(0, 6), now)
            case 3:  # time passes, rarely enough to break anything
                now += rng.choice((0.01, 0.5, 1.0, 3.0))
                why = one.take(one.session.tick(now)) or other.take(other.session.tick(now))
            case 4 if ours.session.state is State.STOPPED:
                why = ours.take(ours.session.start(now))
            case 5 if ours.session.state is State.STARTED and rng.random() < 0.2:
                why = ours.take(ours.session.stop(now))
            case 6:
                why = one.take(one.session.test(now)) or one.take(one.session.acknowledge())
            case 7:
                why = "cut (t1)"
        if why:
            assert why.endswith("(t1)"), why
            k = rng.randint(1, 12)
            settings = ApciSettings(k=k, w=rng.randint(1, k))
            for station in stations:
                station.connect(settings, now)
            why = ""
        for station in stations:
            why = why or station.take(station.session.tick(now))
        if not why:
            check(stations, now)
    return stations


def settle(stations: tuple[Station, Station]) -> None:
    """Let all arrive, be confirmed and be acknowledged, on a new connection."""
    for station in stations:
        station.connect(ApciSettings(k=12, w=1), 0.0)
    ours = stations[0]
    ours.take(ours.session.start(0.0))
    while any(station.kept or station.wire for station in stations):
        for one, other in (stations, stations[::-1]):
            one.say(min(len(one.kept) - one.said, one.session.room), 0.0)
            data, one.wire = one.wire, b""
            assert other.take(other.session.receive(data, 0.0)) == ""
            other.confirm(len(other.came), 0.0)


def firsts(asdus: list[bytes]) -> list[bytes]:
    """Each ASDU where it came first."""
    return list(dict.fromkeys(asdus))


@pytest.mark.parametrize("seed", range(40))
def test_at_least_once_and_in_order(seed: int) -> None:
    """All that was ever said is in custody, in its order; what comes twice came before a loss."""
    stations = run(seed, 3000)
    settle(stations)
    for one, other in (stations, stations[::-1]):
        said = [f"{one.mark}{number}".encode() for number in range(one.unsaid)]
        assert firsts(other.custody) == said
        assert one.unsaid > 50


def test_without_loss_exactly_once() -> None:
    """On one connection every ASDU comes once, over several wraps of the numbers, both ways."""
    rng = random.Random(7)
    stations = Station(controlling=True), Station(controlling=False)
    ours = stations[0]
    for station in stations:
        station.connect(ApciSettings(k=3000, w=1000), 0.0)
    ours.take(ours.session.start(0.0))
    while min(station.unsaid for station in stations) < 70_000:
        for one, other in (stations, stations[::-1]):
            one.say(rng.randint(0, 2000), 0.0)
            cut = rng.randint(0, 20_000)
            data, one.wire = one.wire[:cut], one.wire[cut:]
            assert other.take(other.session.receive(data, 0.0)) == ""
            other.confirm(rng.randint(0, 1500), 0.0)
        check(stations, 0.0)
    for one, other in (stations, stations[::-1]):
        assert other.custody == [f"{one.mark}{n}".encode() for n in range(len(other.custody))]
        assert len(other.custody) > 2 * 32768


def test_stop_leaves_nothing_open() -> None:
    """When STOPDT is confirmed, all that either side has sent is acknowledged (5.3)."""
    rng = random.Random(3)
    ours, theirs = stations = Station(controlling=True), Station(controlling=False)
    stops = 0
    for _ in range(20_000):
        one, other = stations if rng.random() < 0.5 else stations[::-1]
        if ours.session.state is State.STOPPED:
            ours.take(ours.session.start(0.0))
        elif ours.session.state is State.STARTED and rng.random() < 0.05:
            ours.take(ours.session.stop(0.0))
        one.say(rng.randint(0, 4), 0.0)
        cut = rng.randint(0, 40)
        data, one.wire = one.wire[:cut], one.wire[cut:]
        turn = other.session.receive(data, 0.0)
        assert other.take(turn) == ""
        other.confirm(rng.randint(0, 4), 0.0)
        if Event.STOPPED in turn.events and other is ours:
            stops += 1
            assert (ours.said, theirs.said) == (0, 0)
            assert (ours.came, theirs.came) == ([], [])
    assert stops > 100
