"""The OpenAPI description, and a machine that asks whatever it allows and does not allow."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.testing import AccessSettings

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
STREAM = "/api/v1/stream"
"""It does not end by itself; `test_stream.py` has it."""
CHECK = "/api/v1/configuration/check"
"""It starts a process each time; `test_configuration.py` has it."""
LEAVE = "/api/v1/logout"
"""Its token would be nobody's from then on."""


def asked(url: str, token: str, folder: Path) -> tuple[int, str]:
    """Let schemathesis ask, for 90 s at most; returns its exit code and what it printed."""
    command = [SCHEMATHESIS, "run", f"{url}/api/v1/openapi.json", "--no-color"]
    for path in (STREAM, CHECK, LEAVE):
        command += ["--exclude-path", path]
    command += ["-H", f"Authorization: Bearer {token}", "--max-examples", "5", "--workers", "2"]
    command += ["--phases", "examples,coverage,fuzzing", "--generation-deterministic"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, cwd=folder)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.timeout(120)
async def test_requests_made_from_the_description_find_nothing(
    serve: Any, access: AccessSettings, tmp_path: Path
) -> None:
    """Every answer is of a status and a form that is described, and no mistake is a 500."""
    points = "name,field.at,command.model\nfeeder1.voltage_a,x,setpoint\n"
    async with serve(points, access=access, rate=100_000.0) as served:
        token = await served.token("adam")
        code, said = await asyncio.to_thread(asked, served.url, token, tmp_path)
        assert code == 0, said
        assert "No issues found" in said or "passed" in said, said


async def test_the_description_says_what_it_must(serve: Any) -> None:
    """Title, licence, an example of each body, and problem+json for each refusal."""
    async with serve() as served, served.client() as client:
        said = (await client.get("/api/v1/openapi.json")).json()
        assert said["openapi"].startswith("3.1")
        assert said["info"]["title"] == "grid-gateway"
        assert said["info"]["license"]["identifier"] == "Apache-2.0"
        assert "ProblemDetails" in said["components"]["schemas"]
        for path, operations in said["paths"].items():
            for method, operation in operations.items():
                assert operation["summary"], path
                assert operation["description"], path
                refusals = [code for code in operation["responses"] if code >= "400"]
                assert refusals or path == "/healthz", path
                for code in refusals:
                    assert list(operation["responses"][code]["content"]) == [
                        "application/problem+json"
                    ], (path, code)
                if "requestBody" in operation:
                    assert method == "post"
                    body = operation["requestBody"]["content"]["application/json"]["schema"]
                    name = body["$ref"].rpartition("/")[2]
                    assert said["components"]["schemas"][name]["examples"], name
