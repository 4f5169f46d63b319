"""Messages in words, and as Wireshark reads them, also of channels that are encrypted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from gateway_opcua import OpcUaClient, OpcUaServer
from gateway_opcua.channel import ACTIVATE_SESSION
from gateway_opcua.description import describe
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.testing import Emitter, dissected, free_port, running

ROWS = "name,field.at,plc.node\np,x,\nq,,nsu=urn:grid-gateway:test:points;s=p\n"
FIELDS = (
    "opcua.transport.type", "opcua.transport.chunk", "opcua.transport.size",
    "opcua.security.rqid", "opcua.servicenodeid.numeric", "opcua.Double", "frame.comment",
    "_ws.malformed",
)  # fmt: skip
READ, PUBLISH_RESPONSE, ACTIVATE = "631", "829", "467"
"""Numeric ids of binary encodings (OPC 10000-6, A.3: NodeIds.csv)."""


# OPC 10000-6: 7.1.2 for the conversation, 6.7.2 for messages, 5.2.2.9 for NodeIds.
@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (
            "48454C46 2A000000 00000000 00000100 00000100 00000000 00000000 0A000000"
            "6F70632E7463703A2F2F",
            "HEL hello to opc.tcp://, chunks of 65536 and 65536 octets, messages of any number "
            "in any number of chunks",
        ),
        (
            "41434B46 1C000000 00000000 FFFF0000 FFFF0000 00000001 01010000",
            "ACK hello, chunks of 65535 and 65535 octets, messages of 16777216 in 257 chunks",
        ),
        ("45525246 10000000 00000780 FFFFFFFF", "ERR BadDecodingError"),
        ("4D534746 1C000000 07000000 0D000000 05000000 09000000 01007702",
         "MSG ReadRequest, request 9, channel 7, number 5, 4 octets"),
        ("4D534743 1A000000 07000000 0D000000 05000000 09000000 FFFF",
         "MSG goes on, request 9, channel 7, number 5, 2 octets, more to come"),
        ("4D534746 2C000000 07000000 0D000000 05000000 09000000"
         "01008D01 0000000000000000 01000000 00000B80",
         "MSG ServiceFault BadServiceUnsupported, request 9, channel 7, number 5, 20 octets"),
        ("4D5347", "MSG that is cut short"),
        ("", ""),
        ("FFFFFFFF", ""),
    ],
)  # fmt: skip
def test_what_messages_say(octets: str, said: str) -> None:
    """Type, service, result and numbers are said."""
    assert describe(bytes.fromhex(octets)) == said


@given(
    st.sampled_from([b"", b"HELF", b"ACKF", b"ERRF", b"OPNF", b"MSGF", b"MSGA", b"CLOF", b"RHEF"]),
    st.binary(max_size=200),
)
@example(b"OPNF", bytes(8) + b"\xff\xff\xff\x7f")
def test_any_octets_are_a_text(kind: bytes, rest: bytes) -> None:
    """Whatever comes there is a text without an error, and of bounded length."""
    assert len(describe(kind + rest)) < 500


@pytest.mark.parametrize("security", ["none", "basic256sha256"])
async def test_wireshark_reads_what_passes(security: str, tmp_path: Path) -> None:
    """Messages of both ends are dissected, encrypted or not, and nobody's identity is shown."""
    port = free_port()
    trust = {"trust": "any"} if security != "none" else {}
    server = OpcUaServer.model_validate(
        {"name": "ua", "listen": f"127.0.0.1:{port}", "security": [security], "keep": "every"}
        | trust
    )
    plc = OpcUaClient.model_validate(
        {"name": "plc", "endpoint": f"opc.tcp://127.0.0.1:{port}", "security": security}
        | {"reconnect": {"min": "100ms", "max": "200ms"}} | trust
    )  # fmt: skip
    field = Emitter(name="field")
    async with running([field, plc], [server], ROWS, data=tmp_path / "data") as gateway:
        await field.emit(["p"], [12.5])
        await gateway.until(lambda: gateway.sample("q").value == 12.5, timeout=30)
        await asyncio.sleep(0.1)
        both = [await dissected(gateway, link, *FIELDS) for link in ("plc", "ua")]
        rings = [gateway.engine.rings[link].after(0, 10_000) for link in ("plc", "ua")]
    for rows, frames in zip(both, rings, strict=True):
        services = {row["opcua.servicenodeid.numeric"] for row in rows}
        assert {READ, PUBLISH_RESPONSE, ACTIVATE} <= services
        for row in rows:
            number, comment = row["opcua.servicenodeid.numeric"], row["frame.comment"]
            if number == READ:
                assert comment.startswith(f"MSG ReadRequest, request {row['opcua.security.rqid']}")
            if number == PUBLISH_RESPONSE:
                assert comment.startswith("MSG PublishResponse Good")
            encrypted = security != "none" and comment.startswith("OPN")
            # The one message whose octets are not all there, and what opens a secure channel.
            if number != ACTIVATE and not encrypted:
                assert row["_ws.malformed"] == "", row
        assert any("12.5" in row["opcua.Double"].split(",") for row in rows)
        asked = [frame for frame in frames if ACTIVATE_SESSION in frame.octets[:28]]
        assert asked
        assert {(frame.length, frame.note) for frame in asked} == {
            (28, "its identity is not shown")
        }
    assert any(row["frame.comment"].endswith("taken: q") for row in both[0])
