"""The fault scene of IEC 101: a station, a gateway with master and slaves, two control centres."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from iec101_centre import Centre
from iec101_station import Station
from iec101_wire import LINK
from iec_asdu import CA
from iec_scene import SINKS, Scene

from gateway.testing import free_port

AGAIN = {"min": "20ms", "max": "100ms"}
SIZES = {"cause_octets": 2, "ca_octets": 2, "ioa_octets": 3}


class Iec101Scene(Scene[Station, Centre]):
    """All lines are of one mode, behind terminal servers; each centre has a line of its own."""

    def __init__(self, folder: Path, mode: str) -> None:
        self._mode = mode
        super().__init__(folder)
        self.desks[1].target = free_port()

    def make_station(self) -> Station:
        return Station(self.history, self.orders, self._mode == "balanced")

    def make_centre(self, place: int) -> Centre:
        port, log = self.desks[place].port, self.logs[place]
        balanced = self._mode == "balanced"
        return Centre(port, self.chance, lambda: self.gateway.starts, log, balanced)

    def links(self) -> dict[str, list[dict[str, Any]]]:
        common = {
            "mode": self._mode, "transport": "tcp", "ca": CA, "link": LINK, "reconnect": AGAIN,
            "link_timeout": "500ms",
        } | SIZES  # fmt: skip
        (field,) = self.fields
        master = {
            "name": "field", "type": "iec101.master", "host": "127.0.0.1", "port": field.port,
            "interrogation": "never", "pause": "50ms", "pause_max": "200ms",
        }  # fmt: skip
        if self._mode == "unbalanced":
            master["class_2"] = "20ms"
        slave = {
            "type": "iec101.slave", "keep": "every", "role": "operator",
            # What is interrogated never passes an event here, however many wait.
            "interrogation_wait": "60s",
        }  # fmt: skip
        sinks = [
            slave | common | {"name": name, "listen": f"127.0.0.1:{desk.target}"}
            for name, desk in zip(SINKS, self.desks, strict=True)
        ]
        return {"sources": [master | common], "sinks": sinks}


@contextlib.asynccontextmanager
async def iec101_scene(folder: Path, mode: str) -> AsyncIterator[Iec101Scene]:
    """Set everything up, the gateway started, and take it down again."""
    stage = Iec101Scene(folder, mode)
    try:
        await stage.open()
        yield stage
    finally:
        await stage.close()
