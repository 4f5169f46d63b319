"""The controlling station of IEC 60870-5-101 and -104: the application above any transport."""

from gateway_iec60870.controlling.controlling import Controlling
from gateway_iec60870.controlling.manners import Counters, Freeze, Manners, Scan
from gateway_iec60870.controlling.point import ControlType, Iec60870Point, Operate
from gateway_iec60870.controlling.sending import Send, Undelivered
from gateway_iec60870.controlling.settings import ControllingSource
from gateway_iec60870.zone import Zone

__all__ = [
    "ControlType",
    "Controlling",
    "ControllingSource",
    "Counters",
    "Freeze",
    "Iec60870Point",
    "Manners",
    "Operate",
    "Scan",
    "Send",
    "Undelivered",
    "Zone",
]
