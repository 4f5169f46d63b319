"""What `gateway check` says of the YAML and the columns, before anything connects."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_c37118.client.point import C37Point
from gateway_c37118.client.source import C37Client
from gateway_c37118.item import Group, Item, parse_item
from pydantic import ValidationError

from gateway import Definition, Kind, LinkPoint


def source(**more: Any) -> C37Client:
    return C37Client.model_validate({"name": "pmu", "idcode": 7} | more)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "transport tcp needs host"),
        ({"transport": "udp"}, "transport udp needs host"),
        ({"transport": "spontaneous", "host": "h"}, "transport spontaneous has no host"),
        ({"transport": "spontaneous", "port": 4713}, "transport spontaneous has no port, but list"),
        ({"host": "h", "listen": "0.0.0.0:4713"}, "transport tcp has neither listen nor allow"),
        ({"host": "h", "allow": ["10.0.0.1"]}, "transport tcp has neither listen nor allow"),
        ({"host": "h", "transport": "udp", "group": "239.0.0.1"}, "group needs transport spon"),
        ({"transport": "spontaneous", "group": "10.0.0.1"}, "found 10.0.0.1, allowed: 224.0.0.0"),
        ({"transport": "spontaneous", "interface": "eth0"}, "interface needs group"),
        ({"transport": "spontaneous", "allow": ["10.0.0.300"]}, "a network is 10.0.0.0/24"),
        ({"transport": "spontaneous", "timeout": "1s"}, "transport spontaneous has no timeout"),
        ({"host": "h", "transport": "udp", "tls": {}}, "found tls with transport udp, allowed"),
        ({"host": "h", "announce": "1s"}, "transport tcp has no announce"),
        ({"host": "h", "idcode": 0}, "greater than or equal to 1"),
        ({"host": "h", "configuration": 1}, "Input should be 2 or 3"),
        ({"transport": "udp", "host": "h", "listen": "name:1"}, "'name' does not appear to be"),
    ],
)
def test_fields_that_make_no_sense(given: dict[str, Any], sentence: str) -> None:
    """Each is refused with a sentence."""
    with pytest.raises(ValidationError, match=sentence.replace(".", r"\.")):
        source(**given)


@pytest.mark.parametrize(
    ("given", "route"),
    [
        ({"host": "h"}, ("h", 4712, True, None)),
        ({"host": "h", "transport": "udp"}, ("h", 4713, False, ("0.0.0.0", 0))),
        ({"host": "::1", "transport": "udp"}, ("::1", 4713, False, ("::", 0))),
        ({"host": "h", "transport": "tcp-udp"}, ("h", 4712, True, ("0.0.0.0", 4713))),
        ({"transport": "spontaneous"}, (None, 4713, False, ("0.0.0.0", 4713))),
        (
            {"transport": "spontaneous", "group": "ff15::1", "listen": "[::]:9"},
            (None, 4713, False, ("::", 9)),
        ),
    ],
)
def test_ports(given: dict[str, Any], route: tuple[Any, ...]) -> None:
    """4712 for TCP and 4713 for UDP, as annex E has them, unless it is said otherwise."""
    found = source(**given).route
    assert (found.host, found.port, found.tcp, found.listen) == route


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("frequency", Item(Group.FREQUENCY)),
        ("rocof", Item(Group.ROCOF)),
        ("phasor/VA/magnitude", Item(Group.PHASOR, "VA", "magnitude")),
        ("phasor/BUS 1/VA/angle", Item(Group.PHASOR, "BUS 1/VA", "angle")),
        ("phasor/3/imaginary", Item(Group.PHASOR, "3", "imaginary")),
        ("analog/P/MW", Item(Group.ANALOG, "P/MW")),
        ("digital/2/15", Item(Group.DIGITAL, "2/15")),
        ("digital/52A", Item(Group.DIGITAL, "52A")),
        ("stat/trigger_reason", Item(Group.STAT, part="trigger_reason")),
        ("time/quality", Item(Group.TIME, part="quality")),
    ],
)
def test_items(text: str, item: Item) -> None:
    """Names are as the device has them, slashes and all."""
    assert parse_item(text) == item


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("freq", "found 'freq', allowed: frequency, rocof, phasor, analog, digital, stat, time"),
        ("frequency/1", "found '/1' after 'frequency', allowed: nothing more"),
        ("phasor/VA", "found 'phasor/VA', allowed: phasor/NAME/PART"),
        ("phasor/VA/phase", "a part of magnitude, angle, real, imaginary"),
        ("phasor//angle", "found 'phasor//angle', allowed: phasor/NAME/PART"),
        ("analog/", "found 'analog/', allowed: analog/NAME"),
        ("digital/0/3", "allowed: digital/WORD/BIT, words from 1, bits 0..15"),
        ("digital/1/16", "allowed: digital/WORD/BIT, words from 1, bits 0..15"),
        ("stat/sync", "found 'sync' after 'stat/', allowed: word, data_error, not_synchronised"),
        ("time", "found '' after 'time/', allowed: quality, leap_second_pending"),
    ],
)
def test_items_that_are_none(text: str, sentence: str) -> None:
    """Each is refused with what is allowed."""
    with pytest.raises(ValidationError) as error:
        C37Point(item=text)
    assert sentence in str(error.value)


def row(number: int, item: str, kind: Kind = Kind.ANALOG, pmu: str | None = None) -> LinkPoint:
    return LinkPoint(number, Definition(f"p{number}", kind), C37Point(item=item, pmu=pmu))


def test_rows_that_make_no_sense_together() -> None:
    """One item twice, and items of a kind that cannot hold them."""
    points = [
        row(0, "frequency"),
        row(1, "frequency"),
        row(2, "frequency", pmu="9"),
        row(3, "phasor/VA/angle", Kind.STATUS),
        row(4, "digital/1/0", Kind.STATUS),
        row(5, "digital/1/1", Kind.DOUBLE),
        row(6, "stat/trigger", Kind.STATUS),
        row(7, "stat/trigger_reason", Kind.STATUS),
        row(8, "stat/trigger_reason", Kind.ANALOG, "9"),
        row(9, "analog/1", Kind.COUNTER),
    ]
    found = [(point.name, sentence) for point, _, sentence in source(host="h").check_points(points)]
    assert found == [
        ("p1", "found 'frequency', which already is p0"),
        ("p3", "found 'phasor/VA/angle' of a point of kind status, allowed: analog"),
        ("p5", "found 'digital/1/1' of a point of kind double, allowed: status, analog"),
        ("p7", "found 'stat/trigger_reason' of a point of kind status, allowed: analog"),
        ("p9", "found 'analog/1' of a point of kind counter, allowed: analog"),
    ]
