"""Types for the fields of links: durations, addresses, secrets, as they stand in the YAML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    SecretStr,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_UNITS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)")
_SIZES = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(kB|MB|GB|KiB|MiB|GiB)")


def _duration(value: Any) -> float:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(
            "a duration is a number with ms, s, min, h or d behind it: 500ms, 1s, 2min"
        )
    return float(match[1]) * _UNITS[match[2]]


def _size(value: Any) -> int:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(
            "a size is a number with kB, MB, GB, KiB, MiB or GiB behind it: 500MB, 2GB"
        )
    return int(float(match[1]) * _SIZES[match[2]])


def seconds_text(seconds: float) -> str:
    """Write a duration the way the configuration does: `500ms`, `1s`, `2min`."""
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1e3:g}ms"


Duration = Annotated[
    float,
    BeforeValidator(lambda v: v if isinstance(v, float) else _duration(v)),
    PlainSerializer(seconds_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["1s"]}),
]
"""Seconds as a float; in the YAML a number with its unit: `500ms`, `1s`, `2min`, `1h`, `7d`."""

Size = Annotated[
    int,
    BeforeValidator(lambda v: v if type(v) is int and v > 0 else _size(v)),
    PlainSerializer(lambda v: f"{v / 10**6:g}MB", return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_SIZE.pattern}$", "examples": ["500MB"]}),
]
"""Bytes as an int; in the YAML a number with its unit: `500MB`, `2GB`."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to listen at or to connect to: `0.0.0.0:4840`, `[::1]:502`, `broker:1883`."""

    host: str
    port: int

    @classmethod
    def parse(cls, value: Any) -> Endpoint:
        if isinstance(value, Endpoint):
            return value
        host, colon, port = str(value).rpartition(":")
        if not isinstance(value, str) or not colon or not host or not port.isdecimal():
            raise ValueError("an address is host:port: 0.0.0.0:4840, [::1]:502")
        if int(port) > 65535:
            raise ValueError(f"port {port} is not in 0..65535")
        if host.startswith("[") != host.endswith("]") or (":" in host and host[0] != "["):
            raise ValueError("an IPv6 address stands in brackets: [::1]:502")
        return cls(host.strip("[]"), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^.+:\d{1,5}$", "examples": ["0.0.0.0:4840"]}


Secret = SecretStr
"""A password or token; in the YAML `{env: NAME}` or `{file: PATH}`, never the secret itself."""


class Settings(BaseModel):
    """A group of fields in the YAML: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reconnect(Settings):
    """How long to wait before a broken link is tried again; doubles, with jitter, up to `max`."""

    min: Annotated[Duration, Field(description="the first wait")] = 1.0
    max: Annotated[Duration, Field(description="the longest wait")] = 60.0
