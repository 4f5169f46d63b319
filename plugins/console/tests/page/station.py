"""A small substation with a console: a bay that obeys, meters, a circuit that is measured.

    python station.py FOLDER CONSOLE_PORT DEVICE_PORT

Its devices are processes of their own (`gateway run FOLDER/device.yaml`), so that they can be
taken away. Users: anna (operator), bert (viewer), carla (admin); the password is `PASSWORD`.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from gateway import Sink, Source, hookimpl  # noqa: F401 - the names that plugins share
from gateway.testing import AccessSettings, CommandSettings, Sampler, circuit, running
from gateway.testing.wave import three
from gateway.testing.waves import CIRCUIT, sampled
from gateway.waveform import Waveform
from gateway_console import Console
from gateway_modbus.source import Modbus
from gateway_simulator.source import Simulator

PASSWORD = "a password of theirs"  # noqa: S105 - of a substation that is none
USERS = {"anna": "operator", "bert": "viewer", "carla": "admin"}
DEVICE = """\
gateway: {{name: devices}}
points: device.csv
sources:
  - name: bay
    type: modbus.simulator
    listen: 127.0.0.1:{port}
    registers:
      - {{table: coil, register: 0, signal: {{shape: constant, value: 0}}}}
      - {{table: coil, register: 1, signal: {{shape: constant, value: 0}}}}
      - {{table: discrete, register: 0, follows: {{register: 0, trip: 1, after: 100ms}}}}
      - {{table: discrete, register: 2, signal: {{shape: constant, value: 1}}}}
      - {{table: input, register: 10, type: uint16, signal: {{shape: sine, mean: 20100, amplitude: 120, period: 40s}}}}
      - {{table: input, register: 11, type: uint16, signal: {{shape: walk, low: 90, high: 240, step: 4}}}}
      - {{table: holding, register: 40, type: int16, signal: {{shape: constant, value: 2000}}}}
sinks: []
"""
BAY = """\
e01.breaker,status,,1 closed,,,,0,discrete,bit,0,1,200ms,trip_close,local,,,e01.remote,e01.breaker,,
e01.remote,status,,local/remote switch: 1 remote,,,,2,discrete,bit,,,,,,,,,,,
e01.voltage,analog,kV,busbar voltage,0.001,,,10,input,uint16,,,,,,,,,,,
e01.current,analog,A,feeder current,1,,220,11,input,uint16,,,,,,,,,,,
e01.power_limit,analog,kW,most that the feeder may take,0.1,,,40,holding,int16,,,,setpoint,none,0,500,,,,
"""
HEAD = (
    "name,kind,unit,description,scale,low,high,bay.register,bay.table,bay.type,"
    "bay.write_register,bay.trip_register,bay.trip_time,command.model,command.select,"
    "command.low,command.high,command.interlock,command.feedback,meters.signal,pmu.result\n"
)
HARMONICS = {3: 0.021, 5: 0.043, 7: 0.028, 11: 0.017, 13: 0.012, 17: 0.006, 19: 0.004}


def points(meters: int) -> str:
    """Return the point list, with so many feeders of four points."""
    rows = [HEAD, BAY]
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
