"""The contract of a plugin folder: each rule, broken on purpose, is named."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.testing.contract import (
    SCALE,
    check_classes,
    check_commands,
    check_files,
    check_imports,
    check_names,
    check_plugin,
    check_readme,
    check_sample,
)

PYPROJECT = """\
[project]
name = "grid-gateway-acme"
version = "1"
description = "Acme"
readme = "README.md"
license = "MIT"
requires-python = ">=3.11"
dependencies = ["grid-gateway>=0.1"]

[project.entry-points."gateway.plugins"]
acme = "gateway_acme"
"""
PACKAGE = """\
from typing import Annotated, Literal
from gateway import Point, Source, hookimpl
from pydantic import Field

class AcmePoint(Point):
    tag: Annotated[str, Field(description="name in the device")]

class Acme(Source):
    Point = AcmePoint
    type: Literal["acme"] = "acme"
    host: Annotated[str, Field(description="name or address")]

    async def run(self, ctx):
        ctx.up()

@hookimpl
def gateway_components():
    return [Acme]
"""
SAMPLE = "gateway: {name: x}\n"
README = f"# Acme\n\n```yaml\n{SAMPLE}```\n\n" + "\n".join(f"- {rule}: done" for rule in SCALE)


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A plugin folder that keeps every rule."""
    folder = tmp_path / "acme"
    (folder / "gateway_acme").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "tests" / "test_acme.py").write_text("from gateway.testing import running\n")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "README.md").write_text(README)
    (folder / "sample.yaml").write_text(SAMPLE)
    (folder / "gateway_acme" / "__init__.py").write_text(PACKAGE)
    (folder / "gateway_acme" / "py.typed").touch()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("gateway_acme", None)
    importlib.invalidate_caches()


RULES: tuple[Callable[[Path], Iterator[str]], ...] = (
    check_names,
    check_classes,
    check_imports,
    check_commands,
    check_readme,
    check_files,
)


def violated(folder: Path) -> list[str]:
    return [sentence for rule in RULES for sentence in rule(folder)]


def importable(change: str) -> bool:
    return "import LINK" not in change and "running" not in change


def test_a_good_folder_breaks_no_rule(acme: Path) -> None:
    """A folder that keeps the contract gives no sentence."""
    assert violated(acme) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("pyproject.toml", "grid-gateway-acme", "acme", "the distribution is 'acme'"),
        ("pyproject.toml", 'acme = "gateway_acme"', 'acme = "acme"', "the entry points of"),
        (
            "pyproject.toml",
            'acme = "gateway_acme"',
            'a = "gateway_acme"',
            "the entry point is 'a', it must be 'acme'",
        ),
        ("pyproject.toml", '"grid-gateway>=0.1"', '"numpy"', "must depend on grid-gateway"),
        ("pyproject.toml", 'license = "MIT"', "", "project.license is missing"),
        ("gateway_acme/__init__.py", '"acme"] = "acme"', '"x"] = "x"', "must be 'acme' or begin"),
        ("gateway_acme/__init__.py", '] = "acme"', "]", "must have its own word as the default"),
        ("gateway_acme/__init__.py", 'type: Literal["acme"]', "type: str", "a Literal of one word"),
        ("gateway_acme/__init__.py", "    async def run", "    def run", "a coroutine function"),
        ("gateway_acme/__init__.py", "        ctx.up()", "        yield 1", "PEP 789"),
        ("gateway_acme/__init__.py", "run(self, ctx)", "run(self)", r"must take \(self, ctx\)"),
        ("gateway_acme/__init__.py", "async def run", "async def go", "has no run of its own"),
        (
            "gateway_acme/__init__.py",
            'Field(description="name or address")',
            "Field()",
            "Acme.host has no description",
        ),
        (
            "gateway_acme/__init__.py",
            'Field(description="name in the device")',
            "Field()",
            "Acme.Point.tag has no description",
        ),
        (
            "gateway_acme/__init__.py",
            "    Point = AcmePoint\n",
            '    Point = AcmePoint\n    model_config = {"frozen": False}\n',
            "Acme must stay frozen",
        ),
        (
            "gateway_acme/__init__.py",
            "class AcmePoint(Point):\n",
            'class AcmePoint(Point):\n    model_config = {"extra": "ignore"}\n',
            "Acme.Point must stay extra='forbid'",
        ),
        ("gateway_acme/__init__.py", "import Point,", "import LINK,", "no public name LINK"),
        (
            "gateway_acme/__init__.py",
            "from gateway import Point",
            "import gateway.model.link\nfrom gateway import Point",
            "__init__.py:2: imports gateway.model.link, which is private",
        ),
        (
            "gateway_acme/__init__.py",
            "from gateway import Point",
            "from gateway.testing import running\nfrom gateway import Point",
            "imports from gateway.testing, which is private",
        ),
        ("tests/test_acme.py", "gateway.testing", "gateway.engine", "gateway.engine, which is pri"),
        (
            "gateway_acme/__init__.py",
            "    Point = AcmePoint\n",
            "    Point = AcmePoint\n    takes_commands = True\n",
            r"Acme.takes_commands is True, but nothing in gateway_acme reads ctx.commands\(\)",
        ),
        (
            "gateway_acme/__init__.py",
            "        ctx.up()\n",
            "        ctx.up()\n        async for one in ctx.commands():\n            pass\n",
            "none of its sources has takes_commands = True",
        ),
        ("README.md", "name: x", "name: y", "no ```yaml block in it is equal to sample.yaml"),
        ("README.md", "- codec fuzzed: done\n", "", "has no line 'codec fuzzed: done'"),
        ("README.md", "codec fuzzed: done", "codec fuzzed: exempt", "is exempt without a reason"),
        ("README.md", "codec fuzzed: done", "codec fuzzed: nearly", "has no line 'codec fuzzed"),
        ("README.md", "# Acme", "pip install --index-url x", "names a package index"),
        (
            "gateway_acme/__init__.py",
            "return [Acme]",
            "return [Source]",
            "Source is defined in gateway.model.link, it must be in gateway_acme",
        ),
        (
            "gateway_acme/__init__.py",
            "    Point = AcmePoint\n",
            "    Point = int\n",
            "Acme.Point must be a subclass of Point",
        ),
        (
            "gateway_acme/__init__.py",
            'host: Annotated[str, Field(description="name or address")]',
            'host: Annotated[Exception, Field(description="x")]\n'
            '    model_config = {"arbitrary_types_allowed": True}',
            "no JSON Schema can be made of Acme",
        ),
    ],
)
def test_a_broken_rule_is_named(acme: Path, file: str, old: str, new: str, sentence: str) -> None:
    """Each rule, broken, gives a sentence that says what was found."""
    text = (acme / file).read_text()
    assert old in text
    (acme / file).write_text(text.replace(old, new))
    rules = RULES if importable(new) else (check_imports,)
    found = [line for rule in rules for line in rule(acme)]
    assert [line for line in found if re.search(sentence, line)], found


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("gateway_acme/py.typed", "py.typed is missing"),
        ("tests/test_acme.py", "tests/ has no test"),
    ],
)
def test_a_missing_file_is_named(acme: Path, file: str, sentence: str) -> None:
    """A file that must be there and is not is named."""
    (acme / file).unlink()
    assert any(sentence in line for line in violated(acme))


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("pyproject.toml", "[project]", "[project", "pyproject.toml: "),
        ("gateway_acme/__init__.py", "@hookimpl", "", "no gateway_components() decorated with"),
        ("gateway_acme/__init__.py", "[Acme]", "[]", "it returned none"),
        ("gateway_acme/__init__.py", "[Acme]", "[1]", "it returned [1]"),
        ("gateway_acme/__init__.py", "import Point", "import Pint", "cannot be imported"),
        ("sample.yaml", "gateway:", "getaway:", "sample.yaml does not pass `gateway check`"),
    ],
)
def test_what_stops_a_rule_is_a_sentence_too(
    acme: Path, file: str, old: str, new: str, sentence: str
) -> None:
    """Where a rule cannot be looked at, the reason stands among the sentences."""
    text = (acme / file).read_text()
    assert old in text
    (acme / file).write_text(text.replace(old, new))
    found = check_plugin(acme)
    assert any(sentence in line for line in found), found


def test_files_that_must_be_there(acme: Path) -> None:
    """Without pyproject, README or sample each is named once."""
    (acme / "pyproject.toml").unlink()
    (acme / "README.md").unlink()
    (acme / "sample.yaml").unlink()
    found = check_plugin(acme)
    for file in ("pyproject.toml", "README.md", "sample.yaml"):
        assert found.count(f"{file} is missing") == 1


def test_a_folder_needs_its_package_and_a_plain_name(acme: Path) -> None:
    """A folder whose name is none of a package, and without one, is told so."""
    other = acme.rename(acme.parent / "Acme-1")
    found = list(check_names(other))
    assert any("lower-case letters, digits and _ only" in line for line in found)
    assert any("the package gateway_Acme-1/__init__.py is missing" in line for line in found)


def test_a_sample_of_somebody_else_is_named(acme: Path) -> None:
    """A sample that is valid but has no link of the plugin is not its sample; secrets are given."""
    (acme / "points.csv").write_text("name\n")
    (acme / "sample.yaml").write_text(
        "gateway: {name: x}\npoints: points.csv\nsources: []\nsinks:\n"
        "  - {name: broker, type: mqtt.json, broker: b:1883, username: u, password: {env: X}}\n"
    )
    assert list(check_sample(acme)) == ["sample.yaml has no link of this plugin: ['mqtt.json']"]


def test_an_exemption_from_commands_is_for_those_that_take_none(acme: Path) -> None:
    """A source that takes and reads commands keeps the contract, but cannot be exempt of them."""
    package, readme = acme / "gateway_acme" / "__init__.py", acme / "README.md"
    package.write_text(
        PACKAGE.replace(
            "    Point = AcmePoint\n", "    Point = AcmePoint\n    takes_commands = True\n"
        )
        + "\nasync def obey(ctx):\n    return [one async for one in ctx.commands()]\n"
    )
    assert violated(acme) == []

    rule = "commands answered or refused: "
    readme.write_text(README.replace(rule + "done", rule + "exempt, nothing to steer"))
    assert violated(acme) == [
        "README.md: 'commands answered or refused' is exempt, but Acme takes commands"
    ]


@pytest.mark.parametrize(
    "line", ["| codec fuzzed | exempt | it has none |", "* codec fuzzed: done"]
)
def test_the_scale_may_be_a_list_or_a_table(acme: Path, line: str) -> None:
    """The plugin scale is read from a list as well as from a table."""
    readme = acme / "README.md"
    readme.write_text(readme.read_text().replace("- codec fuzzed: done", line))
    assert violated(acme) == []
