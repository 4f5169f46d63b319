"""Node ids, paths, settings and rows: what may stand there, and what is said of the rest."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from gateway_opcua import ClientPoint, OpcUaClient
from gateway_opcua.client.address import NodeAddress, PathAddress, Step, parse, parse_path
from pydantic import ValidationError

from gateway import Control, ControlModel, Definition, Kind, LinkPoint, SelectRule

# Forms of OPC 10000-6, 5.3.1.10 and 5.3.1.11.
NODES = [
    ("i=13", NodeAddress(0, 13)),
    ("ns=10;i=7", NodeAddress(10, 7)),
    ("ns=2;s=a;b=c", NodeAddress(2, "a;b=c")),
    ("nsu=http://opcfoundation.org/UA/DI/;i=5", NodeAddress("http://opcfoundation.org/UA/DI/", 5)),
    ("nsu=urn:a%3Bb%25;s=x", NodeAddress("urn:a;b%", "x")),
    (
        "g=09087e75-8e5e-499b-954f-f2a9603db28a",
        NodeAddress(0, uuid.UUID("09087e75-8e5e-499b-954f-f2a9603db28a")),
    ),
    ("ns=1;b=M/RbKBsRVkePCePcx24oRA==", NodeAddress(1, bytes.fromhex(
        "33f45b281b115647" "8f09e3dcc76e2844"))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), NODES)
def test_a_node_id_is_read(text: str, expected: NodeAddress) -> None:
    """Each form of the standard's text; the bytes of b= by base64 of another tool."""
    assert parse(text) == expected


# Examples of OPC 10000-4, annex A.2, from the Root folder; 33, 44 and 47 are the ids of
# HierarchicalReferences, Aggregates and HasComponent.
PATHS = [
    ("/2:Block&.Output", [Step(33, False, True, 2, "Block.Output")]),
    ("/3:Truck.0:NodeVersion", [
        Step(33, False, True, 3, "Truck"), Step(44, False, True, 0, "NodeVersion")]),
    ("/a<0:HasComponent>1:Boiler/1:HeatSensor", [
        Step(33, False, True, 0, "a"), Step(47, False, True, 1, "Boiler"),
        Step(33, False, True, 1, "HeatSensor")]),
    ("/a<#HasComponent>b", [Step(33, False, True, 0, "a"), Step(47, False, False, 0, "b")]),
    ("/a<!HasComponent>b", [Step(33, False, True, 0, "a"), Step(47, True, True, 0, "b")]),
    ("/Objects/nsu=http://x.y/UA/;A&/B", [
        Step(33, False, True, 0, "Objects"), Step(33, False, True, "http://x.y/UA/", "A/B")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "steps"), PATHS)
def test_a_path_is_read(text: str, steps: list[Step]) -> None:
    """The standard's examples, and a namespace by its URI."""
    assert parse_path(text) == PathAddress(tuple(steps))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Feeder1", "is no node id; one is written nsu="),
        ("i=-1", "i= wants a number"),
        ("i=4294967296", "0..4294967295"),
        ("ns=65536;i=1", "65536 is not in 0..65535"),
        ("nsu=;s=x", "URI of a namespace"),
        ("g=123", "is no node id"),
        ("b=***", "is no node id"),
        ("/", "a name is missing at 2"),
        ("/a//b", "a name is missing at 4"),
        ("/a/nsu=urn:x", "no semicolon"),
        ("/a&b", "& stands before"),
        ("/a:b", "must be written &:"),
        ("/a<HasFriend>b", "is none of <References>"),
        ("/a<HasComponent", "has no >"),
        (".a", "is no browse path"),
    ],
)
def test_what_is_no_address_is_said(text: str, words: str) -> None:
    """The sentence says what was found, and what is allowed."""
    with pytest.raises(ValueError, match=re.escape(words)):
        parse(text)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"endpoint": "http://x"}, "opc.tcp://10.0.0.5:4840/path"),
        ({"endpoint": "opc.tcp://:4840"}, "is no endpoint"),
        ({"endpoint": "opc.tcp://x:99999"}, "out of range"),
        ({"endpoint": "opc.tcp://anna:secret@x"}, "holds no user"),
        ({"thumbprint": "abc"}, "40 hexadecimal digits of SHA-1 or 64 of SHA-256"),
        ({"security": "none", "trust": "any"}, "trust is of a security policy"),
        ({"lifetime": "10s"}, "three times keep_alive"),
        ({"user": {"name": "anna"}}, "found name; allowed: name and password"),
        ({"user": {}}, "found nothing"),
        (
            {"user": {"name": "a", "password": "b", "certificate": "c", "key": "d"}},
            "allowed: name and password, or certificate and key",
        ),
        ({"publishing": 5}, "a duration is a number with"),
        ({"security": "basic256"}, "basic256sha256"),
    ],
)
def test_what_is_no_setting_is_said(fields: dict[str, Any], words: str) -> None:
    """And a secret is in no message."""
    with pytest.raises(ValidationError) as error:
        OpcUaClient(**({"name": "plc", "endpoint": "opc.tcp://10.0.0.5"} | fields))
    said = str(error.value)
    assert words in said
    assert "secret" not in said.replace("anna:secret@x", "")


def test_an_endpoint_without_a_port_has_that_of_opc_ua() -> None:
    """4840, as registered (OPC 10000-6, 7.2)."""
    assert OpcUaClient(name="a", endpoint="opc.tcp://x/UA").endpoint == "opc.tcp://x:4840/UA"
    assert OpcUaClient(name="a", endpoint="opc.tcp://[::1]").endpoint == "opc.tcp://[::1]:4840"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "neither node nor path"),
        ({"node": "i=1", "path": "/a"}, "give one"),
        ({"node": "/a"}, "is no node id"),
        ({"path": "i=1"}, "is no browse path"),
        ({"node": "i=1", "method": "i=2"}, "method needs object"),
        ({"node": "i=1", "object": "i=2"}, "object needs method"),
        ({"node": "i=1", "queue": 0}, "greater than or equal to 1"),
    ],
)
def test_what_is_no_row_is_said(fields: dict[str, Any], words: str) -> None:
    """By the model of the row alone."""
    with pytest.raises(ValidationError) as error:
        ClientPoint(**fields)
    assert words in str(error.value)


LATCH = {"model": ControlModel.LATCH}
SETPOINT = {"model": ControlModel.SETPOINT}
FORWARD = LATCH | {"select": SelectRule.FORWARD}
METHODS = {"object": "i=2", "method": "i=3"}


@pytest.mark.parametrize(
    ("kind", "fields", "command", "found"),
    [
        ("status", {"node": "i=1"}, FORWARD, ("", "needs select_method")),
        ("status", METHODS | {"select_method": "i=4"}, FORWARD, None),
        ("status", METHODS | {"select_method": "i=4"}, LATCH, ("select_method", "of command")),
        ("status", METHODS | {"write_on": 1}, LATCH, ("write_on", "either written or a method")),
        ("analog", {"node": "i=1", "write_on": 1}, SETPOINT, ("write_on", "status and double")),
        ("analog", {"node": "i=1", "write": "i=2"}, None, ("write", "nobody may command it")),
        ("status", {"node": "i=1", "trip": "i=2"}, LATCH, ("trip", "of model trip_close")),
        ("status", {"node": "i=1", "deadband": 1.0}, None, ("deadband", "analog and counter")),
        ("analog", {"node": "i=1", "poll": 1.0, "queue": 5}, None, ("queue", "this one is polled")),
        ("analog", {"write": "i=1", "sampling": 1.0}, SETPOINT, ("sampling", "neither node nor")),
        ("status", {"node": "i=1", "write_on": 2, "write_off": 2}, LATCH, ("write_on", "both")),
        (
            "status",
            {"node": "i=1"},
            {"model": ControlModel.PULSE, "on_time": 4.0, "count": 3, "timeout": 10.0},
            ("", "could not come in time"),
        ),
        ("analog", {"node": "i=1"}, SETPOINT, None),
        ("analog", {"node": "i=1"}, None, None),
    ],
)
def test_what_cannot_be_commanded_is_said(
    kind: str, fields: dict[str, Any], command: dict[str, Any] | None, found: Any
) -> None:
    """The column and the sentence, before anything connects."""
    control = None if command is None else Control(**command)
    definition = Definition("p", Kind(kind), command=control)
    point = LinkPoint(0, definition, ClientPoint(**fields))
    link = OpcUaClient(name="plc", endpoint="opc.tcp://x")
    told = [(field, sentence) for _, field, sentence in link.check_points([point])]
    if found is None:
        assert told == []
    else:
        assert [field for field, _ in told] == [found[0]]
        assert found[1] in told[0][1]
