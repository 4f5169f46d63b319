"""OPC UA for grid-gateway: the gateway's points as an OPC UA server."""

from __future__ import annotations

from gateway import Sink, hookimpl
from gateway_opcua.sink import OpcUaServer, ServerPoint

__all__ = ["OpcUaServer", "ServerPoint", "gateway_components"]


@hookimpl
def gateway_components() -> list[type[Sink]]:
    return [OpcUaServer]
