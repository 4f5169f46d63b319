"""Objects: what stands in a fragment, from bytes and to bytes."""

from gateway_dnp3.objects.attribute import (
    ALL_ATTRIBUTES,
    LIST_OF_ATTRIBUTES,
    Attribute,
    Kind,
    attributes,
    encode_attributes,
)
from gateway_dnp3.objects.attribute import NAMES as ATTRIBUTE_NAMES
from gateway_dnp3.objects.clock import (
    IntervalUnit,
    Schedule,
    encode_schedules,
    schedules,
    time_object,
    times,
)
from gateway_dnp3.objects.columns import NO_TIME, ONLINE, Columns
from gateway_dnp3.objects.control import (
    AnalogOutput,
    Command,
    Crob,
    Operation,
    TripClose,
    commands,
    control_code,
    encode_commands,
)
from gateway_dnp3.objects.decode import decode, decode_all
from gateway_dnp3.objects.encode import encode, encode_events
from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.file import (
    File,
    FileAuthentication,
    FileBlock,
    FileBlockStatus,
    FileCommand,
    FileDescriptor,
    FileKind,
    FileMode,
    FileName,
    FileResult,
    FileStatus,
    Permission,
)
from gateway_dnp3.objects.header import ObjectHeader, header, split
from gateway_dnp3.objects.layout import LAYOUTS, Layout, Use, is_measurement, layout
from gateway_dnp3.objects.qualifier import Qualifier
from gateway_dnp3.objects.status import CommandStatus
from gateway_dnp3.objects.text import Strings, encode_strings, strings
from gateway_dnp3.objects.transfer import (
    descriptors,
    encode_descriptor,
    encode_file,
    files,
)

__all__ = [
    "ALL_ATTRIBUTES",
    "ATTRIBUTE_NAMES",
    "LAYOUTS",
    "LIST_OF_ATTRIBUTES",
    "NO_TIME",
    "ONLINE",
    "AnalogOutput",
    "Attribute",
    "Columns",
    "Command",
    "CommandStatus",
    "Crob",
    "File",
    "FileAuthentication",
    "FileBlock",
    "FileBlockStatus",
    "FileCommand",
    "FileDescriptor",
    "FileKind",
    "FileMode",
    "FileName",
    "FileResult",
    "FileStatus",
    "IntervalUnit",
    "Kind",
    "Layout",
    "ObjectError",
    "ObjectHeader",
    "Operation",
    "Permission",
    "Qualifier",
    "Reason",
    "Schedule",
    "Strings",
    "TripClose",
    "Use",
    "attributes",
    "commands",
    "control_code",
    "decode",
    "decode_all",
    "descriptors",
    "encode",
    "encode_attributes",
    "encode_commands",
    "encode_descriptor",
    "encode_events",
    "encode_file",
    "encode_schedules",
    "encode_strings",
    "files",
    "header",
    "is_measurement",
    "layout",
    "schedules",
    "split",
    "strings",
    "time_object",
    "times",
]
