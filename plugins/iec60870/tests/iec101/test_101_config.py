"""What YAML and rows of `iec101.master` and `iec101.slave` may say, before anything opens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from gateway_iec60870.asdu import Sizes
from gateway_iec60870.ft12 import BalancedSettings, PolledSettings, SecondarySettings
from gateway_iec60870.iec101.line_fields import LineFields
from gateway_iec60870.iec101.master import Iec101Master
from gateway_iec60870.iec101.slave import Iec101Slave
from pydantic import ValidationError

from gateway.testing import configured

GATEWAY = str(Path(sys.executable).with_name("gateway"))
TCP = {"transport": "tcp", "port": None}
LINE = [
    ({"port": None}, "transport serial needs port, the line: port: /dev/ttyUSB0"),
    ({"port": "4001"}, "transport serial needs port, the line: port: /dev/ttyUSB0"),
    ({"port": 4001}, "transport serial needs port, the line: port: /dev/ttyUSB0"),
    ({"host": "10.0.0.9"}, "host is for transport tcp"),
    ({"listen": "0.0.0.0:2410"}, "listen is for transport tcp"),
    ({"allow": ["10.0.0.0/24"]}, "allow is for transport tcp"),
    (TCP, "transport tcp needs host and port, or listen"),
    (TCP | {"host": "10.0.0.9"}, "found port None, allowed with host: 1 to 65535"),
    (TCP | {"host": "10.0.0.9", "port": 0}, "found port 0, allowed with host: 1 to 65535"),
    (
        TCP | {"host": "10.0.0.9", "port": "/dev/ttyS0"},
        "found port '/dev/ttyS0', allowed with host: 1 to 65535",
    ),
    (TCP | {"host": "h", "port": 1, "listen": "h:1"}, "either host and port, or listen"),
    (TCP | {"host": "h", "port": 1, "allow": ["10.0.0.1"]}, "allow needs listen"),
    (TCP | {"listen": "h:1", "allow": ["10.0.0.1/24"]}, "a network is 10.0.0.0/24 or 10.0.0.11"),
    (TCP | {"listen": "h:1", "baud": 19200}, "baud is for transport serial"),
    (TCP | {"listen": "h:1", "turnaround": "1ms"}, "turnaround is for transport serial"),
    ({"baud": 10}, "greater than or equal to 50"),
    ({"parity": "mark"}, "'none', 'even' or 'odd'"),
    ({"stop_bits": 3}, "1 or 2"),
    ({"mode": "both"}, "'unbalanced' or 'balanced'"),
    ({"link_octets": 0}, "mode unbalanced needs link_octets 1 or 2"),
    ({"link_octets": 3}, "0, 1 or 2"),
    ({"link": 255}, "found link 255, allowed with link_octets 1: 0 to 254"),
    ({"mode": "balanced", "master_link": 300}, "found master_link 300, allowed with link_octets"),
    ({"master_link": 5}, "master_link is for mode balanced"),
    ({"keep_alive": "5s"}, "keep_alive is for mode balanced"),
    ({"mode": "balanced", "keep_alive": "0s"}, "keep_alive 0s: give a time, or never"),
    ({"ca": 300}, "found ca 300, allowed with ca_octets 1: 1 to 254"),
    (
        {"ca": 300, "ca_octets": 2},
        "found ca 300 and no link address of its own, allowed with link_octets 1: 0 to 254",
    ),
    ({"link_timeout": "0s"}, "greater than 0"),
    ({"link_retries": 11}, "less than or equal to 10"),
]
"""What is wrong at both ends."""

MASTER = [
    ({"mode": "balanced", "ca": None}, "mode balanced needs link, the link address of the station"),
    ({"mode": "balanced", "class_2": "5s"}, "class_2 is for mode unbalanced"),
    ({"mode": "balanced", "class_1": "5s"}, "class_1 is for mode unbalanced"),
    ({"mode": "balanced", "probe_share": 0.5}, "probe_share is for mode unbalanced"),
    ({"mode": "balanced", "stations": [{"link": 1}]}, "stations is for mode unbalanced"),
    ({"link": 1, "stations": [{"link": 1}]}, "either link, for one station, or stations"),
    ({"stations": [{"link": 1}, {"link": 1, "ca": 2}]}, "stations: link 1 is there twice"),
    ({"stations": [{"link": 1}, {"link": 2, "ca": [3, 1]}]}, "stations: ca 1 is of link 1 already"),
    (
        {"stations": [{"link": 300, "ca": 1}]},
        "found link 300, allowed with link_octets 1: 0 to 254",
    ),
    (
        {"stations": [{"link": 1, "ca": 300}]},
        "stations: found ca 300, allowed with ca_octets 1",
    ),
    ({"stations": [{"link": 0}]}, "stations: found ca 0, allowed with ca_octets 1: 1 to 254"),
    ({"stations": [{"link": 1, "ca": []}]}, "at least 1 item"),
    ({"stations": [{"link": 2}]}, "found ca 1, allowed: 2 (stations)"),
    ({"originator": 5}, "originator 5 needs cause_octets 2"),
    ({"pause": "2min"}, "found pause_max 1min, allowed: from pause (2min)"),
    ({"probe_share": 0.0}, "greater than 0"),
    ({"class_1": "0s"}, "greater than 0"),
]
SLAVE = [
    ({"mode": "balanced", "class_1_for_2": True}, "class_1_for_2 is for mode unbalanced"),
    ({"max_length": 47}, "greater than or equal to 48"),
    ({"max_length": 256}, "less than or equal to 255"),
    ({"silence": "0s"}, "silence 0s: give a time, or never"),
    ({"ca": None}, "no link address: name link, or ca"),
]


def link(model: type[LineFields], **fields: Any) -> Any:
    plain = {"name": "rtu", "port": "/dev/ttyUSB0", "ca": 1} | fields
    return model.model_validate({key: value for key, value in plain.items() if value is not None})


@pytest.mark.parametrize(
    ("model", "fields", "sentence"),
    [
        *((Iec101Master, *one) for one in LINE + MASTER),
        *((Iec101Slave, *one) for one in LINE + SLAVE),
    ],
)
def test_refused_fields(model: type[LineFields], fields: dict[str, Any], sentence: str) -> None:
    """A field that cannot be is refused with a sentence."""
    with pytest.raises(ValidationError) as error:
        link(model, **fields)
    assert sentence in str(error.value)


def test_sizes() -> None:
    """Cause, common and object address have 1, 1, 2 octets (101 clause 7.1); the longest ASDU is
    what L leaves."""
    assert link(Iec101Master).sizes == link(Iec101Slave).sizes == Sizes(1, 1, 2, 253)
    assert link(Iec101Master, mode="balanced", link_octets=0).sizes.longest == 254
    large = {"cause_octets": 2, "ca_octets": 2, "ioa_octets": 3, "link_octets": 2}
    assert link(Iec101Slave, **large).sizes == Sizes(2, 2, 3, 252)
    assert link(Iec101Slave, max_length=100, **large).sizes.longest == 97


def test_link_addresses() -> None:
    """The common address, or what is named; of a balanced line both ends."""
    plain = link(Iec101Master, ca=None)
    assert [plain.link_of(ca) for ca in (1, 254)] == [1, 254]
    assert link(Iec101Master, ca=None, link=7).link_of(200) == 7
    named = link(Iec101Master, ca=None, stations=[{"link": 7, "ca": [1, 2]}, {"link": 3}])
    assert [named.link_of(ca) for ca in (1, 2, 3)] == [7, 7, 3]
    balanced = link(Iec101Master, mode="balanced", ca=20)
    assert [balanced.link_of(ca) for ca in (20, 21)] == [20, 20]
    settings = balanced.association(20)
    assert isinstance(settings, BalancedSettings)
    assert (settings.own, settings.other, settings.controlling) == (20, 20, True)
    bare = link(Iec101Master, mode="balanced", link_octets=0, ca=None)
    assert bare.link_of(500) == 0
    slave = link(Iec101Slave, mode="balanced", link=300, master_link=5, link_octets=2)
    assert isinstance(slave.association, BalancedSettings)
    assert (slave.association.own, slave.association.other) == (300, 5)
    assert not slave.association.controlling


def test_what_the_link_layer_is_told() -> None:
    """Times, retries and the single character of the YAML are those of the link layer."""
    fields = {"link_timeout": "3s", "link_retries": 5, "single_character": False}
    polled = link(
        Iec101Master, class_2="7s", class_1="9s", pause="4s", pause_max="8s", **fields
    ).association(9)
    assert isinstance(polled, PolledSettings)
    assert polled == PolledSettings(
        address=9, timeout=3.0, retries=5, single=False, class_2=7.0, class_1=9.0, pause=4.0,
        pause_max=8.0,
    )  # fmt: skip
    assert link(Iec101Master, mode="balanced", keep_alive="never").association(1).test is None
    assert link(Iec101Master, mode="balanced", keep_alive="9s").association(1).test == 9.0
    secondary = link(Iec101Slave, silence="never", class_1_for_2=True, **fields).association
    assert isinstance(secondary, SecondarySettings)
    assert (secondary.silence, secondary.single, secondary.class_1_for_2) == (None, False, True)


PORTS = [
    ({}, {"baud": 9600, "parity": "even", "stop_bits": 1, "rs485": False, "turnaround": 33 / 9600,
          "gap": 0.1}),
    ({"baud": 50}, {"turnaround": 0.66, "gap": 0.66}),  # three octets of 11 bits
    ({"parity": "none", "stop_bits": 2, "rs485": True, "turnaround": "5ms", "idle": "3s"},
     {"parity": "none", "stop_bits": 2, "rs485": True, "turnaround": 0.005, "gap": 3.0}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "told"), PORTS)
async def test_what_the_port_is_told(
    fields: dict[str, Any], told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even parity, and 33 bits of silence before each frame (60870-5-1, FT1.2, rules R2 and R4)."""
    heard: dict[str, Any] = {}

    async def opened(port: str, **more: Any) -> None:
        heard.update(more, port=port)

    monkeypatch.setattr("gateway.channel.SerialChannel.open", opened)
    await link(Iec101Master, **fields).open()
    assert heard["port"] == "/dev/ttyUSB0"
    assert {name: heard[name] for name in told} == pytest.approx(told)


def test_the_samples_of_the_page() -> None:
    """What the README shows of both types is valid, whatever stands around it."""
    page = (Path(__file__).parents[2] / "README.md").read_text()
    types = {"iec101.master": Iec101Master, "iec101.slave": Iec101Slave}
    shown = []
    for text in re.findall(r"```yaml\n(s[a-z]+:\n.*?)```", page, re.DOTALL):
        for links in yaml.safe_load(text).values():
            shown += [types[one["type"]].model_validate(one).name for one in links]
    assert shown == ["rtu5", "valley", "plant", "scada", "backup"]


MASTER_ROWS = [
    ("ioa,ca\np,analog,5,1\nq,analog,5,2", None),
    ("ioa\np,analog,65536", "found 65536, allowed: 1 to 65535, by the octets"),
    ("ioa,ca\np,analog,5,255", "found 255, allowed: 1 to 254, by the octets of the link"),
    ("ioa,ca\np,analog,5,2\nq,analog,5,2", "object 5 of station 2 is p already"),
]


@pytest.mark.parametrize(("rows", "sentence"), MASTER_ROWS)
def test_rows(rows: str, sentence: str | None, tmp_path: Path) -> None:
    """Rows that cannot be are refused with a sentence, all others are not."""
    points = _rows(rows)
    if sentence is None:
        configured([link(Iec101Master)], [], points, tmp_path)
        return
    with pytest.raises(ValueError, match=re.escape(sentence)):
        configured([link(Iec101Master)], [], points, tmp_path)


def test_rows_of_stations_that_nobody_knows(tmp_path: Path) -> None:
    """Where link addresses are named, each common address needs one."""
    named = link(Iec101Master, ca=None, stations=[{"link": 7, "ca": [1, 2]}])
    configured([named], [], _rows("ioa,ca\np,analog,5,2"), tmp_path)
    with pytest.raises(ValueError, match="found ca 3, allowed: 1, 2 "):
        configured([named], [], _rows("ioa,ca\np,analog,5,3"), tmp_path)
    wide = link(Iec101Master, ca=None, ca_octets=2)
    with pytest.raises(ValueError, match="found ca 300 and no link address of its own"):
        configured([wide], [], _rows("ioa,ca\np,analog,5,300"), tmp_path)


def _rows(text: str) -> str:
    head, *lines = text.split("\n")
    columns = [f"rtu.{name}" for name in head.split(",")]
    return "\n".join((",".join(("name", "kind", *columns)), *lines)) + "\n"


WRONG = """\
gateway: {name: south}
points: points.csv
sources:
  - {name: rtu, type: iec101.master, port: /dev/ttyS1, stations: [{link: 1, ca: 10}]}
sinks:
  - {name: scada, type: iec101.slave, transport: tcp, listen: 127.0.0.1:2410, ca: 7}
"""
POINTS = "name,kind,rtu.ioa,rtu.ca,scada.ioa\nbreaker,status,5,11,1\n"


def _check(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "south.yaml").write_text(text)
    (folder / "points.csv").write_text(POINTS)
    return subprocess.run(
        [GATEWAY, "check", str(folder / "south.yaml")], capture_output=True, text=True, check=False
    )


def test_gateway_check_names_the_cell(tmp_path: Path) -> None:
    """File, line and column of a row whose station has no link address."""
    done = _check(tmp_path, WRONG)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "points.csv:2:" in said
    assert "found ca 11, allowed: 10 (stations)" in said


def test_gateway_check_names_the_field(tmp_path: Path) -> None:
    """File, line and field of a setting that another one rules out."""
    wrong = WRONG.replace("link: 1, ca: 10", "link: 1, ca: [10, 11]").replace(
        "ca: 7}", "ca: 7, baud: 300}"
    )
    done = _check(tmp_path, wrong)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "south.yaml:6:" in said
    assert "baud is for transport serial" in said
    good = _check(tmp_path, wrong.replace(", baud: 300", ""))
    assert good.returncode == 0, good.stdout + good.stderr
