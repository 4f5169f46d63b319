"""Sessions against each other over a line that loses, damages, cuts, doubles and delays frames.

What must hold is the promise of the layer: in a life nothing is lost, nothing comes twice, and the
order is kept; when a life has ended, the one ASDU that was on the line may come once more.

Answers of FT1.2 have no numbers. One that comes when all repetitions have been given up can be
taken for a later one's by any station; time-outs have to be longer than that (60870-5-2, annex A).
So the lines on which lives end hold nothing up for so long, and what is doubled comes at once.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import pytest
from gateway_iec60870.ft12 import (
    Balanced,
    BalancedSettings,
    PolledSettings,
    Primary,
    Secondary,
    SecondarySettings,
    Turn,
)

sys.path.insert(0, str(Path(__file__).parent))
from ft12_field import OCTET, End, Faults, Field, Receiver, Sender

LINES = {
    "clean": Faults(),
    "loses": Faults(lost=0.2),
    "damages": Faults(damaged=0.2, cut=0.1, noise=0.1),
    "doubles": Faults(lost=0.1, doubled=0.2),
    "all of these": Faults(lost=0.08, damaged=0.08, cut=0.05, doubled=0.1, noise=0.05),
    "delays": Faults(lost=0.1, damaged=0.05, late=0.15),
}
NUMBERS = 60


TIMELY = {name: faults for name, faults in LINES.items() if name not in ("clean", "delays")}


def check(sender: Sender, kept: list[int], *, whole: bool) -> None:
    """What was sent is in custody, in order; twice is at most one for each life that has ended."""
    assert list(dict.fromkeys(kept)) == list(range(NUMBERS))
    again = [now for before, now in pairwise(kept) if now <= before]
    assert len(kept) == NUMBERS + len(again)
    assert len(again) <= (0 if whole else sender.ends)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("name", LINES)
def test_balanced(name: str, single: bool, seed: int) -> None:
    """Both directions at once, with custody that is slow or refused; no life ends."""
    balanced(LINES[name], seed, retries=60, single=single)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", TIMELY)
def test_balanced_with_lives_that_end(name: str, seed: int) -> None:
    """The same with one repetition only: lives end, and what was lost with them is sent again."""
    balanced(TIMELY[name], seed, retries=1, single=True)


def balanced(faults: Faults, seed: int, *, retries: int, single: bool) -> None:
    field = Field(seed, faults)
    ends, senders, receivers = [], [], []
    for controlling in (True, False):
        settings = BalancedSettings(
            controlling=controlling, timeout=0.4, retries=retries, pause=0.5, pause_max=2.0,
            test=2.0, single=single,
        )  # fmt: skip
        session = Balanced(settings, 0.0)
        # The second answer to a doubled reset could come when user data is under way, and nobody
        # could tell: here both directions speak at once, and nobody waits for silence.
        end = End(field, session, doubles=lambda data: data[0] != 0x10 or not data[1] & 0x40)
        ends.append(end)
        senders.append(Sender(end, session, NUMBERS))
        receivers.append(Receiver(end, session, refuses=0.1))
    for n, end in enumerate(ends):
        end.others = [ends[1 - n]]
        end.take = lambda turn, n=n: (receivers[n].take(turn), senders[n].take(turn))
    field.run(lambda: all(one.done for one in [*senders, *receivers]), until=20_000.0)
    whole = retries > 1
    for n in (0, 1):
        check(senders[n], receivers[1 - n].kept[1], whole=whole)
        assert not (whole and ends[n].session.counts["lives"])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("name", LINES)
def test_unbalanced(name: str, single: bool, seed: int) -> None:
    """A primary station and three secondary ones, with user data of both classes one way and of
    one the other way, with custody that is slow or refused; no life ends."""
    unbalanced(LINES[name], seed, retries=60, single=single)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", TIMELY)
def test_unbalanced_with_lives_that_end(name: str, seed: int) -> None:
    """The same with one repetition only: lives end, and what was lost with them is sent again."""
    unbalanced(TIMELY[name], seed, retries=1, single=True)


def unbalanced(faults: Faults, seed: int, *, retries: int, single: bool) -> None:
    field = Field(seed, faults)
    line = Primary(1, probe_share=0.5)
    # It speaks when the line is silent: what a doubled question has still to be answered with is
    # heard before.
    master = End(field, line, turnaround=4 * OCTET)
    up, down = {}, {}
    pairs: list[tuple[Sender, list[int]]] = []
    receivers = []
    for address in (1, 2, 3):
        settings = PolledSettings(
            address=address, timeout=0.4, retries=retries, class_2=0.5, again=0.1, hold=1.0,
            pause=0.5, pause_max=2.0,
        )  # fmt: skip
        polled = line.add(settings, 0.0)
        session = Secondary(SecondarySettings(address=address, single=single, silence=None), 0.0)
        end = End(field, session)
        end.others = [master]
        master.others.append(end)
        command, keeper = Sender(master, polled, NUMBERS), Receiver(master, polled, refuses=0.1)
        events, cyclic = Sender(end, session, NUMBERS), Sender(end, session, NUMBERS, 2)
        obeys = Receiver(end, session)
        up[address] = (keeper.take, command.take)
        down[address] = (obeys.take, events.take, cyclic.take)
        end.take = lambda turn, address=address: [one(turn) for one in down[address]]
        receivers += [keeper, obeys]
        pairs += [
            (command, obeys.kept[1]),
            (events, keeper.kept[1]),
            (cyclic, keeper.kept[2]),
        ]

    def take(turn: Turn) -> None:
        for one in up.get(turn.station, ()):
            one(turn)

    master.take = take
    waited = [*receivers, *(sender for sender, _ in pairs)]
    field.run(lambda: all(one.done for one in waited), until=60_000.0)
    whole = retries > 1
    for sender, kept in pairs:
        check(sender, kept, whole=whole)
    assert not (whole and any(one.counts["lives"] for one in line.partners.values()))
