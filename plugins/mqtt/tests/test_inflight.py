"""The window: what is delivered, when it is full, when it moved."""

from __future__ import annotations

from gateway_mqtt.inflight import InFlight
from hypothesis import given, settings
from hypothesis import strategies as st


def _sent(inflight: InFlight, seq: int, *mids: int, size: int = 1, now: float = 0.0) -> None:
    inflight.begin(seq)
    for mid in mids:
        inflight.sent(mid, f"t/{mid}", size, now)
    inflight.end()


def test_a_delivery_is_delivered_with_its_last_message() -> None:
    """One PUBACK of two is none."""
    inflight = InFlight(10)
    _sent(inflight, 1, 11, 12)
    inflight.acknowledged(12, 0)
    assert inflight.delivered == 0
    inflight.acknowledged(11, 0)
    assert inflight.delivered == 1


def test_a_delivery_waits_for_those_before_it() -> None:
    """Acknowledgements are cumulative, so a gap holds back everything behind it."""
    inflight = InFlight(10)
    for seq in (1, 2, 3):
        _sent(inflight, seq, seq)
    inflight.acknowledged(3, 0)
    inflight.acknowledged(2, 0)
    assert inflight.delivered == 0
    inflight.acknowledged(1, 0)
    assert inflight.delivered == 3


def test_a_delivery_that_is_still_being_sent_is_not_delivered() -> None:
    """All that was sent is acknowledged, but not all was sent."""
    inflight = InFlight(10)
    inflight.begin(1)
    inflight.sent(1, "t", 1, 0)
    inflight.acknowledged(1, 0)
    assert inflight.delivered == 0
    inflight.end()
    assert inflight.delivered == 1


def test_an_empty_delivery_waits_its_turn() -> None:
    """No messages is delivered at once, but not before those ahead."""
    inflight = InFlight(10)
    _sent(inflight, 1, 1)
    _sent(inflight, 2)
    assert inflight.delivered == 0
    inflight.acknowledged(1, 0)
    assert inflight.delivered == 2


def test_messages_of_no_delivery_do_not_move_it_back() -> None:
    """Presence is sent between deliveries and counts as none."""
    inflight = InFlight(10)
    _sent(inflight, 1, 1)
    _sent(inflight, 0, 2)
    inflight.acknowledged(1, 0)
    inflight.acknowledged(2, 0)
    assert (inflight.delivered, len(inflight)) == (1, 0)


def test_it_is_full_by_messages_or_by_bytes() -> None:
    """Either bound stops the next message; one message always fits."""
    inflight = InFlight(2, most_bytes=100)
    _sent(inflight, 1, 1)
    assert not inflight.full
    _sent(inflight, 2, 2)
    assert inflight.full
    inflight.acknowledged(1, 0)
    inflight.acknowledged(2, 0)
    _sent(inflight, 3, 3, size=100)
    assert inflight.full
    inflight.acknowledged(3, 0)
    assert not inflight.full


def test_a_broker_may_narrow_it_and_not_widen_it() -> None:
    """Receive Maximum is the lesser of two wishes."""
    inflight = InFlight(3)
    inflight.narrow(65535)
    inflight.narrow(1)
    _sent(inflight, 1, 1)
    assert inflight.full


def test_progress_is_the_last_acknowledgement_or_the_first_message() -> None:
    """Sending more to a broker that does not answer is no progress."""
    inflight = InFlight(10)
    _sent(inflight, 1, 1, now=5.0)
    _sent(inflight, 2, 2, now=9.0)
    assert inflight.progress == 5.0
    inflight.acknowledged(1, 12.0)
    assert inflight.progress == 12.0


def test_an_acknowledgement_of_nothing_is_told_apart() -> None:
    """A PUBACK nobody waits for moves nothing."""
    inflight = InFlight(10)
    _sent(inflight, 1, 1, now=1.0)
    assert not inflight.acknowledged(7, 3.0)
    assert (inflight.progress, inflight.topic(1), inflight.topic(7)) == (1.0, "t/1", "")


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_delivered_is_what_a_plain_count_says(sizes: list[int], random: object) -> None:
    """Whatever the order of the PUBACKs, delivered is the longest prefix that is complete."""
    inflight = InFlight(1000)
    mids: list[tuple[int, int]] = []
    for seq, size in enumerate(sizes, 1):
        own = [(seq, 100 * seq + i) for i in range(size)]
        _sent(inflight, seq, *(mid for _, mid in own))
        mids += own
    random.shuffle(mids)  # type: ignore[attr-defined]
    missing = list(mids)
    for entry in mids:
        missing.remove(entry)
        inflight.acknowledged(entry[1], 0)
        expected = min((seq for seq, _ in missing), default=len(sizes) + 1) - 1
        assert inflight.delivered == expected


def test_an_answer_takes_room_and_holds_up_no_delivery() -> None:
    """A message that belongs to no delivery counts in the window, and in nothing else."""
    window = InFlight(2)
    window.begin(1)
    window.sent(1, "t", 10, 0.0)
    window.sent_alone(2, "answer", 10, 0.0)
    assert window.full
    assert window.topic(2) == "answer"
    window.end()
    assert window.acknowledged(1, 1.0)
    assert window.delivered == 1
    assert len(window) == 1
    assert window.acknowledged(2, 2.0)
    assert (len(window), window.delivered) == (0, 1)
