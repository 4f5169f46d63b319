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
from gateway.model.errors import CustodyRefused, GatewayError, LinkError, reason
from gateway.model.explanation import Explanation, Hop
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
from gateway.model.observation import (
    AuditPage,
    AuditProof,
    AuditQuery,
    AuditRecord,
    ConfigurationView,
    Flaw,
    HealthView,
    History,
    LedgerView,
    LinkView,
    Observation,
    Verdict,
)
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
from gateway.model.selector import selector
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
    "AuditPage",
    "AuditProof",
    "AuditQuery",
    "AuditRecord",
    "Batch",
    "Client",
    "Command",
    "CommandStatus",
    "ConfigurationView",
    "Control",
    "ControlModel",
    "CustodyRefused",
    "Deadband",
    "DeadbandKind",
    "Definition",
    "Delivery",
    "Duration",
    "Endpoint",
    "Explanation",
    "Field",
    "Flaw",
    "GatewayError",
    "HealthView",
    "History",
    "Hop",
    "Image",
    "Keep",
    "KeepRule",
    "Kind",
    "LedgerView",
    "LinkError",
    "LinkPoint",
    "LinkView",
    "Observation",
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
    "Verdict",
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
    "selector",
    "waveform",
    "worst_validity",
]
