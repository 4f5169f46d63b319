"""OPC UA for grid-gateway: its points as a server, and points of other people's servers."""

from __future__ import annotations

from gateway import Sink, Source, hookimpl
from gateway_opcua.client.point import ClientPoint
from gateway_opcua.client.source import OpcUaClient
from gateway_opcua.sink import OpcUaServer, ServerPoint

__all__ = ["ClientPoint", "OpcUaClient", "OpcUaServer", "ServerPoint", "gateway_components"]


@hookimpl
def gateway_components() -> list[type[Source] | type[Sink]]:
    return [OpcUaClient, OpcUaServer]
