"""ASDUs: the application data that 101 and 104 share, without I/O and without a clock."""

from gateway_iec60870.asdu.asdu import MOST_OBJECTS, Asdu, parse
from gateway_iec60870.asdu.cause import Cause
from gateway_iec60870.asdu.civil import (
    NO_TIME,
    SUBSTITUTED_TIME,
    SUMMER_TIME,
    TIME_INVALID,
    complete,
)
from gateway_iec60870.asdu.columns import Columns
from gateway_iec60870.asdu.command import Command, command, encode_command
from gateway_iec60870.asdu.decode import decode, decode_all
from gateway_iec60870.asdu.description import describe
from gateway_iec60870.asdu.encode import encode
from gateway_iec60870.asdu.error import AsduError
from gateway_iec60870.asdu.events import encode_events
from gateway_iec60870.asdu.file import (
    Acknowledgement,
    Call,
    Directory,
    DirectoryEntry,
    File,
    FileReady,
    LastSegment,
    QueryLog,
    SectionReady,
    Segment,
    encode_file,
    file,
)
from gateway_iec60870.asdu.layout import LAYOUTS, Element, Layout, Time, Use, layout
from gateway_iec60870.asdu.parameter import Activation, Parameter, encode_parameter, parameter
from gateway_iec60870.asdu.sizes import IEC104, Sizes
from gateway_iec60870.asdu.system import (
    GENERAL,
    PATTERN,
    STATION,
    ClockSynchronisation,
    CounterInterrogation,
    DelayAcquisition,
    EndOfInitialisation,
    Interrogation,
    ReadRequest,
    Reset,
    System,
    Test,
    TimedTest,
    encode_system,
    system,
)
from gateway_iec60870.asdu.type_id import TypeId

__all__ = [
    "GENERAL",
    "IEC104",
    "LAYOUTS",
    "MOST_OBJECTS",
    "NO_TIME",
    "PATTERN",
    "STATION",
    "SUBSTITUTED_TIME",
    "SUMMER_TIME",
    "TIME_INVALID",
    "Acknowledgement",
    "Activation",
    "Asdu",
    "AsduError",
    "Call",
    "Cause",
    "ClockSynchronisation",
    "Columns",
    "Command",
    "CounterInterrogation",
    "DelayAcquisition",
    "Directory",
    "DirectoryEntry",
    "Element",
    "EndOfInitialisation",
    "File",
    "FileReady",
    "Interrogation",
    "LastSegment",
    "Layout",
    "Parameter",
    "QueryLog",
    "ReadRequest",
    "Reset",
    "SectionReady",
    "Segment",
    "Sizes",
    "System",
    "Test",
    "Time",
    "TimedTest",
    "TypeId",
    "Use",
    "command",
    "complete",
    "decode",
    "decode_all",
    "describe",
    "encode",
    "encode_command",
    "encode_events",
    "encode_file",
    "encode_parameter",
    "encode_system",
    "file",
    "layout",
    "parameter",
    "parse",
    "system",
]
