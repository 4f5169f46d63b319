"""What `gateway check` says of the rows and fields of a controlled station."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.controlled.point import Iec60870ServerPoint
from gateway_iec60870.iec104.server import Iec104Server
from pydantic import ValidationError

from gateway import Kind, LinkPoint

sys.path.insert(0, str(Path(__file__).parent))
from controlled_bench import point

LATCH, SETPOINT = {"model": "latch"}, {"model": "setpoint"}
HELD = SETPOINT | {"select": "local"}
FILES = {"certificate": "a.pem", "key": "a.key"}


def link(**fields: Any) -> Iec104Server:
    given = {"name": "scada", "type": "iec104.server", "listen": "127.0.0.1:2404", "ca": 1}
    return Iec104Server.model_validate(given | fields)


def faults(*points: LinkPoint, **fields: Any) -> list[tuple[str, str, str]]:
    found = link(**fields).check_points(points)
    return [(one.name, field, sentence) for one, field, sentence in found]


def test_good_rows() -> None:
    """Nothing is wrong with these."""
    points = [
        point(0, ioa=1, group=16),
        point(1, "double", {"model": "trip_close"}, ioa=1, ca=2),
        point(2, "analog", SETPOINT, ioa=2, type="scaled", scale=10),
        point(3, "counter", ioa=3, counter_group=4),
        point(4, "status", {"model": "pulse", "on_time": "1s"}, ioa=4, long_pulse="2s"),
        point(5, "status", LATCH, ioa=5, control_ioa=1, control_type="step"),
        point(6, "analog", SETPOINT, control_ioa=6),
        point(7, "analog", SETPOINT, ioa=7, type="bitstring"),
    ]
    assert faults(*points) == []


@pytest.mark.parametrize(
    ("points", "fault"),
    [
        (
            [point(0, ioa=1), point(1, "analog", ioa=1)],
            ("p1", "ioa", "object 1 of station 1 is p0 already"),
        ),
        (
            [point(0, ioa=1), point(1, ioa=1, ca=1)],
            ("p1", "ioa", "object 1 of station 1 is p0 already"),
        ),
        (
            [point(0, "status", LATCH, ioa=1), point(1, "status", LATCH, ioa=2, control_ioa=1)],
            ("p1", "control_ioa", "object 1 of station 1 commands p0 already"),
        ),
        (
            [point(0, ioa=1, type="float")],
            ("p0", "type", "a float cannot show a point of kind status; single, double can"),
        ),
        (
            [point(0, "analog", ioa=1, type="single")],
            (
                "p0",
                "type",
                "a single cannot show a point of kind analog; "
                "step, bitstring, normalised, scaled, float, totals can",
            ),
        ),
        (
            [point(0, ioa=1, control_ioa=2)],
            ("p0", "control_ioa", "control_ioa commands a point, and command.model is empty"),
        ),
        (
            [point(0, ioa=1, control_type="single")],
            ("p0", "control_type", "control_type commands a point, and command.model is empty"),
        ),
        (
            [point(0, "status", LATCH, ioa=1, control_type="float")],
            (
                "p0",
                "control_type",
                "a float command cannot be of a point of kind status; single, double, step can",
            ),
        ),
        (
            [point(0, "analog", SETPOINT, ioa=1, control_type="double")],
            (
                "p0",
                "control_type",
                "a double command cannot be of a point of kind analog; "
                "normalised, scaled, float, bitstring can",
            ),
        ),
        (
            [point(0, "status", LATCH, ioa=1, long_pulse="1s")],
            ("p0", "long_pulse", "a long_pulse is of command.model pulse"),
        ),
        (
            [point(0, "counter", ioa=1, group=1)],
            ("p0", "group", "totals have a counter_group: no station interrogation shows them"),
        ),
        (
            [point(0, ioa=1, counter_group=1)],
            ("p0", "counter_group", "a counter_group is of totals, not of a single"),
        ),
        (
            [point(0, "counter", ioa=1, cycle="1s")],
            ("p0", "cycle", "totals are not sent in cycles: interrogate them"),
        ),
        (
            [point(0, ioa=1, scale=2)],
            ("p0", "scale", "a point of kind status has no scale"),
        ),
        (
            [point(0, ca=2)],
            ("p0", "ioa", "no object address: without it a point is a command's, at control_ioa"),
        ),
        (
            [point(0, "status", LATCH, ca=2)],
            ("p0", "ioa", "no object address: without it a point is a command's, at control_ioa"),
        ),
        (
            [point(0, "status", LATCH, control_ioa=1), point(1, "status", LATCH, ioa=1)],
            ("p1", "ioa", "object 1 of station 1 commands p0 already"),
        ),
        (
            [point(0, "status", LATCH, control_ioa=1, group=2)],
            ("p0", "group", "only a point with an ioa has it"),
        ),
        (
            [point(0, "analog", HELD, ioa=1, type="bitstring")],
            ("p0", "type", "a bitstring cannot be selected: not with command.select local"),
        ),
        (
            [point(0, "analog", HELD, ioa=1, control_type="bitstring")],
            ("p0", "control_type", "a bitstring cannot be selected: not with command.select local"),
        ),
    ],
)
def test_rows_that_cannot_be(points: list[LinkPoint], fault: tuple[str, str, str]) -> None:
    """One sentence each, at its cell: what was found and what is allowed."""
    assert faults(*points) == [fault]


def test_addresses_fit_their_octets() -> None:
    """Two octets of object address, one of common address, of which the highest is for all."""
    points = [point(0, ioa=65535, ca=254), point(1, ioa=65536), point(2, ioa=1, ca=255)]
    assert faults(*points, ioa_octets=2, ca_octets=1) == [
        ("p1", "ioa", "found 65536, allowed: 1 to 65535, by the octets of the link"),
        ("p2", "ca", "found 255, allowed: 1 to 254, by the octets of the link"),
    ]


def test_no_common_address() -> None:
    """It stands in the row or at the link."""
    missing = ("p0", "ca", "no common address: name it here, or for the link")
    assert faults(point(0, ioa=1), point(1, ioa=1, ca=2), ca=None) == [missing]


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_type(kind: Kind) -> None:
    """A row with an address alone is enough."""
    assert faults(point(0, kind.value, ioa=1)) == []


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ({"ioa": 0}, "greater than or equal to 1"),
        ({"ioa": 1 << 24}, "less than or equal to 16777215"),
        ({"ioa": 1, "ca": 65535}, "less than or equal to 65534"),
        ({"ioa": 1, "group": 17}, "less than or equal to 16"),
        ({"ioa": 1, "scale": 0}, "scale 0 leaves nothing to divide by"),
        ({"ioa": 1, "type": "triple"}, "'single', 'double', 'step'"),
    ],
)
def test_cells_that_cannot_be(address: dict[str, Any], why: str) -> None:
    """A cell that is wrong by itself."""
    with pytest.raises(ValidationError, match=why):
        Iec60870ServerPoint.model_validate(address)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"time_zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"ca": 255, "ca_octets": 1}, "found ca 255, allowed with ca_octets 1: 1 to 254"),
        ({"t2": "15s"}, "found t2 15 s, allowed: below t1"),
        ({"w": 13}, "found w 13, allowed: 1 to 12"),
        ({"clients": ["10.0.0.1/8"]}, "a network is 10.0.0.0/24 or 10.0.0.11"),
        ({"fingerprints": ["ab"]}, "found 'ab', allowed: 64 hexadecimal digits"),
        ({"fingerprints": ["ab" * 32]}, "fingerprints are of certificates: they need tls"),
        ({"fingerprints": ["ab" * 32], "tls": FILES}, "fingerprints need tls.ca"),
        ({"background": "0s"}, "background 0s: give a period, or never"),
    ],
)
def test_fields_that_cannot_be(fields: dict[str, Any], why: str) -> None:
    """A link that cannot be says why before anything connects."""
    with pytest.raises(ValidationError, match=why):
        link(**fields)


def test_fingerprints_are_taken_as_they_are_printed() -> None:
    """With colons and capitals, as openssl prints them."""
    one = link(tls=FILES | {"ca": "ca.pem"}, fingerprints=[":".join(["AB"] * 32)])
    assert one.fingerprints == ("ab" * 32,)
