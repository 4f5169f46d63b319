"""Whatever bytes the files have, the answer is a Configuration or a ConfigError."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.config import ConfigError, Problem, load
from gateway.model.configuration import Configuration

YAML = b"""\
gateway: {name: north, journal: {max_size: 5MB}}
points: points.csv
sources:
  - &m {name: meter1, type: acme, host: h, port: 502, poll: 1s, span: {low: 1, high: 2}}
  - {<<: *m, name: meter2, token: {env: TOKEN}, transport: {mode: serial, device: d}}
sinks:
  - {name: scada, type: acme.out, listen: "0.0.0.0:1", keep: every, select: [a.*, "!b"], role: r}
commands: {bays: [{name: b, points: [a.*, "!c"], switch: c}], rate: 5, audit: {max_size: 1MB}}
access: {roles: [{name: r, may: [read], points: [c]}], certificates: [{subject: CN=x, role: r}]}
"""
CSV = b"""\
name,kind,unit,scale,low,high,deadband,meter1.index,meter1.type,scada.slot,scada.keep,\
command.model,command.low,command.interlock,command.feedback
a.b,analog,V,0.1,0,500,1%,1,float32,1,every,setpoint,5,not c and a.b < 9,a.b
# comment
c,status,"two
lines",1,,,always,2,,,latest,latch,,'c' or _health.meter1.up,c
"""
YAML_SCRAPS = [
    b"\t", b"&a", b"*a", b"*m", b"<<: *m", b"!!int", b"{", b"}", b"[", b"]", b"- ", b": ", b"? ",
    b"---\n", b"...\n", b"'", b'"', b"|\n", b">", b"#", b"%", b"\xff", b"\x00", b"\xef\xbb\xbf",
    b"12:30", b"010", b".nan", b"1e999", b"9" * 400, b"on", b"null", b"\xe2\x80\xa8", b"\r", b"\n",
]  # fmt: skip
CSV_SCRAPS = [
    b",", b";", b'"', b'""', b"\n", b"\r", b"\r\n", b"\x00", b"#", b"\xff", b"\xef\xbb\xbf", b"%",
    b"nan", b"inf", b"-1", b"1_0", b"9" * 400, b"1e999", b"always", b"s", b"_", b".", b"name",
    b"meter1.", b"\xe2\x80\xa8", b"\x0b", b"\x1c", b" ", b"\t", "\u0665".encode(), "²".encode(),
    b"command.", b"not ", b"(", b"'", b" < ", b"closed",
]  # fmt: skip


def mutated(text: bytes, scraps: list[bytes]) -> st.SearchStrategy[bytes]:
    """Return texts in which some stretches are replaced by scraps or by random bytes."""
    scrap = st.one_of(st.sampled_from(scraps), st.binary(max_size=4), st.just(b""))
    edit = st.tuples(st.integers(0, len(text)), st.integers(0, 12), scrap)

    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        result = text
        for start, length, new in edits:
            result = result[:start] + new + result[start + length :]
        return result

    return st.lists(edit, max_size=5).map(apply)


def hold(host: Any, yaml: bytes, csv: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "gateway.yaml").write_bytes(yaml)
        (folder / "points.csv").write_bytes(csv)
        problems: tuple[Problem, ...] = ()
        result = None
        try:
            result = load(folder / "gateway.yaml", {"TOKEN": "t"}, host)
        except ConfigError as error:
            problems = error.problems
        assert isinstance(result, Configuration) or problems
        for one in problems:
            assert one.line >= 1
            assert one.column >= 1
            assert "\n" not in one.sentence
            assert "mistake in" not in one.sentence, one
            # YAML has line breaks of its own, but bytes that are no text are found before it.
            lines = _lines(
                one.path, yaml=one.path.suffix == ".yaml" and "UTF-8" not in one.sentence
            )
            assert one.line <= len(lines) + 1
            if one.line <= len(lines):
                assert one.column <= len(lines[one.line - 1]) + 2


def _lines(path: Path, *, yaml: bool) -> list[str]:
    text = path.read_bytes().decode("utf-8-sig", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for separator in ("\x85", "\u2028", "\u2029") if yaml else ():
        text = text.replace(separator, "\n")
    return text.split("\n")


FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_the_seeds_are_good(host: Any) -> None:
    """The texts that are mutated are valid ones, so that mutations reach every layer."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "gateway.yaml").write_bytes(YAML)
        (Path(name) / "points.csv").write_bytes(CSV)
        assert len(load(Path(name) / "gateway.yaml", {"TOKEN": "t"}, host).points) == 2


@given(yaml=st.one_of(st.binary(max_size=200), mutated(YAML, YAML_SCRAPS)))
@example(yaml=b"? ? ? ?")
@FUZZ
def test_any_yaml(host: Any, yaml: bytes) -> None:
    """Any bytes as YAML: a Configuration or a ConfigError with places inside the file."""
    hold(host, yaml, CSV)


@given(
    csv=st.one_of(
        st.binary(max_size=200),
        mutated(CSV, CSV_SCRAPS),
        mutated(CSV.replace(b'"two\nlines"', b""), CSV_SCRAPS),
    )
)
@example(csv=b'name,meter1.index\n"')
@FUZZ
def test_any_csv(host: Any, csv: bytes) -> None:
    """Any bytes as a point list: a Configuration or a ConfigError with places inside the file."""
    hold(host, YAML, csv)
