"""What we encode, read by a dissector that nobody here wrote."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from gateway_dnp3.app import (
    INTEGRITY,
    Fragment,
    FunctionCode,
    Iin,
    assign_class,
    class_objects,
    clear_restart,
    name_all,
    name_range,
    parse,
)
from gateway_dnp3.objects import (
    LAYOUTS,
    AnalogOutput,
    Attribute,
    Columns,
    Crob,
    FileAuthentication,
    FileBlock,
    FileBlockStatus,
    FileCommand,
    FileDescriptor,
    FileStatus,
    Kind,
    Qualifier,
    Schedule,
    Strings,
    Use,
    encode,
    encode_attributes,
    encode_commands,
    encode_file,
    encode_schedules,
    encode_strings,
    header,
    time_object,
)

sys.path.insert(0, str(Path(__file__).parent))
from wire import capture, dissect

TIME = 1700000000123
VALUES = {1: [0.0, 1.0, 1.0], 2: [1.0, 2.0, 3.0]}
INDEXES = ("dnp3.al.point_index", "dnp3.al.index")
EXPERT = ("_ws.expert.message", "_ws.malformed")

BEYOND = {(4, 3), (43, 1), (43, 3), (52, 1), (102, 1)} | {
    *((31, variation) for variation in range(1, 7)),
    *((33, variation) for variation in range(1, 5)),
}
"""What tshark 4.0 does not know or misreads: it calls the published g4v3, g43v1, g43v3 and g52v1
of opendnp3's tests malformed or unknown too."""


def measurements() -> list[tuple[str, Fragment]]:
    """A response for each measurement and each qualifier that can carry it."""
    found = []
    for (group, variation), one in LAYOUTS.items():
        if one.use is not Use.MEASUREMENT or (group, variation) in BEYOND:
            continue
        value = VALUES[2] if group in (3, 4) else VALUES[1]
        columns = Columns.of(group, variation, [3, 4, 5], value, 0x01, TIME)
        lists = (
            Qualifier.INDEX_8,
            Qualifier.INDEX_8_COUNT_16,
            Qualifier.INDEX_8_COUNT_32,
            Qualifier.INDEX_16_COUNT_8,
            Qualifier.INDEX_16,
            Qualifier.INDEX_16_COUNT_32,
            Qualifier.INDEX_32,
        )
        ranges = (Qualifier.RANGE_8, Qualifier.RANGE_16, Qualifier.RANGE_32)
        for qualifier in lists if one.event else ranges:
            octets, rows = encode(columns, 200, qualifier)
            assert rows == 3
            label = f"g{group}v{variation} 0x{qualifier:02X}"
            found.append((label, Fragment.response(Iin.NONE, octets)))
    return found


def others() -> list[tuple[str, Fragment]]:
    """A fragment for each object that is no measurement."""

    def response(objects: bytes) -> Fragment:
        return Fragment.response(Iin.DEVICE_RESTART, objects)

    analogs = [AnalogOutput(1, variation, -7, 0) for variation in (1, 2, 3, 4)]
    controls = [Crob(1, 3, 1, 100, 200), Crob(2, 0x41), Crob(3, 0x81)]
    masters = {
        "integrity": Fragment.request(FunctionCode.READ, class_objects(*INTEGRITY)),
        "limited": Fragment.request(FunctionCode.READ, class_objects(1, limit=5)),
        "range": Fragment.request(FunctionCode.READ, name_range(30, 0, 0, 300)),
        "all": Fragment.request(FunctionCode.READ, name_all(30)),
        "enable": Fragment.request(FunctionCode.ENABLE_UNSOLICITED, class_objects(1, 2, 3)),
        "disable": Fragment.request(FunctionCode.DISABLE_UNSOLICITED, class_objects(1, 2, 3)),
        "assign": Fragment.request(FunctionCode.ASSIGN_CLASS, assign_class(2, [(30, 0, 5)])),
        "restart": Fragment.request(FunctionCode.WRITE, clear_restart()),
        "freeze": Fragment.request(FunctionCode.IMMED_FREEZE, name_all(20)),
        "freeze and clear": Fragment.request(FunctionCode.FREEZE_CLEAR_NR, name_all(20)),
        "freeze at time": Fragment.request(
            FunctionCode.FREEZE_AT_TIME,
            encode_schedules([Schedule(0, TIME, 60000)], 2) + name_all(20),
        ),
        "cold": Fragment.request(FunctionCode.COLD_RESTART),
        "warm": Fragment.request(FunctionCode.WARM_RESTART),
        "delay": Fragment.request(FunctionCode.DELAY_MEASURE),
        "record": Fragment.request(FunctionCode.RECORD_CURRENT_TIME),
        "select": Fragment.request(FunctionCode.SELECT, encode_commands(controls)),
        "operate": Fragment.request(FunctionCode.OPERATE, encode_commands(analogs)),
        "direct": Fragment.request(FunctionCode.DIRECT_OPERATE, encode_commands(controls)),
        "wide": Fragment.request(
            FunctionCode.DIRECT_OPERATE_NR, encode_commands(controls, Qualifier.INDEX_16)
        ),
        "time": Fragment.request(FunctionCode.WRITE, time_object(50, 1, TIME)),
        "recorded": Fragment.request(FunctionCode.WRITE, time_object(50, 3, TIME)),
        "confirm": Fragment.confirm(5),
        "confirm unsolicited": Fragment.confirm(5, unsolicited=True),
        "file": Fragment.request(
            FunctionCode.OPEN_FILE, encode_file(FileCommand("a.txt", request=1))
        ),
        "file read": Fragment.request(FunctionCode.READ, encode_file(FileBlock(1, 0))),
        "file close": Fragment.request(FunctionCode.CLOSE_FILE, encode_file(FileStatus(1))),
        "file info": Fragment.request(
            FunctionCode.GET_FILE_INFO, encode_file(FileDescriptor("a.txt"))
        ),
        "file user": Fragment.request(
            FunctionCode.AUTHENTICATE_FILE, encode_file(FileAuthentication("me", "secret"))
        ),
    }
    outstations = {
        "unsolicited": Fragment.response(Iin.DEVICE_RESTART, con=True, unsolicited=True),
        "commands": response(encode_commands(controls) + encode_commands(analogs)),
        "delay": response(time_object(52, 2, 40)),
        "strings": response(encode_strings(Strings(110, [1, 2], [b"abc", b"xyz"]), 200)[0]),
        "string events": response(encode_strings(Strings(111, [1], [b"abc"]), 200)[0]),
        "file status": response(encode_file(FileStatus(1, 100, 1024, 7))),
        "file block": response(encode_file(FileBlock(1, 0, True, b"data"))),
        "file block status": response(encode_file(FileBlockStatus(1, 0, True))),
        "attributes": response(
            encode_attributes(
                [
                    Attribute(0, 252, "Acme"),
                    Attribute(0, 241, 2048, Kind.UINT),
                    Attribute(0, 203, 12.5, Kind.FLT),
                ]
            )
        ),
    }
    return [*masters.items(), *outstations.items()]


def test_tshark_finds_nothing_wrong(tmp_path: Path) -> None:
    """No fragment is malformed or draws a remark, whatever its objects and qualifiers."""
    labelled = measurements() + others()
    path = tmp_path / "all.pcap"
    capture(path, [fragment for _, fragment in labelled])
    rows = dissect(path, "dnp3.al.func", *EXPERT)
    assert len(rows) == len(labelled)
    wrong = [
        (label, row)
        for (label, fragment), row in zip(labelled, rows, strict=True)
        if row["dnp3.al.func"] != [str(int(fragment.function))] or row[EXPERT[0]] or row[EXPERT[1]]
    ]
    assert wrong == []


def test_what_tshark_misreads_it_misreads_of_others(tmp_path: Path) -> None:
    """The objects that are left out above draw its remarks when others wrote them, too."""
    published = {
        (4, 3): "C0 81 00 00 04 03 17 02 03 C1 07 00 05 41 09 00",
        (43, 1): "C0 81 00 00 2B 01 28 01 00 09 00 01 32 00 00 00",
        (43, 3): "C0 81 00 00 2B 03 17 01 09 01 32 00 00 00 88 6E D0 92 4A 01",
        (52, 1): "C0 81 00 00 34 01 07 01 BB BB",
    }
    path = tmp_path / "published.pcap"
    capture(path, [parse(bytes.fromhex(text)) for text in published.values()])
    for one, row in zip(published, dissect(path, *EXPERT), strict=True):
        assert row[EXPERT[0]], one


NUMBERS = [
    (30, 1, [-5, 70000, 2147483647], "dnp3.al.ana.int"),
    (30, 2, [-5, 7, 32767], "dnp3.al.ana.int"),
    (30, 5, [-5.5, 0.25, 1e10], "dnp3.al.ana.float"),
    (30, 6, [-5.5, 0.1, 1e300], "dnp3.al.ana.double"),
    (32, 3, [-5, 70000, 7], "dnp3.al.ana.int"),
    (32, 7, [-5.5, 0.25, 8], "dnp3.al.ana.float"),
    (20, 1, [5, 70000, 4294967295], "dnp3.al.cnt"),
    (22, 6, [5, 7, 65535], "dnp3.al.cnt"),
    (21, 5, [5, 7, 65536], "dnp3.al.cnt"),
    (40, 3, [1.5, -2.5, 0], "dnp3.al.anaout.float"),
    (3, 1, [0, 2, 3], "dnp3.al.2bit"),
    (1, 1, [0, 1, 1], "dnp3.al.bit"),
]


@pytest.mark.parametrize(("group", "variation", "values", "field"), NUMBERS)
def test_tshark_reads_our_numbers(
    tmp_path: Path, group: int, variation: int, values: list[float], field: str
) -> None:
    """Values and indexes in the dissection are those that were encoded."""
    columns = Columns.of(group, variation, [7, 8, 9], values, 0x01, TIME)
    path = tmp_path / "one.pcap"
    capture(path, [Fragment.response(Iin.NONE, encode(columns, 200)[0])])
    (row,) = dissect(path, field, *INDEXES, "dnp3.al.timestamp")
    assert [index for name in INDEXES for index in row[name]] == ["7", "8", "9"]
    assert np.array(row[field], float) == pytest.approx(values, rel=1e-6)
    if LAYOUTS[group, variation].time.value == 6:
        assert all("Nov 14, 2023 22:13:20.123" in text for text in row["dnp3.al.timestamp"])


def test_tshark_reads_our_indications(tmp_path: Path) -> None:
    """Every indication stands where tshark looks for it."""
    names = {
        Iin.BROADCAST: "bmsg", Iin.CLASS_1_EVENTS: "cls1d", Iin.CLASS_2_EVENTS: "cls2d",
        Iin.CLASS_3_EVENTS: "cls3d", Iin.NEED_TIME: "tsr", Iin.LOCAL_CONTROL: "dol",
        Iin.DEVICE_TROUBLE: "dt", Iin.DEVICE_RESTART: "rst", Iin.NO_FUNC_CODE_SUPPORT: "fcni",
        Iin.OBJECT_UNKNOWN: "obju", Iin.PARAMETER_ERROR: "pioor",
        Iin.EVENT_BUFFER_OVERFLOW: "ebo", Iin.ALREADY_EXECUTING: "oae", Iin.CONFIG_CORRUPT: "cc",
    }  # fmt: skip
    path = tmp_path / "iin.pcap"
    capture(path, [Fragment.response(one) for one in names])
    fields = [f"dnp3.al.iin.{name}" for name in names.values()]
    for (indication, name), row in zip(names.items(), dissect(path, *fields), strict=True):
        found = {key for key, value in row.items() if value in (["1"], ["True"])}
        assert found == {f"dnp3.al.iin.{name}"}, indication


def test_tshark_reads_our_commands(tmp_path: Path) -> None:
    """Code, count and times of a CROB, value and status of a setpoint."""
    path = tmp_path / "commands.pcap"
    given = [Crob(3, 0x41, 2, 1500, 250, 7), AnalogOutput(4, 3, 2.5, 12)]
    capture(path, [Fragment.request(FunctionCode.SELECT, encode_commands(given))])
    (row,) = dissect(
        path, "dnp3.al.count", "dnp3.al.on_time", "dnp3.al.off_time", "dnp3.al.ctrlstatus",
        "dnp3.al.anaout.float", "dnp3.al.index",
    )  # fmt: skip
    assert row == {
        "dnp3.al.count": ["2"],
        "dnp3.al.on_time": ["1500"],
        "dnp3.al.off_time": ["250"],
        "dnp3.al.ctrlstatus": ["7", "12"],
        "dnp3.al.anaout.float": ["2.5"],
        "dnp3.al.index": ["3", "4"],
    }


def test_a_header_of_each_qualifier_names_objects(tmp_path: Path) -> None:
    """A READ with each qualifier without objects is read."""
    requests = [
        header(30, 1, Qualifier.RANGE_8, start=1, count=2),
        header(30, 1, Qualifier.RANGE_16, start=1, count=2),
        header(30, 1, Qualifier.RANGE_32, start=1, count=2),
        header(30, 1, Qualifier.ALL),
        header(32, 1, Qualifier.COUNT_8, count=2),
        header(32, 1, Qualifier.COUNT_16, count=2),
        header(32, 1, Qualifier.COUNT_32, count=2),
        header(30, 1, Qualifier.INDEX_8, count=2, data=b"\x01\x02"),
        header(30, 1, Qualifier.INDEX_16, count=1, data=b"\x01\x00"),
    ]
    path = tmp_path / "read.pcap"
    capture(path, [Fragment.request(FunctionCode.READ, objects) for objects in requests])
    for row in dissect(path, "dnp3.al.obj", *EXPERT):
        assert len(row["dnp3.al.obj"]) == 1
        assert not row["_ws.malformed"]
