"""Catch-up: an hour of history drains through MQTT while live samples go on.

python -m benchmarks.catchup --minutes 60 --rate 200000

The history is written into the journal as the gateway would have left it after an outage of the
broker: one batch per device and second, a ledger in which all of it is taken and none delivered.
Then a gateway is started on that folder, with the devices live.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.delay import Delay
from benchmarks.job import VALUES, Job, point_names
from benchmarks.plane import WARM_UP, report
from benchmarks.rig import Gateway, Rig, at_work, gateway_command, results, rig, until
from gateway import Batch
from gateway.journal.store import Store, Transaction

DEVICES = 50
"""5,000 values per second live, as in the history."""
CHUNK = 2000
"""Batches in one transaction while the history is written."""
SPREAD = 1_000_000_000 // DEVICES


@dataclass(frozen=True, slots=True)
class Figures:
    """One run; quantiles of the live delay in ms, as in `Delay.beyond`.

    rate:     the configured history_rate, samples per second.
    drained:  samples of history per second that the broker acknowledged.
    seconds:  from the sink's connection to the last sample of history.
    restart:  seconds from the start of the process to the first live value at the consumer.
    quiet:    delay after the drain, with no history; during: while it lasts.
    share:    part of its core that the gateway used during the drain.
    """

    history: int
    rate: int
    drained: float
    seconds: float
    restart: float
    quiet: tuple[float, float, float]
    during: tuple[float, float, float]
    share: float
    resident: int
    lost: int
    ledger: dict[str, Any]

    def __str__(self) -> str:
        return (
            f"{self.history:,} samples of history at a history_rate of {self.rate:,}: drained "
            f"{self.drained:,.0f} samples/s in {self.seconds:.1f} s; live p50 {self.during[0]:.2f} "
            f"p99 {self.during[1]:.2f} ms beside it, {self.quiet[0]:.2f} and {self.quiet[1]:.2f} "
            f"without; gateway {self.share:.0%} of its core, peak {self.resident / 1e6:.0f} MB; "
            f"first live value {self.restart:.1f} s after the start; {self.lost} live polls lost; "
            f"{self.ledger}"
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def leave_history(data: Path, seconds: int) -> int:
    """Write the journal of a gateway whose broker was away for so long; returns its samples."""
    store = Store(data / "journal.db")
    names = [f"d{device}.{name}" for device in range(DEVICES) for name in point_names()]
    ids = np.array(store.ids(names), np.int32).reshape(DEVICES, VALUES)
    start = time.time_ns() - seconds * 1_000_000_000
    batches = list[tuple[int, int, Batch]]()
    samples, seq = 0, 0
    for seq, when, batch in _past(ids, start, seconds):
        batches.append((seq, when, batch))
        samples += len(batch)
        if len(batches) == CHUNK:
            store.commit(Transaction(seq, batches))
            batches = []
    ledger = {"taken": samples, "delivered": 0, "coalesced": 0, "dropped": {}}
    state = {"undelivered": [(1, seq)], "latest": 0, "rule": "", "ledger": ledger}
    store.commit(Transaction(seq, batches, {"out": state}))
    store.close()
    return samples


def _past(ids: Any, start: int, seconds: int) -> Iterator[tuple[int, int, Batch]]:
    values = np.random.default_rng(1).uniform(200.0, 300.0, VALUES).astype(np.float32)
    for second in range(seconds):
        values[0] = second
        for device in range(DEVICES):
            when = start + second * 1_000_000_000 + device * SPREAD
            yield second * DEVICES + device + 1, when, Batch.of(ids[device], values, 0, when)


def run(minutes: float, rate: int) -> Figures:
    """Leave a history, start a gateway on it, and measure until it is drained, and after."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=results()) as name:
        folder = Path(name)
        (folder / "data").mkdir()
        history = leave_history(folder / "data", round(minutes * 60))
        with rig(folder) as at:
            job = Job(DEVICES, 1.0, "device", at.devices.port, at.broker.port, history_rate=rate)
            with at_work(gateway_command(job.write(folder)), folder) as gateway:
                return _watch(gateway, at, history, rate, folder / "data")


def _watch(gateway: Gateway, at: Rig, history: int, rate: int, data: Path) -> Figures:
    def pending() -> int:
        return int(report(data)["ledgers"]["out"]["pending"])

    def live() -> bool:
        return bool((at.subscriber.records()["historical"] == 0).any())

    until(live, gateway, "a live value arrives", 300.0)
    restart = time.monotonic() - gateway.started
    time.sleep(WARM_UP)
    first, before, cpu = len(at.subscriber.records()), pending(), gateway.usage().cpu
    began = time.monotonic()
    # Live samples wait for their acknowledgement too: a second's worth of them is no history.
    until(lambda: pending() < DEVICES * VALUES, gateway, "history is drained", 1800.0)
    lasted = time.monotonic() - began
    share = (gateway.usage().cpu - cpu) / lasted
    records = at.subscriber.records()
    during = Delay.of(records, first, 1.0)
    time.sleep(WARM_UP)
    after = len(at.subscriber.records())
    time.sleep(15.0)
    everything = at.subscriber.records()
    quiet = Delay.of(everything, after, 1.0)
    drained = (before - pending()) / lasted
    ledger = report(data)["ledgers"]["out"]
    return Figures(
        history,
        rate,
        drained,
        history / drained,
        restart,
        quiet.beyond,
        during.beyond,
        share,
        gateway.usage().peak,
        Delay.of(everything[everything["historical"] == 0], 0, 1.0).lost,
        ledger,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catchup", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=int, default=200_000)
    chosen = parser.parse_args()
    print(run(chosen.minutes, chosen.rate))


if __name__ == "__main__":
    main()
