"""The controlled station of 104 and 101: it shows points, reports events and takes commands."""

from gateway_iec60870.controlled.controlled import Controlled
from gateway_iec60870.controlled.link import ControlledLink
from gateway_iec60870.controlled.manners import Manners
from gateway_iec60870.controlled.outgoing import Outgoing
from gateway_iec60870.controlled.point import Iec60870ServerPoint
from gateway_iec60870.controlled.type import ControlType, TimeTag, Type

__all__ = [
    "ControlType",
    "Controlled",
    "ControlledLink",
    "Iec60870ServerPoint",
    "Manners",
    "Outgoing",
    "TimeTag",
    "Type",
]
