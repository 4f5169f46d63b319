"""A gateway that is killed and started again and again: one process forks it, imports done.

The process runs `bear`; a test holds it by `Lives`. A line on its standard input starts a life,
whose process id it prints; when that has ended it prints how (see waitpid).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
PATIENCE = 30.0


def bear(live: Callable[[], None]) -> None:
    """Fork a process that runs `live` for each line that comes, one at a time."""
    _end_with_the_parent()
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            _end_with_the_parent()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            live()
            os._exit(0)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


def _end_with_the_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Lives:
    """The lives of one gateway.

    deaths:      how each ended, as waitpid says.
    most_memory: bytes that were resident at the most when somebody looked.
    """

    def __init__(self, log: Path, script: Path, *arguments: object) -> None:
        self.deaths: list[int] = []
        self.starts = 0
        self.most_memory = 0
        self._path = log
        self._command = (sys.executable, str(script), *map(str, arguments))
        self._process: asyncio.subprocess.Process | None = None
        self._pid = 0
        self._ended: asyncio.Task[int] | None = None

    @property
    def log(self) -> str:
        return self._path.read_text()

    async def open(self) -> None:
        with self._path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip

    async def close(self) -> None:
        if self._ended is not None and not self._ended.done():
            await self.kill()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    async def start(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(b"start\n")
        self._pid = await self._number()
        self.starts += 1
        self._ended = asyncio.create_task(self._number())

    async def kill(self) -> None:
        """SIGKILL it."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """End it as an orchestrator does, and return its exit code."""
        return os.waitstatus_to_exitcode(await self._end(signal.SIGTERM))

    async def _end(self, how: signal.Signals) -> int:
        self.look_at_memory()
        os.kill(self._pid, how)
        assert self._ended is not None
        self.deaths.append(await asyncio.wait_for(self._ended, PATIENCE))
        return self.deaths[-1]

    async def _number(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"no gateway can be started:\n{self.log[-3000:]}")
        return int(line)

    def look_at_memory(self) -> None:
        with contextlib.suppress(OSError):
            pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
            self.most_memory = max(self.most_memory, pages * 4096)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for what the test itself can see; raises where the gateway ends meanwhile."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not condition():
            if self._ended is not None and self._ended.done():
                raise RuntimeError(f"the gateway has ended\n{self.log[-3000:]}")
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"not within {PATIENCE:g} s: {what}\n{self.log[-3000:]}")
            self.look_at_memory()
            await asyncio.sleep(0.005)
