"""The JSON Schema for editors, held against what `load` accepts."""

from __future__ import annotations

from typing import Any

from gateway.config import schema
from gateway.config.schema import plugins
from gateway.host import Host, PluginError


def test_the_whole(host: Any) -> None:
    """Sources and sinks are told apart by `type`, which is required as name is."""
    found = schema(host.load("acme").components)

    assert found["required"] == ["gateway", "points", "sources"]
    assert found["additionalProperties"] is False
    assert found["properties"]["sources"]["items"] == {"oneOf": [{"$ref": "#/$defs/Meter"}]}
    assert found["properties"]["sinks"]["items"] == {
        "oneOf": [{"$ref": "#/$defs/Out"}, {"$ref": "#/$defs/Broker"}]
    }
    meter = found["$defs"]["Meter"]
    assert meter["required"] == ["name", "type", "host"]
    assert meter["additionalProperties"] is False
    assert meter["properties"]["type"]["const"] == "acme"
    assert found["$defs"]["Broker"]["required"] == ["name", "type"]


def test_defaults_and_secrets_stand_as_they_are_written(host: Any) -> None:
    """A duration's default has its unit, and a secret is where to find it."""
    found = schema(host.load("acme").components)["$defs"]

    assert found["Meter"]["properties"]["poll"]["default"] == "1s"
    assert found["Meter"]["properties"]["buffer"]["default"] == "1MB"
    assert found["JournalSettings"]["properties"]["max_age"]["default"] == "7d"
    assert found["Meter"]["properties"]["token"]["anyOf"] == [
        {"$ref": "#/$defs/Secret"},
        {"type": "null"},
    ]
    kinds = [list(one["properties"]) for one in found["Secret"]["oneOf"]]
    assert kinds == [["env"], ["file"]]


def test_commands_and_access(host: Any) -> None:
    """Both may be left out; what is in them is described to the last key."""
    found = schema(host.load("acme").components)
    defs = found["$defs"]

    assert found["properties"]["commands"] == {"$ref": "#/$defs/CommandSettings"}
    assert found["properties"]["access"] == {"$ref": "#/$defs/AccessSettings"}
    assert list(defs["CommandSettings"]["properties"]) == ["bays", "rate", "remember", "audit"]
    assert defs["CommandSettings"]["properties"]["remember"]["default"] == "1d"
    assert defs["AuditSettings"]["properties"]["key"]["anyOf"][0] == {"$ref": "#/$defs/Secret"}
    assert defs["Bay"]["required"] == ["name", "points", "switch"]
    assert "command" in defs["Permission"]["enum"]


def test_keep_may_be_one_word(host: Any) -> None:
    """`keep: latest` is as valid for an editor as the rule by kind."""
    found = schema(host.load("acme").components)["$defs"]["KeepRule"]["anyOf"]

    assert found[0] == {"enum": ["every", "latest"]}
    assert list(found[1]["properties"]) == ["analog", "status", "double", "counter"]


def test_every_reference_is_there(host: Any) -> None:
    """No $ref of the schema leads to nothing."""
    found = schema(host.load("acme").components)
    references: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                references.append(part["$ref"])
            for one in part.values():
                walk(one)
        elif isinstance(part, list):
            for one in part:
                walk(one)

    walk(found)
    assert len(references) > 10
    assert {one.removeprefix("#/$defs/") for one in references} <= set(found["$defs"])


def test_broken_plugins_are_told_apart() -> None:
    """A plugin that cannot be used does not hide the others."""
    good, bad = plugins(Host({"aaa-broken": object()}))

    assert all(plugin.name != "aaa-broken" for plugin in good)
    assert [type(error) for error in bad] == [PluginError]
    assert "aaa-broken" in str(bad[0])


def test_no_plugins_at_all() -> None:
    """Without plugins no link is valid, and the schema says so."""
    found = schema([])

    assert found["properties"]["sources"]["items"] is False
