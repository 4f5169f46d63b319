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
"""
CSV = """\
name,unit,description,model,scale,offset,low,high,rate,deadband,meter1.index,meter1.type,\
scada.slot,broker.keep
feeder1.u,kV,Voltage of L1,F1/MMXU1.PhV.phsA,0.1,-2,0,40,5,1%,7,float32,3,latest
feeder1.private,,,,,,,,,always,8,,,
bus.u,V,,,,,,,,5s,9,,4,
"""


@pytest.fixture
def configuration(site: Any) -> Any:
    site.environ["TOKEN"] = "opensesame"
    site.write({"gateway.yaml": YAML, "points.csv": CSV})
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
