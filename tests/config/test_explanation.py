"""What `gateway explain` says of a point."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config import explain

YAML = """\
gateway: {name: north}
points: points.csv
sources:
  - {name: meter1, type: acme, host: 10.0.0.11, token: {env: TOKEN}}
sinks:
  - {name: scada, type: acme.out, listen: "0.0.0.0:20000", keep: {analog: latest}}
  - {name: broker, type: acme.broker, select: ["feeder1.*", "!*.private"]}
commands:
  bays:
    - {name: E01, points: ["feeder1.*"], switch: feeder1.remote}
    - {name: station, points: ["*"], switch: station.remote}
access:
  roles:
    - {name: operator, points: ["!feeder1.*"]}
    - {name: shift, may: [command], points: [feeder1.*]}
    - {name: guest, may: [read]}
"""
CSV = """\
name,unit,description,model,scale,offset,low,high,rate,deadband,meter1.index,meter1.type,\
scada.slot,broker.keep,kind
feeder1.u,kV,Voltage of L1,F1/MMXU1.PhV.phsA,0.1,-2,0,40,5,1%,7,float32,3,latest,
feeder1.private,,,,,,,,,always,8,,,,
bus.u,V,,,,,,,,5s,9,,4,,
feeder1.remote,,,,,,,,,,10,,,,status
station.remote,,,,,,,,,,11,,,,double
"""
COMMANDED = """\
name,kind,unit,scale,offset,meter2.index,command.model,command.select,command.select_timeout,\
command.low,command.high,command.step,command.on_time,command.off_time,command.count,\
command.interval,command.interlock,command.feedback,command.feedback_band
feeder1.p,analog,MW,0.1,-2,1,setpoint,forward,1min,0,40,5,,,,2s,"not feeder1.remote
  or bus.u < 5",feeder1.u,0.5
feeder1.horn,status,,,,2,pulse,,,,,,500ms,1s,3,,,,
feeder1.q0,double,,,,3,trip_close,local,,,,,,,,,,,
bus.tap,counter,,2,,4,setpoint,,,,9,,,,,,,,
"""


@pytest.fixture
def configuration(site: Any) -> Any:
    site.environ["TOKEN"] = "opensesame"
    meter2 = "  - {name: meter2, type: acme, host: 10.0.0.12}\nsinks:"
    text = YAML.replace("points.csv", "[points.csv, commanded.csv]").replace("sinks:", meter2)
    site.write({"gateway.yaml": text, "points.csv": CSV, "commanded.csv": COMMANDED})
    return site.load()


def test_in_words(configuration: Any) -> None:
    """The whole way of one point, as an engineer reads it; the secret is not in it."""
    assert (
        str(explain(configuration, "feeder1.u"))
        == """\
feeder1.u  analog, kV
  Voltage of L1
  F1/MMXU1.PhV.phsA

from meter1 (acme): host 10.0.0.11, token **********
  index     7
  type      float32
  factor    1.0

in the gateway
  value     raw × 0.1 − 2 kV
  low       0 kV, below it questionable, outOfRange
  high      40 kV, above it questionable, outOfRange
  rate      5 kV per second, faster is questionable
  deadband  0.4 kV, smaller changes are not reported

to scada (acme.out): listen 0.0.0.0:20000
  slot      3
  keep      latest (the sink's rule for analog)

to broker (acme.broker)
  address   its name
  keep      latest (column broker.keep)"""
    )


def test_a_setpoint_in_words(configuration: Any) -> None:
    """How a point is commanded, from limits to who may: what the two files say, in one place."""
    found = str(explain(configuration, "feeder1.p"))

    assert (
        found[found.index("commands,") : found.index("\n\nnot to scada")]
        == """\
commands, carried out by meter2 (acme)
  model     setpoint
  raw       (value + 2) ÷ 0.1
  select    needed, held by the gateway and the device for 1min
  lowest    0 MW
  highest   40 MW
  step      at most 5 MW from the present value
  bay       E01: feeder1.remote must be 1 and station: station.remote must be on (2)
  interlock not feeder1.remote or bus.u < 5
  interval  2s from one command to the next
  timeout   the device answers within 10s
  feedback  feeder1.u follows to within 0.5 MW within 10s
  roles     engineer, admin, shift"""
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "feeder1.horn",
            {
                "model": "pulse: 3 × 500ms, 1s between",
                "select": "not needed; one is held by the gateway for 30s",
                "roles": "engineer, admin, shift",
            },
        ),
        (
            "feeder1.q0",
            {
                "model": "trip_close: 0 trips, 1 closes",
                "select": "needed, held by the gateway for 30s",
            },
        ),
        ("bus.tap", {"raw": "value ÷ 2", "highest": "9", "roles": "operator, engineer, admin"}),
        ("bus.u", {}),
    ],
)
def test_commands_in_words(configuration: Any, name: str, words: dict[str, str]) -> None:
    """Each model and rule has its own words; a measurement has none."""
    command = dict(explain(configuration, name).command)

    assert {key: command.get(key) for key in words} == words
    assert bool(command) is bool(words)


def test_what_a_sink_leaves_out(configuration: Any) -> None:
    """A sink that does not take the point says why."""
    scada, broker = explain(configuration, "feeder1.private").sinks

    assert scada.left_out == "the row has no scada.… columns"
    assert broker.left_out == "its select is feeder1.*, !*.private"


def test_deadbands_in_words(configuration: Any) -> None:
    """Each kind of deadband has its own words."""
    words = {
        name: dict(explain(configuration, name).conversions)["deadband"]
        for name in ("feeder1.private", "bus.u")
    }

    assert words == {
        "feeder1.private": "none: every sample is reported",
        "bus.u": "5 V·s, integrated",
    }


def test_an_unknown_point(configuration: Any) -> None:
    """Asking for a point that is not in the list is a KeyError."""
    with pytest.raises(KeyError):
        explain(configuration, "feeder9.u")
