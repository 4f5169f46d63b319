"""What clients may send to a slave: anything."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from typing import Any

import numpy as np
from gateway_modbus import frame
from gateway_modbus.bank import Bank, Place, WhenInvalid
from gateway_modbus.listener import Client, Framing, Listener
from gateway_modbus.register import Order, RegisterType, Table
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import Image


class Wire(asyncio.Transport):
    """Remembers what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.aborted = False

    def write(self, data: Any) -> None:
        self.sent += bytes(data)

    def abort(self) -> None:
        self.aborted = True


class Door:
    """What the listener needs of a context."""

    tracing = False
    log = logging.getLogger("test")

    def count(self, what: str, n: int = 1) -> None:
        pass


def bank() -> Bank:
    image = Image(
        np.array([1.5, np.nan, -7.0]), np.array([0, 129, 0], np.uint16), np.zeros(3, np.int64)
    )
    places = [
        Place(0, "a", 1, Table.HOLDING, 0, RegisterType.FLOAT32, Order.ABCD, 0, 1.0, 0.0),
        Place(1, "b", 1, Table.HOLDING, 65534, RegisterType.INT32, Order.BADC, 0, 0.1, 5.0),
        Place(2, "c", 1, Table.COIL, 3, RegisterType.BIT, Order.ABCD, 0, 1.0, 0.0),
    ]
    return Bank(places, image, WhenInvalid.SENTINEL, silent=False, count=lambda what: None)


async def feed(packets: list[bytes], framing: Framing) -> Wire:
    client = Client(Listener(Door(), bank(), framing=framing))  # type: ignore[arg-type]
    wire = Wire()
    client.connection_made(wire)
    for packet in packets:
        if not wire.aborted:
            client.data_received(packet)
    client.connection_lost(None)
    return wire


request = st.builds(
    lambda unit, function, rest: frame.mbap(7, unit, bytes((function,)) + rest),
    st.sampled_from([0, 1, 2, 255]),
    st.integers(0, 255),
    st.one_of(st.binary(max_size=12), st.sampled_from([b"\0\0\0\x02", b"\xff\xfe\0\x02"])),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.binary(min_size=1, max_size=300), request), max_size=5))
def test_any_bytes(packets: list[bytes]) -> None:
    """Whatever a client sends, it gets whole frames, each data or an exception, or is dropped."""
    sent = asyncio.run(feed(packets, Framing.MBAP)).sent

    while sent:
        length = frame.frame_length(sent)
        assert 0 < length <= len(sent)
        one, sent = sent[:length], sent[length:]
        if one[7] & 0x80:
            assert len(one) == 9
            assert one[8] in (1, 2, 3, 4, 11)
        else:
            assert one[7] in (1, 3)
            assert len(one) == 9 + one[8]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=16), max_size=3))
def test_any_serial_bytes(packets: list[bytes]) -> None:
    """Serial noise gets no answer at all, but for a frame whose check is right."""
    stream = b"".join(packets)
    sent = asyncio.run(feed(packets, Framing.RTU)).sent

    right = any(
        frame.crc(stream[a : b - 2]) == stream[b - 2 : b]
        for a in range(len(stream))
        for b in range(a + 4, len(stream) + 1)
    )
    assert right or sent == b""


def test_the_library_is_not_loaded_for_tcp() -> None:
    """Links of plain TCP, simulators and slaves do not pay for pymodbus."""
    run = subprocess.run(
        [sys.executable, "-c", "import sys, gateway_modbus; print('pymodbus' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout.strip() == "False"
