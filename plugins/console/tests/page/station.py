"""A small substation with a console: a bay that obeys, meters, a circuit that is measured.

    python station.py FOLDER CONSOLE_PORT DEVICE_PORT

Its device is a process of its own (`gateway run device.yaml`), so that it can be taken
away. Users: anna (operator), bert (viewer), carla (admin); the password is `PASSWORD`.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Any

from gateway_console import Console
from gateway_modbus.source import Modbus
from gateway_simulator.source import Simulator
from pydantic import TypeAdapter

from gateway import Source
from gateway.testing import AccessSettings, CommandSettings, Sampler, circuit, running
from gateway.testing.wave import three
from gateway.testing.waves import CIRCUIT, sampled
from gateway.waveform import Waveform

PASSWORD = "a password of theirs"
USERS = {"anna": "operator", "bert": "viewer", "carla": "admin"}
HERE = Path(__file__).parent
HARMONICS = {3: 0.021, 5: 0.043, 7: 0.028, 11: 0.017, 13: 0.012, 17: 0.006, 19: 0.004}


def points(meters: int) -> str:
    """Return the point list, with so many feeders of four points."""
    rows = [(HERE / "bay.csv").read_text()]
    for feeder in range(1, meters + 1):
        name, gap = f"feeder{feeder:03}", "," * 15
        rows += [
            f"{name}.voltage,analog,V,phase A to neutral{gap},sine,\n",
            f"{name}.current,analog,A,phase A{gap},walk,\n",
            f"{name}.energy,counter,kWh,delivered{gap},count,\n",
            f"{name}.breaker,status,,1 closed{gap},toggle,\n",
        ]
    results = [("frequency", "Hz", "phasor/frequency"), ("rocof", "Hz/s", "phasor/rocof")]
    for lane in ("ua", "ub", "uc", "ia", "ib", "ic"):
        unit = "V" if lane[0] == "u" else "A"
        results.append((f"{lane}.magnitude", unit, f"phasor/magnitude/{lane}"))
        results.append((f"{lane}.angle", "deg", f"phasor/angle/{lane}"))
    for lane in ("ua", "ub", "uc"):
        results.append((f"{lane}.rms", "V", f"cycles/rms/{lane}"))
        results.append((f"{lane}.thd", "%", f"cycles/thd/{lane}"))
        results += [
            (f"{lane}.h{order}", "V", f"cycles/harmonic/{lane}/{order}") for order in range(2, 26)
        ]
    rows += [f"bus.{name},analog,{unit},{',' * 16},{result}\n" for name, unit, result in results]
    return "".join(rows)


async def measured(sampler: Sampler) -> None:
    """Hand over what sensors at a slightly loaded bus would see, as time goes by."""
    second = int(time.time())
    made = circuit(0, 1.0, behind=25.0)
    phases = [
        *three(5.0, 50.0, 4800, {}, -25.0), [], *three(230.0, 50.0, 4800, HARMONICS), []
    ]  # fmt: skip
    samples = sampled(phases, CIRCUIT, made.rate, 1.0)
    while True:
        for part in range(10):
            rows = samples[part * 480 : (part + 1) * 480]
            index = second * made.rate + part * 480
            await sampler.emit(Waveform(made.rate, CIRCUIT, index, rows), 96)
            await asyncio.sleep(max(0.0, second + (part + 1) / 10 - time.time()))
        second += 1


def users_file(folder: Path) -> Path:
    """Write a users file; the hashes cost the least that a gateway takes."""
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)
    path = folder / "users.yaml"
    lines = [
        f'{name}: {{role: {role}, password: "{hasher.hash(PASSWORD)}"}}\n'
        for name, role in USERS.items()
    ]
    path.write_text("".join(lines))
    return path


def console(port: int) -> Console:
    return Console.model_validate(
        {"name": "desk", "type": "console", "listen": f"127.0.0.1:{port}", "tls": "none"}
    )


async def station(folder: Path, port: int, device: int, meters: int) -> None:
    bay: dict[str, Any] = {
        "name": "bay", "type": "modbus", "host": "127.0.0.1", "port": device, "unit": 1,
        "poll": "200ms", "timeout": "1s", "reconnect": {"min": "100ms", "max": "300ms"},
    }  # fmt: skip
    phasors = {"phasors": {"class": "P", "rate": 50}, "meter": {"declared": 230, "orders": 40}}
    sampler = TypeAdapter(Sampler).validate_python({"name": "pmu", "waveform": phasors})
    sources: list[Source] = [
        Modbus.model_validate(bay),
        Simulator.model_validate({"name": "meters", "type": "simulator", "poll": "1s", "seed": 3}),
        sampler,
    ]
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    access = AccessSettings(users=users_file(folder))
    commands = CommandSettings()
    async with running(
        sources, [console(port)], points(meters), data=folder, name="north-substation",
        access=access, commands=commands,
    ):  # fmt: skip
        measuring = asyncio.create_task(measured(sampler))
        await stop.wait()
        measuring.cancel()


if __name__ == "__main__":
    where, own, other = sys.argv[1:4]
    size = int(sys.argv[4]) if len(sys.argv) > 4 else 60
    asyncio.run(station(Path(where), int(own), int(other), size))
