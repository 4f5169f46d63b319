"""The small parts: proof by ping, the primary host, bdSeq on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from gateway_mqtt.sparkplug.bdseq import FILE, advance
from gateway_mqtt.sparkplug.custody import Custody
from gateway_mqtt.sparkplug.hold import MOST, Hold
from gateway_mqtt.sparkplug.host import PrimaryHost


def test_a_ping_proves_what_went_before_it_and_no_more() -> None:
    """A delivery counts when the ping behind its last message was answered."""
    custody = Custody()
    custody.sending(100)
    custody.sent(1)
    custody.pinged(1, 10.0)
    custody.sending(50)
    custody.sent(2)
    assert (custody.delivered, custody.octets) == (0, 150)
    custody.ponged(1)
    assert (custody.delivered, custody.octets, custody.waiting) == (1, 50, False)
    assert custody.unproved
    custody.pinged(2, 11.0)
    custody.ponged(2)
    assert (custody.delivered, custody.octets, custody.unproved) == (2, 0, False)


def test_a_ping_in_the_middle_of_a_delivery_does_not_count_it() -> None:
    """What frees the window is not yet a delivery."""
    custody = Custody()
    custody.sending(100)
    custody.pinged(1, 0.0)
    custody.sending(100)
    custody.sent(1)
    custody.ponged(1)
    assert (custody.delivered, custody.octets) == (0, 100)


def test_pings_of_the_keep_alive_are_in_between() -> None:
    """Numbers that were never noted prove as much as the note before them."""
    custody = Custody()
    custody.ponged(1)
    custody.sending(10)
    custody.sent(4)
    custody.pinged(3, 5.0)
    assert custody.pinged_at == 5.0
    custody.ponged(2)
    assert custody.delivered == 0
    custody.ponged(4)
    assert custody.delivered == 4


def test_a_delivery_without_messages_is_proved_too() -> None:
    """All of its samples may have been in a birth."""
    custody = Custody()
    custody.sent(1)
    assert custody.unproved
    custody.pinged(1, 0.0)
    custody.ponged(1)
    assert (custody.delivered, custody.octets) == (1, 0)


def test_what_is_proved_is_held_and_then_reported() -> None:
    """Each delivery for its time, in order; everything at an orderly end."""
    hold = Hold(10.0, 1000)
    for seq in (1, 2, 3):
        hold.take(seq, 5)
    assert hold.release(0.0) == 0
    hold.prove(1, 100.0)
    hold.prove(2, 104.0)
    assert [hold.release(now) for now in (109.0, 110.0, 113.0, 114.0)] == [0, 1, 0, 2]
    hold.prove(3, 120.0)
    assert hold.release(120.0, everything=True) == 3
    assert hold.shortened == 0


def test_live_samples_never_wait_for_what_is_held() -> None:
    """Beyond its room, in samples or in deliveries, the oldest go early, and that is counted."""
    hold = Hold(10.0, 100)
    hold.take(1, 60)
    hold.take(2, 60)
    hold.prove(2, 0.0)
    assert (hold.release(0.0), hold.shortened) == (1, 1)
    hold = Hold(10.0, 10**6)
    for seq in range(1, MOST + 2):
        hold.take(seq, 1)
    hold.prove(MOST + 1, 0.0)
    assert (hold.release(0.0), hold.shortened) == (1, 1)


def test_bdseq_goes_round_and_survives(tmp_path: Path) -> None:
    """0 first, one more each time, 0 after 255; the file is what remembers."""
    assert [advance(tmp_path) for _ in range(258)] == [*range(256), 0, 1]
    assert (tmp_path / FILE).read_text() == "1\n"


def test_a_file_of_something_else_begins_anew(tmp_path: Path) -> None:
    """A file cut short by a full disk is no reason never to connect again."""
    (tmp_path / FILE).write_text("")
    assert advance(tmp_path) == 0


def _state(online: str, timestamp: str) -> bytes:
    return f'{{"online": {online}, "timestamp": {timestamp}}}'.encode()


def test_the_host_is_what_its_newest_state_says() -> None:
    """Clause 5.4: a time that is not less than the last one counts, an older one does not."""
    host = PrimaryHost()
    assert not host.online
    assert host.hear(_state("true", "1000"))
    assert host.online
    assert not host.hear(_state("false", "999"))
    assert host.online
    assert host.hear(_state("false", "1000"))
    assert not host.online
    assert host.hear(_state("true", "1001"))
    assert host.online


@pytest.mark.parametrize(
    "octets",
    [
        b"ONLINE",
        b"",
        b"\xff",
        b"[]",
        _state('"true"', "1"),
        _state("1", "1"),
        _state("true", '"1"'),
        _state("true", "-1"),
        b'{"online": true}',
    ],
)
def test_a_state_that_cannot_be_read_changes_nothing(octets: bytes) -> None:
    """Sparkplug 2.2 said ONLINE without a time; that, too, is refused with what is allowed."""
    host = PrimaryHost()
    with pytest.raises(ValueError, match=r'allowed is \{"online": true or false, "timestamp"'):
        host.hear(octets)
    assert not host.online
