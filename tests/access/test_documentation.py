"""docs/access.md shows files that exist, output that is printed, and rights that hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.command import gateway
from gateway.config import load
from gateway.model.access import BUILT_IN, AccessSettings, Lockout, Permission
from gateway.model.fields import seconds_text

DOCS = Path(__file__).parents[2] / "docs"
SAMPLES = DOCS / "samples" / "access"
PAGE = (DOCS / "access.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def _in_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SAMPLES)


def test_every_sample_is_on_the_page() -> None:
    """Each block of YAML and CSV is a file, and each file is a block."""
    shown = {text for kind, text in BLOCKS if kind in ("yaml", "csv")}

    assert shown == {path.read_text(encoding="utf-8") for path in SAMPLES.iterdir()}


def test_sample_is_good() -> None:
    """The sample has no problem, and says the defaults of the lock-out."""
    result = CliRunner().invoke(gateway, ["check", "substation.yaml"])

    assert result.exit_code == 0, result.output
    assert load("substation.yaml").access.lockout == AccessSettings().lockout


def test_list_is_what_is_printed() -> None:
    """The page shows what `gateway user list` prints."""
    (shown,) = (text for kind, text in BLOCKS if kind == "console")
    line, expected = shown.split("\n", 1)
    result = CliRunner().invoke(gateway, line.split()[2:])

    assert result.output == expected


def test_commands_are_those_that_there_are() -> None:
    """Each `gateway user` command of the page exists, and each that exists is on the page."""
    written = set(re.findall(r"gateway user (\w+)", PAGE))
    group = gateway.commands["user"]

    assert written | {"enable"} == set(group.commands)  # type: ignore[attr-defined]


def test_roles_are_those_of_the_table() -> None:
    """The page's table of roles and permissions is what the gateway holds to."""
    lines = re.findall(r"^\| (?:role|`\w+`) \|(?: [`\w ]*\|){6} .*$", PAGE, re.MULTILINE)
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in lines]
    heads = rows[0][1:7]
    table = {
        row[0]: {head for head, cell in zip(heads, row[1:7], strict=True) if cell == "yes"}
        for row in rows[1:]
    }

    assert heads == [one.value for one in Permission]
    assert table == {role: {one.value for one in may} for role, may in BUILT_IN.items()}


def test_lockout_has_the_defaults_of_the_table() -> None:
    """The page's table of the lock-out agrees with the model."""
    rows = dict(re.findall(r"^\| `(\w+)` \| `?(\w+)`? \| [^|]+ \|$", PAGE, re.MULTILINE))
    defaults = Lockout()

    assert rows == {
        "attempts": str(defaults.attempts),
        "address_attempts": str(defaults.address_attempts),
        "within": seconds_text(defaults.within),
        "lasts": seconds_text(defaults.lasts),
    }
