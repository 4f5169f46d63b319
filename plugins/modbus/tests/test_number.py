"""Numbers as registers, against pymodbus and by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from gateway_modbus.number import words_of
from gateway_modbus.register import Order, RegisterType
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.client import ModbusTcpClient

KIND = ModbusTcpClient.DATATYPE
CASES: list[tuple[str, Any, st.SearchStrategy[Any]]] = [
    ("int16", KIND.INT16, st.integers(-(2**15), 2**15 - 1)),
    ("uint16", KIND.UINT16, st.integers(0, 2**16 - 1)),
    ("int32", KIND.INT32, st.integers(-(2**31), 2**31 - 1)),
    ("uint32", KIND.UINT32, st.integers(0, 2**32 - 1)),
    ("int64", KIND.INT64, st.integers(-(2**53), 2**53)),
    ("uint64", KIND.UINT64, st.integers(0, 2**53)),
    ("float32", KIND.FLOAT32, st.floats(width=32, allow_nan=False)),
    ("float64", KIND.FLOAT64, st.floats(allow_nan=False)),
]


@pytest.mark.parametrize(("kind", "data_type", "values"), CASES, ids=[case[0] for case in CASES])
def test_as_pymodbus(kind: str, data_type: Any, values: st.SearchStrategy[Any]) -> None:
    """Every number of a type becomes the registers that pymodbus makes of it, in both orders."""

    @settings(deadline=None)
    @given(st.lists(values, min_size=1, max_size=5))
    def check(numbers: list[Any]) -> None:
        for order, word_order in ((Order.ABCD, "big"), (Order.CDAB, "little")):
            words = words_of(np.array(numbers, np.float64), RegisterType(kind), order)
            assert words.tolist() == [
                ModbusTcpClient.convert_to_registers(number, data_type, word_order)  # type: ignore[arg-type]
                for number in numbers
            ]

    check()


# 0x12345678 in the four orders as they stand in manuals: bytes on the wire.
ORDERS = [("ABCD", "12345678"), ("DCBA", "78563412"), ("BADC", "34127856"), ("CDAB", "56781234")]


@pytest.mark.parametrize(("order", "wire"), ORDERS)
def test_orders(order: str, wire: str) -> None:
    """The four orders put the bytes where their names say."""
    words = words_of(np.array([0x12345678], float), RegisterType.UINT32, Order(order))

    assert words.astype(">u2").tobytes().hex() == wire


HAND = [
    ("int16", 40000.0, [0x7FFF]),
    ("int16", -40000.0, [0x8000]),
    ("uint16", -1.0, [0]),
    ("uint16", 65535.4, [0xFFFF]),
    ("int16", -2.6, [0xFFFD]),
    ("int16", math.nan, [0]),
    ("int16", math.inf, [0x7FFF]),
    ("int32", 1e12, [0x7FFF, 0xFFFF]),
    ("uint32", 1e12, [0xFFFF, 0xFFFF]),
    ("int64", -1e300, [0x8000, 0, 0, 0]),
    # The greatest float64 below 2**63 and 2**64.
    ("int64", 1e300, [0x7FFF, 0xFFFF, 0xFFFF, 0xFC00]),
    ("uint64", 1e300, [0xFFFF, 0xFFFF, 0xFFFF, 0xF800]),
    ("float32", 1e300, [0x7F80, 0]),
    ("bcd16", 1234.0, [0x1234]),
    ("bcd16", 12345.0, [0x9999]),
    ("bcd32", 12345678.0, [0x1234, 0x5678]),
    ("bcd32", -1.0, [0, 0]),
    ("bit", 1.0, [1]),
]


@pytest.mark.parametrize(("kind", "value", "words"), HAND)
def test_by_hand(kind: str, value: float, words: list[int]) -> None:
    """Integers are rounded and saturate; what is no number is 0."""
    assert words_of(np.array([value]), RegisterType(kind), Order.ABCD).tolist() == [words]
