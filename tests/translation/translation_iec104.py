"""The two ends of the gateway in IEC 104 and 101, without a connection between."""

from __future__ import annotations

import numpy as np
from gateway_iec60870.asdu import IEC104, parse
from gateway_iec60870.controlled.database import Database
from gateway_iec60870.controlled.events import Events
from gateway_iec60870.controlled.layout import Layout
from gateway_iec60870.controlled.manners import Manners
from gateway_iec60870.controlled.point import Iec60870ServerPoint
from gateway_iec60870.controlled.type import TimeTag
from gateway_iec60870.controlling.point import Iec60870Point
from gateway_iec60870.controlling.samples import Samples

from gateway import Batch, Definition, Image, Kind, LinkPoint

TIME = 1_700_000_000_123_000_000
"""2023-11-14 22:13:20.123 UTC, in nanoseconds."""


def received(kind: str, asdu: bytes) -> int:
    """Return the quality that the controlling station makes of object 7 of station 1."""
    point = LinkPoint(0, Definition("point", Kind(kind)), Iec60870Point(ioa=7))
    samples = Samples([point], 1, IEC104, Manners().zone)
    ((batch, _),) = samples.of([parse(asdu, IEC104)], 1)
    return int(batch.quality[0])


def sent(kind: str, quality: int, time: TimeTag) -> bytes:
    """Return the ASDU that the controlled station makes of an event."""
    address = Iec60870ServerPoint(ioa=7, time=time)
    layout = Layout([LinkPoint(0, Definition("point", Kind(kind)), address)], 1)
    image = Image(np.ones(1), np.array([quality], np.uint16), np.ones(1, np.int64))
    events = Events(Database(layout, image, IEC104), Manners())
    (asdu,), _ = events.asdus(Batch.of([0], [1.0], [quality], [TIME]))
    return asdu
