"""The assertions of the specification, each held against what a real broker handed on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sparkplug_checks
from sparkplug_assertions import ASSERTIONS, REASONS
from sparkplug_scenario import Capture, scenario

SHOWN = {name: checks for name, checks in ASSERTIONS.items() if checks[0] not in REASONS}


@pytest.fixture(scope="module", params=["3.1.1", "5"])
def capture(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """The day on record, once for each version of MQTT."""
    folder: Path = tmp_path_factory.mktemp("day")
    return asyncio.run(scenario(folder, request.param))


@pytest.mark.parametrize("assertion", SHOWN)
def test_an_assertion_is_kept(capture: Capture, assertion: str) -> None:
    """What the assertion asks of an edge node is so in everything that was heard."""
    for name in SHOWN[assertion]:
        getattr(sparkplug_checks, name)(capture)


@pytest.mark.parametrize(
    "name", ["every_change", "history", "commands_arrive", "payloads_are_readable"]
)
def test_what_the_specification_leaves_to_us(capture: Capture, name: str) -> None:
    """Nothing is lost, history is told as such, commands arrive."""
    getattr(sparkplug_checks, name)(capture)


def test_the_table_is_whole() -> None:
    """Every row has checks that there are, or one reason that there is."""
    for assertion, checks in ASSERTIONS.items():
        if checks[0] in REASONS:
            assert len(checks) == 1, assertion
        for name in checks:
            assert name in REASONS or callable(getattr(sparkplug_checks, name)), assertion
