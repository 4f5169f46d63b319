"""Modbus: a master for meters and inverters, a slave for masters, and a simulated device."""

from __future__ import annotations

from collections.abc import Iterable

from gateway import Sink, Source, hookimpl
from gateway_modbus.server import ModbusServer
from gateway_modbus.simulator import ModbusSimulator
from gateway_modbus.source import Modbus


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    """Return the source `modbus`, the sink `modbus.server` and the source `modbus.simulator`."""
    return Modbus, ModbusServer, ModbusSimulator
