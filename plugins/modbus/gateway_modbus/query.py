"""A request on its way to a device and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway_modbus import frame
from gateway_modbus.outcome import WRONG_ECHO
from gateway_modbus.plan import Read
from gateway_modbus.write import Write


class Query:
    """One request as the transports see it, its bytes encoded once.

    request:  the frame without its first two bytes, the transaction.
    head:     what stands between the transaction and the `size` data bytes of a good answer.
    deadline: of the answer, on the loop's clock; 0 until the request is sent.
    answer:   the data bytes, an exception code, `TIMEOUT` or `WRONG_ECHO` (`outcome`),
              or None for no answer: not asked, or the connection broke.
    time:     of receipt, in ns, where there is an answer from the device.
    """

    __slots__ = ("answer", "deadline", "function", "head", "request", "size", "time", "unit")

    def __init__(self, unit: int, function: int, request: bytes, head: bytes, size: int) -> None:
        self.unit = unit
        self.function = function
        self.request = request
        self.head = head
        self.size = size
        self.deadline = 0.0
        self.answer: bytes | int | None = None
        self.time = 0

    def judge(self, one: bytes) -> bytes | int:
        """Take the answer out of a whole frame of this transaction.

        Raises FrameError where it is none.
        """
        return frame.answer(one, self.unit, self.function, self.size)

    def judge_data(self, data: bytes) -> bytes | int | None:
        """Take the answer from what follows the function code and, in a read, the byte count;
        None where it is not the answer to this."""
        return data if len(data) == self.size else None


class ReadQuery(Query):
    """One read, the same object for the life of a connection."""

    __slots__ = ("count", "start")

    def __init__(self, read: Read) -> None:
        function = read.table.function
        request = frame.read_request(read.unit, function, read.start, read.count)
        head = frame.answer_head(read.unit, function, read.bytes)
        super().__init__(read.unit, function, request, head, read.bytes)
        self.start = read.start
        self.count = read.count

    def __str__(self) -> str:
        return f"unit {self.unit} function {self.function} register {self.start}+{self.count}"


class WriteQuery(Query):
    """One write, sent once; the good answer repeats the request or its head."""

    __slots__ = ("echo", "write")

    def __init__(self, unit: int, write: Write) -> None:
        self.write = write
        self.echo = write.echo[1:]
        # Never taken for an answer at first sight: every byte of it is looked at.
        head = b"write" + bytes((unit,)) + write.echo
        super().__init__(unit, write.function, frame.mbap(0, unit, write.pdu)[2:], head, 0)

    def __str__(self) -> str:
        return f"unit {self.unit} {self.write}"

    def judge(self, one: bytes) -> bytes | int:
        """Whatever frame comes in this transaction is an answer, if only a wrong one."""
        if one[6] == self.unit and one[7] == self.function | frame.EXCEPTION and len(one) == 9:
            return one[8] or WRONG_ECHO
        good = one[6] == self.unit and one[7] == self.function
        return one[8:] if good and one[8:] == self.echo else WRONG_ECHO

    def judge_data(self, data: bytes) -> bytes | int | None:
        return data if data == self.echo else WRONG_ECHO


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
