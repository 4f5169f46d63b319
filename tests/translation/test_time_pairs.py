"""Whether the clock behind a time can be trusted arrives in every protocol that has a word for it.

The octets of times are put together and taken apart here: CP56Time2a as IEC 60870-5-101:2003
clause 7.2.6.18 has it, with IV as bit 8 of the minutes; the common time of occurrence of DNP3 as
g51v1 (synchronised) and g51v2 (not), with g2v3 behind it; STAT of C37.118 with bit 13.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from gateway_dnp3.app import Fragment, Iin, contents
from gateway_dnp3.objects import Columns, encode_events
from gateway_dnp3.quality import quality_of
from gateway_iec60870.controlled.type import TimeTag
from gateway_mqtt.message import Encoder, QualityFormat, TimeFormat
from gateway_mqtt.source.word import quality as mqtt_quality
from gateway_opcua.status import status_of

from gateway import Batch, Definition, LinkPoint, Quality

sys.path.insert(0, str(Path(__file__).parent))
from translation_c37118 import received as c37118_received
from translation_c37118 import sent as c37118_sent
from translation_iec104 import TIME, received, sent

UNSURE = Quality.CLOCK_NOT_SYNCHRONISED
MS = TIME // 1_000_000
# 2023-11-14 22:13:20.123: 20123 ms, 13 min, 22 h, 14th (a Tuesday), November, 23.
CP56 = (*(20_123).to_bytes(2, "little"), 13, 22, 14, 11, 23)


def iec104_read(unsure: bool) -> int:
    time = bytearray(CP56)
    time[2] |= 0x80 if unsure else 0
    return received("status", bytes((30, 1, 3, 0, 1, 0, 7, 0, 0, 1, *time)))


def iec104_write(quality: int) -> bool:
    octets = sent("status", quality, TimeTag.CP56)
    # Who writes a time may leave out the day of the week (the high bits of the day).
    time = [*octets[-7:-3], octets[-3] & 0x1F, *octets[-2:]]
    time[2] &= 0x7F
    assert tuple(time) == CP56
    return bool(octets[-5] & 0x80)


def dnp3_read(unsure: bool) -> int:
    common = bytes((51, 2 if unsure else 1, 0x07, 1)) + MS.to_bytes(6, "little")
    event = bytes((2, 3, 0x17, 1, 7, 0x81, 0, 0))
    items = [item for _, item in contents(Fragment.response(Iin.NONE, common + event))]
    (columns,) = (item for item in items if isinstance(item, Columns))
    assert columns.time.tolist() == [MS]
    return int(quality_of(columns)[0])


def dnp3_write(quality: int) -> bool:
    synchronised = not quality & UNSURE
    columns = Columns.of(2, 3, [7], [1], 1, [MS], synchronised=synchronised)
    octets, _ = encode_events([columns], np.zeros(1, np.intp), 100)
    assert octets[4:10] == MS.to_bytes(6, "little")
    return {1: False, 2: True}[octets[1]]


def mqtt_read(unsure: bool) -> int:
    return mqtt_quality("good,clockNotSynchronised" if unsure else "good")


def mqtt_write(quality: int) -> bool:
    point = LinkPoint(0, Definition("point"), None)
    encoder = Encoder("gateway", [point], "topic", TimeFormat.NS, QualityFormat.WORDS, 4096)
    (message,) = encoder.messages(Batch.of([0], [1.0], [quality], [TIME]), historical=False)
    (words,) = json.loads(message.payload)["quality"]
    return "clockNotSynchronised" in words.split(",")


def c37118_read(unsure: bool) -> int:
    return c37118_received("analog", 0x2000 if unsure else 0)


def c37118_write(quality: int) -> bool:
    stat = c37118_sent("analog", quality)
    assert stat & ~0x2030 == 0  # for how long is in bits 5-4
    return bool(stat & 0x2000)


READ: dict[str, Callable[[bool], int]] = {
    "iec104": iec104_read,
    "dnp3": dnp3_read,
    "mqtt": mqtt_read,
    "c37118": c37118_read,
}
WRITE: dict[str, Callable[[int], bool]] = {
    "iec104": iec104_write,
    "dnp3": dnp3_write,
    "mqtt": mqtt_write,
    "c37118": c37118_write,
}


@pytest.mark.parametrize("unsure", [False, True])
@pytest.mark.parametrize(("source", "sink"), list(product(READ, WRITE)))
def test_a_clock_that_is_not_synchronised_is_known_behind_the_gateway(
    source: str, sink: str, unsure: bool
) -> None:
    """What one protocol says of its clock the next one says, and nothing else of the value."""
    quality = READ[source](unsure)
    assert quality & ~Quality.DEVICE_TIME == (UNSURE if unsure else Quality.GOOD)
    assert WRITE[sink](quality) is unsure


def test_opcua_has_no_word_for_the_clock() -> None:
    """A StatusCode is of the value alone."""
    assert status_of(int(UNSURE)) == status_of(0)
