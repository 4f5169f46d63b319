"""docs/operating.md says what the gateway does."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import click

from gateway import Sink, TlsClient
from gateway.cli.frame_lines import lines
from gateway.cli.top import PASSWORD, TOKEN, top
from gateway.config import load
from gateway.engine import Engine, health
from gateway.engine.local import conversation
from gateway.testing import Collector, Emitter, free_ports
from gateway.testing.running import Running, TrustedClock

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "operating.md").read_text()
PORTS = dict(zip(("15030", "4840"), map(str, free_ports(2)), strict=True))
STATUS = re.compile(
    r"\d\d:\d\d:\d\d \d+/\d+ sources up, \d+/\d+ sinks up, [\d,]+ points( \([^)]*\))?(, .*)?"
)


class Secured(Emitter):
    """A source with certificates."""

    tls: TlsClient = TlsClient(ca=Path("ca.pem"))


def test_every_health_point_is_told() -> None:
    """The document names each health point of a gateway with sources and a sink."""
    links = [Emitter(name="source1"), Secured(name="source2"), Collector(name="sink1")]
    sinks = {link.name for link in links if isinstance(link, Sink)}
    names = {
        re.sub("source1|source2|sink1", "SINK" if name.endswith("pending") else "LINK", name)
        for name in (definition.name for definition in health.definitions(links))
    }
    assert sinks == {"sink1"}
    assert set(re.findall(r"`(_health\.[\w.]+)`", TEXT)) == names


def shape(line: str) -> str:
    """A line of frames without what differs from one look to the next."""
    line = re.sub(r"0x[0-9a-f]{4}", "0x", line)
    line = re.sub(r"^\d\d:\d\d:\d\d\.\d{6}|^\d{4}-\d\d-\d\d", "TIME", line)
    line = re.sub(r"transaction \d+|127\.0\.0\.1:\d+|\d taken", "N", line)
    return re.sub(r"(meter1) +\d+", r"\1 N", line)


async def test_the_frames_shown_are_frames(tmp_path: Path) -> None:
    """The frames in the document are those of the sample's gateway, numbers and times apart."""
    shown = TEXT[TEXT.index("gateway trace DATA meter1 --last 6") :]
    expected = shown[shown.index("```text\n") + 8 :].partition("\n```")[0].splitlines()
    async with sample("device", tmp_path), sample("gateway", tmp_path) as gateway:
        ring = gateway.engine.rings["meter1"]
        # What was down at first is up, and a whole poll has settled.
        await gateway.until(lambda: gateway.state("meter1") == "up")
        polled = ring.last
        await gateway.until(lambda: ring.last >= polled + 6)
        answer: dict[str, Any] = {"frames": [], "more": True}
        async with conversation(gateway.engine.data) as local:
            while len(answer["frames"]) < 6 or answer["frames"][-1]["number"] % 6:
                answer = await local.ask("frames", links=["meter1"], after={}, past=True)
        last = lines(as_hex=False)(answer | {"missed": {}}, answer["frames"][-6:])
        assert [shape(click.unstyle(line)) for line in last] == [shape(line) for line in expected]


@contextlib.asynccontextmanager
async def sample(name: str, folder: Path) -> AsyncIterator[Running]:
    """A gateway of README.md's, at ports of its own."""
    source = ROOT / "docs" / "samples" / "meter"
    here = folder / name
    here.mkdir()
    for path in source.glob("*.csv"):
        (here / path.name).write_text(path.read_text())
    text = (source / f"{name}.yaml").read_text()
    for port in ("15030", "4840"):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{PORTS[port]}")
        text = text.replace(f"port: {port}", f"port: {PORTS[port]}")
    (here / "sample.yaml").write_text(text.replace("poll: 1s", "poll: 200ms"))
    gateway = Running(Engine(load(here / "sample.yaml"), clock=TrustedClock()))
    gateway.start()
    try:
        await gateway.until(lambda: gateway.engine.links)
        yield gateway
    finally:
        await gateway.stop()


def test_every_reason_for_a_drop_is_told() -> None:
    """Each reason that the code gives a ledger has a row in the document, and no other has."""
    code = "".join(
        path.read_text()
        for layer in ("engine", "journal")
        for path in (ROOT / "gateway" / layer).glob("*.py")
    )
    given = set(re.findall(r'dropped\["(\w+)"\]|_shed\("(\w+)"|_lose\([^"]*"(\w+)"\)', code))
    reasons = {next(filter(None, groups)) for groups in given}
    table = TEXT[TEXT.index("| reason |") :].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == reasons


def test_the_status_line_shown_is_one() -> None:
    """The status line in the document has the form of a real one."""
    line = next(line for line in TEXT.splitlines() if "sources up, 1/1" in line)
    assert STATUS.fullmatch(line)


def test_the_options_of_top_are_those_of_the_command() -> None:
    """The section names each option of `gateway top`, and no other."""
    section = TEXT.partition("### From another machine")[2].partition("\n## ")[0]
    own = {option for parameter in top.params for option in parameter.opts if option[:2] == "--"}
    assert set(re.findall(r"--[a-z-]+[a-z]", section)) == own
    assert {PASSWORD, TOKEN} == set(re.findall(r"GATEWAY_\w+", section))
