"""The fault scene of IEC 104: a station, a gateway with client and server, redundant centres."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from cable import Cable
from iec104_centre import Centre
from iec104_station import Station
from iec104_wire import K, W
from iec_asdu import CA
from iec_scene import NEAR, SINKS, Scene

AGAIN = {"min": "20ms", "max": "100ms"}
PATIENT = {"t1": "15s", "t3": "20s"}
HASTY = {"t1": "1s", "t3": "500ms"}


class Iec104Scene(Scene[Station, Centre]):
    """times: t1 and t3 of the gateway at both ends. lines: connections of each centre."""

    def __init__(self, folder: Path, *, cables: int, lines: int, times: dict[str, str]) -> None:
        super().__init__(folder, cables)
        self._lines = lines
        self._times = times

    @property
    def field(self) -> Cable | None:
        """The cable on which the station was started."""
        active = self.station.active
        return None if active is None else self.fields[NEAR.index(active.peer)]

    def make_station(self) -> Station:
        return Station(self.history, self.orders)

    def make_centre(self, place: int) -> Centre:
        port, log = self.desks[place].port, self.logs[place]
        return Centre(port, self.chance, lambda: self.gateway.starts, log, self._lines)

    def links(self) -> dict[str, list[dict[str, Any]]]:
        common = {"ca": CA, "k": K, "w": W, "t2": "100ms", "reconnect": AGAIN, **self._times}
        client = {
            "name": "field", "type": "iec104.client", "interrogation": "never",
            "host": [f"127.0.0.1:{cable.port}" for cable in self.fields],
        }  # fmt: skip
        server = {
            "type": "iec104.server", "listen": f"127.0.0.1:{self.desks[0].target}",
            "keep": "every", "role": "operator",
            # What is interrogated never passes an event here, however many wait.
            "interrogation_wait": "60s",
        }  # fmt: skip
        sinks = [
            server | {"name": name, "clients": [near]} | common
            for name, near in zip(SINKS, NEAR, strict=True)
        ]
        return {"sources": [client | common], "sinks": sinks}


@contextlib.asynccontextmanager
async def iec104_scene(
    folder: Path, *, cables: int = 1, lines: int = 1, times: dict[str, str] = PATIENT
) -> AsyncIterator[Iec104Scene]:
    """Set everything up, the gateway started, and take it down again."""
    stage = Iec104Scene(folder, cables=cables, lines=lines, times=times)
    try:
        await stage.open()
        yield stage
    finally:
        await stage.close()
