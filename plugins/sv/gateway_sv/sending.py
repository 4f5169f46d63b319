"""Frames to an interface, from a thread that waits in the kernel until it is their time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from gateway import SourceContext
from gateway.ethernet import Frames, Sender
from gateway_sv.disturbance import Sent

SECOND = 1_000_000_000
BEHIND = SECOND
"""ns that frames may be behind their time before they are left out."""
PATIENCE = 2.0


class Counts:
    """Counters that a thread adds to and the loop reads."""

    def __init__(self) -> None:
        self._now: Counter[str] = Counter()
        self._told: Counter[str] = Counter()

    def add(self, what: str, n: int) -> None:
        self._now[what] += n

    def flush(self, count: Callable[[str, int], None]) -> None:
        """Tell what was added since the last time."""
        for what, total in dict(self._now).items():
            if more := total - self._told[what]:
                count(what, more)
                self._told[what] = total


async def send(
    interface: str,
    batches: Iterator[list[Sent]],
    seconds: float | None,
    counts: Counts,
    ctx: SourceContext,
    text: str,
) -> None:
    """Send batches until cancelled, or for so many seconds, after which nothing more is sent.

    Raises LinkError where the interface is not there, not allowed, or goes down.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    stop = threading.Event()

    def end(error: Exception | None) -> None:
        if not ended.done():
            ended.set_result(None) if error is None else ended.set_exception(error)

    def work() -> None:
        found: Exception | None = None
        try:
            send_all(sender, batches, seconds, counts, stop)
        except Exception as error:
            found = error
        finally:
            sender.close()
        if not loop.is_closed():
            loop.call_soon_threadsafe(end, found)

    sender = Sender(interface)
    thread = threading.Thread(target=work, name=f"sv.publisher {interface}", daemon=True)
    thread.start()
    try:
        ctx.up(text)
        while not ended.done():
            await asyncio.wait([ended], timeout=1.0)
            counts.flush(ctx.count)
        ended.result()
        await loop.create_future()
    finally:
        stop.set()
        await asyncio.shield(asyncio.to_thread(thread.join, PATIENCE))
        counts.flush(ctx.count)


def send_all(
    sender: Sender,
    batches: Iterator[list[Sent]],
    seconds: float | None,
    counts: Counts,
    stop: threading.Event,
) -> None:
    """Send batches, for so many seconds or until `stop`; raises LinkError."""
    begin = 0
    for batch in batches:
        if stop.is_set():
            return
        if not batch:
            continue
        begin = begin or batch[0].time
        if seconds is not None:
            end = begin + round(seconds * SECOND)
            batch = [one for one in batch if one.time < end]
        if not batch:
            return
        if batch[-1].time < time.time_ns() - BEHIND:
            counts.add("skipped_frames", len(batch))
            continue
        frames = Frames.of([one.frame for one in batch], [one.time for one in batch])
        _send_whole(sender, frames, counts, stop)


def _send_whole(sender: Sender, frames: Frames, counts: Counts, stop: threading.Event) -> None:
    at = 0
    while at < len(frames) and not stop.is_set():
        rest = Frames(frames.data, frames.offset[at:], frames.size[at:], frames.time[at:])
        sent = sender.send(rest)
        counts.add("sent_frames", sent)
        at += sent
        if sent == 0 and rest.time[0] < time.time_ns():
            counts.add("refused_frames", 1)
            at += 1
        elif sent == 0:
            # More than a second away; a batch begins at the next whole second at most.
            stop.wait(0.1)
