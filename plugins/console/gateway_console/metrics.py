"""The gateway in Prometheus's words: read when it is asked for, nothing counted in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from gateway import LedgerView, Quality
from gateway_console.site import Site
from gateway_console.table import VALIDITIES

PREFIX = "grid_gateway"
STATES = ("starting", "up", "down", "stopped")
GAUGES = frozenset({"withheld"})
"""Counters of links that go down again."""


class Collected(CollectorRegistry):
    """One look at one gateway, for `generate_latest`.

    Names as https://prometheus.io/docs/practices/naming/ has them: base units, `_total`.
    """

    def __init__(self, site: Site, ledgers: Sequence[LedgerView]) -> None:
        super().__init__(auto_describe=False)
        self._site = site
        self._ledgers = ledgers

    def collect(self) -> Iterator[Metric]:
        yield from self._gateway()
        yield from self._points()
        yield from self._links()
        yield from self._sinks()
        yield from self._console()
        process: Collector = ProcessCollector(registry=None)
        yield from process.collect()

    def _gateway(self) -> Iterator[Metric]:
        health = self._site.observe.health()
        said = {"gateway": health.gateway, "version": health.version}
        yield InfoMetricFamily(PREFIX, "The gateway.", said)
        yield _gauge("start_time_seconds", "Since when it runs, Unix time.", health.started / 1e9)
        yield _gauge(
            "clock_synchronised", "1 where the clock is disciplined.", health.clock_synchronised
        )
        yield _gauge("journal_bytes", "Undelivered samples on disk.", health.journal_bytes)
        yield _gauge("journal_works", "1 where the disk takes samples.", not health.journal_failing)
        yield _gauge("audit_works", "1 where commands are possible.", not health.audit_failing)
        yield _gauge("locked_out", "Users and addresses locked out.", len(health.locked_out))

    def _points(self) -> Iterator[Metric]:
        site = self._site
        validity = site.ctx.image.quality[site.points.ids] & int(Quality.VALIDITY)
        counts = np.bincount(validity, minlength=4)
        family = GaugeMetricFamily(
            f"{PREFIX}_points", "Points by the validity of their last sample.", labels=["validity"]
        )
        for word, number in VALIDITIES.items():
            family.add_metric([word], float(counts[int(number)]))
        yield family

    def _links(self) -> Iterator[Metric]:
        labels = ["link", "type", "direction"]
        up = GaugeMetricFamily(f"{PREFIX}_link_up", "1 where the link works.", labels=labels)
        since = GaugeMetricFamily(
            f"{PREFIX}_link_state_change_time_seconds", "Of the last one, Unix time.", labels=labels
        )
        events = CounterMetricFamily(
            f"{PREFIX}_link_events", "What links counted.", labels=["link", "event"]
        )
        withheld = GaugeMetricFamily(
            f"{PREFIX}_link_withheld", "Samples behind overridden points.", labels=["link", "what"]
        )
        for link in self._site.observe.links():
            who = [link.name, link.type, link.direction]
            up.add_metric(who, float(link.state == "up"))
            since.add_metric(who, link.since / 1e9)
            for name, count in sorted(link.counters.items()):
                family = withheld if name in GAUGES else events
                family.add_metric([link.name, name], float(count))
        yield from (up, since, events, withheld)

    def _sinks(self) -> Iterator[Metric]:
        taken = _sink_counter("taken", "Samples that a sink was to have.")
        delivered = _sink_counter("delivered", "Samples that its consumer acknowledged.")
        coalesced = _sink_counter("coalesced", "Samples replaced by later ones of their points.")
        dropped = CounterMetricFamily(
            f"{PREFIX}_sink_samples_dropped", "Samples shed.", labels=["sink", "reason"]
        )
        pending = GaugeMetricFamily(
            f"{PREFIX}_sink_samples_pending", "Samples still to be delivered.", labels=["sink"]
        )
        age = GaugeMetricFamily(
            f"{PREFIX}_sink_oldest_pending_age_seconds", "Age of the oldest.", labels=["sink"]
        )
        acknowledgement = GaugeMetricFamily(
            f"{PREFIX}_sink_acknowledgement_seconds",
            "From handing a delivery out to its acknowledgement, smoothed.",
            labels=["sink"],
        )
        now = self._site.ctx.now()
        for one in self._ledgers:
            taken.add_metric([one.sink], float(one.taken))
            delivered.add_metric([one.sink], float(one.delivered))
            coalesced.add_metric([one.sink], float(one.coalesced))
            pending.add_metric([one.sink], float(one.pending))
            waited = 0.0 if one.oldest is None else max(0.0, (now - one.oldest) / 1e9)
            age.add_metric([one.sink], waited)
            if one.acknowledgement is not None:
                acknowledgement.add_metric([one.sink], one.acknowledgement)
            for reason, count in sorted(one.dropped.items()):
                dropped.add_metric([one.sink, reason], float(count))
        yield from (taken, delivered, coalesced, dropped, pending, age, acknowledgement)

    def _console(self) -> Iterator[Metric]:
        site = self._site
        requests = CounterMetricFamily(
            f"{PREFIX}_console_requests", "Requests answered.", labels=["console", "code"]
        )
        for code, count in sorted(site.requests.items()):
            requests.add_metric([site.ctx.name, str(code)], float(count))
        yield requests
        for what, number, text in (
            ("sessions", len(site.sessions), "Who is logged in."),
            ("streams", site.streams, "Event streams."),
        ):
            family = GaugeMetricFamily(f"{PREFIX}_console_{what}", text, labels=["console"])
            family.add_metric([site.ctx.name], float(number))
            yield family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, float(value))


def _sink_counter(what: str, text: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"{PREFIX}_sink_samples_{what}", text, labels=["sink"])
