"""Bounds what a peer can make the library build: an array has no more elements than octets.

The library believes the length that an array claims. Elements of the type Null take no octets, so
that a message of a few octets could ask for 2³¹ of them, and for all memory.
"""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import struct
from typing import Any

from asyncua.common.utils import Buffer
from asyncua.ua import ua_binary
from asyncua.ua.uaerrors import UaError

_LENGTH = struct.Struct("<i")

_unpack = ua_binary.unpack_uatype_array


def _bounded(vtype: Any, data: Any) -> Any:
    if isinstance(data, Buffer):
        (length,) = _LENGTH.unpack(data.copy(_LENGTH.size).read(_LENGTH.size))
        left = len(data) - _LENGTH.size
        if length > left:
            raise UaError(f"an array of {length} elements in {left} octets")
    return _unpack(vtype, data)


ua_binary.unpack_uatype_array = _bounded
