"""Whole YAML files: each mistake a user can make, with its place and its sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gateway import Endpoint, Keep, Sink, Source, hookimpl
from gateway.config import ConfigError, load
from gateway.host import Host

Check = Callable[[str], list[str]]

HEAD = "gateway: {name: north}\npoints: points.csv\n"
METER = HEAD + "sources:\n  - {name: meter1, type: acme, host: h}\n"


def test_a_good_file(site: Any) -> None:
    """Sources, sinks and points come out in the order of the files, paths absolute."""
    site.write(
        {
            "gateway.yaml": METER + "  - {name: meter2, type: acme, host: i, poll: 500ms}\n"
            "sinks:\n"
            '  - {name: scada, type: acme.out, listen: "[::1]:20000", keep: latest}\n',
            "points.csv": "name,meter2.index\nb,2\na,1\n",
        }
    )
    configuration = site.load()

    assert configuration.gateway.name == "north"
    assert configuration.gateway.data == site.folder / "data"
    assert [source.name for source in configuration.sources] == ["meter1", "meter2"]
    assert configuration.sources[1].poll == 0.5
    (sink,) = configuration.sinks
    assert sink.listen == Endpoint("::1", 20000)
    assert sink.keep.analog is Keep.LATEST
    assert [point.name for point in configuration.points] == ["b", "a"]


def test_a_relative_path_to_the_file(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders in the file are relative to the file and not to where one stands."""
    site.write({"gateway.yaml": METER, "points.csv": "name,meter1.index\na,1\n"})
    monkeypatch.chdir(site.folder.parent)
    configuration = load(Path(site.folder.name) / "gateway.yaml", {}, site.host)

    assert configuration.gateway.data == site.folder / "data"


def test_paths_of_links(site: Any) -> None:
    """A path field of a plugin is relative to the file, too."""
    text = METER.replace("host: h", "host: h, certificate: pki/own.der")
    site.write({"gateway.yaml": text, "points.csv": "name,meter1.index\na,1\n"})

    assert site.load().sources[0].certificate == site.folder / "pki" / "own.der"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: the file is empty, allowed: a mapping with the keys gateway, points, sources"),
        ("# nothing\n", "1:1: the file is empty"),
        ("- a\n", "1:1: found a list, allowed: a mapping with the keys"),
        ("text\n", "1:1: found 'text', allowed: a mapping"),
        (METER + "sink: []\n", "5:1: found the unknown key 'sink', allowed: gateway, points"),
        (METER + "sink: []\n", "did you mean 'sinks'?"),
        (METER.replace("gateway: {name: north}\n", ""), "1:1: the key 'gateway' is missing"),
        (METER.replace("points: points.csv\n", ""), "1:1: the key 'points' is missing"),
        (HEAD, "1:1: the key 'sources' is missing, allowed: a list, one link an item"),
        (HEAD + "sources: {a: 1}\n", "3:10: sources: found a mapping, allowed: a list"),
        (HEAD + "sources:\n", "sources: found nothing, allowed: a list"),
        (HEAD + "sources: [a]\n", "3:11: sources[0]: found 'a', allowed: a mapping with name"),
        (METER.replace("{name: north}", "5"), "1:10: gateway: found 5, allowed: a mapping"),
        (METER.replace("points.csv", "[]"), "2:9: points: found a list, allowed: the path"),
        (METER.replace("points.csv", "[5]"), "2:10: points: found 5, allowed: the path"),
        (METER.replace("points.csv", "[points.csv, points.csv]"), "2:22: points: found the file"),
        (METER.replace("points.csv", "nowhere.csv"), "2:9: points: "),
        (METER.replace("points.csv", "nowhere.csv"), "nowhere.csv: there is no such file"),
        (METER.replace("points.csv", "."), ": this is a folder, allowed: a file"),
    ],
)
def test_top_level(check_yaml: Check, text: str, problem: str) -> None:
    """What is wrong at the top of the file is named with what is allowed."""
    problems = check_yaml(text)

    assert any(problem in one for one in problems), problems


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ("§{name: m, type: acme}", "the key 'host' is missing, allowed: text that is not empty"),
        ("{name: m, type: acme, §hosst: h}", "found the unknown key 'hosst', allowed: name, type"),
        ("{name: m, type: acme, §hosst: h}", "; did you mean 'host'?"),
        ("§{name: m, host: h}", "the key 'type' is missing, allowed: "),
        ("{name: m, type: §5, host: h}", "type: found 5, allowed: "),
        ("{name: m, type: §acne, host: h}", "but no plugin 'acne' is installed"),
        ("{name: m, type: §acne, host: h}", "; did you mean 'acme'?"),
        ("{name: m, type: §acme.aut}", "allowed for plugin 'acme': acme, acme.out, acme.broker"),
        ("{name: m, type: §acme.aut}", "; did you mean 'acme.out'?"),
        ("{name: m, type: §acme.out}", "among the sources, but it belongs to the sinks; allowed: "),
        ("{name: §M, type: acme, host: h}", "name: found 'M', allowed: a name of small letters"),
        ("{name: §on, type: acme, host: h}", "found on without quotes, which YAML reads as true"),
        ("{name: m, type: acme, host: §no}", "; put quotes around it if the text 'no' is meant"),
        ("{name: m, type: acme, host: §5}", "host: found 5, allowed: text that is not empty"),
        ("{name: m, type: acme, host: §}", "host: found nothing, allowed: text"),
        (
            "{name: m, type: acme, port: §70000}",
            "found 70000, allowed: a whole number from 1",
        ),
        ("{name: m, type: acme, port: §yes}", "port: found yes without quotes, which YAML reads"),
        ("{name: m, type: acme, port: §1.0}", "port: found 1.0, allowed: a whole number"),
        ("{name: m, type: acme, ratio: §2}", "ratio: found 2, allowed: a number above 0"),
        ("{name: m, type: acme, debug: §maybe}", "debug: found 'maybe', allowed: true or false"),
        ("{name: m, type: acme, poll: §5}", "poll: found 5: a duration is a number with ms, s,"),
        ("{name: m, type: acme, poll: §1.5}", "poll: found 1.5, allowed: text such as 1s"),
        ("{name: m, type: acme, buffer: §5XB}", "buffer: found '5XB': a size is a number with"),
        ("{name: m, type: acme, timeout: §x}", "timeout: found 'x', allowed: never or text such"),
        ("{name: m, type: acme, retries: [1, §-1]}", "retries[1]: found -1, allowed: a whole"),
        ("{name: m, type: acme, tags: {a: §5}}", "tags.a: found 5, allowed: text"),
        ("{name: m, type: acme, span: §{low: 5, high: 1}}", "span: low is 5, allowed: less than"),
        ("{name: m, type: acme, transport: §{}}", "transport: "),
        ("{name: m, type: acme, transport: §{mode: usb}}", "transport: found a mapping, allowed: "),
        (
            "{name: m, type: acme, transport: {mode: serial, device: d, baud: §1}}",
            "transport.baud: found 1, allowed: a whole number from 300 to 115200",
        ),
        (
            "{name: m, type: acme, transport: {mode: serial, device: d, parity: §evn}}",
            "transport.parity: found 'evn', allowed: none, even; did you mean 'even'?",
        ),
        (
            "{name: m, type: acme, transport: §{mode: network}}",
            "the key 'address' is missing, allowed: text such as 0.0.0.0:4840",
        ),
        (
            "{name: m, type: acme, transport: {mode: network, address: §nowhere}}",
            "transport.address: found 'nowhere': an address is host:port",
        ),
        (
            "{name: m, type: acme, transport: {mode: network, address: 'h:1', §baud: 5}}",
            "transport: found the unknown key 'baud', allowed: mode, address, password",
        ),
    ],
)
def test_links(check_yaml: Check, item: str, sentence: str) -> None:
    """What is wrong with a link is named at its key or value (here behind §)."""
    line = f"  - {item}"
    problems = check_yaml(HEAD + "sources:\n" + line.replace("§", "") + "\n")
    place = f"gateway.yaml:4:{line.index('§') + 1}: "

    assert any(one.startswith(place) and sentence in one for one in problems), problems


def test_names_of_links_are_unique(check_yaml: Check) -> None:
    """A sink may not have the name of a source; both lines are named."""
    text = METER + 'sinks:\n  - {name: meter1, type: acme.out, listen: "h:1"}\n'

    assert check_yaml(text) == [
        "gateway.yaml:6:12: found the link 'meter1' again, first in line 4; "
        "names are unique over sources and sinks"
    ]


def test_all_problems_at_once_and_in_order(site: Any) -> None:
    """Problems of both files come together, in the order of lines, each once."""
    site.write(
        {
            "gateway.yaml": HEAD.replace("north", "North") + "sources:\n"
            "  - {name: meter1, type: acme, host: h}\n"
            "  - {name: meter2, type: acme, host: h, port: x, pol: 1s}\n",
            "points.csv": "name,kind,meter1.index\na,analogue,1\nb,,x\n",
        }
    )
    places = [":".join(one.split(":")[:3]) for one in site.problems()]

    assert places == [
        "gateway.yaml:1:17",
        "gateway.yaml:5:47",
        "gateway.yaml:5:50",
        "points.csv:2:3",
        "points.csv:3:4",
    ]


def test_columns_of_a_link_with_a_problem_are_left_alone(site: Any) -> None:
    """One mistake in the YAML does not make a hundred in the point list."""
    site.write(
        {
            "gateway.yaml": METER.replace("host: h", "port: 5"),
            "points.csv": "name,meter1.index\na,1\nb,x\n",
        }
    )

    assert len(site.problems()) == 1


def test_aliases_share_settings(site: Any) -> None:
    """Anchors, aliases and merge keys work, and a mistake in them is told once."""
    text = HEAD + (
        "sources:\n"
        "  - &meter {name: meter1, type: acme, host: a, poll: 2s}\n"
        "  - {<<: *meter, name: meter2, host: b}\n"
    )
    site.write({"gateway.yaml": text, "points.csv": "name,meter1.index\na,1\n"})
    first, second = site.load().sources
    assert (first.host, second.host, second.poll) == ("a", "b", 2.0)

    site.write({"gateway.yaml": text.replace("2s", "2")})
    assert [one.split(": ")[0] for one in site.problems()] == ["gateway.yaml:4:54"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"gateway: {name: \xe4}\n", "1:17: found the byte 0xe4, which is not UTF-8"),
        ("gateway: {}".encode("utf-16"), "1:1: found a file in UTF-16, allowed: UTF-8"),
    ],
)
def test_other_encodings(site: Any, data: bytes, problem: str) -> None:
    """A file that is not UTF-8 is named with the place of the first strange byte."""
    site.write({"gateway.yaml": data})

    assert site.problems()[0].startswith(f"gateway.yaml:{problem}")


def test_files_that_are_none(site: Any) -> None:
    """A missing file and a folder are problems, not tracebacks."""
    with pytest.raises(ConfigError, match=r"nowhere\.yaml:1:1: there is no such file"):
        load(site.folder / "nowhere.yaml")
    with pytest.raises(ConfigError, match="this is a folder, allowed: a file"):
        load(site.folder)


def test_a_byte_order_mark(site: Any) -> None:
    """Files as Windows editors write them, with BOM and CRLF, are read."""
    site.write(
        {
            "gateway.yaml": b"\xef\xbb\xbf" + METER.replace("\n", "\r\n").encode(),
            "points.csv": b"\xef\xbb\xbfname;meter1.index\r\na;1\r\n",
        }
    )

    assert site.load().points[0].name == "a"


class TestSecrets:
    """A password comes from the environment or a file, never from the YAML."""

    TEXT = METER.replace("host: h", "host: h, token: TOKEN")

    def write(self, site: Any, token: str) -> None:
        site.write(
            {
                "gateway.yaml": self.TEXT.replace("TOKEN", token),
                "points.csv": "name,meter1.index\na,1\n",
            }
        )

    def test_from_the_environment(self, site: Any) -> None:
        """{env: NAME} is the value of the variable."""
        self.write(site, "{env: METER_TOKEN}")
        site.environ["METER_TOKEN"] = "opensesame"

        assert site.load().sources[0].token == SecretStr("opensesame")

    def test_from_a_file(self, site: Any) -> None:
        """{file: PATH} is the text of the file, beside the YAML, without its last line end."""
        self.write(site, "{file: token.txt}")
        site.write({"token.txt": b"open sesame\r\n"})

        assert site.load().sources[0].token == SecretStr("open sesame")

    @pytest.mark.parametrize("literal", ["opensesame", "12345", "{env: A, file: b}", "[a]"])
    def test_a_literal_is_refused(self, site: Any, literal: str) -> None:
        """The secret itself is refused, and not repeated in the sentence."""
        self.write(site, literal)
        (problem,) = site.problems()[:1]

        assert problem.startswith("gateway.yaml:4:48: token: found ")
        assert "allowed: {env: NAME} or {file: PATH}" in problem
        assert "opensesame" not in problem
        assert "12345" not in problem

    @pytest.mark.parametrize(
        ("token", "column", "sentence"),
        [
            ("{env: METER_TOKEM}", 54, "'METER_TOKEM' is not set; did you mean 'METER_TOKEN'?"),
            ("{env: EMPTY}", 54, "the environment variable 'EMPTY' is empty"),
            ("{env: 5}", 54, "token.env: found 5, allowed: text"),
            ("{env: }", 54, "token.env: found nothing, allowed: text"),
            ("{file: nowhere}", 55, "cannot be read: No such file or directory"),
            ("{file: .}", 55, "cannot be read: Is a directory"),
            ("{file: empty}", 55, "has 0 bytes, allowed: text in UTF-8, 1 to 65536 bytes"),
            ("{file: binary}", 55, "has 1 bytes, allowed: text in UTF-8"),
            ("{file: huge}", 55, "has 65537 bytes, allowed"),
            ("{enf: A}", 49, "token: found the unknown key 'enf', allowed: env, file; did you mea"),
        ],
    )
    def test_what_is_not_there(self, site: Any, token: str, column: int, sentence: str) -> None:
        """A secret that cannot be had is a problem at the name of where it should be."""
        self.write(site, token)
        site.environ |= {"METER_TOKEN": "x", "EMPTY": ""}
        site.write({"empty": b"", "binary": b"\xff", "huge": b"x" * 70_000})
        (problem,) = site.problems()

        assert problem.startswith(f"gateway.yaml:4:{column}: ")
        assert sentence in problem

    def test_null_where_it_is_allowed(self, site: Any) -> None:
        """A secret that may be left out may be null."""
        self.write(site, "null")

        assert site.load().sources[0].token is None


def test_only_named_plugins_are_imported(site: Any) -> None:
    """A broken plugin that nobody names stops nobody; a named one is told at its line."""

    class Broken:
        @hookimpl
        def gateway_components(self) -> list[type[Source] | type[Sink]]:
            raise RuntimeError("no licence")

    site.host = Host({"acme": site.host._extra["acme"], "broken": Broken()})
    site.write({"gateway.yaml": METER, "points.csv": "name,meter1.index\na,1\n"})
    assert site.problems() == []

    site.write(
        {"gateway.yaml": METER + "  - {name: b, type: broken}\n  - {name: c, type: broken.x}\n"}
    )
    (problem,) = site.problems()
    assert problem.startswith("gateway.yaml:5:21: type: plugin 'broken' (handed in): ")
    assert "gateway_components() raised RuntimeError: no licence" in problem
    assert Path(__file__).name in problem


def test_a_validator_that_raises(site: Any) -> None:
    """A plugin's own mistake in a validator is told at the link, with the plugin's name."""
    from typing import Literal

    from pydantic import field_validator

    class Careless(Source):
        type: Literal["careless"]
        host: str

        @field_validator("host")
        @classmethod
        def _host(cls, value: str) -> str:
            known: dict[str, str] = {}
            return known[value]

        async def run(self, ctx: Any) -> None: ...

    class Plugin:
        @hookimpl
        def gateway_components(self) -> list[type[Source] | type[Sink]]:
            return [Careless]

    site.host = Host({"careless": Plugin()})
    site.write(
        {
            "gateway.yaml": HEAD + "sources:\n  - {name: c, type: careless, host: h}\n",
            "points.csv": "name\n",
        }
    )

    assert site.problems()[0] == (
        "gateway.yaml:4:5: plugin 'careless' failed while it read this, "
        "which is a mistake in it: KeyError: 'h'"
    )


def test_checking_imports_no_network_code() -> None:
    """`gateway.config` does not bring the engine, the kernel or a protocol library with it."""
    import subprocess

    code = (
        "import sys, gateway.config; "
        "print([m for m in sys.modules if m.startswith(('gateway.engine', 'gateway.kernel', "
        "'gateway.journal', 'rich', 'asyncua', 'pymodbus', 'aiomqtt'))])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
