"""Each protocol as the octets on its wire, from a word and to a word, by our plugins' own codecs.

`read` makes of a word in the octets of its protocol a quality, `write` of a quality the word in the
octets. The octets that are read are put together here, by hand; those that are written are taken
apart here. `of` and `say` are the tables alone, without octets.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from asyncua import ua
from gateway_dnp3 import objects as dnp3
from gateway_dnp3 import quality as dnp3_quality
from gateway_iec60870 import quality as iec_quality
from gateway_iec60870.controlled.type import TimeTag
from gateway_modbus import outcome
from gateway_modbus.bank import Bank, Place, WhenInvalid
from gateway_modbus.register import Order, RegisterType, Table
from gateway_mqtt.message import Encoder, QualityFormat, TimeFormat
from gateway_mqtt.source import word as mqtt_word
from gateway_mqtt.sparkplug import quality as sparkplug_quality
from gateway_mqtt.sparkplug.wire import PropertySet
from gateway_opcua import status as opcua_status
from gateway_opcua.client import quality as opcua_quality

from gateway import Batch, Definition, Image, LinkPoint, Quality, quality_text

sys.path.insert(0, str(Path(__file__).parent))
from translation_c37118 import C37118
from translation_iec104 import received, sent


class Wire(Protocol):
    """A protocol; a kind is that of the point: status, analog, counter."""

    def of(self, kind: str, word: str) -> int:
        """Return the quality of a word."""

    def say(self, kind: str, quality: int) -> str:
        """Return the word of a quality."""

    def read(self, kind: str, word: str) -> int:
        """Return the quality of a word, through octets."""

    def write(self, kind: str, quality: int) -> str:
        """Return the word of a quality, through octets."""


def _bits(word: str, names: dict[str, int]) -> int:
    return sum(names[name] for name in word.split() if name in names)


def _names(bits: int, names: dict[str, int], none: str) -> str:
    return " ".join(name for name, bit in names.items() if bits & bit) or none


def _column(value: int, dtype: type[np.generic]) -> np.ndarray:
    return np.array([value], dtype)


class Iec104:
    """M_SP_NA_1, M_ME_NC_1 and M_IT_NA_1, from `iec104.client` to `iec104.server`; 101 has the
    same ASDUs."""

    TYPES: ClassVar[dict[str, int]] = {"status": 1, "analog": 13, "counter": 15}
    # IEC 60870-5-101:2003 clauses 7.2.6.1, 7.2.6.3 and 7.2.6.9.
    FLAGS: ClassVar[dict[str, dict[str, int]]] = {
        "status": {"IV": 0x80, "NT": 0x40, "SB": 0x20, "BL": 0x10},
        "analog": {"IV": 0x80, "NT": 0x40, "SB": 0x20, "BL": 0x10, "OV": 0x01},
        "counter": {"IV": 0x80, "CA": 0x40, "CY": 0x20},
    }
    VALUE: ClassVar[dict[str, bytes]] = {
        "status": b"",
        "analog": b"\x00\x00\x80\x3f",
        "counter": b"\x01\x00\x00\x00",
    }
    TEST = 0x80
    """T of the cause, clause 7.2.3."""

    def of(self, kind: str, word: str) -> int:
        flags = _column(_bits(word, self.FLAGS[kind]), np.uint8)
        found = iec_quality.quality_of(self.TYPES[kind], flags, _column(0, np.uint32))
        return int(found[0]) | (Quality.TEST if "T" in word.split() else 0)

    def say(self, kind: str, quality: int) -> str:
        flags = iec_quality.flags_of(self.TYPES[kind], _column(quality, np.uint16))
        return self._word(kind, int(flags[0]), bool(quality & Quality.TEST))

    def read(self, kind: str, word: str) -> int:
        cause = 3 | (self.TEST if "T" in word.split() else 0)
        flags = _bits(word, self.FLAGS[kind]) | (1 if kind == "status" else 0)
        head = bytes((self.TYPES[kind], 1, cause, 0, 1, 0, 7, 0, 0))
        return received(kind, head + self.VALUE[kind] + bytes((flags,)))

    def write(self, kind: str, quality: int) -> str:
        octets = sent(kind, quality, TimeTag.NONE)
        assert octets[0] == self.TYPES[kind]
        return self._word(kind, octets[-1], bool(octets[2] & self.TEST))

    def _word(self, kind: str, flags: int, test: bool) -> str:
        word = _names(flags, self.FLAGS[kind], "")
        return f"{word} T".strip() if test else word or "-"


class Dnp3:
    """g1v2, g30v1 and g20v1: objects with flags, from index 7 to index 7."""

    OBJECTS: ClassVar[dict[str, tuple[int, int]]] = {
        "status": (1, 2),
        "analog": (30, 1),
        "counter": (20, 1),
    }
    # IEEE 1815-2012, the flags of each object in annex A.
    COMMON: ClassVar[dict[str, int]] = {"ONLINE": 0x01, "RESTART": 0x02, "COMM_LOST": 0x04}
    FORCED: ClassVar[dict[str, int]] = {"REMOTE_FORCED": 0x08, "LOCAL_FORCED": 0x10}
    FLAGS: ClassVar[dict[str, dict[str, int]]] = {
        "status": {**COMMON, **FORCED, "CHATTER_FILTER": 0x20},
        "analog": {**COMMON, **FORCED, "OVER_RANGE": 0x20, "REFERENCE_ERR": 0x40},
        "counter": {**COMMON, **FORCED, "ROLLOVER": 0x20, "DISCONTINUITY": 0x40},
    }
    VALUE: ClassVar[dict[str, bytes]] = {
        "status": b"",
        "analog": b"\x01\x00\x00\x00",
        "counter": b"\x01\x00\x00\x00",
    }

    def of(self, kind: str, word: str) -> int:
        columns = dnp3.Columns.of(*self.OBJECTS[kind], [7], [1], _bits(word, self.FLAGS[kind]))
        return int(dnp3_quality.quality_of(columns)[0])

    def say(self, kind: str, quality: int) -> str:
        flags = dnp3_quality.flags_of(self.OBJECTS[kind][0], _column(quality, np.uint16))
        return _names(int(flags[0]), self.FLAGS[kind], "none")

    def read(self, kind: str, word: str) -> int:
        flags = _bits(word, self.FLAGS[kind]) | (0x80 if kind == "status" else 0)
        octets = bytes((*self.OBJECTS[kind], 0x00, 7, 7, flags)) + self.VALUE[kind]
        (header,) = dnp3.split(octets)
        return int(dnp3_quality.quality_of(dnp3.decode(header))[0])

    def write(self, kind: str, quality: int) -> str:
        group, variation = self.OBJECTS[kind]
        flags = dnp3_quality.flags_of(group, _column(quality, np.uint16))
        octets, _ = dnp3.encode(dnp3.Columns.of(group, variation, [7], [1], flags), 100)
        assert octets[:5] == bytes((group, variation, 0x00, 7, 7))
        return _names(octets[5] & 0x7F, self.FLAGS[kind], "none")


class OpcUa:
    """StatusCodes, by the names that the OPC Foundation's list gives them."""

    def of(self, kind: str, word: str) -> int:
        return int(opcua_quality.of_status(getattr(ua.StatusCodes, word)))

    def say(self, kind: str, quality: int) -> str:
        return self.name(opcua_status.status_of(quality))

    def read(self, kind: str, word: str) -> int:
        octets = int(getattr(ua.StatusCodes, word)).to_bytes(4, "little")
        return int(opcua_quality.qualities(np.frombuffer(octets, "<u4"))[0])

    def write(self, kind: str, quality: int) -> str:
        value, time, number = np.ones(1), np.ones(1, np.int64), np.ones(1, np.bool_)
        column = opcua_status.judge(value, _column(quality, np.uint16), time, number)
        return self.name(int.from_bytes(column.astype("<u4").tobytes(), "little"))

    def name(self, code: int) -> str:
        return str(ua.status_codes.get_name_and_doc(code)[0])


class Mqtt:
    """The words in a JSON message of `mqtt.json`, and in one that the source `mqtt` takes."""

    POINT = LinkPoint(0, Definition("point"), None)

    def of(self, kind: str, word: str) -> int:
        return mqtt_word.quality(word)

    def say(self, kind: str, quality: int) -> str:
        return quality_text(quality)

    def read(self, kind: str, word: str) -> int:
        reading = mqtt_word.qualities(mqtt_word.QualityFormat.WORDS, {})
        return reading(json.loads(json.dumps(word)))

    def write(self, kind: str, quality: int) -> str:
        form, words = TimeFormat.NS, QualityFormat.WORDS
        encoder = Encoder("gateway", [self.POINT], "topic", form, words, 4096)
        batch = Batch.of([0], [1.0], [quality], [1])
        (message,) = encoder.messages(batch, historical=False)
        (word,) = json.loads(message.payload)["quality"]
        return str(word)


class Sparkplug:
    """The properties of a metric; nothing of ours reads them."""

    def of(self, kind: str, word: str) -> int:
        raise NotImplementedError

    def say(self, kind: str, quality: int) -> str:
        return str(sparkplug_quality.code(quality))

    def read(self, kind: str, word: str) -> int:
        raise NotImplementedError

    def write(self, kind: str, quality: int) -> str:
        return str(self._properties(quality)["Quality"].int_value)

    def detail(self, quality: int) -> str:
        """Return `qualityDetail`, good where there is none."""
        found = self._properties(quality).get("qualityDetail")
        return "good" if found is None else found.string_value

    def _properties(self, quality: int) -> dict[str, object]:
        properties = PropertySet.FromString(sparkplug_quality.octets(quality, 0))
        return dict(zip(properties.keys, properties.values, strict=True))


class Modbus:
    """What a read brings: a value or an exception; the slave with `when_invalid: exception`."""

    READ = bytes((3, 0, 7, 0, 1))

    def of(self, kind: str, word: str) -> int:
        if word == "value":
            return int(Quality.GOOD)
        if word == "no answer":
            return int(outcome.quality_of(outcome.TIMEOUT))
        return int(outcome.quality_of(int(word.removeprefix("exception "))))

    def say(self, kind: str, quality: int) -> str:
        return self.write(kind, quality)

    def read(self, kind: str, word: str) -> int:
        return self.of(kind, word)

    def write(self, kind: str, quality: int) -> str:
        place = Place(
            *(0, "point", 1, Table.HOLDING, 7, RegisterType.UINT16, Order.ABCD, 0, 1.0, 0.0)
        )
        image = Image(np.ones(1), _column(quality, np.uint16), np.ones(1, np.int64))
        bank = Bank([place], image, WhenInvalid.EXCEPTION, silent=False, count=lambda what: None)
        answer = bank.answer(1, self.READ)
        assert answer is not None
        return f"exception {answer[1]}" if answer[0] & 0x80 else "value"


WIRES: dict[str, Wire] = {
    "iec104": Iec104(),
    "dnp3": Dnp3(),
    "opcua": OpcUa(),
    "mqtt": Mqtt(),
    "sparkplug": Sparkplug(),
    "modbus": Modbus(),
    "c37118": C37118(),
}
READ_BY_NOBODY = frozenset(("sparkplug",))
"""Protocols that the gateway writes and does not read."""
