"""Traces of commands, as a collector decodes them: by the protobuf of OTLP's own schema."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from gateway import CommandStatus, Operation
from gateway.audit import records
from gateway.config import ConfigError, load
from gateway.config import telemetry as checked
from gateway.model.configuration import TelemetrySettings
from gateway.testing import Collector, Emitter, paused, running

POINTS = """\
name,kind,unit,scale,field.at,command.model,command.select,command.feedback
breaker,status,,,1,latch,,breaker
switch,status,,,4,latch,forward,
tap,analog,%,0.5,2,setpoint,local,
voltage,analog,V,,3,,,
"""
S = CommandStatus


class Backend:
    """An OTLP collector on loopback."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.headers: list[dict[str, str]] = []
        backend = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                backend.headers.append({k.lower(): v for k, v in self.headers.items()})
                backend.take(self.path, body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def take(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = facts(resource.resource)
            self.services.add(named["service.name"])
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def roots(self) -> list[Span]:
        found = [span for span in self.spans if not span.parent_span_id]
        return sorted(found, key=lambda span: (span.start_time_unix_nano, span.end_time_unix_nano))

    def under(self, root: Span) -> list[Span]:
        found = [span for span in self.spans if span.parent_span_id == root.span_id]
        return sorted(found, key=lambda span: span.start_time_unix_nano)


def facts(span: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}


def seconds(span: Span) -> float:
    return (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9


@pytest.fixture
def backend() -> Iterator[Backend]:
    one = Backend()
    yield one
    one.server.shutdown()
    one.server.server_close()
    one.thread.join(5)


def links() -> tuple[Emitter, Collector]:
    return Emitter(name="field", obeys=True), Collector(name="out", role="operator")


@paused
async def test_a_command_is_a_trace(tmp_path: Path, backend: Backend) -> None:
    """The device answers at once, the feedback comes 1.5 s later."""
    field, out = links()
    settings = TelemetrySettings.model_validate(
        {"endpoint": backend.url, "authorization": "Bearer sesame"}
    )
    async with running([field], [out], POINTS, data=tmp_path, telemetry=settings, name="east"):
        await field.emit(["breaker"], [0.0])
        asked = asyncio.create_task(out.ask("breaker", 1.0))
        await asyncio.sleep(1.5)
        await field.emit(["breaker"], [1.0])
        answer = await asked
        assert answer.status is S.SUCCESS
    assert backend.services == {"east"}
    assert {one["authorization"] for one in backend.headers} == {"Bearer sesame"}
    (root,) = backend.roots()
    assert (root.name, root.status.code) == ("command", Status.STATUS_CODE_OK)
    said = facts(root)
    expected = {
        "command.id": answer.id,
        "command.point": "breaker",
        "command.operation": "direct",
        "command.value": 1.0,
        "command.sink": "out",
        "command.address": "test",
        "command.source": "field",
        "command.status": "success",
    }
    assert {name: said[name] for name in expected} == expected
    assert root.trace_id == hashlib.sha256(f"east {answer.id}".encode()).digest()[:16]
    parts = backend.under(root)
    assert [span.name for span in parts] == ["checks", "device", "feedback"]
    assert {span.trace_id for span in parts} == {root.trace_id}
    assert facts(parts[2])["command.feedback"] == "breaker"
    assert seconds(root) == pytest.approx(1.5, abs=0.05)
    assert seconds(parts[2]) == pytest.approx(1.5, abs=0.05)
    assert seconds(parts[1]) < 0.05
    # The audit log has the same steps; the clock is read once more for a span.
    log = {record.step: record.time for record in records(tmp_path / "audit")}
    for time, step in (
        (root.start_time_unix_nano, "received"),
        (parts[1].start_time_unix_nano, "forwarded"),
        (parts[1].end_time_unix_nano, "answered"),
        (parts[2].end_time_unix_nano, "indicated"),
        (root.end_time_unix_nano, "ended"),
    ):
        assert abs(time - log[step]) < 50_000_000


@paused
async def test_refused_and_timed_out_are_errors(tmp_path: Path, backend: Backend) -> None:
    """A measurement takes no command; a device says nothing; a feedback does not come."""
    field, out = links()
    settings = TelemetrySettings(endpoint=backend.url, service="control room")
    async with running([field], [out], POINTS, data=tmp_path, telemetry=settings):
        await field.emit(["breaker"], [0.0])
        assert (await out.ask("voltage", 1.0)).status is S.NOT_SUPPORTED
        await asyncio.sleep(1)
        field.reply(lambda command: None)
        assert (await out.ask("breaker", 1.0)).status is S.TIMEOUT
        await asyncio.sleep(1)
        field.reply(lambda command: S.SUCCESS)
        assert (await out.ask("breaker", 1.0)).status is S.NO_INDICATION
    assert backend.services == {"control room"}
    seen = [
        (facts(root)["command.status"], [span.name for span in backend.under(root)])
        for root in backend.roots()
    ]
    assert seen == [
        ("not_supported", ["checks"]),
        ("timeout", ["checks", "device"]),
        ("no_indication", ["checks", "device", "feedback"]),
    ]
    for root in backend.roots():
        last = backend.under(root)[-1]
        for span in (root, last):
            assert span.status.code == Status.STATUS_CODE_ERROR
            assert span.status.message == facts(root)["command.detail"]


@paused
async def test_select_and_execute_share_a_trace(tmp_path: Path, backend: Backend) -> None:
    """One number, one trace, two requests; the selection is an event of the first."""
    field, out = links()
    settings = TelemetrySettings(endpoint=backend.url)
    async with running([field], [out], POINTS, data=tmp_path, telemetry=settings):
        await out.ask("tap", 20.0, Operation.SELECT)
        await asyncio.sleep(1)
        assert (await out.ask("tap", 20.0, Operation.EXECUTE)).status is S.SUCCESS
    first, second = backend.roots()
    assert first.trace_id == second.trace_id
    assert [facts(root)["command.operation"] for root in (first, second)] == ["select", "execute"]
    assert [event.name for event in first.events] == ["selected"]
    assert list(second.events) == []


@paused
async def test_a_selection_that_expires(tmp_path: Path, backend: Backend) -> None:
    """The gateway cancels at the device by itself: in the trace of the select, and ended."""
    field, out = links()
    settings = TelemetrySettings(endpoint=backend.url)
    async with running([field], [out], POINTS, data=tmp_path, telemetry=settings):
        assert (await out.ask("switch", 1.0, Operation.SELECT)).status is S.SUCCESS
        await asyncio.sleep(600)
        assert [c.operation for c in field.commands] == [Operation.SELECT, Operation.CANCEL]
    roots = backend.roots()
    assert [root.name for root in roots if root.name != "expired"] == ["command", "command"]
    assert len(roots) == 3
    assert len({root.trace_id for root in roots}) == 1
    cancel = next(root for root in roots if facts(root).get("command.operation") == "cancel")
    assert [span.name for span in backend.under(cancel)] == ["device"]


@paused
async def test_commands_go_on_without_a_collector(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens there: what was lost is counted, said at the end, and delays nothing."""
    monkeypatch.setattr("gateway.telemetry.export.END", 0.3)
    began = monotonic()
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        settings = TelemetrySettings(
            endpoint=f"http://127.0.0.1:{unheard.getsockname()[1]}/v1/traces"
        )
        field, out = links()
        with caplog.at_level(logging.WARNING):
            async with running([field], [out], POINTS, data=tmp_path, telemetry=settings):
                for value in (20.0, 30.0, 40.0):
                    answer = await out.ask("tap", value, Operation.SELECT)
                    assert answer.status is S.SUCCESS
                    answer = await out.ask("tap", value, Operation.EXECUTE)
                    assert answer.status is S.SUCCESS
    # The exporter alone would try for TIMEOUT, 5 s.
    assert monotonic() - began < 4
    said = [r.getMessage() for r in caplog.records if r.name.startswith("gateway.telemetry")]
    # Three selects of a root and its checks; three executes that have been to the device, too.
    assert [line for line in said if line.startswith("15 of 15 spans did not reach http")]
    assert len(said) <= 2
    assert not [r for r in caplog.records if r.name.startswith("opentelemetry")]


@paused
async def test_the_gateway_works_where_the_libraries_do_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with them is an error in the log, and commands are carried out."""
    monkeypatch.setitem(sys.modules, "gateway.telemetry.export", None)
    field, out = links()
    settings = TelemetrySettings(endpoint="http://127.0.0.1:9/v1/traces")
    async with running([field], [out], POINTS, data=tmp_path, telemetry=settings):
        await out.ask("tap", 20.0, Operation.SELECT)
        assert (await out.ask("tap", 20.0, Operation.EXECUTE)).status is S.SUCCESS
    assert "there are no traces of commands: " in caplog.text


YAML = """\
gateway:
  name: east
  telemetry:
    endpoint: https://collector:4318/v1/traces
points: points.csv
sources: []
"""


def test_libraries_that_are_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said where the key stands, with what to install."""
    file = tmp_path / "east.yaml"
    file.write_text(YAML)
    (tmp_path / "points.csv").write_text("name\n")
    known = load(file).gateway.telemetry
    assert known is not None
    assert known.endpoint == "https://collector:4318/v1/traces"
    monkeypatch.setattr(checked, "NEEDED", ("opentelemetry.no_such_library", "no_such.library"))
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert [str(problem) for problem in caught.value.problems] == [
        f"{file}:3:3: telemetry: found no library opentelemetry.no_such_library and no "
        "no_such.library, allowed: after pip install 'grid-gateway[telemetry]'"
    ]


def test_nothing_is_imported_without_it() -> None:
    """The engine alone brings no library of OpenTelemetry along."""
    code = "import sys, gateway.engine; print([m for m in sys.modules if 'telemetry.' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
