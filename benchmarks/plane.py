"""Data plane: Modbus TCP in, MQTT out, the gateway on one core and everything else on the other.

python -m benchmarks.plane --devices 500 --poll 1s --per batch --seconds 10
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from benchmarks.delay import Delay
from benchmarks.job import VALUES, Job, Sink
from benchmarks.process import busy
from benchmarks.rig import Gateway, Rig, at_work, cores, gateway_command, rig, until
from gateway import Duration
from gateway.engine.local import ask

Reference = Literal["script", "floor"]
"""What runs in the gateway's place: the script of a utility, or the least that Python can do."""
WARM_UP = 2.0
"""Seconds between the first poll of every device and the measurement."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One run, over `seconds`.

    rate:     values per second at the consumer (without one: read from the devices).
    cpu:      seconds of CPU per million values.
    share:    part of its core that the gateway used.
    others:   part of that core that strangers used: a figure beside many of them is no good.
    rig:      part of the other core that devices, broker and subscriber used.
    resident: bytes at the end; `peak` the most.
    missed:   polls that were left out because the gateway was too slow, of `polls` due.
    pending:  samples that waited for their acknowledgement at the end.
    """

    devices: int
    poll: float
    sink: str
    seconds: float
    offered: float
    rate: float
    cpu: float
    share: float
    others: float
    rig: float
    resident: int
    peak: int
    polls: int
    missed: int
    pending: int
    messages: float
    first: float
    delay: Delay | None

    @property
    def sustained(self) -> bool:
        """Whether the gateway kept up: nothing missed or lost to speak of, nothing piling up."""
        return (
            self.missed <= self.polls * 0.001
            and self.rate >= 0.99 * self.offered
            and self.pending <= 0.5 * self.offered
        )

    def __str__(self) -> str:
        lines = [
            f"{self.devices} devices × {VALUES} values every {self.poll:g} s, sink: {self.sink}, "
            f"{self.seconds:.1f} s: {'sustained' if self.sustained else 'NOT SUSTAINED'}",
            f"  values/s    {self.rate:12,.0f}  of {self.offered:,.0f} offered, "
            f"{self.messages:,.0f} messages/s",
            f"  CPU         {self.cpu:12.2f}  s per million values; gateway {self.share:.0%} "
            f"of its core, strangers {self.others:.0%}, rig {self.rig:.0%} of the other",
            f"  resident    {self.resident / 1e6:12.0f}  MB, peak {self.peak / 1e6:.0f}",
            f"  missed      {self.missed:12,d}  of {self.polls:,} polls, pending {self.pending:,}",
            f"  first value {self.first:12.2f}  s after the start",
        ]
        if self.delay:
            for word, quantiles in (("transit", self.delay.transit), ("beyond", self.delay.beyond)):
                p50, p99, p999 = quantiles
                lines.append(f"  {word:11} {p50:12.2f}  ms p50, {p99:.2f} p99, {p999:.2f} p99.9")
            lines.append(
                f"  not had     {self.delay.lost:12,d}  of {self.delay.polls:,} polls: lost, or "
                "still waiting where more is offered than sustained"
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"sustained": self.sustained}


def report(data: Path) -> dict[str, Any]:
    """Return what the gateway says of itself."""
    return asyncio.run(ask(data))


def missed_ticks(said: dict[str, Any]) -> int:
    return sum(link["counters"].get("missed_ticks", 0) for link in said["links"].values())


def measure(
    job: Job, gateway: Gateway, at: Rig, seconds: float, *, data: Path | None, patience: float
) -> Figures:
    """Measure a gateway that has just been started; `data` where it can be asked for a report."""
    mqtt = job.sink in ("device", "batch")
    start = at.subscriber.heard().records
    polls = at.devices.polls()
    if mqtt:
        until(lambda: at.subscriber.heard().records > start, gateway, "a value arrives", patience)
    else:
        until(lambda: at.devices.polls() > polls, gateway, "a device is polled", patience)
    first = time.monotonic() - gateway.started
    until(
        lambda: at.devices.polls() - polls >= 2 * job.devices, gateway, "all are polled", patience
    )
    time.sleep(WARM_UP)
    before = _look(gateway, at, data)
    time.sleep(seconds)
    after = _look(gateway, at, data)
    gateway.check()
    lasted = after.when - before.when
    polled = after.polls - before.polls
    values = after.heard.values - before.heard.values if mqtt else polled * VALUES
    cpu = after.usage.cpu - before.usage.cpu
    missed = max(0, round(job.devices * lasted / job.poll) - polled)
    if after.said is not None and before.said is not None:
        missed = missed_ticks(after.said) - missed_ticks(before.said)
    pending = 0
    if after.said is not None and "out" in after.said["ledgers"]:
        pending = after.said["ledgers"]["out"]["pending"]
    delay = None
    if mqtt:
        records = at.subscriber.records(start)[: after.heard.records - start]
        delay = Delay.of(records, before.heard.records - start, job.poll)
    return Figures(
        job.devices,
        job.poll,
        job.sink,
        lasted,
        job.offered,
        values / lasted,
        cpu / values * 1e6 if values else float("inf"),
        cpu / lasted,
        max(0.0, after.busy - before.busy - cpu) / lasted,
        (after.rig - before.rig) / lasted,
        after.usage.resident,
        after.usage.peak,
        polled + missed,
        missed,
        pending,
        (after.heard.messages - before.heard.messages) / lasted,
        first,
        delay,
    )


@dataclass(frozen=True, slots=True)
class _Look:
    when: float
    polls: int
    heard: Any
    usage: Any
    rig: float
    busy: float
    said: dict[str, Any] | None


def _look(gateway: Gateway, at: Rig, data: Path | None) -> _Look:
    said = report(data) if data is not None else None
    return _Look(
        time.monotonic(),
        at.devices.polls(),
        at.subscriber.heard(),
        gateway.usage(),
        at.cpu(),
        busy(cores()[0]),
        said,
    )


def run(
    devices: int,
    poll: float,
    sink: Sink,
    seconds: float,
    *,
    reference: Reference | None = None,
    pipeline: int = 1,
    frames: bool = True,
    patience: float = 120.0,
) -> Figures:
    """Set everything up, measure one configuration, and take everything down."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, rig(Path(name)) as at:
        job = Job(
            devices, poll, sink, at.devices.port, at.broker.port, pipeline=pipeline, frames=frames
        )
        if reference is not None:
            command: list[str | Path] = [
                sys.executable, "-m", f"benchmarks.{reference}", str(at.devices.port),
                str(at.broker.port), str(devices), str(poll),
            ]  # fmt: skip
        else:
            command = gateway_command(job.write(Path(name)))
        with at_work(command, Path(name)) as gateway:
            data = None if reference is not None else Path(name) / "data"
            return measure(job, gateway, at, seconds, data=data, patience=patience)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plane", description=__doc__)
    parser.add_argument("--devices", type=int, default=500)
    parser.add_argument("--poll", default="1s")
    parser.add_argument("--per", choices=["device", "batch", "none"], default="batch")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--reference", choices=["script", "floor"], help="in the gateway's place")
    parser.add_argument("--pipeline", type=int, default=1)
    parser.add_argument("--no-frames", action="store_true", help="gateway.trace.size is 0")
    chosen = parser.parse_args()
    poll = TypeAdapter(Duration).validate_python(chosen.poll)
    figures = run(
        chosen.devices,
        poll,
        chosen.per,
        chosen.seconds,
        reference=chosen.reference,
        pipeline=chosen.pipeline,
        frames=not chosen.no_frames,
    )
    print(figures)


if __name__ == "__main__":
    main()
