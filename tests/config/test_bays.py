"""`commands:`: bays, their switches and points, each mistake at its line and column."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from gateway.model.configuration import AuditSettings, Bay, CommandSettings

HEAD = """\
gateway: {name: north}
points: points.csv
sources:
  - {name: meter1, type: acme, host: h}
commands:
"""
LIST = """\
name,kind,meter1.index,command.model
feeder1.breaker,status,1,latch
feeder1.remote,status,2,
feeder2.breaker,double,3,latch
feeder2.remote,double,4,
feeder2.u,analog,5,
"""


@pytest.fixture
def commands(site: Any) -> Any:
    def write(text: str) -> Any:
        site.write({"gateway.yaml": HEAD + text, "points.csv": LIST})
        return site

    return write


def test_settings(commands: Any) -> None:
    """Each key arrives in its field, durations and sizes in seconds and bytes."""
    site = commands(
        "  bays:\n"
        '    - {name: Bay 1, points: ["feeder1.*", "!*.remote"], switch: feeder1.remote}\n'
        "    - {name: E02, points: [feeder2.breaker], switch: feeder2.remote}\n"
        "  rate: 5\n"
        "  remember: 2h\n"
        "  audit: {max_size: 5MB, key: {env: AUDIT}}\n"
    )
    site.environ["AUDIT"] = "opensesame-opensesame"

    assert site.load().commands == CommandSettings(
        bays=(
            Bay(name="Bay 1", points=("feeder1.*", "!*.remote"), switch="feeder1.remote"),
            Bay(name="E02", points=("feeder2.breaker",), switch="feeder2.remote"),
        ),
        rate=5.0,
        remember=7200.0,
        audit=AuditSettings(max_size=5_000_000, key=SecretStr("opensesame-opensesame")),
    )


def test_left_out(site: Any) -> None:
    """Without the key, the defaults hold."""
    site.write({"gateway.yaml": HEAD.replace("commands:\n", ""), "points.csv": LIST})

    assert site.load().commands == CommandSettings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("  §bay: []", "found the unknown key 'bay', allowed: bays, rate, remember, audit; did yo"),
        ("  rate: §0", "rate: found 0, allowed: a number above 0 and of at most 10000"),
        ("  remember: §0s", "remember: found '0s', allowed: a duration above 0ms"),
        ("  audit: {key: §opensesame}", "audit.key: found the secret itself, allowed: {env: NAME}"),
        ("  bays: [§{name: a, switch: b}]", "the key 'points' is missing, allowed: a list of text"),
        (
            "  bays: [{name: a, points: [§feedr1.breaker], switch: feeder1.remote}]",
            "bays[0].points[0]: found 'feedr1.breaker', but there is no point of this name; did y",
        ),
        (
            '  bays: [{name: a, points: [feeder1.breaker, §"!feedr*"], switch: feeder1.remote}]',
            "bays[0].points[1]: found '!feedr*', which fits no point",
        ),
        (
            "  bays: [{name: a, points: §[], switch: feeder1.remote}]",
            'bays[0].points: found an empty list, allowed: names; ["*"] is all points',
        ),
        (
            "  bays: [{name: a, points: §[feeder2.u, feeder2.remote], switch: feeder2.remote}]",
            "bays[0].points: none of these points takes commands, allowed: some with command.…",
        ),
        (
            '  bays: [{name: a, points: ["*"], switch: §feeder1.remot}]',
            "bays[0].switch: found 'feeder1.remot', but there is no point of this name; did you me",
        ),
        (
            '  bays: [{name: a, points: ["*"], switch: §_health.meter1.up}]',
            "bays[0].switch: found '_health.meter1.up', but there is no point of this name",
        ),
        (
            '  bays: [{name: a, points: ["*"], switch: §feeder2.u}]',
            "bays[0].switch: found 'feeder2.u', whose kind is analog, allowed: status or double",
        ),
        (
            '  bays: [&b {name: a, points: ["*"], switch: feeder1.remote}, {<<: *b, name: §a}]',
            "bays[1].name: found the bay 'a' again, first in line 6",
        ),
    ],
)
def test_mistakes(commands: Any, text: str, sentence: str) -> None:
    """What is wrong with a bay is named at its key or value (here behind §)."""
    (problem,) = commands(text.replace("§", "") + "\n").problems()

    assert problem.startswith(f"gateway.yaml:6:{text.index('§') + 1}: {sentence}")


@pytest.mark.parametrize("value", ["", "[]", "text", "5"])
def test_not_a_mapping(site: Any, value: str) -> None:
    """The whole key is refused where it is something else."""
    site.write(
        {"gateway.yaml": HEAD.replace("commands:", f"commands: {value}"), "points.csv": LIST}
    )
    (problem,) = site.problems()

    assert problem.startswith("gateway.yaml:5:")
    assert problem.endswith(", allowed: a mapping with what holds for commands")


def test_a_wrong_list_does_not_make_the_bays_wrong(site: Any) -> None:
    """Where points could not be read, names of points are not held against them."""
    text = HEAD + "  bays: [{name: a, points: [x], switch: y}]\n"
    site.write({"gateway.yaml": text, "points.csv": LIST.replace("analog", "analogue")})

    assert [one.split(": ")[0] for one in site.problems()] == ["points.csv:6:11"]
