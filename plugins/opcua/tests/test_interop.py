"""The server as node-opcua, an implementation of other people, sees it."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway import Quality

HERE = Path(__file__).parent
TIME = 1_700_000_000_500_000_000


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js with node-opcua beside this file, installed when it is not there."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.fail("node and npm are needed here: apt-get install nodejs npm")
    if not (HERE / "node_modules/node-opcua-client").is_dir():
        done = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"],
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=110,
        )
        if done.returncode:
            pytest.fail(f"npm install in {HERE} failed:\n{done.stderr}")
    return found


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("policy", "mode"),
    [("None", "None"), ("Basic256Sha256", "SignAndEncrypt"), ("Aes256_Sha256_RsaPss", "Sign")],
)
async def test_node_opcua_reads_and_monitors(
    node: str, serve: Any, tmp_path: Path, policy: str, mode: str
) -> None:
    """Names, types, units, status, time stamps and the Overflow bit arrive as they were sent."""
    fields: dict[str, Any] = {
        "security": ["none", "basic256sha256", "aes256_sha256_rsapss"],
        "modes": ["sign", "sign_and_encrypt"],
        "trust": "any",
        "keep": "every",
    }
    names = ["feeder1.power", "feeder1.breaker", "feeder1.isolator", "feeder1.energy"]
    async with serve(**fields) as served:
        device = int(Quality.DEVICE_TIME)
        await served.field.emit(names, [7.25, 1, 2, 5_000_000_123], device, TIME)
        process = await asyncio.create_subprocess_exec(
            *(node, "interop.js", served.url, policy, mode, str(tmp_path / "pki")),
            cwd=HERE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            heard: list[dict[str, Any]] = []
            assert process.stdout is not None
            async with asyncio.timeout(100):
                while line := await process.stdout.readline():
                    if line.startswith(b"{"):
                        heard.append(json.loads(line))
                        if sum(one["what"] == "changed" for one in heard) == 1:
                            # between two publishes: a queue of three loses two of five
                            await served.field.emit(
                                names[:1] * 5, [1, 2, 3, 4, 5], device, TIME, every=True
                            )
                _, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, errors.decode()

    def of(what: str) -> list[dict[str, Any]]:
        return [one for one in heard if one["what"] == what]

    assert sorted(of("browse")[0]["names"]) == [
        "CB1",
        "energy",
        "factor",
        "fine",
        "isolator",
        "power",
    ]
    # node-opcua: DataType 1 Boolean, 7 UInt32, 8 Int64 (as high and low word), 11 Double
    assert [(one["id"], one["value"], one["type"]) for one in of("read")] == [
        ("feeder1.power", 7.25, 11),
        ("Feeder1.CB1", True, 1),
        ("feeder1.isolator", 2, 7),
        ("feeder1.energy", [1, 5_000_000_123 - 2**32], 8),
    ]
    assert {one["source"] for one in of("read")} == {TIME // 1_000_000}
    assert of("unit")[0] == {"what": "unit", "id": 5655636, "name": "V"}
    assert [(one["value"], one["status"]) for one in of("changed")] == [
        (7.25, 0),
        (3, 0x480),
        (4, 0),
        (5, 0),
    ]
    assert all(one["server"] and one["source"] == TIME // 1_000_000 for one in of("changed"))
