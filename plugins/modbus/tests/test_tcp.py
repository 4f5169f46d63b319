"""The lean TCP transport, byte by byte, without a socket."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

from gateway_modbus.frame import answer_head
from gateway_modbus.plan import Item, Read
from gateway_modbus.query import Query, ReadQuery, WriteQuery
from gateway_modbus.register import RegisterType, Table
from gateway_modbus.tcp import TcpConnection
from gateway_modbus.write import Write
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import LinkError


class Wire(asyncio.Transport):
    """Remembers what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.aborted = False

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def abort(self) -> None:
        self.aborted = True


class Door:
    """What the transport needs of a context."""

    tracing = False
    log = logging.getLogger("test")

    def __init__(self) -> None:
        self.counted: list[str] = []

    def now(self) -> int:
        return 42

    def count(self, what: str, n: int = 1) -> None:
        self.counted.append(what)


def query(start: int = 0, count: int = 2) -> ReadQuery:
    items = [Item(n, 1, Table.HOLDING, start + n, RegisterType.UINT16) for n in range(count)]
    return ReadQuery(Read.of(items))


def connected(**more: Any) -> tuple[TcpConnection, Wire, Door]:
    door = Door()
    connection = TcpConnection(door, timeout=more.pop("timeout", 5.0), **more)  # type: ignore[arg-type]
    wire = Wire()
    connection.connection_made(wire)
    return connection, wire, door


async def exchange(packets: list[bytes], queries: Sequence[Query]) -> TcpConnection:
    connection, _, _ = connected(timeout=0.01)
    asking = asyncio.ensure_future(connection.exchange(queries))
    await asyncio.sleep(0)
    for packet in packets:
        connection.data_received(packet)
    await asyncio.gather(asking, return_exceptions=True)
    await connection_closed(connection)
    return connection


async def connection_closed(connection: TcpConnection) -> None:
    asyncio.get_running_loop().call_soon(connection.connection_lost, None)
    await connection.close()


HEAD = b"\0\x01" + answer_head(1, 3, 4)
# Bytes that look like an answer nearly everywhere, so that the checks are reached.
nearly = st.builds(
    lambda head, at, value, tail: head[:at] + bytes((value,)) + head[at + 1 :] + tail,
    st.just(HEAD),
    st.integers(0, 8),
    st.integers(0, 255),
    st.binary(max_size=12),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.binary(min_size=1, max_size=40), nearly), min_size=1, max_size=4))
def test_any_bytes(packets: list[bytes]) -> None:
    """Whatever arrives, data is taken from a frame only whose first nine bytes are all as due."""
    one = query()

    asyncio.run(exchange(packets, [one]))

    if isinstance(one.answer, bytes):
        stream = b"".join(packets)
        assert HEAD + one.answer in stream
        assert len(one.answer) == 4
    else:
        assert one.answer is None or 1 <= one.answer <= 256


ECHO = bytes.fromhex("0001 0000 0006 01 05 0003 FF00")
almost = st.builds(
    lambda at, value, tail: ECHO[:at] + bytes((value,)) + ECHO[at + 1 :] + tail,
    st.integers(0, 11),
    st.integers(0, 255),
    st.binary(max_size=12),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.binary(min_size=1, max_size=40), almost), min_size=1, max_size=4))
def test_any_bytes_for_a_write(packets: list[bytes]) -> None:
    """Whatever arrives, a write is taken for done only after its very echo."""
    one = WriteQuery(1, Write(5, 3, (1,)))

    asyncio.run(exchange(packets, [one]))

    if isinstance(one.answer, bytes):
        assert ECHO in b"".join(packets)
    else:
        assert one.answer is None or 1 <= one.answer <= 257


async def test_answers_out_of_order() -> None:
    """With two requests on the way, answers find their own, in whatever order and packets."""
    connection, wire, _ = connected(pipeline=2)
    first, second = query(0), query(10, 1)
    asking = asyncio.ensure_future(connection.exchange([first, second]))
    await asyncio.sleep(0)
    assert wire.sent == [
        bytes.fromhex("0001 0000 0006 01 03 0000 0002  0002 0000 0006 01 03 000a 0001")
    ]
    both = bytes.fromhex("0002 0000 0005 01 03 02 1111  0001 0000 0007 01 03 04 2222 3333")
    connection.data_received(both[:4])
    connection.data_received(both[4:])
    await asking
    assert (first.answer, second.answer) == (b"\x22\x22\x33\x33", b"\x11\x11")
    assert (first.time, second.time) == (42, 42)
    await connection_closed(connection)


async def test_the_transaction_wraps() -> None:
    """After transaction 65535 comes 0."""
    connection, wire, _ = connected()
    connection._transaction = 65534
    for number in (65535, 0, 1):
        one = query(0, 1)
        asking = asyncio.ensure_future(connection.exchange([one]))
        await asyncio.sleep(0)
        head = number.to_bytes(2, "big")
        assert wire.sent[-1][:2] == head
        connection.data_received(head + bytes.fromhex("0000 0005 01 03 02 1234"))
        await asking
        assert one.answer == b"\x12\x34"
    await connection_closed(connection)


async def test_after_a_timeout_the_rest_is_left() -> None:
    """A time-out ends the exchange; what was not asked has no answer, and a late one is dropped."""
    connection, wire, door = connected(timeout=0.02)
    queries = [query(0), query(10)]
    await connection.exchange(queries)
    assert [one.answer for one in queries] == [256, None]
    assert len(wire.sent) == 1

    asking = asyncio.ensure_future(connection.exchange(queries[:1]))
    await asyncio.sleep(0)
    connection.data_received(bytes.fromhex("0001 0000 0007 01 03 04 dead dead"))
    connection.data_received(bytes.fromhex("0002 0000 0007 01 03 04 0001 0002"))
    await asking
    assert queries[0].answer == bytes.fromhex("00010002")
    assert door.counted == ["timeouts", "late_answers"]
    await connection_closed(connection)


async def test_the_error_names_frame_and_offset() -> None:
    """What is said of a bad frame tells the bytes and the place."""
    connection, wire, door = connected()
    asking = asyncio.ensure_future(connection.exchange([query()]))
    await asyncio.sleep(0)
    connection.data_received(bytes.fromhex("0001 0000 0007 01 04 04 0001 0002"))
    (failure,) = await asyncio.gather(asking, return_exceptions=True)
    assert isinstance(failure, LinkError)
    assert str(failure) == (
        "function 4 answers, 3 was asked at byte 7 of [00 01 00 00 00 07 01 04 04 00 01 00 02]"
    )
    assert wire.aborted
    assert door.counted == ["bad_frames"]
    await connection_closed(connection)


async def test_a_loop_that_was_held_up() -> None:
    """When this process was too busy to look, an answer that lies there is not called late."""
    connection, _, door = connected(timeout=0.02)
    one = query()
    asking = asyncio.ensure_future(connection.exchange([one]))
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 - the loop is to stand still
    asyncio.get_running_loop().call_later(
        0.01, connection.data_received, bytes.fromhex("0001 0000 0007 01 03 04 0001 0002")
    )
    await asking
    assert one.answer == bytes.fromhex("00010002")
    assert door.counted == []
    await connection_closed(connection)
