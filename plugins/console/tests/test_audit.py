"""The audit log through the API."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from gateway.testing import AccessSettings

GATEWAY = str(Path(sys.executable).with_name("gateway"))


def shown(data: Path) -> list[dict[str, Any]]:
    """Return what `gateway audit show` prints of the points of bay 1."""
    command = [GATEWAY, "audit", "show", str(data), "--json", "--point", "bay1.*"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_records_are_found_as_gateway_audit_finds_them(
    serve: Any, access: AccessSettings, tmp_path: Path
) -> None:
    """By point, user, step, status and time; page by page; the same as the command line prints."""
    async with serve(access=access) as served:
        token = await served.token("eva")
        async with served.client(token=token) as client:
            for point, value in (("bay1.breaker", 1), ("bay1.setpoint", 501), ("bay1.breaker", 0)):
                await client.post(f"/api/v1/points/{point}/command", json={"value": value})

            async def found(**filters: Any) -> list[dict[str, Any]]:
                answer = await client.get("/api/v1/audit", params=filters)
                assert answer.status_code == 200, answer.text
                records: list[dict[str, Any]] = answer.json()["records"]
                return records

            printed = await asyncio.to_thread(shown, tmp_path)
            by_point = await found(point="bay1.*", limit=1000)
            assert [one["n"] for one in by_point] == [one["n"] for one in printed]
            assert [one["hash"] for one in by_point] == [one["hash"] for one in printed]
            assert [one["time"] for one in by_point] == [one["time"] for one in printed]
            assert [one["step"] for one in await found(status="out_of_range")] == ["refused"]
            assert {one["facts"]["user"] for one in await found(user="eva", step="!login")} == {
                "eva"
            }
            assert await found(user="anna") == []
            last = await found(newest=True, limit=2, point="*")
            assert [one["n"] for one in last] == [one["n"] for one in printed[-2:]]
            pages, after = [], 0
            while page := await found(limit=3, after=after, point="*"):
                pages += page
                after = page[-1]["n"]
            assert [one["n"] for one in pages] == [one["n"] for one in printed]
            # An instant has microseconds: the records of that one are on both sides of it.
            middle = printed[3]["time"][:26] + "Z"
            late = [one["n"] for one in await found(since=middle, point="*")]
            early = [one["n"] for one in await found(until=middle, point="*")]
            assert late == [one["n"] for one in printed if one["time"][:26] >= middle[:26]]
            assert early == [one["n"] for one in printed if one["time"] <= middle[:26] + "000Z"]
            proof = (await client.post("/api/v1/audit/verify")).json()
            assert (proof["proven"], proof["broken"], proof["first"]) == (True, "", 1)


async def test_a_record_that_was_changed_is_found(
    serve: Any, access: AccessSettings, tmp_path: Path
) -> None:
    """The proof fails, and says where."""
    async with (
        serve(access=access) as served,
        served.client(token=await served.token("eva")) as client,
    ):
        (file,) = (tmp_path / "audit").glob("*.jsonl")
        file.write_text(file.read_text().replace('"user":"eva"', '"user":"eve"'))
        proof = (await client.post("/api/v1/audit/verify")).json()
        assert not proof["proven"]
        assert "edited" in proof["broken"]


async def test_an_operator_is_no_auditor(serve: Any, access: AccessSettings) -> None:
    """Without the permission nothing of the log is shown, nor who is locked out."""
    async with serve(access=access) as served:
        async with served.client() as client:
            for _ in range(5):
                wrong = {"user": "victor", "password": "wrong"}
                await client.post("/api/v1/login", json=wrong)
        shown = {}
        for user in ("anna", "eva"):
            async with served.client(token=await served.token(user)) as client:
                health = (await client.get("/api/v1/health")).json()
                shown[user] = (
                    (await client.get("/api/v1/audit")).status_code,
                    len(health["locked_out"]),
                )
        assert shown["anna"] == (403, 0)
        assert shown["eva"][0] == 200
        assert shown["eva"][1] >= 1
