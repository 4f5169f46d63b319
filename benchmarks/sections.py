"""The sections of the benchmark: what each measures, how often, and against what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from benchmarks import (
    c37,
    command,
    console,
    custody,
    dnp3,
    dnp3_reference,
    iec104,
    iec104_reference,
    kernel,
    live,
    meter,
    opcua,
    phasor,
    sampled,
    startup,
)
from benchmarks import catchup as catchup_run
from benchmarks.figure import Figure
from benchmarks.job import VALUES, Sink
from benchmarks.plane import Figures, Reference, run

SCRIPT = "script"
FLOOR = "floor"
FLOOR_SHARE = 0.7
"""s of CPU per million values that the floor took where the goals were set: they scale with it."""
DEVICES = 500
"""Devices of the data plane; its rate is raised by polling them more often."""
START = 250_000.0
SCRIPT_START = 80_000.0
RETRIES = 2
ALONE = 0.9
"""Part of its core that a gateway must have had for a run that it did not sustain to count."""
LATENCY_BAR, LATENCY_GOAL = 20.0, 5.0
DNP3_RATE, DNP3_HIGH = 20_000.0, 80_000.0
"""events/s of DNP3 that are asked for, and that a gateway of today is tried with"""
IEC104_RATE, IEC104_HIGH, IEC104_FLOOD, IEC104_SINGLE = 20_000.0, 100_000.0, 200_000.0, 60_000.0
"""events/s of 104: those whose delay is asked for, what is offered to the whole gateway and to one
side of it, and the same with one object in each ASDU"""
IEC104_GOAL = 50_000.0
IEC104_BUSY = 300, 200
"""k and w of a station that is busy all day"""
IEC104_MASTERS, IEC104_SLOW, IEC104_EACH = 10, 2, 2_000.0
"""Masters, how many of them are slow, and the events/s that each of them is told of."""
LIVE: tuple[tuple[Literal["P", "M"], int, str], ...] = (
    ("P", 50, "2ms"), ("P", 100, "1ms"), ("M", 50, "2ms"),
)  # fmt: skip
"""Class, reports per second, and for how long frames are gathered."""
CONSOLE_POLL = 1.0
CONSOLE_GOALS = {
    "nobody there": {"share": 1.0, "late": 10.0},
    "one event stream": {"share": 10.0, "late": 10.0},
    "one page": {"share": 10.0, "late": 10.0},
    "50 event streams": {"late": 50.0},
    "50 pages": {"late": 50.0},
}
"""By setting: % of the core that a console may take, which is what the data plane loses at its
highest rate, and ms that the event loop may be late, p99."""
COMMAND_GOAL = 20.0
"""ms, p99, from a client's command to its answer"""


@dataclass(slots=True)
class Plan:
    """How thoroughly, and what earlier sections found.

    turns:   runs of each kind, of which the median counts.
    seconds: of one run.
    say:     takes a line while it goes on.
    highest: values per second that were sustained, by kind.
    """

    quick: bool
    turns: int
    seconds: float
    say: Callable[[str], None]
    highest: dict[str, float] = field(default_factory=dict)


def _measure(plan: Plan, rate: float, sink: Sink, *, reference: Reference | None = None) -> Figures:
    """Measure the common job at a rate, again where strangers may be why it was not sustained."""
    best: Figures | None = None
    for _ in range(RETRIES + 1):
        figures = run(DEVICES, DEVICES * VALUES / rate, sink, plan.seconds, reference=reference)
        plan.say(f"{reference or 'gateway'}: {figures}")
        if best is None or figures.rate > best.rate:
            best = figures
        if figures.sustained or figures.share > ALONE or figures.others < 1 - ALONE:
            break
    assert best is not None
    return best


def highest(
    plan: Plan, sink: Sink, start: float, *, reference: Reference | None = None
) -> tuple[Figures, float]:
    """Find the highest rate that is sustained; returns a run at it, and the rate."""
    best = _measure(plan, start, sink, reference=reference)
    while not best.sustained:
        start *= 0.8
        best = _measure(plan, start, sink, reference=reference)
    rate = max(start * 1.1, start / best.share * 0.95)
    factor = 1.1
    for _ in range(4 if plan.quick else 7):
        tried = _measure(plan, rate, sink, reference=reference)
        if tried.sustained:
            best, start = tried, rate
            if factor < 1:
                break
            rate *= factor
        else:
            factor = 0.93
            rate *= factor
            if rate <= start * 1.03:
                break
    return best, start


def plane(plan: Plan) -> Iterator[Figure]:
    """Modbus TCP in, MQTT out, custody on: how much, and what it costs."""
    _, script = highest(plan, "device", SCRIPT_START, reference="script")
    plan.highest[SCRIPT] = script
    for sink in _MESSAGES:
        _, rate = highest(plan, sink, START)
        plan.highest[sink] = rate
        mine = [_measure(plan, rate, sink) for _ in range(plan.turns)]
        theirs = [_measure(plan, script, "device", reference="script") for _ in mine]
        yield Figure(
            "data plane", f"one message per {sink}", "values/s on one core",
            tuple(f.rate for f in mine), "more", SCRIPT, tuple(f.rate for f in theirs),
            250_000, 1_000_000,
        )  # fmt: skip
        yield Figure(
            "data plane", f"one message per {sink}, at that rate", "CPU s per million values",
            tuple(f.cpu for f in mine), "less", SCRIPT, tuple(f.cpu for f in theirs), 3.5, 1.0,
        )  # fmt: skip
        yield Figure(
            "data plane", f"one message per {sink}, {DEVICES * VALUES:,} points at that rate",
            "MB resident", tuple(f.resident / 1e6 for f in mine), "less", SCRIPT,
            tuple(f.resident / 1e6 for f in theirs),
        )  # fmt: skip
        yield Figure(
            "data plane", f"one message per {sink}, at that rate", "polls lost",
            tuple(float(f.delay.lost) if f.delay else 0.0 for f in mine), "less", goal=0.0,
        )  # fmt: skip


def floor(plan: Plan) -> Iterator[Figure]:
    """The same beside the least that Python can do, which shares the machine's mood of the day."""
    rate = plan.highest.get("device", START)
    pairs = [
        (_measure(plan, rate, "device"), _measure(plan, rate, "device", reference="floor"))
        for _ in range(plan.turns)
    ]
    yield Figure(
        "data plane", f"one message per device, {rate:,.0f} values/s", "CPU s per million values",
        tuple(a.cpu for a, _ in pairs), "less", FLOOR, tuple(b.cpu for _, b in pairs),
        FLOOR_SHARE / 3.5, FLOOR_SHARE / 1.0, of_ratio=True,
    )  # fmt: skip
    half = [
        (_measure(plan, rate / 2, "device"), _measure(plan, rate / 2, "device", reference="floor"))
        for _ in range(plan.turns)
    ]
    yield Figure(
        "latency", f"beyond the poll, p99, {rate / 2:,.0f} values/s, per device", "ms",
        tuple(a.delay.beyond[1] for a, _ in half if a.delay), "less", FLOOR,
        tuple(b.delay.beyond[1] for _, b in half if b.delay),
    )  # fmt: skip


_MESSAGES: tuple[Literal["device", "batch"], ...] = ("device", "batch")


def one_second(plan: Plan) -> Iterator[Figure]:
    """The common job as the peers ran it: every device once a second."""
    devices = 1000 if plan.quick else 2500
    figures = run(devices, 1.0, "device", plan.seconds, patience=300.0)
    plan.say(str(figures))
    yield Figure(
        "common job", f"{devices:,} devices at 1 s, {figures.offered:,.0f} values/s offered",
        "values/s on one core", (figures.rate,), "more", bar=0.99 * figures.offered,
    )  # fmt: skip
    yield Figure(
        "common job", f"{devices:,} devices at 1 s", "CPU s per million values",
        (figures.cpu,), "less", bar=3.5, goal=1.0,
    )  # fmt: skip
    yield Figure(
        "common job", f"{devices:,} devices at 1 s", "MB resident",
        (figures.resident / 1e6,), "less",
    )  # fmt: skip


def latency(plan: Plan) -> Iterator[Figure]:
    """From the change of a register to its delivery, beyond the poll, at half load."""
    script = plan.highest.get(SCRIPT, 100_000.0) / 2
    theirs = [_measure(plan, script, "device", reference="script") for _ in range(plan.turns)]
    for sink in _MESSAGES:
        half = plan.highest.get(sink, 400_000.0) / 2
        mine = [_measure(plan, half, sink) for _ in range(plan.turns)]
        for index, quantile in enumerate(("p50", "p99", "p99.9")):
            counts = quantile == "p99"
            yield Figure(
                "latency", f"beyond the poll, {quantile}, {half:,.0f} values/s, per {sink}", "ms",
                tuple(f.delay.beyond[index] for f in mine if f.delay), "less",
                f"{SCRIPT} at {script:,.0f}",
                tuple(f.delay.beyond[index] for f in theirs if f.delay),
                LATENCY_BAR if counts else None, LATENCY_GOAL if counts else None,
            )  # fmt: skip


def memory(plan: Plan) -> Iterator[Figure]:
    """10,000 points at 1 s: what is resident, and what it costs to do so little."""
    mine = [run(100, 1.0, "device", plan.seconds) for _ in range(plan.turns)]
    theirs = [run(100, 1.0, "device", plan.seconds, reference="script") for _ in mine]
    yield Figure(
        "memory", "10,000 points at 1 s to MQTT", "MB resident",
        tuple(f.resident / 1e6 for f in mine), "less", SCRIPT,
        tuple(f.resident / 1e6 for f in theirs), 100, 60,
    )  # fmt: skip
    yield Figure(
        "memory", "10,000 points at 1 s to MQTT", "% of a core",
        tuple(f.share * 100 for f in mine), "less", SCRIPT,
        tuple(f.share * 100 for f in theirs),
    )  # fmt: skip
    yield Figure(
        "latency", "beyond the poll, p99, 10,000 points at 1 s", "ms",
        tuple(f.delay.beyond[1] for f in mine if f.delay), "less", SCRIPT,
        tuple(f.delay.beyond[1] for f in theirs if f.delay), LATENCY_BAR, LATENCY_GOAL,
    )  # fmt: skip


def start(plan: Plan) -> Iterator[Figure]:
    """From the start of the process to the first value."""
    turns = range(plan.turns)
    yield Figure(
        "start", "first value at the MQTT consumer, 5,000 points", "s",
        tuple(startup.mqtt(50) for _ in turns), "less", SCRIPT,
        tuple(startup.mqtt(50, reference="script") for _ in turns), goal=5.0,
    )  # fmt: skip
    yield Figure(
        "start", "first good value read, 10,000 OPC UA nodes", "s",
        tuple(startup.opcua(100) for _ in turns), "less", "asyncua alone makes the nodes",
        tuple(5 * startup.library(2_000) for _ in turns), goal=10.0,
    )  # fmt: skip


def opcua_out(plan: Plan) -> Iterator[Figure]:
    """OPC UA out: nobody there, and one client that monitors everything."""
    busy = 0.25
    runs = [
        (
            opcua.run(DEVICES, busy, plan.seconds, sink=True, monitored=False),
            opcua.run(DEVICES, busy, plan.seconds, sink=False, monitored=False),
        )
        for _ in range(plan.turns)
    ]
    yield Figure(
        "OPC UA", f"nobody reading, {DEVICES * VALUES / busy:,.0f} values/s", "% of a core",
        tuple(a.share * 100 for a, _ in runs), "less", "no sink",
        tuple(b.share * 100 for _, b in runs), 1 / 1.1, 0.98, of_ratio=True,
    )  # fmt: skip
    quiet = opcua.run(50, 1.0, plan.seconds, sink=False, monitored=False)
    five = [opcua.run(50, 1.0, plan.seconds, sink=True, monitored=True) for _ in runs]
    yield Figure(
        "OPC UA", "one client, 5,000 changing nodes at 1 s", "changes/s delivered",
        tuple(f.delivered for f in five), bar=4_950,
    )  # fmt: skip
    yield Figure(
        "OPC UA", "one client, 5,000 changing nodes at 1 s", "% of a core",
        tuple(f.share * 100 for f in five), "less", "no sink",
        tuple(quiet.share * 100 for _ in five), 40,
    )  # fmt: skip
    twenty = [opcua.run(200, 1.0, plan.seconds, sink=True, monitored=True) for _ in runs]
    yield Figure(
        "OPC UA", "one client, 20,000 changing nodes at 1 s", "changes/s delivered",
        tuple(f.delivered for f in twenty), goal=19_800,
    )  # fmt: skip
    yield Figure(
        "OPC UA", "one client, 20,000 changing nodes at 1 s", "% of a core",
        tuple(f.share * 100 for f in twenty), "less",
    )  # fmt: skip


def journal(plan: Plan) -> Iterator[Figure]:
    """Samples per second in custody, on disk, with nobody who acknowledges."""
    for rows in (100, 1000):
        runs = [custody.run(rows, plan.seconds / 2) for _ in range(plan.turns)]
        yield Figure(
            "custody", f"batches of {rows} from {custody.SOURCES} sources", "samples/s on disk",
            tuple(f.samples for f in runs), "more", f"file synced per {custody.SOURCES}",
            tuple(f.reference for f in runs),
        )  # fmt: skip
        yield Figure(
            "custody", f"batches of {rows} from {custody.SOURCES} sources", "MB/s on disk",
            tuple(f.bytes / 1e6 for f in runs),
        )  # fmt: skip
        yield Figure(
            "custody", f"batches of {rows}, emit to custody, p99", "ms",
            tuple(f.custody[1] for f in runs), "less",
        )  # fmt: skip


def catchup(plan: Plan) -> Iterator[Figure]:
    """History drains through MQTT while 5,000 values per second go on."""
    minutes, rate = (10, 200_000) if plan.quick else (60, 500_000)
    runs = [catchup_run.run(minutes, rate) for _ in range(plan.turns)]
    for found in runs:
        plan.say(str(found))
    yield Figure(
        "catch-up", f"{minutes} min of history, 5,000 samples/s live beside it",
        "samples/s drained", tuple(f.drained for f in runs),
    )  # fmt: skip
    yield Figure(
        "catch-up", "live delay beyond the poll while it drains, p99", "ms",
        tuple(f.during[1] for f in runs), "less", "without history",
        tuple(f.quiet[1] for f in runs), 0.5, of_ratio=True,
    )  # fmt: skip
    yield Figure(
        "catch-up", "live polls lost", "polls", tuple(float(f.lost) for f in runs), "less", goal=0.0
    )


def commands(plan: Plan) -> Iterator[Figure]:
    """From a client through the gateway to a Modbus device and back, beside 20,000 values/s."""
    kinds: tuple[tuple[command.Kind, str], ...] = (("opcua", "OPC UA"), ("modbus", "Modbus"))
    for kind, client in kinds:
        runs = [command.run(kind, 2 * plan.seconds) for _ in range(plan.turns)]
        for found in runs:
            plan.say(str(found))
        name = f"{client} client to Modbus device, {{}}, {command.DEVICES * VALUES:,} values/s"
        yield Figure(
            "commands", name.format("p50"), "ms", tuple(f.p50 for f in runs), "less",
            "at the device itself", tuple(f.direct[0] for f in runs),
        )  # fmt: skip
        yield Figure(
            "commands", name.format("p99"), "ms", tuple(f.p99 for f in runs), "less",
            "a line synced to a file", tuple(f.synced[1] for f in runs), goal=COMMAND_GOAL,
        )  # fmt: skip
        yield Figure(
            "commands", f"{client} client, without success", "commands",
            tuple(float(f.failed) for f in runs), "less", goal=0.0,
        )  # fmt: skip
        yield Figure(
            "commands", f"{client} client, values delivered meanwhile", "values/s",
            tuple(f.rate for f in runs), bar=0.99 * command.DEVICES * VALUES,
        )  # fmt: skip


def dnp3_pass(plan: Plan) -> Iterator[Figure]:
    """Events of outstations through the journal to a second master, each confirmed by it."""
    beside = [dnp3_reference.run(plan.seconds / 2) for _ in range(plan.turns)]
    runs = {
        rate: [dnp3.run(rate, plan.seconds) for _ in range(plan.turns)]
        for rate in (DNP3_RATE, DNP3_HIGH)
    }
    for found in (*runs[DNP3_RATE], *runs[DNP3_HIGH]):
        plan.say(str(found))
    asked, high = runs[DNP3_RATE], runs[DNP3_HIGH]
    name = f"{dnp3.OUTSTATIONS} outstations to a second master"
    yield Figure(
        "DNP3", f"{name}, {DNP3_HIGH:,.0f} offered", "events/s on one core",
        tuple(f.rate for f in high), "more", "dnp3py, one hop in memory",
        tuple(r.peer for r in beside), goal=DNP3_RATE,
    )  # fmt: skip
    for rate, those in runs.items():
        yield Figure(
            "DNP3", f"{name}, {rate:,.0f} events/s", "CPU µs per event",
            tuple(f.cpu for f in those), "less", "codec alone",
            tuple(1e6 / r.codec for r in beside),
        )  # fmt: skip
        yield Figure(
            "DNP3", f"{name}, {rate:,.0f} events/s, event to delivery, p99", "ms",
            tuple(f.delay[1] for f in those), "less", "a fragment synced to a file",
            tuple(r.synced[1] for r in beside), goal=50.0,
        )  # fmt: skip
    yield Figure(
        "DNP3", f"integrity poll of {dnp3.TOTAL:,} points", "ms",
        tuple(f.integrity for f in asked), "less", goal=250.0,
    )  # fmt: skip
    yield Figure(
        "DNP3", "10,000 events of one instant, until the last is delivered", "ms",
        tuple(f.avalanche for f in asked), "less", goal=1000.0,
    )  # fmt: skip
    yield Figure(
        "DNP3", "missing, twice or out of order", "events",
        tuple(float(a.wrong + b.wrong) for a, b in zip(asked, high, strict=True)), "less", goal=0.0,
    )  # fmt: skip


def iec104_pass(plan: Plan) -> Iterator[Figure]:
    """Events of stations through the journal to masters; then each side of it by itself."""
    turns, seconds = range(plan.turns), plan.seconds
    beside = [iec104_reference.alone(seconds / 2) for _ in turns]
    codec = tuple(1e6 / one.codec for one in beside)
    synced = tuple(one.synced[1] for one in beside)
    name = f"{iec104.STATIONS} stations to a master"
    runs = {
        rate: [_iec104(plan, iec104.Job(rate, seconds)) for _ in turns]
        for rate in (IEC104_RATE, IEC104_HIGH)
    }
    asked, high = runs[IEC104_RATE], runs[IEC104_HIGH]
    yield Figure(
        "104", f"{name}, {IEC104_HIGH:,.0f} offered", "events/s on one core",
        tuple(f.rate for f in high), goal=IEC104_GOAL,
    )  # fmt: skip
    for rate, those in runs.items():
        yield Figure(
            "104", f"{name}, {rate:,.0f} events/s", "CPU µs per event",
            tuple(f.cpu for f in those), "less", "codec alone", codec,
        )  # fmt: skip
        yield Figure(
            "104", f"{name}, {rate:,.0f} events/s, event to delivery, p99", "ms",
            tuple(f.delay[1] for f in those), "less", "an ASDU synced to a file", synced,
            goal=50.0 if rate == IEC104_RATE else None,
        )  # fmt: skip
    yield Figure(
        "104", "10,000 events of one instant, until the last is delivered", "ms",
        tuple(f.avalanche for f in asked), "less", goal=1000.0,
    )  # fmt: skip
    halves = list[iec104.Figures]()
    lost = list[int]()
    for figure, mine, theirs in _iec104_halves(plan):
        halves += mine
        lost += [one.lost for one in theirs]
        yield figure
        if theirs and theirs[0].interrogation:
            yield Figure(
                "104", f"general interrogation of {iec104.TOTAL:,} points", "ms",
                tuple(f.interrogation for f in asked), "less", "c104, ten of 1,000",
                tuple(one.interrogation for one in theirs), goal=250.0,
            )  # fmt: skip
    yield Figure(
        "104", f"the same interrogation, beside {IEC104_RATE:,.0f} events/s", "ms",
        tuple(f.busy for f in asked), "less", goal=250.0,
    )  # fmt: skip
    slow, quick = (
        [_iec104(plan, iec104.Job(IEC104_EACH, seconds, masters=IEC104_MASTERS, slow=slow))
         for _ in turns] for slow in (IEC104_SLOW, 0)
    )  # fmt: skip
    name = f"{IEC104_MASTERS - IEC104_SLOW} of {IEC104_MASTERS} masters, {IEC104_SLOW} slow"
    yield Figure(
        "104", f"{name}, {IEC104_EACH:,.0f} events/s each, event to delivery, p99", "ms",
        tuple(f.delay[1] for f in slow), "less", "none slow", tuple(f.delay[1] for f in quick),
        0.5, 0.8, of_ratio=True,
    )  # fmt: skip
    yield Figure(
        "104", f"{name}, {IEC104_EACH:,.0f} events/s each", "events/s delivered to each",
        tuple(f.rate for f in slow), goal=0.98 * IEC104_EACH,
    )  # fmt: skip
    yield Figure(
        "104", "missing, twice, out of order or not what they were", "events",
        (float(sum(f.wrong for f in (*asked, *high, *halves, *slow, *quick))),), "less",
        "c104 lost", (float(sum(lost)),), goal=0.0,
    )  # fmt: skip


_Half = tuple[Figure, list[iec104.Figures], list[iec104_reference.Peer]]


def _iec104_halves(plan: Plan) -> Iterator[_Half]:
    """One side of the gateway, the other in memory, beside c104, which keeps nothing on a disk."""
    turns, seconds = range(plan.turns), plan.seconds / 2
    standard, busy = iec104.STANDARD, IEC104_BUSY
    for objects, rate, peer in ((iec104.FULL, IEC104_FLOOD, IEC104_HIGH),
                                (1, IEC104_SINGLE / 2, IEC104_SINGLE)):  # fmt: skip
        packed = objects == iec104.FULL
        job = iec104.Job(peer, seconds, objects=objects, half="receive")
        theirs = [_c104(plan, job) for _ in turns]
        for k, w in (standard, busy):
            offered = IEC104_SINGLE if (k, w) == busy and not packed else rate
            job = iec104.Job(offered, seconds, objects=objects, k=k, w=w, half="receive")
            mine = [_iec104(plan, job) for _ in turns]
            how = "packed" if packed else "one object per ASDU"
            yield Figure(
                "104", f"received, {how}, k {k}, w {w}", "events/s on one core",
                tuple(f.rate for f in mine), "more", "c104, no disk, k 12, w 8",
                tuple(one.rate for one in theirs), goal=IEC104_GOAL if packed else None,
            ), mine, theirs if (k, w) == standard else []  # fmt: skip
            yield Figure(
                "104", f"received, {how}, k {k}, w {w}", "CPU µs per event",
                tuple(f.cpu for f in mine), "less", "c104, no disk, k 12, w 8",
                tuple(one.cpu for one in theirs),
            ), [], []  # fmt: skip
    theirs = [_c104(plan, iec104.Job(IEC104_RATE, seconds, half="send")) for _ in turns]
    mine = [_iec104(plan, iec104.Job(IEC104_FLOOD, seconds, half="send")) for _ in turns]
    yield Figure(
        "104", "sent to one master", "events/s on one core", tuple(f.rate for f in mine), "more",
        f"c104 of {IEC104_RATE:,.0f}", tuple(one.rate for one in theirs), goal=IEC104_GOAL,
    ), mine, theirs  # fmt: skip


def _iec104(plan: Plan, job: iec104.Job) -> iec104.Figures:
    found = iec104.run(job)
    plan.say(f"{job.half or 'gateway'}: {found}")
    return found


def _c104(plan: Plan, job: iec104.Job) -> iec104_reference.Peer:
    found = iec104_reference.peer(job)
    plan.say(f"c104: {found}")
    return found


def kernel_pass(plan: Plan) -> Iterator[Figure]:
    """The kernel's point pipeline, as `benchmarks.kernel` measures it."""
    yield from _figures("kernel", kernel.run(), kernel.GOALS)


def phasor_pass(plan: Plan) -> Iterator[Figure]:
    """The kernel's synchrophasors, as `benchmarks.phasor` measures them."""
    yield from _figures("phasor", phasor.run(), phasor.GOALS)


def c37_pass(plan: Plan) -> Iterator[Figure]:
    """The frames of C37.118, as `benchmarks.c37` measures them."""
    yield from _figures("c37", c37.run(), c37.GOALS)


def _figures(section: str, figures: dict[str, float], goals: dict[str, str]) -> Iterator[Figure]:
    for name, value in figures.items():
        wanted = goals.get(name, "").split()
        what, _, unit = name.rpartition(": ")
        less = wanted[:1] == ["<="] or unit.startswith("ns")
        goal = float(wanted[1]) if wanted else None
        yield Figure(section, what, unit, (value,), "less" if less else "more", goal=goal)


def meter_pass(plan: Plan) -> Iterator[Figure]:
    """Power quality and power out of samples, as `benchmarks.meter` measures it."""
    for name, value in meter.run().items():
        wanted = meter.GOALS.get(name, "").split()
        what, _, unit = name.rpartition(": ")
        goal = float(wanted[1]) if wanted else None
        yield Figure(
            "meter", what, unit, (value,), "more" if unit.startswith("of") else "less", goal=goal
        )


def sampled_pass(plan: Plan) -> Iterator[Figure]:
    """From frames to phasors, rms and power, as `benchmarks.sampled` measures it."""
    for name, value in sampled.run().items():
        wanted = sampled.GOALS.get(name, "").split()
        what, _, unit = name.rpartition(": ")
        goal = float(wanted[1]) if wanted else None
        better: Literal["less", "more"] = "less" if unit.startswith("ns") else "more"
        yield Figure("sampled", what, unit, (value,), better, goal=goal)


def live_pass(plan: Plan) -> Iterator[Figure]:
    """A merging unit on a cable, to reports at a sink of a whole gateway."""
    seconds = plan.seconds if plan.quick else max(10.0, plan.seconds)
    lost = list[float]()
    for performance, rate, gather in LIVE:
        runs = [live.run(performance, rate, seconds, gather) for _ in range(plan.turns)]
        for found in runs:
            plan.say(f"class {performance}, {rate} reports/s, gathered for {gather}: {found}")
        lost += [float(one.lost) for one in runs]
        name = f"class {performance}, {rate} reports/s, {live.FRAMES:,} frames/s"
        for index, quantile in enumerate(("p50", "p99", "most")):
            yield Figure(
                "live", f"{name}, report to sink, {quantile}", "ms",
                tuple(one.latency[index] for one in runs), "less",
                goal=runs[0].limit if quantile == "p99" else None,
            )  # fmt: skip
        yield Figure("live", name, "% of a core", tuple(100 * one.share for one in runs), "less")
    yield Figure("live", "samples that were sent and not taken", "samples", tuple(lost), "less",
                 goal=0.0)  # fmt: skip


def console_pass(plan: Plan) -> Iterator[Figure]:
    """The data plane beside a console: nobody there, one client, a crowd; each beside none."""
    missed, lost = list[float](), list[float]()
    for setting in console.SETTINGS:
        pairs = [
            tuple(console.run(one, CONSOLE_POLL, plan.seconds) for one in (console.NONE, setting))
            for _ in range(plan.turns)
        ]
        for found in (one for pair in pairs for one in pair):
            plan.say(str(found))
        none, mine = zip(*pairs, strict=True)
        missed += [float(one.plane.missed) for one in mine]
        lost += [float(one.plane.delay.lost) if one.plane.delay else 0.0 for one in mine]
        name = f"{setting.name}, {console.DEVICES * VALUES:,} points"
        goals = CONSOLE_GOALS.get(setting.name, {})
        yield Figure(
            "console", name, "values/s delivered", tuple(one.plane.rate for one in mine), "more",
            "no console", tuple(one.plane.rate for one in none), 0.9, 0.99, of_ratio=True,
        )  # fmt: skip
        yield Figure(
            "console", f"{name}, beyond no console", "% of the core",
            tuple(100 * (b.plane.share - a.plane.share) for a, b in pairs), "less",
            goal=goals.get("share"),
        )  # fmt: skip
        yield Figure(
            "console", f"{name}, event loop late, p99", "ms", tuple(one.late[1] for one in mine),
            "less", "no console", tuple(one.late[1] for one in none), goal=goals.get("late"),
        )  # fmt: skip
        yield Figure(
            "console", f"{name}, beyond the poll, p99", "ms",
            tuple(one.plane.delay.beyond[1] for one in mine if one.plane.delay), "less",
            "no console", tuple(one.plane.delay.beyond[1] for one in none if one.plane.delay),
        )  # fmt: skip
        if setting.streams:
            yield Figure(
                "console", name, "samples/s to a stream", tuple(one.samples for one in mine),
                goal=0.99 * console.DEVICES * VALUES / CONSOLE_POLL,
            )  # fmt: skip
    yield Figure(
        "console", "missed or lost in any of them", "polls", (sum(missed) + sum(lost),), "less",
        goal=0.0,
    )  # fmt: skip


SECTIONS: dict[str, Callable[[Plan], Iterator[Figure]]] = {
    "kernel": kernel_pass,
    "phasor": phasor_pass,
    "meter": meter_pass,
    "sampled": sampled_pass,
    "live": live_pass,
    "c37": c37_pass,
    "plane": plane,
    "floor": floor,
    "common": one_second,
    "latency": latency,
    "memory": memory,
    "start": start,
    "opcua": opcua_out,
    "journal": journal,
    "catchup": catchup,
    "command": commands,
    "console": console_pass,
    "dnp3": dnp3_pass,
    "iec104": iec104_pass,
}
