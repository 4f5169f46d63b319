"""Writes what was read, header by header, as the fragment has it."""

from __future__ import annotations

from gateway_dnp3.app import Fragment, headers
from gateway_dnp3.objects import (
    ObjectHeader,
    Qualifier,
    Use,
    attributes,
    commands,
    decode,
    encode,
    encode_attributes,
    encode_commands,
    encode_file,
    encode_schedules,
    encode_strings,
    files,
    header,
    layout,
    schedules,
    strings,
    time_object,
    times,
)

ROOM = 100_000


def again(fragment: Fragment) -> bytes:
    """The objects of a fragment, decoded and encoded."""
    return b"".join(one(found) for found in headers(fragment))


def one(found: ObjectHeader) -> bytes:
    group, variation = found.group, found.variation
    kind = {"start": found.start or 0, "count": found.count}
    known = layout(group, variation)
    if not found.data or known is None:
        return header(group, variation, found.qualifier, **kind)
    listed = found.qualifier if found.prefix else None
    match known.use:
        case Use.MEASUREMENT:
            columns = decode(found)
            octets, rows = encode(columns, ROOM, found.qualifier)
            assert rows == len(columns)
            return octets
        case Use.STRING:
            text = strings(found)
            return encode_strings(text, ROOM, listed or Qualifier.INDEX_16)[0]
        case Use.COMMAND:
            return encode_commands(commands(found), found.qualifier)
        case Use.SCHEDULE:
            return encode_schedules(schedules(found), variation, found.qualifier)
        case Use.ATTRIBUTE:
            return encode_attributes(attributes(found), found.qualifier)
        case Use.FILE:
            return b"".join(encode_file(file) for file in files(found))
        case Use.TIME if found.count == 1:
            return time_object(group, variation, times(found)[0])
    return header(group, variation, found.qualifier, data=bytes(found.data), **kind)
