"""A process that writes an audit log until it is killed, and says what it was promised."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from gateway.audit import AuditLog, writer
from gateway.model.configuration import AuditSettings


async def main(folder: Path, max_size: int) -> None:
    writer.SEGMENT = 20_000
    log = AuditLog.open(folder, AuditSettings(max_size=max_size), time.time_ns)

    async def client(number: int) -> None:
        count = 0
        while True:
            count += 1
            n = log.write("forwarded", id=f"{number}-{count}", text="x" * (count % 200))
            if count % 3:
                await log.durable()
                # One write to a pipe, so that it is there or not there.
                sys.stdout.write(f"{n} {number}-{count}\n")
                sys.stdout.flush()

    async with asyncio.TaskGroup() as tasks:
        for number in range(5):
            tasks.create_task(client(number))


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
