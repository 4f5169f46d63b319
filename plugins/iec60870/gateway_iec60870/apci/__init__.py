"""The transport of IEC 60870-5-104: APCI frames, who may send them when, and a TCP connection.

IEC 60870-5-104:2006, clause 5. What the ASDUs say is not looked at here.
"""

from gateway_iec60870.apci.carrier import Tracer
from gateway_iec60870.apci.connection import BOUND, Connection
from gateway_iec60870.apci.description import describe
from gateway_iec60870.apci.error import ApciError, LinkBroken, NotStarted
from gateway_iec60870.apci.frame import (
    LONGEST,
    LONGEST_ASDU,
    MODULO,
    Frame,
    Function,
    IFrame,
    SFrame,
    UFrame,
    decode,
    encode,
)
from gateway_iec60870.apci.reader import Reader
from gateway_iec60870.apci.session import Session
from gateway_iec60870.apci.settings import ApciSettings
from gateway_iec60870.apci.turn import Event, State, Turn

__all__ = [
    "BOUND",
    "LONGEST",
    "LONGEST_ASDU",
    "MODULO",
    "ApciError",
    "ApciSettings",
    "Connection",
    "Event",
    "Frame",
    "Function",
    "IFrame",
    "LinkBroken",
    "NotStarted",
    "Reader",
    "SFrame",
    "Session",
    "State",
    "Tracer",
    "Turn",
    "UFrame",
    "decode",
    "describe",
    "encode",
]
