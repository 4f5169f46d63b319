"""What a plugin may import; every other module of the package is private.

from gateway import Source, hookimpl
"""

from gateway.hookspecs import hookimpl
from gateway.model.batch import Batch
from gateway.model.context import STALE, Delivery, Image, SinkContext, SourceContext
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

__version__ = "0.1.0"

__all__ = [
    "STALE",
    "Batch",
    "CustodyRefused",
    "Deadband",
    "DeadbandKind",
    "Definition",
    "Delivery",
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
    "Point",
    "Quality",
    "Reconnect",
    "Secret",
    "Settings",
    "Sink",
    "SinkContext",
    "SinkPoint",
    "Size",
    "Source",
    "SourceContext",
    "hookimpl",
    "quality_text",
    "reason",
    "seconds_text",
    "worst_validity",
]
