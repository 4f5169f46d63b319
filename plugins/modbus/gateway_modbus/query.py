"""A planned read on its way to a device and back, the same object for the life of a connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway_modbus import frame
from gateway_modbus.plan import Read


class Query:
    """One read as the transports see it, its bytes encoded once.

    answer: the data bytes, an exception code or `TIMEOUT` (`outcome`), or None for not asked.
    time:   of receipt, in ns, where there is an answer from the device.
    """

    __slots__ = ("answer", "count", "deadline", "function", "head", "request", "size", "start",
                 "time", "unit")  # fmt: skip

    def __init__(self, read: Read) -> None:
        self.unit = read.unit
        self.function = read.table.function
        self.start = read.start
        self.count = read.count
        self.size = read.bytes
        self.request = frame.read_request(self.unit, self.function, self.start, self.count)
        self.head = frame.answer_head(self.unit, self.function, self.size)
        self.deadline = 0.0
        self.answer: bytes | int | None = None
        self.time = 0

    def __str__(self) -> str:
        return f"unit {self.unit} function {self.function} register {self.start}+{self.count}"


class Connection(Protocol):
    """What the poller needs of a transport."""

    async def exchange(self, queries: Sequence[Query]) -> None:
        """Ask in this order and fill in each `answer`; after a time-out the rest is left unasked.

        Never takes longer than the time-out for each. One caller at a time.
        Raises LinkError where the connection is lost or what came is no Modbus.
        """

    async def lost(self) -> None:
        """Wait until the connection is lost, and raise LinkError with the reason."""

    async def close(self) -> None:
        """Close it; never raises."""
