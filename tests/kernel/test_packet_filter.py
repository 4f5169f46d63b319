"""The filter of frames, run by the system on a pair of sockets that needs no right."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from gateway.kernel.packet_filter import frame_filter
from gateway.kernel.ring import _attach

TO, FROM = "010ccd040001", "020000000001"
SV = f"{TO}{FROM}88ba4001"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


FRAMES = {
    SV: "plain",
    f"{TO}{FROM}8100c00588ba4001": "tagged",
    f"{TO}{FROM}88ba4002": "appid",
    f"{TO}{FROM}8100c00588ba4002": "tagged appid",
    f"010ccd040002{FROM}88ba4001": "low",
    f"010ccc040001{FROM}88ba4001": "high",
    f"{TO}{FROM}88b84001": "goose",
    f"{TO}{FROM}8100c00588b84001": "tagged goose",
    f"{TO}{FROM}8100c0058100000588ba4001": "two tags",
    f"{TO}{FROM}88ba": "cut",
}


@pytest.mark.parametrize(
    ("rule", "taken"),
    [
        ({}, {"plain", "tagged", "appid", "tagged appid", "low", "high", "cut"}),
        ({"appid": 0x4001}, {"plain", "tagged", "low", "high"}),
        (
            {"destination": bytes.fromhex(TO)},
            {"plain", "tagged", "appid", "tagged appid", "cut"},
        ),
        ({"destination": bytes.fromhex(TO), "appid": 0x4002}, {"appid", "tagged appid"}),
        # No tag was taken off these by the system: to it they are of id 0.
        ({"vlan": 0, "appid": 0x4002}, {"appid", "tagged appid"}),
        ({"vlan": 5}, set()),
    ],
)
def test_what_is_taken(
    rule: dict[str, object], taken: set[str], pair: tuple[socket.socket, socket.socket]
) -> None:
    """By EtherType, destination and APPID, with a tag that was left in the frame and without."""
    ours, theirs = pair
    _attach(theirs, frame_filter(0x88BA, **rule))  # type: ignore[arg-type]
    found = set()
    for octets, name in FRAMES.items():
        frame = bytes.fromhex(octets)
        ours.send(frame)
        with contextlib.suppress(BlockingIOError):
            assert theirs.recv(2000) == frame
            found.add(name)
    assert found == taken
