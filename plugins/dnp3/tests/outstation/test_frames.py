"""Everything that the outstation says, read by a dissector that nobody here wrote."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from gateway_dnp3.app import (
    Fragment,
    FunctionCode,
    Iin,
    class_objects,
    clear_restart,
    name_range,
    parse,
)
from gateway_dnp3.link import Broadcast
from gateway_dnp3.objects import (
    ALL_ATTRIBUTES,
    AnalogOutput,
    Crob,
    Qualifier,
    encode_commands,
    header,
    time_object,
)
from gateway_dnp3.outstation import FAMILIES, OutstationPoint, PointType, UnsolicitedSettings

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "app"))
from bench import Bench
from wire import capture, dissect

F, T = FunctionCode, PointType
UNREAD = {(4, 3)}
"""What tshark 4.0 calls malformed though it is as published; see app/test_tshark.py."""


def bench() -> Bench:
    """Points of all types, one for each variation of its events."""
    points = []
    for family in FAMILIES.values():
        if family.type is not T.FROZEN_COUNTER:
            points += [
                OutstationPoint(family.type, n, n % 3 + 1, event=variation)
                for n, variation in enumerate(family.events)
                if (family.event, variation) not in UNREAD
            ]
    return Bench(points, unsolicited=UnsolicitedSettings())


def conversation() -> Iterator[tuple[F, bytes]]:
    """Requests that call for every kind of answer."""
    yield F.WRITE, clear_restart()
    yield F.READ, class_objects(1, 2, 3, 0)
    for family in FAMILIES.values():
        for variation in family.statics:
            yield F.READ, header(family.static, variation, Qualifier.ALL)
            yield F.READ, name_range(family.static, variation, 0, 1)
    for group, variation in (
        (0, ALL_ATTRIBUTES),
        # Not g0v255: tshark 4.0 does not read a list of attributes.
        (80, 1),
        (34, 1),
        (34, 3),
    ):
        yield F.READ, header(group, variation, Qualifier.ALL)
    yield F.READ, header(50, 1, Qualifier.COUNT_8, count=1)
    yield F.IMMED_FREEZE, header(20, 0, Qualifier.ALL)
    yield F.READ, header(21, 5, Qualifier.ALL)
    for controls in (
        [Crob(0, 0x41, 1, 100, 0), Crob(300, 0x03)],
        *([AnalogOutput(n, n, 1.0)] for n in (1, 2, 3, 4)),
    ):
        yield F.SELECT, encode_commands(controls)
        yield F.OPERATE, encode_commands(controls)
        yield F.DIRECT_OPERATE, encode_commands(controls)
    yield F.OPERATE, encode_commands([Crob(0, 0x41)])
    yield F.DELAY_MEASURE, b""
    yield F.RECORD_CURRENT_TIME, b""
    yield F.WRITE, time_object(50, 3, 1_700_000_000_000)
    yield F.WRITE, time_object(50, 1, 1_700_000_000_000)
    yield F.COLD_RESTART, b""
    yield F.SAVE_CONFIG, b""
    yield F.READ, header(110, 0, Qualifier.ALL)
    yield F.ENABLE_UNSOLICITED, class_objects(1, 2, 3)


def exchange(station: Bench) -> list[Fragment]:
    """Carry the conversation, confirm what wants it, and return all that was said."""
    said: list[Fragment] = []

    def hear() -> None:
        for answer in station.sent():
            said.append(answer)
            if answer.control.con:
                said.append(
                    Fragment.confirm(answer.control.sequence, unsolicited=answer.control.uns)
                )
                station.confirm(answer)
                hear()

    hear()
    everything = [(slot, float(slot % 2)) for slot in range(len(station.points))]
    station.happen(*everything)
    for function, objects in conversation():
        station.request(function, objects)
        said.append(Fragment.request(function, objects, station.sequence))
        waiting = [one for one in station.controls if one is not None]
        station.controls.clear()
        for controls in waiting:
            station.session.operated(controls, [0] * len(controls.commands))
        hear()
        station.happen(*everything)
        hear()
    return said


def test_tshark_reads_all_of_it(tmp_path: Path) -> None:
    """No fragment is malformed, and functions and indications are what they were meant to be."""
    said = exchange(bench())
    answers = [one for one in said if one.iin is not None]
    assert len(answers) > 60
    assert {one.function for one in answers} == {F.RESPONSE, F.UNSOLICITED_RESPONSE}
    path = tmp_path / "said.pcap"
    capture(path, said)
    fields = ("dnp3.al.func", "dnp3.al.iin", "_ws.expert.message", "_ws.malformed")
    packets = dissect(path, *fields)
    wrong = [
        (number, packet)
        for number, packet in enumerate(packets)
        if packet["_ws.malformed"] or _serious(packet["_ws.expert.message"])
    ]
    assert wrong == []
    functions = [int(packet["dnp3.al.func"][0], 0) for packet in packets if packet["dnp3.al.func"]]
    assert functions == [int(one.function) for one in said]
    indications = [int(packet["dnp3.al.iin"][0], 16) for packet in packets if packet["dnp3.al.iin"]]
    # tshark shows the first octet as the high one.
    assert indications == [
        int.from_bytes(int(one.iin).to_bytes(2, "little"), "big")
        for one in answers
        if one.iin is not None
    ]


def _serious(messages: list[str]) -> list[str]:
    """tshark notes each indication and each broadcast as an expert message: those are no faults."""
    noted = ("IIN", "Abnormality", "Device", "Broadcast", "Object Unknown", "Function Code")
    return [one for one in messages if not any(word in one for word in noted)]


def test_broadcasts_are_not_answered() -> None:
    """Whatever the function: to all means to nobody in particular."""
    station = bench()
    station.sent()
    for function, objects in conversation():
        request = Fragment.request(function, objects, 3).encode()
        station.session.receive(request, Broadcast.OPTIONAL_CONFIRM)
    assert [one for one in station.sent() if one.function is F.RESPONSE] == []
    assert Iin.BROADCAST in station.session.indications()
    assert parse(Fragment.confirm(0).encode()).function is F.CONFIRM
