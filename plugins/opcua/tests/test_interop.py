"""The server as node-opcua, an implementation of other people, sees it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway import Quality
from gateway.testing import AccessSettings

HERE = Path(__file__).parent
POINTS = """\
name,kind,unit,field.at,ua.node,ua.browse_name,command.model,command.select
feeder1.voltage_a,analog,V,a,,,,
feeder1.power,analog,kW,b,,,setpoint,
feeder1.factor,analog,,c,,,,
feeder1.breaker,status,,d,Feeder1.CB1,CB1,latch,
feeder1.isolator,double,,e,,,trip_close,local
feeder1.energy,counter,kWh,f,,,,
"""
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


async def person(folder: Path) -> Path:
    """The folder of anna's key and certificate."""
    own = folder / "anna"
    own.mkdir()
    usage = [ExtendedKeyUsageOID.CLIENT_AUTH]
    await setup_self_signed_certificate(
        own / "key.pem", own / "cert.der", "urn:test:anna", "h", usage, {"commonName": "anna"}
    )
    return own


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("policy", "mode", "by_certificate"),
    [
        ("None", "None", False),
        ("Basic256Sha256", "SignAndEncrypt", True),
        ("Aes256_Sha256_RsaPss", "Sign", False),
        ("Aes256_Sha256_RsaPss", "SignAndEncrypt", True),
    ],
)
async def test_node_opcua_reads_monitors_and_commands(
    node: str,
    serve: Any,
    access: AccessSettings,
    tmp_path: Path,
    policy: str,
    mode: str,
    by_certificate: bool,
) -> None:
    """Names, types, units, status, time stamps and the Overflow bit arrive as they were sent,
    and what an operator, logged in by password or certificate, writes and calls is carried out.
    """
    user, by_password = await person(tmp_path), ("anna", "anna's own password")
    if by_certificate:
        digest = hashlib.sha256((user / "cert.der").read_bytes()).hexdigest()
        rules = {"certificates": [{"fingerprint": digest, "role": "operator"}]}
        access = AccessSettings.model_validate(access.model_dump(exclude_unset=True) | rules)
    fields: dict[str, Any] = {
        "security": ["none", "basic256sha256", "aes256_sha256_rsapss"],
        "modes": ["sign", "sign_and_encrypt"],
        "trust": "any",
        "keep": "every",
    }
    names = ["feeder1.power", "feeder1.breaker", "feeder1.isolator", "feeder1.energy"]
    async with serve(POINTS, access=access, **fields) as served:
        if by_certificate:
            shutil.copy(user / "cert.der", served.folder / "users" / "trusted" / "anna.der")
        device = int(Quality.DEVICE_TIME)
        await served.field.emit(names, [7.25, 1, 2, 5_000_000_123], device, TIME)
        process = await asyncio.create_subprocess_exec(
            *(node, "interop.js", served.url, policy, mode, str(tmp_path / "pki")),
            *(map(str, (user / "cert.der", user / "key.pem")) if by_certificate else by_password),
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
        told = [(one.value, one.client.user) for one in served.field.commands]

    def of(what: str) -> list[dict[str, Any]]:
        return [one for one in heard if one["what"] == what]

    assert sorted(of("browse")[0]["names"]) == [
        "CB1",
        "energy",
        "factor",
        "isolator",
        "power",
        "voltage_a",
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
    assert [value for value, _ in told] == [1.0, 12.5, 1.0]
    assert all(("CN=anna" in name) if by_certificate else name == "anna" for _, name in told)
    assert [(one["id"], one["status"]) for one in of("write")] == [
        ("Feeder1.CB1", "Good"),
        ("feeder1.power", "Good"),
        ("feeder1.power", "BadOutOfRange"),
        ("feeder1.power", "BadTypeMismatch"),
        ("feeder1.factor", "BadNotWritable"),
    ]
    assert of("level")[0]["value"] == 3  # CurrentRead | CurrentWrite
    calls = of("call")
    assert [(one["method"], one["status"]) for one in calls] == [
        ("Execute", "BadInvalidState"),
        ("Select", "Good"),
        ("Execute", "Good"),
        ("Select", "BadInvalidArgument"),
        ("Block", "Good"),
    ]
    assert calls[1]["outputs"] == calls[2]["outputs"]
    assert [len(one["outputs"]) for one in calls] == [0, 2, 2, 0, 2]
    # node-opcua: DataType 1 Boolean, 7 UInt32, 12 String
    assert of("arguments")[0] == {
        "what": "arguments",
        "inputs": [["Value", 7], ["Test", 1]],
        "outputs": [["Status", 12], ["Id", 12]],
    }
