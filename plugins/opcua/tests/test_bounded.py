"""What a message may make the library build."""

from __future__ import annotations

import struct

import gateway_opcua.bounded  # noqa: F401 - it changes the library
import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import variant_from_binary, variant_to_binary
from asyncua.ua.uaerrors import UaError

ARRAY = 0x80


@pytest.mark.parametrize(
    "kind", [ua.VariantType.Null, ua.VariantType.Boolean, ua.VariantType.Int32]
)
@pytest.mark.parametrize("length", [5, 2**31 - 1])
def test_an_array_that_claims_more_than_there_is(kind: ua.VariantType, length: int) -> None:
    """Four octets cannot hold five elements, of whatever type; nothing is built first."""
    octets = bytes([ARRAY | kind.value]) + struct.pack("<i", length) + bytes(4)
    with pytest.raises(UaError):
        variant_from_binary(Buffer(octets))


@pytest.mark.parametrize("values", [[], [True, False], [1.5, 2.5, 3.5]])
def test_arrays_that_are_whole(values: list[float]) -> None:
    """They are read as before; OPC 10000-6, 5.2.5."""
    kind = ua.VariantType.Boolean if values and values[0] is True else ua.VariantType.Double
    octets = variant_to_binary(ua.Variant(values, kind, is_array=True))
    assert list(variant_from_binary(Buffer(octets)).Value) == values
