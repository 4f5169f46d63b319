"""Frames against the examples of the Modbus application protocol V1.1b3, and another dissector."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gateway_modbus import frame
from gateway_modbus.frame import FrameError
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

READS = [
    # function, start, count, request PDU, data bytes of the answer: the examples of 6.1 to 6.4,
    # whose text counts registers from 1
    (1, 19, 19, "01 00 13 00 13", "CD 6B 05"),
    (2, 196, 22, "02 00 C4 00 16", "AC DB 35"),
    (3, 107, 3, "03 00 6B 00 03", "02 2B 00 00 00 64"),
    (4, 8, 1, "04 00 08 00 01", "00 0A"),
]


@pytest.mark.parametrize(("function", "start", "count", "request_pdu", "data"), READS)
def test_reads(function: int, start: int, count: int, request_pdu: str, data: str) -> None:
    """Requests and answers are those of the standard's examples."""
    body = bytes.fromhex(data)

    request = frame.read_request(1, function, start, count)
    answer = b"\0\x05\0\0" + bytes((0, len(body) + 3, 1, function, len(body))) + body

    assert bytes.fromhex(request_pdu) == request[5:]
    assert request[:5] == b"\0\0\0\x06\x01"
    assert (start, count) == frame.read_of(request[5:])
    assert answer[2:9] == frame.answer_head(1, function, len(body))
    assert len(answer) == frame.frame_length(answer)
    assert body == frame.answer(answer, 1, function, len(body))


@pytest.mark.parametrize(("function", "start", "count", "request_pdu", "data"), READS)
def test_answers(function: int, start: int, count: int, request_pdu: str, data: str) -> None:
    """What a slave answers from its registers is what the standard's example answers."""
    body = bytes.fromhex(data)
    if function <= 2:
        words = np.unpackbits(np.frombuffer(body, np.uint8), bitorder="little")[:count]
    else:
        words = np.frombuffer(body, ">u2")

    assert bytes((function, len(body))) + body == frame.read_answer(function, words.astype("u2"))


def test_exception() -> None:
    """Section 6.1's error: function + 0x80 and a code."""
    assert bytes.fromhex("81 02") == frame.exception(1, 2)
    assert frame.answer(bytes.fromhex("0001 0000 0003 01 81 02"), 1, 1, 3) == 2


BAD = [
    ("0001 0001 0006 01 03 02 0000", "protocol 0x0001", "byte 2"),
    ("0001 0000 0002 01 03", "length 2", "byte 4"),
    ("0001 0000 00FF 01 03", "length 255", "byte 4"),
    ("0001 0000 0005 02 03 02 0000", "unit 2 answers, 1 was asked", "byte 6"),
    ("0001 0000 0005 01 04 02 0000", "function 4 answers, 3 was asked", "byte 7"),
    ("0001 0000 0005 01 03 04 0000", "4 data bytes, 2 were asked", "byte 8"),
    ("0001 0000 0006 01 03 02 000000", "12 bytes, 11 were due", "byte 4"),
    ("0001 0000 0004 01 83 02 00", "exception of 10 bytes", "byte 4"),
    ("0001 0000 0003 01 83 00", "exception code 0", "byte 8"),
]


@pytest.mark.parametrize(("text", "what", "where"), BAD)
def test_bad_frames(text: str, what: str, where: str) -> None:
    """A frame that is not the answer is named with what is wrong, and where."""
    one = bytes.fromhex(text)

    with pytest.raises(FrameError) as error:
        frame.frame_length(one) <= len(one) and frame.answer(one, 1, 3, 2)

    assert what in str(error.value)
    assert where in str(error.value)
    assert one.hex(" ") in str(error.value)


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 255), st.sampled_from([1, 2, 3, 4]))
def test_any_bytes(data: bytes, unit: int, function: int) -> None:
    """Whatever comes is an answer of the size that was asked, an exception code, or FrameError."""
    try:
        length = frame.frame_length(data)
        if not length or length > len(data):
            return
        answer = frame.answer(data[:length], unit, function, 4)
    except FrameError:
        return
    assert answer in range(1, 256) if isinstance(answer, int) else len(answer) == 4


@settings(deadline=None)
@given(st.binary(max_size=260))
def test_crc(data: bytes) -> None:
    """The check is the one that pymodbus computes."""
    assert FramerRTU.compute_CRC(data).to_bytes(2, "big") == frame.crc(data)


def test_tshark_reads_our_frames(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """The Modbus dissector of tshark reads request, answer and exception as they are meant."""
    frames = [
        (b"\0\x07" + frame.read_request(17, 3, 107, 3), False),
        (frame.mbap(7, 17, frame.read_answer(3, np.array([555, 0, 100], np.uint16))), True),
        (frame.mbap(8, 17, frame.exception(3, 2)), True),
    ]
    rows = []
    for number, (one, answer) in enumerate(frames):
        dump = tmp_path / f"{number}.txt"
        dump.write_text("000000 " + one.hex(" ") + "\n")
        capture = tmp_path / f"{number}.pcap"
        ports = "502,40000" if answer else "40000,502"
        subprocess.run(
            [tool("text2pcap"), "-q", "-T", ports, str(dump), str(capture)],
            check=True,
            capture_output=True,
        )
        fields = ("mbtcp.trans_id", "mbtcp.unit_id", "modbus.func_code", "modbus.reference_num",
                  "modbus.word_cnt", "modbus.regval_uint16", "modbus.exception_code",
                  "_ws.malformed")  # fmt: skip
        found = subprocess.run(
            [tool("tshark"), "-r", str(capture), "-T", "fields", "-E", "separator=|"]
            + [part for field in fields for part in ("-e", field)],
            check=True,
            capture_output=True,
            text=True,
        )
        rows.append(found.stdout.strip("\n"))

    # A lone answer is not tied to its request, so its registers are not named by the dissector.
    assert rows[0] == "7|17|3|107|3|||"
    assert rows[1].startswith("7|17|3|")
    assert rows[1].endswith("|")
    assert rows[2].startswith("8|17|3|")
    assert rows[2].endswith("|2|")
