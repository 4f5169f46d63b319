"""Pin every library by version and hash, from what the core and the plugins say they need.

constraints.txt is for running and building, constraints-test.txt is what testing adds,
constraints-peer.txt is for partners in tests that clash with these and have an environment of
their own (the dependency group `peer`).
Every file of each release is listed, so the same pins serve all platforms and Python versions.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# Made by `make constraints`; not written by hand.\n"
FILES = ("constraints.txt", "constraints-test.txt")
PEER_FILE = "constraints-peer.txt"
PEER = "peer"
APART = ("telemetry",)
"""Extras that the image goes without: pinned with what testing adds."""
OLDEST_PYTHON = "3.11"


def projects() -> list[dict[str, Any]]:
    """Return the parsed pyproject.toml of the core and of every plugin."""
    paths = [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]
    return [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths]


def foreign(requirements: list[str]) -> list[str]:
    """Leave out the distributions that live in this tree."""
    return sorted({line for line in requirements if not line.startswith("grid-gateway")})


def run_requirements() -> list[str]:
    """Return what is needed to build and to run, optional parts included but for APART."""
    found: list[str] = []
    for project in projects():
        found += project["build-system"]["requires"]
        found += project["project"].get("dependencies", [])
        for name, extra in project["project"].get("optional-dependencies", {}).items():
            if name not in APART:
                found += extra
    return foreign(found)


def test_requirements() -> list[str]:
    """Return what the dependency groups add."""
    return _grouped(lambda name: name != PEER)


def peer_requirements() -> list[str]:
    """Return what partners in tests need that live apart."""
    return _grouped(lambda name: name == PEER)


def _grouped(takes: Callable[[str], bool]) -> list[str]:
    groups = [
        group
        for project in projects()
        for name, group in project.get("dependency-groups", {}).items()
        if takes(name)
    ]
    return foreign([line for group in groups for line in group if isinstance(line, str)])


def resolve(requirements: list[str], pins: str = "") -> str:
    """Return `requirements` and all that they need, pinned and hashed, in keeping with `pins`."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder, "asked.in")
        asked.write_text("\n".join(requirements), encoding="utf-8")
        kept = Path(folder, "kept.txt")
        kept.write_text(pins, encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal"]
        command += ["--python-version", OLDEST_PYTHON, "--fork-strategy", "fewest"]
        command += ["--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--no-header", "--no-annotate", "--constraint", str(kept), str(asked)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


def entries(text: str) -> dict[str, str]:
    """Split a pinned list into its entries, by name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(==[^\n]*\n(?:[ \t]+[^\n]*\n?)*)", text, re.MULTILINE)
    return {name: name + rest for name, rest in found}


def unpinned() -> list[str]:
    """Return the requirements that their files do not satisfy; asks no index."""
    return [
        *_unpinned(run_requirements() + test_requirements(), FILES),
        *_unpinned(peer_requirements(), (PEER_FILE,)),
    ]


def _unpinned(requirements: list[str], files: tuple[str, ...]) -> list[str]:
    from packaging.requirements import Requirement

    texts = [(ROOT / name).read_text(encoding="utf-8") for name in files]
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", "\n".join(texts), re.MULTILINE)
    versions = {name.lower().replace("_", "-").replace(".", "-"): pin for name, pin in pins}
    found = []
    for line in foreign(requirements):
        asked = Requirement(line)
        pin = versions.get(asked.name.lower().replace("_", "-").replace(".", "-"))
        if pin is None:
            found.append(f"{line} is not pinned")
        elif pin not in asked.specifier:
            found.append(f"{line} does not allow the pinned {pin}")
    return found


def main() -> None:
    """Write the files, or with --check say what they lack."""
    if "--check" in sys.argv:
        found = unpinned()
        print("\n".join(found) or "every requirement is pinned")
        if found:
            sys.exit("constraints.txt is out of date; remake it with `make constraints`")
        return
    run = resolve(run_requirements())
    test = resolve(run_requirements() + test_requirements(), run)
    added = [text for name, text in entries(test).items() if name not in entries(run)]
    texts = (run, "".join(added), resolve(peer_requirements()))
    for name, text in zip((*FILES, PEER_FILE), texts, strict=True):
        (ROOT / name).write_text(HEAD + text, encoding="utf-8")


if __name__ == "__main__":
    main()
