"""Quality as properties of a metric: the three codes of Sparkplug, and all of our words.

Sparkplug 3.0 clause 6.4.9.1 has 192 (good), 500 (stale) and 0 (bad), nothing between.
What the source itself calls questionable is therefore bad: nobody acts on it by mistake,
and `qualityDetail` says what it was.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gateway import Quality, quality_text
from gateway_mqtt.sparkplug.datatype import DataType
from gateway_mqtt.sparkplug.wire import PropertySet

GOOD, STALE, BAD = 192, 500, 0
SHOWN = 0xFFFF & ~int(Quality.DEVICE_TIME)
"""What of a quality there are words for; whose the time is, no reader of Sparkplug asks."""


def code(quality: int) -> int:
    """Return 192, 500 or 0: good, old data, anything else."""
    if not quality & Quality.VALIDITY:
        return GOOD
    return STALE if quality & Quality.OLD_DATA else BAD


def describe(properties: Any, quality: int, code: int) -> None:
    """Add `Quality`, and `qualityDetail` where there is more to say than good, to a PropertySet."""
    properties.keys.append("Quality")
    properties.values.add(type=DataType.INT32.form.code, int_value=code)
    if quality & SHOWN:
        properties.keys.append("qualityDetail")
        properties.values.add(type=DataType.STRING.form.code, string_value=quality_text(quality))


@lru_cache(maxsize=65536)
def octets(quality: int, misfit: int) -> bytes:
    """Return the PropertySet of a sample; a value that its type cannot have is bad."""
    properties = PropertySet()
    describe(properties, quality, BAD if misfit else code(quality))
    written: bytes = properties.SerializeToString()
    return written
