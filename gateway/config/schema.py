"""The JSON Schema of the YAML file, so that editors complete and check it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from gateway.host import Component, Host, Plugin, PluginError
from gateway.model.access import AccessSettings
from gateway.model.configuration import CommandSettings, GatewaySettings
from gateway.model.fields import seconds_text

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SECRET = {
    "title": "Secret",
    "description": "A password or token: where to find it, never the secret itself.",
    "oneOf": [
        {
            "type": "object",
            "properties": {"env": {"type": "string", "minLength": 1}},
            "required": ["env"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"file": {"type": "string", "minLength": 1}},
            "required": ["file"],
            "additionalProperties": False,
        },
    ],
}


def plugins(host: Host) -> tuple[list[Plugin], list[PluginError]]:
    """Import every installed plugin; return those that can be used, and why the others cannot."""
    good: list[Plugin] = []
    bad: list[PluginError] = []
    for name in host.names():
        try:
            good.append(host.load(name))
        except PluginError as error:
            bad.append(error)
    return good, bad


def schema(components: Iterable[Component]) -> dict[str, Any]:
    """Return the JSON Schema of a YAML file whose links are of these classes."""
    parts = list(components)
    models = [GatewaySettings, CommandSettings, AccessSettings, *(part.cls for part in parts)]
    references, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/$defs/{model}"
    )
    defs: dict[str, Any] = definitions.get("$defs", {})
    for part in parts:
        own = defs[_name(references[part.cls, "validation"])]
        own["required"] = list(dict.fromkeys(["name", "type", *own.get("required", ())]))
        own["properties"]["type"].pop("default", None)
    for name, definition in defs.items():
        defs[name] = _as_written(definition)
    defs["Secret"] = _SECRET

    def links(*, sources: bool) -> dict[str, Any]:
        choices = [
            references[part.cls, "validation"] for part in parts if part.is_source is sources
        ]
        return {"type": "array", "items": {"oneOf": choices} if choices else False}

    return {
        "$schema": DIALECT,
        "title": "grid-gateway configuration",
        "type": "object",
        "properties": {
            "gateway": references[GatewaySettings, "validation"],
            "points": {
                "description": "the point list, a path relative to this file, or several",
                "anyOf": [
                    {"type": "string", "minLength": 1},
                    {
                        "type": "array",
                        "items": {"type": "string", "minLength": 1},
                        "minItems": 1,
                    },
                ],
            },
            "sources": links(sources=True) | {"description": "connections that bring samples in"},
            "sinks": links(sources=False) | {"description": "connections that take samples out"},
            "commands": references[CommandSettings, "validation"],
            "access": references[AccessSettings, "validation"],
        },
        "required": ["gateway", "points", "sources"],
        "additionalProperties": False,
        "$defs": defs,
    }


def _name(reference: dict[str, Any]) -> str:
    return str(reference["$ref"]).rsplit("/", 1)[-1]


def _as_written(part: Any) -> Any:
    """Return a schema with secrets and defaults as they are written in the YAML."""
    if isinstance(part, list):
        return [_as_written(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("format") == "password":
        kept = {key: part[key] for key in ("description", "title") if key in part}
        return {"$ref": "#/$defs/Secret"} | kept
    result = {key: _as_written(one) for key, one in part.items()}
    if part.get("type") == "string" and isinstance(part.get("default"), float):
        result["default"] = seconds_text(part["default"])
    elif part.get("type") == "string" and isinstance(part.get("default"), int):
        result["default"] = f"{part['default'] / 10**6:g}MB"
    return result
