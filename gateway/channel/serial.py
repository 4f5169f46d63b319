"""Serial lines, point to point and multi-drop."""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from gateway.channel.channel import CHUNK, SEND_TIMEOUT, Channel, ChannelClosed
from gateway.model.errors import reason

OPEN_TIMEOUT = 5.0
"""Seconds that a driver may take to open its port."""

EMPTY = 3
"""Times in a row that a port has something to read and gives nothing, before it is called gone."""


class Parity(StrEnum):
    """The parity bit of each octet."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


class SerialChannel(Channel):
    """A serial port; eight data bits.

    turnaround: seconds of silence on the line, after the last octet of either side, before the
                first one of ours: a multi-drop line needs the time to change its direction.
    gap:        see `Channel.gap`.
    """

    def __init__(
        self,
        port: Any,
        name: str,
        *,
        octet: float,
        turnaround: float,
        gap: float,
        send_timeout: float,
    ) -> None:
        super().__init__(name)
        self.gap = gap
        self._port = port
        self._file = port.fileno()
        self._octet = octet  # seconds that one octet takes
        self._turnaround = turnaround
        self._send_timeout = send_timeout
        self._loop = asyncio.get_running_loop()
        self._quiet = self._loop.time()  # since when nobody has spoken
        self._closed: ChannelClosed | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    @classmethod
    async def open(
        cls,
        port: str,
        *,
        baud: int = 9600,
        parity: Parity = Parity.NONE,
        stop_bits: int = 1,
        rs485: bool = False,
        turnaround: float = 0.0,
        gap: float = 0.1,
        send_timeout: float = SEND_TIMEOUT,
    ) -> SerialChannel:
        """Open a port for this process alone; raises ChannelClosed where that is not possible.

        rs485: the driver switches the transmitter (RTS) for the time of each write.
        """

        def opened() -> Any:
            # Most gateways have no serial line: they do not pay for the library.
            import serial
            from serial.rs485 import RS485Settings

            one = serial.Serial(
                port,
                baud,
                parity=parity.value[0].upper(),
                stopbits=stop_bits,
                timeout=0,
                exclusive=True,
            )
            if rs485:
                one.rs485_mode = RS485Settings()
            if parity is not Parity.NONE:
                _check_parity(one.fileno())
            return one

        opening = asyncio.ensure_future(asyncio.to_thread(opened))
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                one = await asyncio.shield(opening)
        except TimeoutError:
            opening.add_done_callback(_close_late)
            raise ChannelClosed(f"{port} does not open within {OPEN_TIMEOUT:g} s") from None
        except asyncio.CancelledError:
            opening.add_done_callback(_close_late)
            raise
        except (OSError, ValueError) as error:
            raise ChannelClosed(f"cannot open {port}: {reason(error)}") from None
        bits = 1 + 8 + (parity is not Parity.NONE) + stop_bits
        return cls(
            one,
            port,
            octet=bits / baud,
            turnaround=turnaround,
            gap=gap,
            send_timeout=send_timeout,
        )

    async def read(self) -> bytes:
        """See `Channel.read`."""
        for _ in range(EMPTY):
            if self._closed is not None:
                raise self._closed
            await self._wait(self._loop.add_reader, self._loop.remove_reader)
            if self._closed is not None:
                raise self._closed
            try:
                data = os.read(self._file, CHUNK)
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._end(reason(error)) from None
            if data:
                self._quiet = self._loop.time()
                self.counts["received"] += len(data)
                return data
        raise self._end("the port has gone")

    async def write(self, frames: Sequence[bytes]) -> None:
        """See `Channel.write`; returns when the line has had the time to carry them."""
        data = b"".join(frames)
        carried = len(data) * self._octet
        try:
            async with asyncio.timeout(self._send_timeout + carried):
                # Whoever speaks meanwhile begins the silence anew.
                while (wait := self._quiet + self._turnaround - self._loop.time()) > 0:  # noqa: ASYNC110
                    await asyncio.sleep(wait)
                await self._send(data)
        except TimeoutError:
            raise self._end(f"takes nothing for {self._send_timeout:g} s") from None
        self.counts["sent"] += len(data)
        self._quiet = self._loop.time() + carried
        await asyncio.sleep(carried)

    async def _send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            if self._closed is not None:
                raise self._closed
            try:
                left = left[os.write(self._file, left) :]
            except BlockingIOError:
                await self._wait(self._loop.add_writer, self._loop.remove_writer)
            except OSError as error:
                raise self._end(reason(error)) from None

    async def _wait(self, watch: Any, leave: Any) -> None:
        """Wait until the port can go on, or is closed."""
        ready = self._loop.create_future()
        self._waiting.add(ready)
        watch(self._file, _wake, ready)
        try:
            await ready
        finally:
            self._waiting.discard(ready)
            if self._closed is None:
                leave(self._file)

    async def close(self, why: str = "closed") -> None:
        """See `Channel.close`."""
        self._end(why)

    def _end(self, why: str) -> ChannelClosed:
        if self._closed is None:
            self._closed = ChannelClosed(f"{self.name}: {why}")
            self._loop.remove_reader(self._file)
            self._loop.remove_writer(self._file)
            self._port.close()
            for ready in self._waiting:
                _wake(ready)
        return self._closed


def _check_parity(file: int) -> None:
    """Have the driver drop octets of the wrong parity, which the library tells it not to check."""
    settings = termios.tcgetattr(file)
    settings[0] |= termios.INPCK | termios.IGNPAR
    termios.tcsetattr(file, termios.TCSANOW, settings)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _close_late(opening: asyncio.Future[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
