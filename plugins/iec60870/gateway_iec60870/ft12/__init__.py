"""The link layer of IEC 60870-5-101: frames of the format class FT1.2, and who may send them when.

from gateway_iec60870.ft12 import BalancedSettings, Line, PolledSettings, SecondarySettings
"""

from gateway_iec60870.ft12.address import broadcast, longest
from gateway_iec60870.ft12.balanced import Balanced
from gateway_iec60870.ft12.control import Control, Function
from gateway_iec60870.ft12.description import describe
from gateway_iec60870.ft12.frame import SINGLE, Frame, FrameError, encode
from gateway_iec60870.ft12.line import Line, Tracer
from gateway_iec60870.ft12.polled import Polled
from gateway_iec60870.ft12.primary import Primary
from gateway_iec60870.ft12.reader import Reader
from gateway_iec60870.ft12.secondary import Secondary
from gateway_iec60870.ft12.settings import (
    BalancedSettings,
    PolledSettings,
    SecondarySettings,
    line_idle,
)
from gateway_iec60870.ft12.station import LinkDown, Station
from gateway_iec60870.ft12.turn import Asdu, LinkEvent, LinkFull, Turn

__all__ = [
    "SINGLE",
    "Asdu",
    "Balanced",
    "BalancedSettings",
    "Control",
    "Frame",
    "FrameError",
    "Function",
    "Line",
    "LinkDown",
    "LinkEvent",
    "LinkFull",
    "Polled",
    "PolledSettings",
    "Primary",
    "Reader",
    "Secondary",
    "SecondarySettings",
    "Station",
    "Tracer",
    "Turn",
    "broadcast",
    "describe",
    "encode",
    "line_idle",
    "longest",
]
