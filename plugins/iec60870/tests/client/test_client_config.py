"""What the YAML and the rows of an `iec104.client` may say, before anything connects."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.asdu import Sizes
from gateway_iec60870.iec104.client import Iec104Client
from pydantic import ValidationError

from gateway import Endpoint
from gateway.testing import configured

sys.path.insert(0, str(Path(__file__).parent))
from client_bench import client

REFUSED = [
    ({"originator": 5, "cause_octets": 1}, "originator 5 needs cause_octets 2"),
    ({"originator": 256}, "less than or equal to 255"),
    ({"ca": 300, "ca_octets": 1}, "found ca 300, allowed with ca_octets 1: 1 to 254"),
    ({"ca": 0}, "greater than or equal to 1"),
    ({"ca": 65535}, "less than or equal to 65534"),
    ({"k": 5, "w": 6}, "found w 6, allowed: 1 to 5 (k)"),
    ({"t1": "10s", "t2": "10s"}, "found t2 10 s, allowed: below t1 (10 s)"),
    ({"t0": "256s"}, "less than or equal to 255"),
    ({"t1": "5min"}, "less than or equal to 255"),
    ({"t3": "49h"}, "less than or equal to 172800"),
    ({"host": []}, "at least 1 item"),
    ({"host": ["10.0.0.1", "10.0.0.1:2404"]}, "names an address twice"),
    ({"host": "10.0.0.1:port"}, "an address is host:port"),
    ({"time_zone": "Mars/Olympus"}, "'Mars/Olympus' is no time zone"),
    ({"time_zone": "../etc/passwd"}, "is no time zone"),
    ({"groups": [{"group": 17, "every": "1s"}]}, "less than or equal to 16"),
    ({"groups": [{"group": 1, "every": "0s"}]}, "greater than 0"),
    (
        {"groups": [{"group": 1, "every": "1s", "ca": 255}], "ca_octets": 1},
        "found ca 255, allowed with",
    ),
    ({"counters": {"every": "1s", "group": 5}}, "less than or equal to 4"),
    ({"clock": "sometimes"}, "a duration is a number with"),
    ({"interrogation": "0s"}, "greater than 0"),
]


@pytest.mark.parametrize(("fields", "sentence"), REFUSED)
def test_refused_fields(fields: dict[str, Any], sentence: str) -> None:
    """A field that cannot be is refused with a sentence."""
    with pytest.raises(ValidationError) as error:
        client(1, **fields)
    assert sentence in str(error.value)


HOSTS = [
    ("10.0.0.1", None, None, "10.0.0.1:2404"),
    ("10.0.0.1", None, {}, "10.0.0.1:19998"),
    ("10.0.0.1", 2405, {}, "10.0.0.1:2405"),
    ("rtu.example:2406", 2405, None, "rtu.example:2406"),
    ("fe80::1", None, None, "[fe80::1]:2404"),
    ("[fe80::1]", None, None, "[fe80::1]:2404"),
    ("[fe80::1]:99", None, None, "[fe80::1]:99"),
]


@pytest.mark.parametrize(("host", "port", "tls", "address"), HOSTS)
def test_addresses(host: str, port: int | None, tls: dict[str, Any] | None, address: str) -> None:
    """Ports are 2404, with TLS 19998 (IEC 62351-3), or the one that is named."""
    link = client(host=host, port=port, tls=tls)
    assert [str(one) for one in link.addresses] == [address]


def test_several_addresses() -> None:
    """A list is a redundancy group, in its order."""
    link = client(host=["10.0.0.2", "10.0.0.1:99"], port=2405)
    assert link.addresses == (Endpoint("10.0.0.2", 2405), Endpoint("10.0.0.1", 99))


def test_sizes() -> None:
    """The octets of the fields are those of 104 unless it is said otherwise."""
    assert client(1).sizes == Sizes(2, 2, 3, 249)
    assert client(1, cause_octets=1, ca_octets=1, ioa_octets=2).sizes == Sizes(1, 1, 2, 249)


COMMAND = "command.model,command.select,command.on_time,command.count,"
ROWS = [
    ("ioa\np,analog,5", None),
    ("ioa,bit\np,status,5,0\nq,status,5,31\nr,status,5,\ns,analog,5,", None),
    ("ioa,ca\np,analog,5,1\nq,analog,5,2", None),
    ("ioa\np,analog,0", "ioa: found '0'"),
    ("ioa\np,analog,16777216", "ioa: found '16777216'"),
    ("ioa,ca\np,analog,5,65535", "ca: found '65535'"),
    ("ioa\np,analog,5\nq,counter,5", "object 5 of station 1 is p already"),
    ("ioa,bit\np,status,5,3\nq,status,5,3", "bit 3 of object 5 of station 1 is p already"),
    ("ioa,bit\np,analog,5,3", "a bit is a point of kind status, not analog"),
    ("ioa,bit\np,status,,3", "no object address whose bit it could be"),
    ("ca\np,analog,1", "a point without one is a command's only"),
    ("ioa,control_ioa\np,status,5,6", "only a point with columns command.… has it"),
    ("ioa,qualifier\np,status,5,0", "only a point with columns command.… has it"),
    (COMMAND + "ioa\np,status,latch,,,,5", None),
    (COMMAND + "control_ioa\np,status,latch,,,,5", None),
    (COMMAND + "ca\np,status,latch,,,,1", "no object address that the command could be for"),
    (COMMAND + "ioa\np,analog,setpoint,,,,5",
     "a setpoint is one of normalised, scaled, float, bitstring"),
    (COMMAND + "ioa,control_type\np,analog,setpoint,,,,5,double",
     "double is not of the model setpoint: normalised, scaled, float, bitstring are"),
    (COMMAND + "ioa,control_type\np,status,latch,,,,5,float",
     "float is not of the model latch: single, double, step are"),
    (COMMAND + "ioa,control_type\np,status,trip_close,,,,5,step", None),
    (COMMAND + "ioa,control_type\np,analog,setpoint,forward,,,5,bitstring",
     "a bitstring cannot be selected: not with select forward"),
    (COMMAND + "ioa,control_type,operate\np,analog,setpoint,,,,5,bitstring,select",
     "a bitstring cannot be selected"),
    (COMMAND + "ioa,control_type,qualifier\np,analog,setpoint,,,,5,bitstring,0",
     "a bitstring has none"),
    (COMMAND + "ioa,qualifier\np,status,latch,,,,5,32",
     "found 32, allowed of a single command: 0 to 31"),
    (COMMAND + "ioa,control_type,qualifier\np,analog,setpoint,,,,5,float,127", None),
    (COMMAND + "ioa\np,status,pulse,,1s,2,5", "command.count is to be 1"),
    (COMMAND + "ioa\np,status,pulse,,1s,1,5", None),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "sentence"), ROWS)
def test_rows(rows: str, sentence: str | None, tmp_path: Path) -> None:
    """Rows that cannot be are refused with a sentence, all others are not."""
    head, *lines = rows.split("\n")
    columns = [name if "." in name else f"rtu.{name}" for name in head.split(",")]
    points = "\n".join((",".join(("name", "kind", *columns)), *lines)) + "\n"
    if sentence is None:
        configured([client(1)], [], points, tmp_path)
        return
    with pytest.raises(ValueError, match=re.escape(sentence)):
        configured([client(1)], [], points, tmp_path)


def test_addresses_by_their_octets(tmp_path: Path) -> None:
    """What fits three octets need not fit two."""
    link = client(1, ioa_octets=2, ca_octets=1)
    rows = "name,kind,rtu.ioa,rtu.ca\np,analog,65536,\nq,analog,5,255\n"
    with pytest.raises(ValueError, match="points") as error:
        configured([link], [], rows, tmp_path)
    assert "found 65536, allowed: 1 to 65535, by the octets of the link" in str(error.value)
    assert "found 255, allowed: 1 to 254, by the octets of the link" in str(error.value)


def test_no_common_address(tmp_path: Path) -> None:
    """It stands in the row or at the link."""
    link = Iec104Client(name="rtu", host=("10.0.0.1",))
    configured([link], [], "name,kind,rtu.ioa,rtu.ca\np,analog,5,3\n", tmp_path)
    with pytest.raises(ValueError, match="no common address: name it here, or for the link"):
        configured([link], [], "name,kind,rtu.ioa\np,analog,5\n", tmp_path)
