"""From the start of the process to the first value that somebody can use.

python -m benchmarks.startup
"""

# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call"

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import tempfile
import time
from pathlib import Path

from asyncua import Client, Server, ua

from benchmarks.job import VALUES, Job
from benchmarks.monitor import NAMESPACE
from benchmarks.plane import Reference
from benchmarks.plane import run as run_plane
from benchmarks.rig import Devices, Gateway, at_work, cores, free_port, gateway_command, urge

PATIENCE = 120.0
FOLDER = 100
"""Nodes in a folder of the reference: kind to the library, which compares siblings."""


def mqtt(devices: int, *, reference: Reference | None = None) -> float:
    """Return the seconds to the first value at the consumer of MQTT."""
    return run_plane(devices, 1.0, "device", 0.1, reference=reference).first


def opcua(devices: int) -> float:
    """Return the seconds until a client reads a good value of the last of all nodes."""
    urge()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        simulated = Devices(folder, cores()[1])
        job = Job(devices, 1.0, "opcua", simulated.port, free_port())
        try:
            with at_work(gateway_command(job.write(folder)), folder) as gateway:
                node = f"d{devices - 1}.v{VALUES - 1}"
                return asyncio.run(_read(gateway, job.sink_port, node))
        finally:
            simulated.stop()


async def _read(gateway: Gateway, port: int, name: str) -> float:
    logging.disable(logging.WARNING)
    while time.monotonic() - gateway.started < PATIENCE:
        gateway.check()
        with contextlib.suppress(OSError, asyncio.TimeoutError, ua.UaError):
            async with Client(f"opc.tcp://127.0.0.1:{port}", timeout=10) as client:
                node = client.get_node(ua.NodeId(name, NAMESPACE))
                while True:
                    value = await node.read_data_value(raise_on_bad_status=False)
                    if value.StatusCode is not None and value.StatusCode.is_good():
                        return time.monotonic() - gateway.started
                    await asyncio.sleep(0.02)
        await asyncio.sleep(0.02)
    raise TimeoutError(f"{name} cannot be read within {PATIENCE:g} s")


async def _library(nodes: int) -> float:
    server = Server()
    await server.init()
    index = await server.register_namespace("urn:bench")
    began = time.monotonic()
    for number in range(nodes // FOLDER):
        folder = await server.nodes.objects.add_folder(index, f"d{number}")
        for point in range(FOLDER):
            await folder.add_variable(index, f"v{point}", 0.0)
    return time.monotonic() - began


def library(nodes: int) -> float:
    """Return the seconds that asyncua's own way takes to make so many variables."""
    logging.disable(logging.WARNING)
    return asyncio.run(_library(nodes))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.parse_args()
    for points in (5_000, 10_000):
        print(f"{points:,} points to MQTT: {mqtt(points // VALUES):.2f} s")
    print(f"the script, 5,000 points: {mqtt(50, reference='script'):.2f} s")
    print(f"10,000 OPC UA nodes: {opcua(100):.2f} s")
    print(f"asyncua alone, making 2,000 variables: {library(2_000):.2f} s")


if __name__ == "__main__":
    main()
