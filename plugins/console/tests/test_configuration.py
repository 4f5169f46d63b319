"""What runs, and whether something else could."""

from __future__ import annotations

import base64
from typing import Any

from gateway.testing import AccessSettings

CHECK = "/api/v1/configuration/check"
YAML = """\
gateway: {name: north}
points: points.csv
sources:
  - {name: meter1, type: modbus, host: 10.0.0.11, unit: 1, poll: 1s}
"""
CSV = "name,meter1.register,meter1.type\nfeeder1.voltage,3000,float32\n"


def upload(yaml: str = YAML, csv: str = CSV) -> dict[str, Any]:
    return {"files": [{"name": "a.yaml", "text": yaml}, {"name": "points.csv", "text": csv}]}


async def test_what_runs_is_shown_without_secrets(serve: Any, access: AccessSettings) -> None:
    """Files, since when, and the settings of each link; secrets are stars."""
    async with (
        serve(access=access, metrics_token="the token itself") as served,
        served.client(token=await served.token("adam")) as client,
    ):
        answer = await client.get("/api/v1/configuration")
        found = answer.json()
        assert (found["sources"], found["sinks"], found["points"]) == (1, 1, 5)
        (desk,) = [one for one in found["links"] if one["name"] == "desk"]
        assert desk["settings"]["metrics_token"] == "**********"
        assert "the token itself" not in answer.text


async def test_a_configuration_is_checked_as_gateway_check_does(
    serve: Any, access: AccessSettings
) -> None:
    """Valid with its counts; else every mistake by file, line and column."""
    async with (
        serve(access=access) as served,
        served.client(token=await served.token("adam")) as client,
    ):
        good = (await client.post(CHECK, json=upload())).json()
        assert good == {"valid": True, "flaws": [], "sources": 1, "sinks": 0, "points": 1}
        bad = (await client.post(CHECK, json=upload(csv=CSV.replace("3000", "x")))).json()
        (flaw,) = bad["flaws"]
        assert (flaw["file"], flaw["line"], flaw["column"]) == ("points.csv", 2, 17)
        assert "found 'x', allowed: " in flaw["sentence"]
        coded = upload()
        text = coded["files"][1].pop("text")
        coded["files"][1]["base64"] = base64.b64encode(text.encode()).decode()
        assert (await client.post(CHECK, json=coded)).json()["valid"]


async def test_an_upload_reads_nothing_of_the_machine(serve: Any, access: AccessSettings) -> None:
    """No path leads out of what was handed in, whatever asks for it."""
    secret = "    password: {file: /etc/passwd}\n"
    broker = "sinks:\n  - name: m\n    type: mqtt.json\n    broker: b:1883\n    user: x\n" + secret
    async with (
        serve(access=access) as served,
        served.client(token=await served.token("adam")) as client,
    ):
        for path in ("/etc/passwd", "../users.yaml", "sub/points.csv"):
            body = upload(YAML.replace("points.csv", path))
            found = (await client.post(CHECK, json=body)).json()
            (flaw,) = found["flaws"]
            assert flaw["sentence"] == (f"points: found '{path}', allowed: a file beside this one")
        users = YAML + "access: {users: /etc/passwd}\n"
        for yaml in (users, YAML + broker):
            answer = await client.post(CHECK, json=upload(yaml))
            assert "root:" not in answer.text
        for name in ("../a.yaml", "/etc/x", "", ".hidden", "a" * 101):
            body = upload()
            body["files"][0]["name"] = name
            assert (await client.post(CHECK, json=body)).status_code == 422
        twice = upload()
        twice["files"][1]["name"] = "a.yaml"
        assert (await client.post(CHECK, json=twice)).status_code == 422


async def test_only_who_configures_sees_it(serve: Any, access: AccessSettings) -> None:
    """An engineer does not."""
    async with (
        serve(access=access) as served,
        served.client(token=await served.token("eva")) as client,
    ):
        assert (await client.get("/api/v1/configuration")).status_code == 403
        assert (await client.post(CHECK, json=upload())).status_code == 403
