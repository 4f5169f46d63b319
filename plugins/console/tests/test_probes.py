"""What monitoring systems are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gateway_console import Console
from prometheus_client.parser import text_string_to_metric_families

from gateway import Quality
from gateway.testing import AccessSettings, Collector, running


async def ready(client: Any) -> tuple[int, str]:
    answer = await client.get("/readyz")
    return answer.status_code, answer.text


async def test_readiness_follows_a_link(serve: Any) -> None:
    """Up, down with its name and why, and up again; alive all the while."""
    async with serve(required=["field"]) as served, served.client() as client:
        assert (await ready(client))[0] == 200
        served.field.lose("the cable is cut")
        await served.gateway.until(lambda: served.gateway.state("field") == "down")
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        (link,) = answer.json()["links"]
        assert link == {"name": "field", "state": "down", "error": "the cable is cut"}
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        await served.gateway.until(lambda: served.gateway.state("field") == "up")
        assert (await ready(client))[0] == 200


async def test_a_link_that_is_not_required_does_not_matter(serve: Any) -> None:
    """By default all are; with a list only those."""
    other = Collector(name="other")
    async with serve(sinks=(other,), required=["field"]) as served, served.client() as client:
        await other.context()
        other.lose()
        await served.gateway.until(lambda: served.gateway.state("other") == "down")
        assert (await ready(client))[0] == 200
    other = Collector(name="other")
    async with serve(sinks=(other,)) as served, served.client() as client:
        await other.context()
        other.lose()
        await served.gateway.until(lambda: served.gateway.state("other") == "down")
        assert (await ready(client))[0] == 503


async def test_a_required_link_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The console is down with a sentence, for nobody would know what is waited for."""
    fields = {"name": "desk", "listen": "127.0.0.1:0", "tls": "none", "required": ["fild"]}
    console = Console.model_validate(fields)
    async with running([], [console], data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.state("desk") == "down", 20)
        error = gateway.status("desk").error
        assert error == "required: found fild, allowed: links of this gateway: desk"


async def test_probes_tell_strangers_no_names(serve: Any, access: AccessSettings) -> None:
    """Who may not read hears that something is not up, and not what."""
    async with serve(access=access, metrics_token="a token of the collector") as served:
        served.field.lose("the cable is cut")
        await served.gateway.until(lambda: served.gateway.state("field") == "down")
        async with served.client() as client:
            code, text = await ready(client)
            assert code == 503
            assert "1 of 2" in text
            assert "field" not in text
            assert "cable" not in text
            assert (await client.get("/metrics")).status_code == 401
        async with served.client(token="a token of the collector") as client:
            assert "field" in (await ready(client))[1]
            assert (await client.get("/metrics")).status_code == 200
            assert (await client.get("/api/v1/points")).status_code == 401
            assert (await client.get("/api/v1/session")).status_code == 401
        async with served.client(token="a token of the collectoR") as client:
            assert (await client.get("/metrics")).status_code == 401
        async with served.client(token=await served.token("victor")) as client:
            assert (await client.get("/metrics")).status_code == 200


async def test_metrics_are_what_prometheus_reads(serve: Any) -> None:
    """Its own parser finds every value, and each is what the gateway itself counts."""
    idle, quick = Collector(name="historian", acknowledges=False), Collector(name="scada")
    async with serve(sinks=(idle, quick)) as served, served.client() as client:
        await served.field.emit(
            ["bay1.voltage", "bay1.breaker"], [1.0, 1.0], [0, int(Quality.QUESTIONABLE)]
        )
        source = await served.field.context()
        source.count("timeouts", 3)
        await served.gateway.until(lambda: served.gateway.ledger("scada").delivered)
        answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        families = {one.name: one for one in text_string_to_metric_families(answer.text)}

        def value(family: str, **labels: str) -> float:
            (found,) = [
                sample.value
                for sample in families[family].samples
                if sample.labels.items() >= labels.items()
            ]
            return float(found)

        ledger = served.gateway.ledger("historian")
        assert value("grid_gateway_sink_samples_taken", sink="historian") == ledger.taken > 0
        assert value("grid_gateway_sink_samples_pending", sink="historian") == ledger.pending
        assert 0 < value("grid_gateway_sink_oldest_pending_age_seconds", sink="historian") < 60
        assert value("grid_gateway_sink_oldest_pending_age_seconds", sink="desk") == 0
        acknowledged = "grid_gateway_sink_acknowledgement_seconds"
        assert 0 <= value(acknowledged, sink="scada") < 60
        # Who never acknowledges has no time for it.
        assert "historian" not in {one.labels["sink"] for one in families[acknowledged].samples}
        assert value("grid_gateway_link_up", link="field") == 1
        assert value("grid_gateway_link_events", link="field", event="timeouts") == 3
        assert value("grid_gateway_points", validity="questionable") == 1
        assert value("grid_gateway_points", validity="invalid") == 3
        assert value("grid_gateway_journal_works") == 1
        assert value("grid_gateway_clock_synchronised") == 1
        started = served.gateway.engine.started
        assert value("grid_gateway_start_time_seconds") == pytest.approx(started / 1e9)
        assert families["grid_gateway_link_events"].type == "counter"
        assert families["grid_gateway_sink_samples_pending"].type == "gauge"
        again = {
            one.name: one
            for one in text_string_to_metric_families((await client.get("/metrics")).text)
        }
        (requests,) = [
            one.value
            for one in again["grid_gateway_console_requests"].samples
            if one.labels["code"] == "200"
        ]
        assert requests == 1
        idle.acknowledge()
