"""Spans on their way to the collector: batches, in a thread of their own."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from gateway.model.configuration import TelemetrySettings

log = logging.getLogger("gateway.telemetry")

QUEUE = 4_096
"""Most spans that wait; beyond it the oldest go, and are counted."""
BATCH = 256
INTERVAL = 1.0
"""Seconds that a span waits for company."""
TIMEOUT = 5.0
"""Seconds that the collector has for a batch, all attempts together."""
END = 3.0
"""Seconds to send what waits when the gateway stops."""


class Delivery(SpanExporter):
    """Hands batches on and counts them; in the thread of the processor."""

    def __init__(self, exporter: SpanExporter, endpoint: str) -> None:
        self._exporter = exporter
        self._endpoint = endpoint
        self.sent = 0
        self.failed = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
        except Exception:
            result = SpanExportResult.FAILURE
        if result is SpanExportResult.SUCCESS:
            self.sent += len(spans)
        else:
            if not self.failed:
                log.warning("%s takes no traces; what is lost is counted", self._endpoint)
            self.failed += len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class Identities(RandomIdGenerator):
    """Trace ids that follow from the number of a command."""

    trace = 0

    def generate_trace_id(self) -> int:
        return self.trace or super().generate_trace_id()

    def of(self, service: str, number: str) -> None:
        """Let the next traces be those of a command."""
        digest = hashlib.sha256(f"{service} {number}".encode()).digest()
        self.trace = int.from_bytes(digest[:16], "big")


class Export:
    """What makes spans, and where they go; `ended` counts those that were made."""

    def __init__(self, settings: TelemetrySettings, gateway: str) -> None:
        # It would say the same for each batch: what is lost is said here, once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        headers = {}
        if settings.authorization is not None:
            headers["authorization"] = settings.authorization.get_secret_value()
        self.service = settings.service or gateway
        self.endpoint = settings.endpoint
        self.identities = Identities()
        self.delivery = Delivery(
            OTLPSpanExporter(settings.endpoint, headers=headers, timeout=TIMEOUT),
            settings.endpoint,
        )
        self._processor = BatchSpanProcessor(self.delivery, QUEUE, INTERVAL * 1e3, BATCH)
        provider = TracerProvider(
            resource=Resource.create({"service.name": self.service}),
            id_generator=self.identities,
            shutdown_on_exit=False,
        )
        provider.add_span_processor(self._processor)
        self.tracer = provider.get_tracer("grid-gateway")
        self.ended = 0

    @property
    def lost(self) -> int:
        """Spans that were made and not taken by the collector; those that wait are among them."""
        return self.ended - self.delivery.sent

    async def close(self) -> None:
        """Send what waits, within END seconds, and say what was lost."""
        ending = threading.Thread(target=self._processor.shutdown, daemon=True)
        ending.start()
        await asyncio.get_running_loop().run_in_executor(None, ending.join, END)
        if ending.is_alive():
            self.delivery.shutdown()  # it stops trying
        if self.lost:
            log.warning("%d of %d spans did not reach %s", self.lost, self.ended, self.endpoint)
