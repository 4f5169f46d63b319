"""What a sink may see of the whole gateway."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import AuditQuery, Observation, Quality
from gateway.config import explain, load
from gateway.engine import checking
from gateway.engine.checking import check
from gateway.model.errors import GatewayError
from gateway.testing import Collector, Emitter, paused, running

POINTS = "name,unit,field.at,command.model\nbay1.voltage,V,x,\nbay1.breaker,,y,setpoint\n"
T0 = 1_767_225_600_000_000_000
YAML = """\
gateway: {name: north}
points: points.csv
sources:
  - {name: meter1, type: modbus, host: 10.0.0.11, unit: 1, poll: 1s}
"""
CSV = "name,meter1.register,meter1.type\nfeeder1.voltage,3000,float32\n"


async def seen(sink: Collector) -> Observation:
    return (await sink.context()).observe


@paused
async def test_a_sink_sees_links_that_are_not_its_own(tmp_path: Path) -> None:
    """State, since when, why, and what was counted, of sources and of other sinks."""
    field, eye, other = Emitter(name="field"), Collector(name="eye"), Collector(name="other")
    async with running([field], [eye, other], POINTS, data=tmp_path) as gateway:
        observe = await seen(eye)
        (await field.context()).count("timeouts", 2)
        assert [(one.name, one.direction, one.state) for one in observe.links()] == [
            ("field", "source", "up"),
            ("eye", "sink", "up"),
            ("other", "sink", "up"),
        ]
        assert observe.links()[0].counters == {"timeouts": 2}
        field.lose("the cable is cut")
        await gateway.until(lambda: gateway.state("field") == "down")
        (link, *_) = observe.links()
        assert (link.state, link.error) == ("down", "the cable is cut")
        assert link.since == gateway.status("field").since


@paused
async def test_every_ledger_balances_and_tells_the_age_of_what_waits(tmp_path: Path) -> None:
    """taken = delivered + coalesced + dropped + pending; the oldest is when it was taken."""
    field = Emitter(name="field")
    eye, slow = Collector(name="eye"), Collector(name="slow", acknowledges=False)
    async with running([field], [eye, slow], POINTS, data=tmp_path) as gateway:
        observe = await seen(eye)
        await slow.context()
        await gateway.until(lambda: gateway.held("slow"))
        slow.acknowledge()
        clock = gateway.engine.clock
        before = clock.now()
        await field.emit(["bay1.voltage"], [1.0])
        after = clock.now()
        await field.emit(["bay1.voltage"], [2.0])
        ledgers = {one.sink: one for one in await observe.ledgers()}
        for one in ledgers.values():
            assert one.taken == (
                one.delivered + one.coalesced + sum(one.dropped.values()) + one.pending
            )
        assert ledgers["slow"].pending == gateway.held("slow") > 0
        assert ledgers["eye"].oldest is None
        oldest = ledgers["slow"].oldest
        assert oldest is not None
        assert before <= oldest <= after
        slow.acknowledge()
        await gateway.until(lambda: not gateway.held("slow"))
        assert {one.oldest for one in await observe.ledgers()} == {None}


@paused
async def test_lineage_is_that_of_explain(tmp_path: Path) -> None:
    """Of every point, the gateway's own included; of no other."""
    field, eye = Emitter(name="field"), Collector(name="eye")
    async with running([field], [eye], POINTS, data=tmp_path) as gateway:
        observe = await seen(eye)
        number = gateway.engine.id("bay1.voltage")
        assert observe.explain(number) == explain(gateway.engine.configuration, "bay1.voltage")
        health = observe.explain(gateway.engine.id("_health.field.up"))
        assert (health.source, health.point.name) == (None, "_health.field.up")
        for strange in (-1, 10_000):
            with pytest.raises(KeyError):
                observe.explain(strange)


@paused
async def test_history_is_what_the_journal_holds(tmp_path: Path) -> None:
    """The newest rows of one point in a time, oldest first, however it is read in portions."""
    field = Emitter(name="field")
    eye, slow = Collector(name="eye"), Collector(name="slow", acknowledges=False)
    async with running([field], [eye, slow], POINTS, data=tmp_path) as gateway:
        observe = await seen(eye)
        for i in range(20):
            times = [T0 + i * 10**9, T0]
            names = ["bay1.voltage", "bay1.breaker"]
            await field.emit(names, [i, -i], Quality.DEVICE_TIME, times, every=True)
        number = gateway.engine.id("bay1.voltage")

        async def values(since: int, until: int, most: int) -> tuple[list[float], bool]:
            found = await observe.history(number, since, until, most)
            assert set(found.batch.point.tolist()) <= {number}
            return found.batch.value.tolist(), found.complete

        end = T0 + 100 * 10**9
        assert await values(T0, end, 100) == ([float(i) for i in range(20)], True)
        assert await values(T0, end, 3) == ([17, 18, 19], False)
        assert await values(T0 + 5 * 10**9, T0 + 7 * 10**9, 100) == ([5, 6, 7], True)
        assert await values(end, end, 100) == ([], True)
        slow.acknowledge()
        await gateway.until(lambda: not gateway.held("slow"))
        await gateway.engine.journal.settled()
        assert await values(T0, end, 100) == ([], True)


def test_history_is_read_in_portions(tmp_path: Path) -> None:
    """Each portion goes on where the one before ended, and none is left out or read twice."""
    from gateway.journal.store import Reader, Store, Transaction
    from gateway.model.batch import Batch

    store = Store(tmp_path / "journal.db")
    batches = [(i, i, Batch.of([1, 2, 1], [i, -1, i + 0.5], 0, i)) for i in range(1, 11)]
    store.commit(Transaction(10, batches))
    reader = Reader(tmp_path / "journal.db")
    found: list[float] = []
    last, portions = 10, 0
    while last > 0:
        part, last = reader.rows_of(1, 0, 100, last, portion=6)
        found = [v for batch in reversed(part) for v in batch.value.tolist()] + found
        portions += 1
    assert found == [v for i in range(1, 11) for v in (i, i + 0.5)]
    assert portions >= 5
    reader.close()
    store.close()


@paused
async def test_the_audit_log_is_searched_and_proved(tmp_path: Path) -> None:
    """By step, by number, the first or the last; and a changed record is found."""
    field, eye = Emitter(name="field", obeys=True), Collector(name="eye", role="operator")
    async with running([field], [eye], POINTS, data=tmp_path):
        observe = await seen(eye)
        for value in (1.0, 2.0, 3.0):
            await eye.ask("bay1.breaker", value, reason="a test")

        async def numbers(**more: object) -> tuple[list[int], bool]:
            page = await observe.audit(AuditQuery(**more))  # type: ignore[arg-type]
            return [one.n for one in page.records], page.more

        whole, more = await numbers(most=1000)
        assert (whole, more) == (list(range(1, len(whole) + 1)), False)
        received = await observe.audit(AuditQuery(texts={"step": ("received",)}))
        assert [one.facts["value"] for one in received.records] == [1.0, 2.0, 3.0]
        assert {one.facts["reason"] for one in received.records} == {"a test"}
        assert await numbers(most=2) == (whole[:2], True)
        assert await numbers(most=2, newest=True) == (whole[-2:], True)
        assert await numbers(after=whole[-2]) == (whole[-1:], False)
        last = received.records[-1]
        assert (await numbers(since=last.time))[0][0] <= last.n
        assert (await numbers(until=last.time))[0][-1] >= last.n
        proof = await observe.prove_audit()
        assert (proof.proven, proof.first, proof.last) == (True, 1, whole[-1])
        (file,) = (tmp_path / "audit").glob("*.jsonl")
        file.write_text(file.read_text().replace("a test", "a lark", 1))
        assert "edited" in (await observe.prove_audit()).broken


def test_what_runs_is_told_by_the_digest_of_its_files(tmp_path: Path) -> None:
    """Of each file the SHA-256, as hashlib has it of its bytes."""
    (tmp_path / "a.yaml").write_text(YAML)
    (tmp_path / "points.csv").write_bytes(b"\xef\xbb\xbf" + CSV.encode())
    configuration = load(tmp_path / "a.yaml")
    assert list(configuration.files) == [tmp_path / "a.yaml", tmp_path / "points.csv"]
    for path, digest in configuration.files.items():
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


@paused
async def test_health_is_that_of_the_gateway(tmp_path: Path) -> None:
    """Its name, since when it runs, and what fails."""
    eye = Collector(name="eye")
    async with running([], [eye], data=tmp_path, name="north") as gateway:
        health = (await seen(eye)).health()
        assert (health.gateway, health.started) == ("north", gateway.engine.started)
        assert (health.journal_failing, health.audit_failing) == ("", "")
        assert health.clock_synchronised


async def test_a_configuration_is_checked_in_a_process_of_its_own() -> None:
    """Counts where it is valid, else each mistake by file, line and column."""
    good = await check({"a.yaml": YAML.encode(), "points.csv": CSV.encode()})
    assert (good.flaws, good.sources, good.sinks, good.points) == ([], 1, 0, 1)
    bad = await check({"a.yaml": YAML.encode(), "points.csv": CSV.replace("3000", "x").encode()})
    (flaw,) = bad.flaws
    assert (flaw.file, flaw.line, flaw.column) == ("points.csv", 2, 17)


async def test_a_check_opens_no_file_of_the_machine(tmp_path: Path) -> None:
    """Neither where the file names one, nor where a plugin would."""
    secret = tmp_path / "secret.csv"
    secret.write_text("name\nnobody.knows\n")
    for path in (str(secret), "../secret.csv", "./points.csv"):
        named = await check({"a.yaml": YAML.replace("points.csv", path).encode()})
        (flaw,) = named.flaws
        assert flaw.sentence.startswith("points: found '")
        assert flaw.sentence.endswith("allowed: a file beside this one")
    program = (
        "import pathlib, sys\n"
        "from gateway.engine.checking import _confine\n"
        "_confine(pathlib.Path(sys.argv[1]))\n"
        "print(open(sys.argv[1] + '/own.csv').read(), end='')\n"
        "print(open(sys.argv[2]).read(), end='')\n"
    )
    own = tmp_path / "own"
    own.mkdir()
    (own / "own.csv").write_text("of its own\n")
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-I", "-c", program, str(own), str(secret)],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "of its own\n"
    assert "a check opens files of its own only" in done.stderr


async def test_a_check_ends_within_its_time() -> None:
    """One that takes too long is killed, with a sentence."""
    with pytest.raises(GatewayError, match="was not finished within"):
        await check({"a.yaml": YAML.encode(), "points.csv": CSV.encode()}, timeout=0.01)


@pytest.mark.parametrize("name", ["../a.yaml", "/a.yaml", "a/b", "", ".a", "a" * 101])
async def test_a_check_takes_plain_names_only(name: str) -> None:
    """Nothing is written outside of its folder."""
    with pytest.raises(GatewayError, match="allowed: letters"):
        await check({name: b""})
    with pytest.raises(GatewayError, match=f"allowed: 1 to {checking.MOST_FILES}"):
        await check({})
