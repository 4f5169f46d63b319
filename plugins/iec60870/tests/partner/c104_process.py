"""The two partner programs as processes of a test: c104 is never imported here.

    async with C104Server(port=port, stations=[station(1, point(11, "M_SP_TB_1"))]) as server:
        await server.ask("transmit", ca=1, ioa=11, value=1)
        await server.event("command", ioa=21)

Every wait ends after `patience` seconds, with all that the program said.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 20.0
"""Seconds; a machine may be busy."""
LINE = 1 << 20
"""Octets of the longest line."""

Event = dict[str, Any]


def point(ioa: int, type_name: str, **more: Any) -> dict[str, Any]:
    """Return a point of a station: value, flags, time, extra, mode, returns, report_ms."""
    return {"ioa": ioa, "type": type_name, **more}


def station(ca: int, *points: dict[str, Any]) -> dict[str, Any]:
    """Return a station with its points."""
    return {"ca": ca, "points": list(points)}


class C104Process:
    """One program; started and ended by `async with`."""

    program = ""

    def __init__(self, *, patience: float = PATIENCE, **settings: Any) -> None:
        self.events: list[Event] = []
        """All that it said by itself, in order."""
        self.patience = patience
        self._settings = settings
        self._replies: dict[int, asyncio.Future[Event]] = {}
        self._news = asyncio.Condition()
        self._errors = b""
        self._read = 0
        self._ended = False

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            Path(__file__).with_name(self.program),
            json.dumps(self._settings),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE,
        )
        self._readers = [
            asyncio.create_task(self._take_lines()),
            asyncio.create_task(self._take_errors()),
        ]
        try:
            await self.event("ready")
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End it in order; c104 closes its connections. Kill it where it does not end."""
        stdin = self._process.stdin
        assert stdin is not None
        if self._process.returncode is None:
            stdin.close()
            try:
                async with asyncio.timeout(self.patience):
                    await self._process.wait()
            except TimeoutError:
                pass
        await self.kill()

    async def kill(self) -> None:
        """End it at once, as a loss of power does."""
        if self._process.returncode is None:
            self._process.kill()
        async with asyncio.timeout(self.patience):
            await self._process.wait()
            await asyncio.gather(*self._readers)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: one that is stopped keeps its connections, and is silent."""
        self._process.send_signal(number)

    async def ask(self, do: str, **more: Any) -> Event:
        """Return the reply to a request. Raises AssertionError where it is an error."""
        number = len(self._replies)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps({"id": number, "do": do, **more}).encode() + b"\n")
        try:
            async with asyncio.timeout(self.patience):
                await stdin.drain()
                found = await reply
        except TimeoutError:
            raise AssertionError(self._told(f"no reply to {do}")) from None
        assert found["ok"], self._told(f"{do}: {found['error']}")
        return found

    async def event(self, name: str, **wanted: Any) -> Event:
        """Return the next event like this that was not returned before; those between are passed.

        wanted: what must stand in it.
        """

        def like(event: Event) -> bool:
            return event["event"] == name and wanted.items() <= event.items()

        async def look() -> Event:
            while True:
                for number in range(self._read, len(self.events)):
                    if like(self.events[number]):
                        self._read = number + 1
                        return self.events[number]
                assert not self._ended, self._told(f"ended before the event {name} {wanted}")
                await self._news.wait()

        async with self._news:
            return await self._wait(look(), f"no event {name} {wanted}")

    async def until(self, condition: Callable[[list[Event]], object]) -> None:
        """Wait until the events fulfil a condition."""
        async with self._news:
            await self._wait(
                self._news.wait_for(lambda: condition(self.events)), "the condition is not met"
            )

    def named(self, name: str) -> list[Event]:
        """Return all events of a name so far."""
        return [event for event in self.events if event["event"] == name]

    async def _wait(self, waiting: Any, trouble: str) -> Any:
        try:
            async with asyncio.timeout(self.patience):
                return await waiting
        except TimeoutError:
            raise AssertionError(self._told(trouble)) from None

    async def _take_lines(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        async for line in stdout:
            said: Event = json.loads(line)
            if "id" in said:
                self._replies[said["id"]].set_result(said)
                continue
            async with self._news:
                self.events.append(said)
                self._news.notify_all()
        async with self._news:
            self._ended = True
            self._news.notify_all()
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(AssertionError(self._told("ended before it replied")))

    async def _take_errors(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None
        async for line in stderr:
            self._errors += line

    def _told(self, trouble: str) -> str:
        last = "\n".join(json.dumps(event) for event in self.events[-30:])
        errors = self._errors.decode(errors="replace")[-4000:]
        code = self._process.returncode
        return f"{self.program}: {trouble}; exit code {code}\n{last}\n{errors}"


class C104Server(C104Process):
    """c104_server.py: see there for its settings, requests and events."""

    program = "c104_server.py"


class C104Client(C104Process):
    """c104_client.py: see there for its settings, requests and events."""

    program = "c104_client.py"
    tries = 10
    pause = 1.0
    """Seconds between them, at the most: c104 may have sent nothing."""

    async def command(self, ca: int, ioa: int, value: float, **more: Any) -> bool:
        """Send a command, with a select before it in that mode, and return whether it was accepted.

        What c104 says of it is worth little in mode select on a busy machine: it looks for a
        confirmation later than it comes, and takes one command's answer for another's. So the
        answer is read in the frames, and where c104 sent no execute after a good select, both are
        sent again. Where the other side is not to answer at all, use `ask("command")`.
        """
        for _ in range(self.tries):
            begun = len(self.events)
            await self.ask("command", ca=ca, ioa=ioa, value=value, **more)
            # The reply may have passed what was heard before.
            with suppress(TimeoutError):
                async with asyncio.timeout(self.pause):
                    await self.until(lambda _, begun=begun: self._verdicts(begun, ca, ioa))
            verdicts = self._verdicts(begun, ca, ioa)
            if verdicts:
                return not verdicts[0]["negative"]
        raise AssertionError(self._told(f"no answer to {ioa} in {self.tries} tries"))

    def _verdicts(self, begun: int, ca: int, ioa: int) -> list[Event]:
        """Return the answers that decide on a command: to its execute, or a refused select."""
        return [
            event
            for event in self.events[begun:]
            if event["event"] == "answer"
            and (event["ca"], event["ioa"]) == (ca, ioa)
            and event["cause"] != 10
            and (event["negative"] or not event["select"])
        ]
