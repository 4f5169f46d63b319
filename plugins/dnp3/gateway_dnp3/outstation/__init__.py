"""The outstation: a database of points, and a session for its master."""

from gateway_dnp3.outstation.application import Application, ControlOperation, Controls
from gateway_dnp3.outstation.attributes import Attributes
from gateway_dnp3.outstation.database import Database, OutstationPoint, Values
from gateway_dnp3.outstation.events import EventBuffer, Finished
from gateway_dnp3.outstation.family import FAMILIES, Family, PointType
from gateway_dnp3.outstation.session import Session
from gateway_dnp3.outstation.settings import SessionSettings, UnsolicitedSettings

__all__ = [
    "FAMILIES",
    "Application",
    "Attributes",
    "ControlOperation",
    "Controls",
    "Database",
    "EventBuffer",
    "Family",
    "Finished",
    "OutstationPoint",
    "PointType",
    "Session",
    "SessionSettings",
    "UnsolicitedSettings",
    "Values",
]
