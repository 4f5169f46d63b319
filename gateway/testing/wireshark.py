"""What Wireshark makes of the frames of a link."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.testing.running import Running

PATIENCE = 60.0
"""Seconds for a program; a busy machine is slow."""


async def dissected(
    gateway: Running, link: str, *fields: str, settings: Sequence[str] = ()
) -> list[dict[str, str]]:
    """Return fields of the frames that a link has shown so far, by `gateway trace` and tshark.

    fields:   as tshark names them: `modbus.func_code`, `frame.comment`; an empty text where a
              frame has none, several values with a comma between them.
    settings: preferences of tshark, `name:value`.
    Raises RuntimeError where a program fails, or tshark is missing.
    """
    file = gateway.engine.data / f"{link}.pcapng"
    command = Path(sys.executable).with_name("gateway")
    await _run(str(command), "trace", str(gateway.engine.data), link, "--pcapng", str(file))
    tshark = shutil.which("tshark")
    if tshark is None:
        raise RuntimeError("tshark is missing: apt-get install tshark")
    wanted = [word for field in fields for word in ("-e", field)]
    chosen = [word for setting in settings for word in ("-o", setting)]
    form = ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    printed = await _run(tshark, "-r", str(file), *form, *chosen, *wanted)
    rows = [line.split("\t") for line in printed.splitlines()]
    return [dict(zip(fields, row, strict=True)) for row in rows]


async def _run(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)}: {err.decode()}")
    return out.decode()
