"""COMTRADE (IEC 60255-24, IEEE C37.111) as values: revisions 1991, 1999 and 2013."""

from gateway_comtrade.codec.cff import Sections, join_cff, split_cff
from gateway_comtrade.codec.error import ComtradeError
from gateway_comtrade.codec.files import decode, encode, read, read_header, write
from gateway_comtrade.codec.recording import (
    MISSING,
    NO_STAMP,
    AnalogChannel,
    Format,
    Header,
    Rate,
    Recording,
    StatusChannel,
)

__all__ = [
    "MISSING",
    "NO_STAMP",
    "AnalogChannel",
    "ComtradeError",
    "Format",
    "Header",
    "Rate",
    "Recording",
    "Sections",
    "StatusChannel",
    "decode",
    "encode",
    "join_cff",
    "read",
    "read_header",
    "split_cff",
    "write",
]
