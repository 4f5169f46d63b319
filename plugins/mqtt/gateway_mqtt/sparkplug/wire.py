"""The payload of Sparkplug B on the wire: messages made from a table of fields.

The table is our own description of the format: names and numbers of Sparkplug 3.0 clause 6.4.1.
The classes are made from it at import, by the protobuf library; no compiler is needed.
Data sets, templates and files are not looked into: their fields are bytes here.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "gateway.sparkplug"
_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "u32": _FIELD.TYPE_UINT32,
    "u64": _FIELD.TYPE_UINT64,
    "f32": _FIELD.TYPE_FLOAT,
    "f64": _FIELD.TYPE_DOUBLE,
    "bool": _FIELD.TYPE_BOOL,
    "text": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
}

# Number, name, type; a message's own name stands for its type, * for repeated,
# = for one of the alternatives of the value.
_TABLE = {
    "Payload": """
         1 timestamp       u64
         2 metrics         Metric*
         3 seq             u64
         4 uuid            text
         5 body            bytes
    """,
    "Metric": """
         1 name            text
         2 alias           u64
         3 timestamp       u64
         4 datatype        u32
         5 is_historical   bool
         6 is_transient    bool
         7 is_null         bool
         8 metadata        bytes
         9 properties      PropertySet
        10 int_value       u32=
        11 long_value      u64=
        12 float_value     f32=
        13 double_value    f64=
        14 boolean_value   bool=
        15 string_value    text=
        16 bytes_value     bytes=
        17 dataset_value   bytes=
        18 template_value  bytes=
        19 extension_value bytes=
    """,
    "PropertySet": """
         1 keys            text*
         2 values          PropertyValue*
    """,
    "PropertyValue": """
         1 type            u32
         2 is_null         bool
         3 int_value       u32=
         4 long_value      u64=
         5 float_value     f32=
         6 double_value    f64=
         7 boolean_value   bool=
         8 string_value    text=
         9 propertyset_value  bytes=
        10 propertysets_value bytes=
        11 extension_value bytes=
    """,
}


def _description() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="gateway/sparkplug.proto", package=_PACKAGE, syntax="proto2"
    )
    for message, rows in _TABLE.items():
        described = file.message_type.add(name=message)
        for row in rows.strip().splitlines():
            number, name, kind = row.split()
            field = described.field.add(
                name=name,
                number=int(number),
                label=_FIELD.LABEL_REPEATED if kind.endswith("*") else _FIELD.LABEL_OPTIONAL,
            )
            word = kind.rstrip("*=")
            if word in _TYPES:
                field.type = _TYPES[word]
            else:
                field.type = _FIELD.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{word}"
            if kind.endswith("="):
                if not described.oneof_decl:
                    described.oneof_decl.add(name="value")
                field.oneof_index = 0
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_description())

Payload: Any = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))
"""A Sparkplug B payload; `Payload.FromString(octets)` raises `DecodeError`."""
PropertySet: Any = message_factory.GetMessageClass(
    _pool.FindMessageTypeByName(f"{_PACKAGE}.PropertySet")
)
"""The properties of a metric: keys and values side by side."""
