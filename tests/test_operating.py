"""docs/operating.md says what the gateway does."""

from __future__ import annotations

import re
from pathlib import Path

from gateway import Sink, TlsClient
from gateway.cli.top import PASSWORD, TOKEN, top
from gateway.engine import health
from gateway.testing import Collector, Emitter

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "operating.md").read_text()
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
