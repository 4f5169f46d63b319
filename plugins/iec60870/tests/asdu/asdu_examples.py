"""An ASDU of each type, as our codec writes it."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway_iec60870.asdu import (
    IEC104,
    LAYOUTS,
    Asdu,
    Columns,
    Command,
    Use,
    encode,
    encode_command,
    encode_file,
    encode_parameter,
    encode_system,
)

sys.path.insert(0, str(Path(__file__).parent))
from asdu_published import COMMANDS, DIRECTORY, FILES, PARAMETERS, SYSTEM, TIME

MEASURED = [kind for kind, one in LAYOUTS.items() if one.use is Use.MEASUREMENT]


def everything() -> list[Asdu]:
    """An ASDU of each type, by itself and, where there are several objects, in each structure."""
    found = []
    for kind in MEASURED:
        for addresses in ([5], [5, 6, 7], [5, 9, 7]):
            columns = Columns.of(kind, addresses, 1, 0x10, TIME, 0x80, 1)
            found += encode(columns, IEC104, cause=3, address=10, originator=7, test=True)
    for kind, *_, time, clock in COMMANDS:
        one = Command(kind, 0x010203, 1, time=time, clock=clock)
        found.append(Asdu(kind, 7, 65535, encode_command(one, IEC104), negative=True))
    for _, given in SYSTEM:
        found.append(Asdu(given.type, 6, 0, encode_system(given, IEC104)))
    for _, value in PARAMETERS:
        found.append(Asdu(value.type, 6, 10, encode_parameter(value, IEC104)))
    for _, item in FILES:
        found.append(Asdu(item.type, 13, 10, encode_file(item, IEC104)))
    body = encode_file(DIRECTORY, IEC104)
    return [*found, Asdu(126, 5, 10, body, len(DIRECTORY.entries), sequence=True)]
