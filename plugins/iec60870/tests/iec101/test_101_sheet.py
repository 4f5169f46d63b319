"""The interoperability sheet of `iec101.slave` (101:2003 clause 8): what it says is what runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.asdu import TypeId
from gateway_iec60870.iec101.lower_layers import FOREIGN
from gateway_iec60870.iec101.slave import Iec101Slave

from gateway import LinkPoint
from gateway.testing import Emitter, configured

sys.path.insert(0, str(Path(__file__).parent))
from line_bench import POINTS

GATEWAY = str(Path(sys.executable).with_name("gateway"))


def sheet(rows: str = POINTS, **fields: Any) -> str:
    """Return the document of a station."""
    plain = {"name": "scada", "port": "/dev/ttyS1", "ca": 1, "role": "operator"}
    link = Iec101Slave.model_validate(plain | fields)
    found = configured([Emitter(name="field")], [link], rows, Path("/nowhere")).points
    points = [LinkPoint(i, one, one.addresses["scada"]) for i, one in enumerate(found)]
    text = link.profile(points)
    assert text is not None
    return text


def tables(text: str) -> dict[str, dict[str, str]]:
    """Return first and last cell of each row, by the title above it."""
    found: dict[str, dict[str, str]] = {}
    title = ""
    for line in text.splitlines():
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif line.startswith("| ") and not line.startswith("| ---"):
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            found.setdefault(title, {})[cells[0]] = cells[-1]
    return found


def test_the_clause_and_its_parts() -> None:
    """Clause 8 of 101, with the subclauses of the layers below the application."""
    text = sheet()
    assert text.startswith("# Interoperability of scada: IEC 60870-5-101:2003, controlled station")
    assert "The tables of clause 8 of the standard." in text
    for title in ("8.2 Network configuration", "8.3 Physical layer", "8.4 Link layer"):
        assert f"## {title}\n" in text


def test_a_serial_line() -> None:
    """Speed, characters, addresses and lengths are those of the YAML."""
    found = tables(sheet(baud=1200, link=9, link_octets=2, max_length=120))
    assert found["8.3 Physical layer"]["Transmission speed"] == "1200 bit/s"
    assert found["8.3 Physical layer"]["Characters"].startswith("8 data bits, even parity, 1 stop")
    link = found["8.4 Link layer"]
    assert link["Link transmission procedure"] == "unbalanced transmission"
    assert link["Address field of the link"] == "two octets, unstructured"
    assert link["Link address"] == "9"
    assert link["Class 2 messages"] == "cyclic data (cause 1) and background scan (cause 2)"
    lengths = found["Lengths"]
    assert lengths["Maximum length L, control direction"] == "255 octets"
    assert lengths["Maximum length L, monitor direction"] == "120 octets"
    # Beside the control field and two octets of address.
    assert lengths["Maximum length of an ASDU"] == "117 octets"


def test_a_balanced_line() -> None:
    """Both addresses, time-outs and the test of the link."""
    found = tables(sheet(mode="balanced", link=9, master_link=3, keep_alive="7s"))
    link = found["8.4 Link layer"]
    assert link["Link transmission procedure"] == "balanced transmission"
    assert (link["Link address"], link["Link address of the controlling station"]) == ("9", "3")
    assert link["Time-out"] == "1s, 3 repetitions"
    assert link["Test function for the link"] == "after 7s of silence"
    assert found["8.2 Network configuration"]["Multipoint-partyline"].startswith("no")
    never = tables(sheet(mode="balanced", link_octets=0, keep_alive="never"))["8.4 Link layer"]
    assert never["Address field of the link"] == "not present, unstructured"
    assert never["Test function for the link"] == "never"
    assert "Link address" not in never


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"listen": "0.0.0.0:2410"}, "TCP, the other end connects to 0.0.0.0:2410"),
        ({"host": "10.0.0.9", "port": 4001}, "TCP, to a terminal server at 10.0.0.9:4001"),
    ],
)
def test_a_line_behind_a_terminal_server(fields: dict[str, Any], words: str) -> None:
    """The speed is that of the line behind it."""
    plain = {"name": "scada", "ca": 1, "transport": "tcp"}
    link = Iec101Slave.model_validate(plain | fields)
    text = link.profile([])
    assert text is not None
    assert tables(text)["8.3 Physical layer"]["Connection"] == words


def test_what_104_has_added_is_named_as_such() -> None:
    """Types that are not of 101 stand there only where the station has them."""
    text = sheet()
    assert "C_SC_TA_1 | single command with time tag CP56Time2a, not of this standard" in text
    assert "C_RC_TA_1" not in text
    assert {kind.value for kind in FOREIGN} == {*range(58, 65), 107, 127}
    assert "M_SP_TA_1" in text
    assert TypeId.M_SP_TA_1 not in FOREIGN


def test_the_command_prints_it(tmp_path: Path) -> None:
    """`gateway profile FILE NAME`."""
    (tmp_path / "points.csv").write_text("name,kind,rtu.ioa,scada.ioa\nbreaker,status,1,1\n")
    (tmp_path / "south.yaml").write_text(
        "gateway: {name: south}\npoints: points.csv\nsources:\n"
        "  - {name: rtu, type: iec101.master, port: /dev/ttyS0, ca: 1}\nsinks:\n"
        "  - {name: scada, type: iec101.slave, port: /dev/ttyS1, ca: 1}\n"
    )
    done = subprocess.run(
        [GATEWAY, "profile", str(tmp_path / "south.yaml"), "scada"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "9600 bit/s" in done.stdout
