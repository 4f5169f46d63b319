"""The edge node as a state machine: births, deaths and history, without a broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from gateway_mqtt.sparkplug.node import LULL, SETTLING, Message, Node
from gateway_mqtt.sparkplug.octets import read
from gateway_mqtt.sparkplug.tree import Devices, Names, tree

from gateway import Batch, Definition, Image, LinkPoint

SECOND = 1_000_000_000
T = 1_700_000_000 * SECOND
LOST = 0x81
"""Invalid, oldData: what the host makes of the points of a link that broke."""
POINTS = [
    LinkPoint(0, Definition("a.one", source="a"), None),
    LinkPoint(1, Definition("a.two", source="a"), None),
    LinkPoint(2, Definition("b.one", source="b"), None),
    LinkPoint(3, Definition("_health.x"), None),
]


class Bench:
    """A node with an image and a clock that a test sets."""

    def __init__(self, most: int = 128_000) -> None:
        self.image = Image(np.full(4, np.nan), np.full(4, LOST, np.uint16), np.zeros(4, np.int64))
        self.now = T
        self.clock = 100.0
        self.counted: Counter[str] = Counter()
        self.node = Node(
            "g",
            "n",
            tree(POINTS, Devices.SOURCE, Names.NAME),
            self.image,
            5,
            most,
            lambda: self.now,
            lambda: self.clock,
            lambda what, n=1: self.counted.update({what: n}),
        )

    def hold(self, point: int, value: float, quality: int = 0, time: int = T) -> None:
        self.image.value[point] = value
        self.image.quality[point] = quality
        self.image.time[point] = time

    def births(self) -> list[Any]:
        return said(self.node.births())

    def live(self, *rows: tuple[int, float, int, int]) -> list[Any]:
        """Take samples into the image, as the host does, and deliver them."""
        for row in rows:
            self.hold(*row)
        return said(self.node.deliver(_batch(rows), historical=False))

    def old(self, *rows: tuple[int, float, int, int]) -> list[Any]:
        return said(self.node.deliver(_batch(rows), historical=True))


def _batch(rows: Iterable[tuple[int, float, int, int]]) -> Batch:
    points, values, qualities, times = zip(*rows, strict=True)
    return Batch.of(points, values, qualities, times)


def said(messages: Iterable[Message | None]) -> list[Any]:
    """Return kind, device and values of messages; historical values in a tuple with True."""
    found = []
    for message in messages:
        if message is None:
            continue
        device = message.topic.removeprefix(f"spBv1.0/g/{message.kind}/n").removeprefix("/")
        metrics = [m for m in read(message.payload).metrics if m.alias is not None]
        values = [(m.raw, True) if m.is_historical else m.raw for m in metrics]
        found.append((message.kind, device, values))
    return found


def test_only_devices_that_are_there_are_born() -> None:
    """At the start nothing has answered: the node alone; a device follows with its first sample."""
    at = Bench()
    assert at.births() == [("NBIRTH", "", [None])]
    assert at.live((0, 1.0, 0, T)) == [("DBIRTH", "a", [1.0, None])]
    assert at.live((0, 2.0, 0, T + 1)) == [("DDATA", "a", [2.0])]
    assert at.node.alive == 1
    assert at.counted["in_birth"] == 1


def test_a_device_dies_when_all_its_points_are_lost() -> None:
    """One lost point is bad quality; all of them are DDEATH, behind the data that says so."""
    at = Bench()
    at.hold(0, 1.0)
    at.hold(1, 2.0)
    at.hold(2, 9.0)
    assert [kind for kind, *_ in at.births()] == ["NBIRTH", "DBIRTH", "DBIRTH"]
    assert at.live((0, 1.0, LOST, T + 1)) == [("DDATA", "a", [1.0])]
    assert at.live((1, 2.0, LOST, T + 2)) == [("DDATA", "a", [2.0]), ("DDEATH", "a", [])]
    assert at.live((1, 2.0, LOST, T + 3)) == []
    assert at.counted["in_death"] == 1
    assert at.live((2, 8.0, 0, T + 4)) == [("DDATA", "b", [8.0])]
    assert at.live((0, 3.0, 0, T + 5)) == [("DBIRTH", "a", [2.0, 3.0])]


def test_what_is_older_than_the_birth_is_history() -> None:
    """Samples that waited while the birth took newer ones do not set the present back."""
    at = Bench()
    at.hold(0, 3.0, 0, T + 3)
    at.births()
    found = said(
        at.node.deliver(_batch([(0, 1.0, 0, T + 1), (0, 3.0, 0, T + 3)]), historical=False)
    )
    assert found == [("DDATA", "a", [(1.0, True)])]
    assert at.live((0, 4.0, 0, T + 4)) == [("DDATA", "a", [4.0])]
    # The clock of the device was put back: from here on its time counts.
    assert at.live((0, 5.0, 0, T + 2)) == [("DDATA", "a", [5.0])]


def test_a_clock_put_back_at_the_birth_is_not_history_for_ever() -> None:
    """A minute behind the birth its time no longer says what is old."""
    at = Bench()
    at.hold(0, 3.0, 0, T + 3600 * SECOND)
    at.births()
    assert at.live((0, 4.0, 0, T + 4)) == [("DDATA", "a", [(4.0, True)])]
    at.clock += SETTLING + 1
    assert at.live((0, 5.0, 0, T + 5)) == [("DDATA", "a", [5.0])]


def test_time_that_goes_back_within_a_delivery_starts_a_message() -> None:
    """In a message times go up; the last sample of a point stays the last one said."""
    at = Bench()
    at.hold(0, 0.0, 0, T)
    at.births()
    found = at.live((0, 1.0, 0, T + 5), (1, 7.0, 0, T + 3), (0, 2.0, 0, T + 2))
    assert found == [("DDATA", "a", [7.0, 1.0]), ("DDATA", "a", [2.0])]


def test_history_of_a_device_that_is_gone_has_a_birth_and_a_death() -> None:
    """Data without a birth means nothing to a host: it is born, told, and dies when it is over."""
    at = Bench()
    at.hold(0, 1.0, LOST)
    at.births()
    assert at.old((0, 0.5, 0, T - 5)) == [
        ("DBIRTH", "a", [1.0, None]),
        ("DDATA", "a", [(0.5, True)]),
    ]
    assert at.old((0, 0.6, 0, T - 4)) == [("DDATA", "a", [(0.6, True)])]
    assert said(at.node.overdue()) == []
    at.clock += LULL + 1
    assert said(at.node.overdue()) == [("DDEATH", "a", [])]
    assert said(at.node.overdue()) == []


def test_a_device_that_comes_back_during_its_history_lives_on() -> None:
    """What was born for its history is not buried when it answers meanwhile."""
    at = Bench()
    at.hold(0, 1.0, LOST)
    at.births()
    at.old((0, 0.5, 0, T - 5))
    assert at.live((0, 2.0, 0, T + 1)) == [("DDATA", "a", [2.0])]
    at.clock += LULL + 1
    assert said(at.node.overdue()) == []
    assert at.node.alive == 1


def test_old_life_before_the_news_of_its_death() -> None:
    """The link broke before the session began: what was queued is told, and the death follows."""
    at = Bench()
    at.hold(0, 2.0, LOST, T + 2)
    at.hold(1, 0.0, LOST, T + 2)
    at.births()
    found = said(
        at.node.deliver(
            _batch([(0, 1.0, 0, T), (0, 2.0, 0, T + 1), (0, 2.0, LOST, T + 2)]), historical=False
        )
    )
    assert found == [
        ("DBIRTH", "a", [2.0, 0.0]),
        ("DDATA", "a", [(1.0, True), (2.0, True)]),
        ("DDEATH", "a", []),
    ]


def test_the_sequence_goes_over_all_messages() -> None:
    """Clause 6.4.5: 0 in NBIRTH, up by one in whatever follows, 0 behind 255, NDEATH without."""
    at = Bench()
    at.hold(0, 0.0)
    numbers = [read(m.payload).seq for m in at.node.births() if m]
    for step in range(1, 300):
        batch = _batch([(0, step, 0, T + step)])
        numbers += [read(m.payload).seq for m in at.node.deliver(batch, historical=False) if m]
    assert numbers == [number % 256 for number in range(len(numbers))]
    assert len(numbers) == 301
    assert read(at.node.death().payload).seq is None
    assert [read(m.payload).seq for m in at.node.births() if m] == [0, 1]


def test_messages_are_cut_to_size() -> None:
    """As many rows to a message as its octets allow, and one at the least."""
    at = Bench(most=400)
    at.hold(0, 0.0)
    at.births()
    batch = _batch([(0, i, 0, T + i) for i in range(1, 101)])
    found = [m for m in at.node.deliver(batch, historical=False) if m]
    assert sum(m.rows for m in found) == 100
    assert max(len(m.payload) + len(m.topic) for m in found) <= 400
    assert len(found) == 7


def test_a_birth_of_many_metrics_gives_others_their_turn() -> None:
    """A pause comes at least every 500 metrics."""
    points = [LinkPoint(i, Definition(f"p{i}", source="s"), None) for i in range(2000)]
    image = Image(np.ones(2000), np.zeros(2000, np.uint16), np.full(2000, T))
    devices = tree(points, Devices.SOURCE, Names.NAME)
    node = Node("g", "n", devices, image, 0, 10**6, lambda: T, lambda: 1.0, lambda what, n=1: None)
    found = list(node.births())
    assert [m.kind if m else None for m in found] == ["NBIRTH", *[None] * 4, "DBIRTH"]


@pytest.mark.parametrize("quality", [0x0041, 0x0003, 0x1083, 0x0083])
def test_bad_is_not_dead(quality: int) -> None:
    """Who answers nonsense is there: only invalid and old together mean that nobody is."""
    at = Bench()
    at.hold(0, 1.0)
    at.births()
    assert at.live((0, 1.0, quality, T + 1), (1, 1.0, quality, T + 1)) == [
        ("DDATA", "a", [1.0, 1.0])
    ]
