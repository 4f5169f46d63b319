"""The common job as files: D devices of 100 float32 each, in YAML and CSV, and a sink or none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway import seconds_text

VALUES = 100
"""Points per device."""
NAMED = ("counter", "changed")
"""What `devices.c` puts into the first of them."""

Sink = Literal["device", "batch", "none", "opcua"]


def point_names() -> list[str]:
    """Return the names of a device's points, in the order of their registers."""
    return [*NAMED, *(f"v{number}" for number in range(len(NAMED), VALUES))]


@dataclass(frozen=True, slots=True)
class Job:
    """One configuration of the common job.

    poll:  seconds between two polls of a device; devices poll spread over it.
    sink:  one MQTT message per device, one per batch, no sink at all, or OPC UA.
    pipeline: requests on the way at once; a device's 100 values take two.
    frames: whether the gateway keeps the last frames of each link, as it does by itself.
    """

    devices: int
    poll: float
    sink: Sink
    device_port: int
    sink_port: int = 0
    history_rate: int = 20_000
    pipeline: int = 1
    frames: bool = True

    @property
    def offered(self) -> float:
        """Values per second that the devices have."""
        return self.devices * VALUES / self.poll

    def write(self, folder: Path) -> Path:
        """Write the files and return the path of the YAML; data goes to `folder/data`."""
        poll = seconds_text(self.poll)
        kept = "" if self.frames else ", trace: {size: 0}"
        lines = [f"gateway: {{name: bench, data: {folder / 'data'}{kept}}}", "points:"]
        lists = folder / "points"
        lists.mkdir(exist_ok=True)
        names = point_names()
        sources = ["sources:"]
        for number in range(self.devices):
            device = f"d{number}"
            path = lists / f"{device}.csv"
            path.write_text(
                f"name,unit,{device}.register,{device}.type\n"
                + "".join(f"{device}.{n},V,{2 * i},float32\n" for i, n in enumerate(names))
            )
            lines.append(f"  - points/{device}.csv")
            sources.append(
                f"  - {{name: {device}, type: modbus, host: 127.0.0.1, port: {self.device_port}, "
                f"poll: {poll}, timeout: 5s, pipeline: {self.pipeline}}}"
            )
        path = folder / "job.yaml"
        path.write_text("\n".join([*lines, *sources, *self._sinks()]) + "\n")
        return path

    def _sinks(self) -> list[str]:
        if self.sink == "none":
            return ["sinks: []"]
        if self.sink == "opcua":
            return [
                "sinks:",
                f"  - {{name: out, type: opcua.server, listen: 127.0.0.1:{self.sink_port}, "
                "security: [none]}",
            ]
        topic = "{gateway}/{device}" if self.sink == "device" else "{gateway}"
        return [
            "sinks:",
            f"  - {{name: out, type: mqtt.json, broker: 127.0.0.1:{self.sink_port}, "
            f'topic: "{topic}", history_rate: {self.history_rate}}}',
        ]
