"""A small disk of its own for a gateway: a tmpfs in a mount namespace, full when it is full."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


class Disk:
    """`command` starts a program that sees the disk at `path`; `inside` is the same for us."""

    def __init__(self, path: Path, keeper: int) -> None:
        self.path = path
        self.command = ("nsenter", "-t", str(keeper), "-m", *(() if _root() else ("-U",)))
        self.inside = Path(f"/proc/{keeper}/root{path}")

    def free(self) -> int:
        """Return the bytes that are free."""
        found = os.statvfs(self.inside)
        return found.f_bavail * found.f_frsize


def _root() -> bool:
    return os.geteuid() == 0


@asynccontextmanager
async def disk(path: Path, size: str) -> AsyncIterator[Disk]:
    """Mount a tmpfs of this size; needs root, or a kernel that lets users make namespaces."""
    path.mkdir()
    keeper = await asyncio.create_subprocess_exec(
        "unshare",
        *(("-m",) if _root() else ("-r", "-m")),
        "sh",
        "-c",
        f"mount -t tmpfs -o size={size} none {path} && echo mounted && exec sleep 600",
        stdout=asyncio.subprocess.PIPE,
    )
    assert keeper.stdout is not None
    if await asyncio.wait_for(keeper.stdout.readline(), 10) != b"mounted\n":
        raise RuntimeError("no mount namespace can be made here: run the tests as root")
    try:
        yield Disk(path, keeper.pid)
    finally:
        keeper.kill()
        await keeper.wait()
