"""What a plugin may import; every other module of the package is private.

from gateway import Source, hookimpl
"""

from gateway.hookspecs import hookimpl
from gateway.model.access import AccessRefused, Permission
from gateway.model.answer import (
    ANSWERS,
    FROM_DNP3,
    FROM_IEC104,
    FROM_MODBUS,
    FROM_MQTT,
    FROM_OPCUA,
)
from gateway.model.batch import Batch
from gateway.model.command import (
    Answer,
    Client,
    Command,
    CommandStatus,
    Control,
    ControlModel,
    Operation,
    Pulse,
    Request,
    SelectRule,
)
from gateway.model.context import STALE, Delivery, Image, SinkContext, SourceContext
from gateway.model.dissector import Dissector
from gateway.model.errors import CustodyRefused, GatewayError, LinkError, reason
from gateway.model.field import Field
from gateway.model.fields import (
    Duration,
    Endpoint,
    Reconnect,
    Secret,
    Settings,
    Size,
    seconds_text,
)
from gateway.model.link import KeepRule, Sink, Source
from gateway.model.override import Override
from gateway.model.point import (
    Deadband,
    DeadbandKind,
    Definition,
    Keep,
    Kind,
    LinkPoint,
    Point,
    SinkPoint,
)
from gateway.model.quality import Quality, quality_text, worst_validity
from gateway.model.tls import TlsClient, TlsServer, TlsVersion, Verify

__version__ = "0.1.0"

__all__ = [
    "ANSWERS",
    "FROM_DNP3",
    "FROM_IEC104",
    "FROM_MODBUS",
    "FROM_MQTT",
    "FROM_OPCUA",
    "STALE",
    "AccessRefused",
    "Answer",
    "Batch",
    "Client",
    "Command",
    "CommandStatus",
    "Control",
    "ControlModel",
    "CustodyRefused",
    "Deadband",
    "DeadbandKind",
    "Definition",
    "Delivery",
    "Dissector",
    "Duration",
    "Endpoint",
    "Field",
    "GatewayError",
    "Image",
    "Keep",
    "KeepRule",
    "Kind",
    "LinkError",
    "LinkPoint",
    "Operation",
    "Override",
    "Permission",
    "Point",
    "Pulse",
    "Quality",
    "Reconnect",
    "Request",
    "Secret",
    "SelectRule",
    "Settings",
    "Sink",
    "SinkContext",
    "SinkPoint",
    "Size",
    "Source",
    "SourceContext",
    "TlsClient",
    "TlsServer",
    "TlsVersion",
    "Verify",
    "c37118",
    "channel",
    "checksum",
    "ethernet",
    "hookimpl",
    "interlock",
    "quality_text",
    "reason",
    "sampled_values",
    "seconds_text",
    "waveform",
    "worst_validity",
]
