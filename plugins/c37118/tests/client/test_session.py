"""When a session asks for what, on a clock that the test moves."""

from __future__ import annotations

import pytest
from gateway_c37118.client.session import Manners, Session

from gateway import LinkError
from gateway.c37118 import Command, FrameKind

OFF, ON = Command.STOP, Command.START
TWO, THREE = Command.SEND_CONFIG_2, Command.SEND_CONFIG_3
FIRST_3 = (FrameKind.CONFIG_3, FrameKind.CONFIG_2)


def elapse(session: Session, now: float) -> list[tuple[float, Command]]:
    """Let time pass up to now; return what was sent, and when."""
    sent = []
    while session.deadline <= now:
        at = session.deadline
        session.tick(at)
        sent += [(at, command) for command in session.outgoing()]
    return sent


def streaming(manners: Manners, rate: int = 50) -> Session:
    """A session whose first data came at 1 s."""
    session = Session(manners, 0.0)
    elapse(session, 0.5)
    session.configured(manners.kinds[0], rate, 0.5)
    session.data(False, 1.0)
    session.outgoing()
    return session


def test_begin() -> None:
    """Off; 0.1 s later the configuration is asked for, and when it is there, data: on."""
    session = Session(Manners(), 10.0)
    assert session.outgoing() == [OFF]
    assert elapse(session, 11.0) == [(10.1, TWO)]
    session.configured(FrameKind.CONFIG_2, 50, 11.0)
    assert session.outgoing() == [ON]
    assert elapse(session, 15.9) == []


def test_header_first() -> None:
    """The header frame is asked for before the configuration, and not waited for."""
    session = Session(Manners(header=True), 0.0)
    session.outgoing()
    sent = elapse(session, 1.0)
    assert [command for _, command in sent] == [Command.SEND_HEADER, TWO]


def test_every_kind_is_asked_for_as_often_as_said() -> None:
    """Configuration 3 three times, each 2 s; then 2; then the link breaks."""
    session = Session(Manners(kinds=FIRST_3, timeout=2.0, attempts=3), 0.0)
    session.outgoing()
    sent = elapse(session, 12.0)
    assert [command for _, command in sent] == [THREE] * 3 + [TWO] * 3
    assert [at for at, _ in sent] == pytest.approx([0.1, 2.1, 4.1, 6.1, 8.1, 10.1])
    with pytest.raises(LinkError, match="neither CFG-3 nor CFG-2, asked for 3 times each, 2 s"):
        elapse(session, 13.0)
    assert session.timeouts == 6


def test_one_that_cannot_be_read_is_not_asked_for_again() -> None:
    """The other kind is, at once."""
    session = Session(Manners(kinds=FIRST_3), 0.0)
    elapse(session, 0.2)
    session.unreadable(0.2)
    assert [command for _, command in elapse(session, 0.4)] == [TWO]


def test_no_data_after_on() -> None:
    """It is said again once, then the link breaks."""
    session = Session(Manners(timeout=3.0), 0.0)
    elapse(session, 0.2)
    session.configured(FrameKind.CONFIG_2, 50, 0.2)
    assert session.outgoing() == [ON]
    assert elapse(session, 6.0) == [(pytest.approx(3.2), ON)]
    with pytest.raises(LinkError, match="it sends no data after it was turned on"):
        elapse(session, 6.3)


@pytest.mark.parametrize(
    ("rate", "silence"),
    [(50, 2.0), (1, 5.0), (-4, 20.0)],  # five frames: 0.1 s, 5 s, 20 s; never below 2 s
)
def test_silence(rate: int, silence: float) -> None:
    """Data are missing after five frames, and 2 s."""
    session = streaming(Manners(), rate)
    session.data(False, 3.0)
    elapse(session, 3.0 + silence - 0.01)
    with pytest.raises(LinkError, match=f"no data for {silence:g} s"):
        elapse(session, 3.0 + silence)


def test_silence_that_is_configured() -> None:
    """`silence` counts, whatever the rate."""
    session = streaming(Manners(silence=0.5), -10)
    with pytest.raises(LinkError, match=r"no data for 0\.5 s"):
        elapse(session, 1.5)


def test_a_change_is_asked_for_when_it_begins_and_when_it_is_done() -> None:
    """Bit 10 is set for a minute and cleared when the change is effective (table 7)."""
    session = streaming(Manners(timeout=60.0))
    asked = []
    for second in range(2, 120):
        session.data(20 <= second < 80, float(second))
        for command in session.outgoing():
            asked.append((second, command))
            session.configured(FrameKind.CONFIG_2, 50, float(second))
    assert asked == [(20, TWO), (80, TWO)]


def test_no_answer_beside_the_data() -> None:
    """It is asked for twice; the data go on."""
    session = streaming(Manners(timeout=1.0, silence=60.0))
    session.ask(2.0)
    assert session.outgoing() == [TWO]
    session.ask(2.5)  # under way already
    assert elapse(session, 50.0) == [(3.0, TWO)]
    assert session.timeouts == 2
    session.ask(51.0)
    assert session.outgoing() == [TWO]


def test_only_the_kind_that_counts_is_taken() -> None:
    """Where both are sent, the preferred one counts; without it, the other."""
    session = Session(Manners(commands=False, kinds=FIRST_3), 0.0)
    assert session.takes(FrameKind.CONFIG_2)
    session.configured(FrameKind.CONFIG_2, 50, 1.0)
    assert session.takes(FrameKind.CONFIG_2)
    assert session.takes(FrameKind.CONFIG_3)
    session.configured(FrameKind.CONFIG_3, 50, 1.0)
    assert not session.takes(FrameKind.CONFIG_2)
    assert session.takes(FrameKind.CONFIG_3)


def test_without_commands_nothing_is_sent() -> None:
    """Neither at the start, nor when STAT announces a change."""
    session = Session(Manners(commands=False), 0.0)
    assert session.outgoing() == []
    assert elapse(session, 80.0) == []
    session.configured(FrameKind.CONFIG_2, 50, 80.0)
    session.data(True, 81.0)
    assert session.outgoing() == []
    with pytest.raises(LinkError, match="no data for 2 s"):
        elapse(session, 83.0)


def test_a_configuration_twice_is_one() -> None:
    """Where two answers come, data are turned on once, and are not waited for any longer."""
    session = Session(Manners(timeout=3.0, attempts=1), 0.0)
    elapse(session, 0.2)
    session.outgoing()
    for now in (0.5, 1.0, 3.0):
        session.configured(FrameKind.CONFIG_2, 50, now)
    assert session.outgoing() == [ON]
    with pytest.raises(LinkError, match="it sends no data"):
        elapse(session, 3.5)


def test_a_slow_stream_is_waited_for() -> None:
    """With a frame every 10 s, the first data are missing after 50 s, not after the time-out."""
    session = Session(Manners(timeout=3.0, attempts=1), 0.0)
    elapse(session, 0.2)
    session.configured(FrameKind.CONFIG_2, -10, 0.2)
    elapse(session, 50.1)
    with pytest.raises(LinkError, match="it sends no data"):
        elapse(session, 50.2)
