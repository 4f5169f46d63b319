"""A frame of DNP3 in words, for who looks at a trace: link, transport and application layer."""

from __future__ import annotations

import itertools

from gateway_dnp3.app import NAMING, Fragment, FragmentError, Iin, parse
from gateway_dnp3.link import Frame, Reader
from gateway_dnp3.objects import ObjectError, ObjectHeader, decode, is_measurement, split
from gateway_dnp3.transport.segment import FIN, FIR, SEQUENCE

HEADERS = 4
"""Object headers that are shown."""
SHOWN = 2
"""Measurements of a header that are shown."""


def describe(data: bytes) -> str:
    """Return what a frame says, as far as it is there; of what is no frame, that."""
    reader = Reader()
    frames = reader.feed(data)
    if len(frames) != 1:
        errors = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in reader.errors.items())
        return f"no frame of DNP3{f': {errors}' if errors else ''}"
    frame = frames[0]
    head = str(frame._replace(data=b""))
    return f"{head}: {_segment(frame)}" if frame.data else head


def _segment(frame: Frame) -> str:
    octet, data = frame.data[0], frame.data[1:]
    whole = octet & FIR and octet & FIN
    part = "" if whole else f"segment {octet & SEQUENCE}{' (the last)' if octet & FIN else ''}, "
    if not octet & FIR:
        return f"{part}{len(data)} octets more"
    try:
        fragment = parse(data)
    except FragmentError as error:
        return f"{part}no fragment: {error}"
    return f"{part}{_fragment(fragment)}"


def _fragment(fragment: Fragment) -> str:
    control = fragment.control
    words = [fragment.function.name, f"seq {control.sequence}"]
    words += ["CON"] * control.con
    words += ["more to come"] * (not control.fin)
    if fragment.iin:
        words.append(f"IIN {'+'.join(one.name or '' for one in Iin if one in fragment.iin)}")
    return ", ".join([" ".join(words), *_objects(fragment)])


def _objects(fragment: Fragment) -> list[str]:
    naming = fragment.function in NAMING
    shown: list[str] = []
    try:
        for one in split(fragment.objects, naming=naming):
            shown.append("…" if len(shown) == HEADERS else _header(one, naming=naming))
            if len(shown) > HEADERS:
                break
    except ObjectError:
        # The rest comes with the next segment, or is nothing that is known.
        shown.append("…")
    return shown


def _header(one: ObjectHeader, *, naming: bool) -> str:
    name = f"g{one.group}v{one.variation}"
    if one.start is not None:
        where = f" {one.start}" if one.count == 1 else f" {one.start} to {one.stop}"
    else:
        where = f" × {one.count}" if one.count else ""
    if naming or not is_measurement(one.group) or not one.count:
        return name + where
    columns = decode(one)
    values = zip(columns.index.tolist(), columns.value.tolist(), strict=True)
    rows = [f"{index} = {value:g}" for index, value in itertools.islice(values, SHOWN)]
    return f"{name}{where} ({', '.join(rows)}{', …' if one.count > SHOWN else ''})"
