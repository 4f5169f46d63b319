"""The subcommands that do not run a gateway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import gateway as package
from gateway.cli.command import gateway

YAML = """\
gateway: {name: workshop}
points: points.csv
sources:
  - {name: field, type: simulator}
"""
CSV = """\
name,kind,unit,field.signal
feeder1.voltage_a,analog,V,sine
feeder1.breaker,status,,toggle
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(YAML)
    (tmp_path / "points.csv").write_text(CSV)
    return tmp_path / "gateway.yaml"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(gateway, [str(one) for one in arguments], catch_exceptions=False)


def test_check_of_a_good_file(file: Path) -> None:
    """A good configuration is summed up in one line."""
    result = run("check", file)

    assert result.exit_code == 0
    assert result.output == f"{file}: 2 points, 1 source, 0 sinks, no problem found\n"


def test_check_names_every_problem(file: Path) -> None:
    """Each problem is `file:line:column: sentence`, as editors and CI understand it."""
    file.write_text(YAML.replace("simulator", "simulater").replace("workshop", "Workshop"))
    result = run("check", file)

    assert result.exit_code == 1
    first, second = result.stdout.splitlines()
    assert first.startswith(f"{file}:1:17: name: found 'Workshop', allowed: ")
    assert second.startswith(f"{file}:4:25: type: found 'simulater', but no plugin 'simulater'")
    assert second.endswith("; did you mean 'simulator'?")
    assert result.stderr == f"{file}: 2 problems found\n"


def test_check_of_nothing(tmp_path: Path) -> None:
    """A file that is not there is a problem like any other."""
    result = run("check", tmp_path / "no.yaml")

    assert result.exit_code == 1
    assert result.stdout == f"{tmp_path}/no.yaml:1:1: there is no such file\n"


def test_schema() -> None:
    """The schema is JSON with the types of the bundled plugins."""
    result = run("schema")

    assert result.exit_code == 0
    found = json.loads(result.stdout)
    types = {
        json.dumps(one["properties"]["type"]["const"])
        for one in found["$defs"].values()
        if "const" in one.get("properties", {}).get("type", {})
    }
    assert {'"simulator"', '"modbus"', '"opcua.server"', '"mqtt.json"'} <= types


def test_explain(file: Path) -> None:
    """A point is shown with its source; --json gives the same to machines."""
    result = run("explain", file, "feeder1.voltage_a")
    assert result.exit_code == 0
    assert result.output.startswith("feeder1.voltage_a  analog, V\n\nfrom field (simulator)\n")

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    output = run("explain", file, "feeder1.voltage_a", "--json").output
    found = json.loads(output, parse_constant=refuse)
    assert found["point"]["low"] is None
    assert found["point"]["name"] == "feeder1.voltage_a"
    assert found["source"]["link"] == "field"
    assert found["source"]["address"]["signal"] == "sine"


def test_a_terminal_without_the_signs(file: Path) -> None:
    """In an old locale a sign that cannot be shown is a ?, and nothing fails."""
    csv = file.parent / "points.csv"
    csv.write_text("name,scale,offset,field.signal\na,2,-1,sine\n")
    code = "from gateway.cli import main; main()"
    environ = os.environ | {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    found = subprocess.run(
        [sys.executable, "-c", code, "explain", str(file), "a"],
        capture_output=True,
        env=environ,
        check=True,
    )

    assert b"raw \xd7 2 ? 1" in found.stdout


def test_explain_an_unknown_point(file: Path) -> None:
    """A name that is nearly right is answered with the right one."""
    result = run("explain", file, "feeder1.voltage_b")

    assert result.exit_code == 1
    assert result.stderr == (
        f"{file}: there is no point 'feeder1.voltage_b'; did you mean 'feeder1.voltage_a'?\n"
    )


SINKS = """\
sinks:
  - {name: scada, type: dnp3.outstation, listen: "127.0.0.1:20000", address: 10, master: 1}
  - {name: rtu, type: modbus.server, listen: "127.0.0.1:1502"}
"""


def test_profile(file: Path) -> None:
    """The sinks that have a profile print it, by name or all of them; a sentence where none has."""
    file.write_text(YAML + SINKS)
    result = run("profile", file)
    assert result.exit_code == 0
    assert result.output.startswith("# DNP3 device profile: scada\n")
    assert result.output == run("profile", file, "scada").output

    refused = run("profile", file, "rtu")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"{file}: sink 'rtu' has no profile\n"
    unknown = run("profile", file, "scda")
    assert unknown.exit_code == 1
    assert unknown.stderr == (
        f"{file}: there is no sink 'scda', allowed: scada, rtu; did you mean 'scada'?\n"
    )
    file.write_text(YAML)
    assert run("profile", file).stderr == f"{file}: none of its sinks has a profile\n"


def test_plugins() -> None:
    """Each plugin is a line: version, types and where it comes from."""
    result = run("plugins")

    assert result.exit_code == 0
    head, *lines = result.stdout.splitlines()
    assert head.split() == ["plugin", "version", "types", "from"]
    simulator = next(line for line in lines if line.startswith("simulator "))
    assert "simulator, simulator.replay" in simulator

    rows = json.loads(run("plugins", "--json").stdout)
    (row,) = [row for row in rows if row["name"] == "simulator"]
    assert row["distribution"] == "grid-gateway-simulator"
    assert row["types"] == ["simulator", "simulator.replay"]
    assert row["error"] == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--status-every", "10"), "found '10', allowed: a duration such as 500ms, 10s or 2min"),
        (("--status-every", "0s"), "found '0s', allowed: a duration"),
        (("--trace", "feild"), "there is no link 'feild', allowed: field; did you mean 'field'?"),
        (("--log-level", "loud"), "'loud' is not one of 'debug', 'info', 'warning', 'error'"),
    ],
)
def test_options_of_run(file: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """A wrong option is refused before anything is started."""
    result = run("run", file, *arguments)

    assert result.exit_code == 2
    assert sentence in result.stderr


def test_run_of_a_bad_file(file: Path) -> None:
    """Nothing is started with a configuration that has a problem."""
    file.write_text(YAML.replace("workshop", "Workshop"))
    result = run("run", file)

    assert result.exit_code == 1
    assert result.stderr == f"{file}: 1 problem found\n"


def test_version() -> None:
    """--version says what runs."""
    assert run("--version").output.startswith(f"gateway {package.__version__}, Python 3.")


def test_our_own_mistakes_are_told_apart() -> None:
    """An unexpected exception shows its traceback and asks for a report; exit code 70."""
    code = (
        "import gateway.cli.command as c, gateway.cli, sys\n"
        "def fail(): raise RuntimeError('surprise')\n"
        "c.gateway = fail\n"
        "gateway.cli.main()\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert found.returncode == 70
    assert "RuntimeError: surprise" in found.stderr
    assert found.stderr.endswith(
        "gateway: this is a mistake in the gateway; please report it with the lines above\n"
    )


def test_checking_loads_no_engine(file: Path) -> None:
    """`gateway check` starts without the engine, the kernel and the terminal library."""
    code = (
        "import sys\n"
        f"sys.argv = ['gateway', 'check', {str(file)!r}]\n"
        "from gateway.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = ('gateway.engine', 'gateway.kernel', 'gateway.journal', 'rich', 'uvloop')\n"
        "print([name for name in sys.modules if name.startswith(heavy)])\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.splitlines()[-1] == "[]"
