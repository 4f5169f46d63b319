"""The data link layer of DNP3: frames and who may send them when (IEEE 1815-2012, clause 9)."""

from gateway_dnp3.link.address import HIGHEST, SELF, Broadcast, broadcast
from gateway_dnp3.link.control import Control, Function
from gateway_dnp3.link.error import FrameError
from gateway_dnp3.link.frame import Frame, encode
from gateway_dnp3.link.reader import Reader
from gateway_dnp3.link.session import LinkFull, LinkSession
from gateway_dnp3.link.settings import LinkSettings
from gateway_dnp3.link.turn import LinkEvent, Payload, Turn

__all__ = [
    "HIGHEST",
    "SELF",
    "Broadcast",
    "Control",
    "Frame",
    "FrameError",
    "Function",
    "LinkEvent",
    "LinkFull",
    "LinkSession",
    "LinkSettings",
    "Payload",
    "Reader",
    "Turn",
    "broadcast",
    "encode",
]
