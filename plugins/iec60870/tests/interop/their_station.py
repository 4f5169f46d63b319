"""A gateway as the controlling station, in front of stations of c104, with a tap on the line."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from gateway_iec60870.iec104.client import Iec104Client
from tapped_line import TappedLine

from gateway.testing import Collector, CommandSettings, Running, free_port, running

sys.path.insert(0, str(Path(__file__).parents[1] / "partner"))
from c104_process import C104Server

CA = 47
LINK = "rtu"


class Bench:
    """The gateway, their station, and the line between them."""

    def __init__(
        self, gw: Running, collector: Collector, station: C104Server, line: TappedLine
    ) -> None:
        self.gw = gw
        self.collector = collector
        self.station = station
        self.line = line

    async def transmit(self, ioa: int, value: float, **more: Any) -> None:
        """Let their station send a value; cause 3 unless another one is given."""
        assert (await self.station.ask("transmit", ca=CA, ioa=ioa, value=value, **more))["sent"]

    def rows(self, name: str) -> list[tuple[float, int, int]]:
        """Return value, quality and time in ms since 1970 of the samples of a point."""
        return [
            (row.value, int(row.quality), row.time // 10**6)
            for row in self.collector.rows()
            if row.name == name
        ]


def client(port: int, **more: Any) -> Iec104Client:
    """Return a link `rtu` to a port of the loopback, that reconnects at once."""
    settings: dict[str, Any] = {
        "name": LINK,
        "ca": CA,
        "host": f"127.0.0.1:{port}",
        "interrogation": "never",
        "reconnect": {"min": "50ms", "max": "200ms"},
    }
    return Iec104Client.model_validate(settings | more)


@contextlib.asynccontextmanager
async def bench(
    data: Path,
    rows: str,
    *points: dict[str, Any],
    theirs: dict[str, Any] | None = None,
    acknowledges: bool = True,
    **more: Any,
) -> AsyncIterator[Bench]:
    """Run a station with these points and a gateway, started and interrogated, for the block.

    theirs:       further settings of the station; `more` are fields of the link.
    acknowledges: whether the collector does.
    """
    port = free_port()
    settings = {"stations": [{"ca": CA, "points": list(points)}]} | (theirs or {})
    collector = Collector(name="scada", role="engineer", acknowledges=acknowledges)
    line = TappedLine(port)
    async with (
        C104Server(port=port, **settings) as station,
        line.listening(),
        running(
            [client(line.port, **more)], [collector], rows, data=data,
            commands=CommandSettings(rate=1000.0), trace=[LINK],
        ) as gw,
    ):  # fmt: skip
        await gw.until(lambda: interrogated(line) and gw.state(LINK) == "up", 20, "it is there")
        yield Bench(gw, collector, station, line)


def interrogated(line: TappedLine, times: int = 1) -> bool:
    """Whether general interrogations have ended so often, in whatever way."""
    ended = [one for one in line.asdus(100, outward=False) if one[2] & 0x3F == 10 or one[2] & 0x40]
    return len(ended) >= times
