"""Points as clients read them."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from gateway import Quality
from gateway.testing import AccessSettings, Collector

T0 = 1_767_225_600_123_456_789
"""2026-01-01T00:00:00.123456789Z, by `date -u -d @1767225600`."""
AT = "2026-01-01T00:00:00.123456789Z"


async def filled(served: Any) -> None:
    names = ["bay1.voltage", "bay1.breaker", "bay1.setpoint", "bay2.isolator", "bay2.energy"]
    bad = Quality.INVALID | Quality.OLD_DATA | Quality.DEVICE_TIME
    good = Quality.DEVICE_TIME
    await served.field.emit(
        names, [230.5, 1, 20, 0, 2**53], [good, good, Quality.QUESTIONABLE | good, bad, good], T0
    )


async def test_a_point_is_read_with_all_that_is_known_of_it(serve: Any) -> None:
    """Name, kind, unit, value, quality in the standard's words, time to the nanosecond."""
    async with serve() as served, served.client() as client:
        await filled(served)
        assert (await client.get("/api/v1/points/bay1.voltage")).json() == {
            "name": "bay1.voltage",
            "kind": "analog",
            "unit": "V",
            "description": "phase A",
            "model": "Bay1/MMXU1.PhV.phsA",
            "link": "field",
            "commands": False,
            "value": 230.5,
            "quality": "good",
            "time": AT,
        }
        counter = (await client.get("/api/v1/points/bay2.energy")).json()
        assert counter["value"] == 9007199254740992.0
        assert (await client.get("/api/v1/points/nowhere")).status_code == 404


async def test_a_value_that_is_none_is_null(serve: Any) -> None:
    """A point that was never heard of has no value and no time."""
    async with serve() as served, served.client() as client:
        point = (await client.get("/api/v1/points/bay1.voltage")).json()
        assert (point["value"], point["time"]) == (None, None)
        assert point["quality"].startswith("invalid")
        assert served.gateway.sample("bay1.voltage").value != 0


async def test_filters_take_what_fits_all_of_them(serve: Any) -> None:
    """Names with * and ! and ?, kinds, links and validities; twice the same is either."""
    async with serve() as served, served.client() as client:
        await filled(served)

        async def names(**filters: Any) -> list[str]:
            found = (await client.get("/api/v1/points", params=filters)).json()["points"]
            return [one["name"] for one in found]

        assert await names(name="bay1.*") == ["bay1.voltage", "bay1.breaker", "bay1.setpoint"]
        assert await names(name=["bay?.*", "!*.breaker"], kind="status") == ["bay2.isolator"]
        assert await names(link="field", quality=["invalid", "questionable"]) == [
            "bay1.setpoint",
            "bay2.isolator",
        ]
        assert await names(kind=["counter", "analog"], name="bay*") == [
            "bay1.voltage",
            "bay1.setpoint",
            "bay2.energy",
        ]
        assert await names(name="nothing*") == []
        wrong = await client.get("/api/v1/points", params={"kind": "analogue"})
        assert wrong.status_code == 422
        assert "found 'analogue', allowed: " in wrong.json()["detail"]


async def test_pages_follow_each_other_without_gap_or_repetition(serve: Any) -> None:
    """Pages of two, in either shape, are the whole list."""
    async with serve() as served, served.client() as client:
        await filled(served)
        whole = (await client.get("/api/v1/points")).json()
        for shape in ("rows", "columns"):
            found: list[str] = []
            asked: dict[str, Any] = {"limit": 2, "shape": shape}
            while True:
                page = (await client.get("/api/v1/points", params=asked)).json()
                assert page["total"] == whole["total"]
                points = page["points"]
                found += points["point"] if shape == "columns" else [p["name"] for p in points]
                if page["cursor"] is None:
                    break
                asked["cursor"] = page["cursor"]
            assert found == [one["name"] for one in whole["points"]]
        for cursor, code in (("x", 409), ("bm93aGVyZQ", 409), ("", 422), ("é", 422), ("x y", 422)):
            answer = await client.get("/api/v1/points", params={"cursor": cursor})
            assert answer.status_code == code


async def test_both_shapes_say_the_same(serve: Any) -> None:
    """The columns are the rows, turned."""
    async with serve() as served, served.client() as client:
        await filled(served)
        rows = (await client.get("/api/v1/points")).json()["points"]
        columns = (await client.get("/api/v1/points", params={"shape": "columns"})).json()["points"]
        for name, key in (
            ("point", "name"),
            ("value", "value"),
            ("quality", "quality"),
            ("time", "time"),
        ):
            assert columns[name] == [row[key] for row in rows]


async def test_points_are_read_by_name_in_one_go(serve: Any, access: AccessSettings) -> None:
    """In the order of the names; unknown is what there is not, and what the role may not see."""
    async with serve(access=access) as served:
        await filled(served)
        async with served.client(token=await served.token("bernd")) as client:
            asked = {"names": ["bay1.setpoint", "nowhere", "bay2.energy", "bay1.voltage"]}
            found = (await client.post("/api/v1/points/read", json=asked)).json()
            assert [one["value"] for one in found["points"]] == [20.0, 230.5]
            assert found["unknown"] == ["nowhere", "bay2.energy"]


async def test_a_role_sees_its_points_only(serve: Any, access: AccessSettings) -> None:
    """In no list, by no name, in no lineage and no history is there a point of another bay."""
    async with (
        serve(access=access) as served,
        served.client(token=await served.token("bernd")) as client,
    ):
        listed = (await client.get("/api/v1/points")).json()
        assert [one["name"] for one in listed["points"]] == [
            "bay1.voltage",
            "bay1.breaker",
            "bay1.setpoint",
        ]
        assert listed["total"] == 3
        for path in ("", "/lineage", "/history"):
            answer = await client.get(f"/api/v1/points/bay2.energy{path}")
            assert answer.status_code == 404
        same = await client.get("/api/v1/points/nowhere")
        assert same.json()["detail"].replace("nowhere", "bay2.energy") == answer.json()["detail"]


async def test_lineage_is_that_of_gateway_explain(serve: Any) -> None:
    """Source, address and conversions are those of the point list."""
    async with serve() as served, served.client() as client:
        found = (await client.get("/api/v1/points/bay1.setpoint/lineage")).json()
        assert found["source"]["link"] == "field"
        assert found["source"]["address"] == {"at": "c"}
        assert found["command"]["highest"] == "500 kW"
        assert found["point"]["low"] is None
        assert [hop["link"] for hop in found["sinks"]] == ["desk"]


async def test_history_is_what_some_sink_must_still_have(serve: Any) -> None:
    """Samples that nobody has acknowledged are read back, the newest first to be shown."""
    idle = Collector(name="historian", acknowledges=False)
    async with serve(sinks=(idle,)) as served, served.client() as client:
        for i in range(5):
            await served.field.emit(
                ["bay1.voltage", "bay1.breaker"], [i, i % 2], Quality.DEVICE_TIME, T0 + i * 10**9
            )
        where = "/api/v1/points/bay1.voltage/history"
        found = (await client.get(where)).json()
        assert found["complete"]
        values = [v for v in found["samples"]["value"] if v is not None]
        assert values == [0, 1, 2, 3, 4]
        assert found["samples"]["time"][-1] == "2026-01-01T00:00:04.123456789Z"
        part = (await client.get(where, params={"limit": 2})).json()
        assert (part["samples"]["value"], part["complete"]) == ([3, 4], False)
        between = {"since": "2026-01-01T00:00:01Z", "until": "2026-01-01T01:00:03+01:00"}
        part = (await client.get(where, params=between)).json()
        assert (part["samples"]["value"], part["complete"]) == ([1, 2], True)
        for wrong in ("2026-01-01T00:00:01", "1767225600", "yesterday"):
            answer = await client.get(where, params={"since": wrong})
            assert answer.status_code == 422
        idle.acknowledge()


async def test_five_thousand_points_come_quickly(serve: Any) -> None:
    """The whole list of 5,000 points is answered within a quarter of a second of this process."""
    rows = [f"bay{i // 100}.analog{i},analog,V,x{i}" for i in range(5000)]
    points = "name,kind,unit,field.at\n" + "\n".join(rows) + "\n"
    async with serve(points) as served, served.client() as client:
        names = [row.split(",")[0] for row in rows]
        await served.field.emit(names, np.arange(5000.0), Quality.DEVICE_TIME, T0)
        params = {"limit": 10_000, "link": "field"}
        await client.get("/api/v1/points", params=params)
        begun = time.process_time()
        answer = await client.get("/api/v1/points", params=params)
        spent = time.process_time() - begun
        found = json.loads(answer.content)["points"]
        assert [one["value"] for one in found] == list(range(5000))
        assert found[4999]["time"] == AT
        assert spent < 0.25
