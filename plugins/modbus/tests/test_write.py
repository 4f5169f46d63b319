"""Write requests byte by byte, against the examples of the standard and against pymodbus."""

from __future__ import annotations

import pytest
from gateway_modbus.write import WRITES, Write
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.bit_message import WriteMultipleCoilsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    MaskWriteRegisterRequest,
    ReadWriteMultipleRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

# The examples of the Modbus application protocol V1.1b3: section, write, request, answer.
EXAMPLES = [
    ("6.5", Write(5, 0xAC, (1,)), "05 00AC FF00", "05 00AC FF00"),
    ("6.6", Write(6, 1, (3,)), "06 0001 0003", "06 0001 0003"),
    ("6.11", Write(15, 19, (1, 0, 1, 1, 0, 0, 1, 1, 1, 0)),
     "0F 0013 000A 02 CD01", "0F 0013 000A"),
    ("6.12", Write(16, 1, (10, 0x102)), "10 0001 0002 04 000A 0102", "10 0001 0002"),
    ("6.16", Write(22, 4, (0xF2, 0x25)), "16 0004 00F2 0025", "16 0004 00F2 0025"),
    ("6.17", Write(23, 14, (0xFF, 0xFF, 0xFF), (3, 6)),
     "17 0003 0006 000E 0003 06 00FF 00FF 00FF", None),
]  # fmt: skip


@pytest.mark.parametrize(("section", "write", "request_pdu", "answer"), EXAMPLES)
def test_examples(section: str, write: Write, request_pdu: str, answer: str | None) -> None:
    """The standard's examples are encoded and decoded as it prints them."""
    assert write.pdu == bytes.fromhex(request_pdu), section
    assert Write.of(bytes.fromhex(request_pdu)) == write, section
    if answer is not None:
        assert write.echo == bytes.fromhex(answer), section


def word() -> st.SearchStrategy[int]:
    return st.integers(0, 0xFFFF)


writes = st.one_of(
    st.builds(lambda at, bit: Write(5, at, (bit,)), word(), st.integers(0, 1)),
    st.builds(lambda at, value: Write(6, at, (value,)), word(), word()),
    st.builds(
        lambda at, bits: Write(15, at, tuple(bits)),
        word(),
        st.lists(st.integers(0, 1), min_size=1, max_size=1968),
    ),
    st.builds(
        lambda at, words: Write(16, at, tuple(words)),
        word(),
        st.lists(word(), min_size=1, max_size=123),
    ),
    st.builds(lambda at, keep, put: Write(22, at, (keep, put)), word(), word(), word()),
    st.builds(
        lambda at, words, start, count: Write(23, at, tuple(words), (start, count)),
        word(),
        st.lists(word(), min_size=1, max_size=121),
        word(),
        st.integers(1, 125),
    ),
)


@given(writes)
def test_pymodbus_reads_the_same(write: Write) -> None:
    """What is encoded here, pymodbus decodes to the same address and the same values."""
    found = DecodePDU(True).decode(write.pdu)

    if isinstance(found, ReadWriteMultipleRegistersRequest):
        assert (found.write_address, tuple(found.write_registers)) == (write.start, write.words)
        assert (found.read_address, found.read_count) == write.read
    elif isinstance(found, MaskWriteRegisterRequest):
        assert (found.address, found.and_mask, found.or_mask) == (write.start, *write.words)
    elif isinstance(found, WriteSingleCoilRequest | WriteMultipleCoilsRequest):
        assert found.address == write.start
        assert tuple(map(int, found.bits[: len(write.words)])) == write.words
    else:
        assert isinstance(found, WriteSingleRegisterRequest | WriteMultipleRegistersRequest)
        assert (found.address, tuple(found.registers)) == (write.start, write.words)
    assert Write.of(write.pdu) == write


IMPOSSIBLE = [
    ("coil neither on nor off", "05 0000 0001"),
    ("coil cut short", "05 0000 FF"),
    ("coil too long", "05 0000 FF00 00"),
    ("register cut short", "06 0000 00"),
    ("register too long", "06 0000 0001 00"),
    ("no coils", "0F 0000 0000 00"),
    ("too many coils", "0F 0000 07B1 F7" + "00" * 247),
    ("coils in too few bytes", "0F 0000 0009 01 FF"),
    ("coils in too many bytes", "0F 0000 0008 02 FFFF"),
    ("coils without bytes", "0F 0000 0008 01"),
    ("coils without a count", "0F 0000 00"),
    ("no registers", "10 0000 0000 00"),
    ("too many registers", "10 0000 007C F8" + "0000" * 124),
    ("registers of another count", "10 0000 0002 02 0001"),
    ("registers cut short", "10 0000 0002 04 0001 00"),
    ("registers too long", "10 0000 0001 02 0001 00"),
    ("mask cut short", "16 0000 FFFF 00"),
    ("mask too long", "16 0000 FFFF 0000 00"),
    ("read of nothing", "17 0000 0000 0000 0001 02 0001"),
    ("read of too much", "17 0000 007E 0000 0001 02 0001"),
    ("write of too much", "17 0000 0001 0000 007A F4" + "0000" * 122),
    ("write of another count", "17 0000 0001 0000 0002 02 0001"),
    ("function alone", "17"),
]


@pytest.mark.parametrize(("name", "pdu"), IMPOSSIBLE)
def test_impossible(name: str, pdu: str) -> None:
    """A length, a count or a value that cannot be is told from a write."""
    assert Write.of(bytes.fromhex(pdu)) is None, name


@given(st.sampled_from(sorted(WRITES)), st.binary(max_size=260))
def test_any_bytes(function: int, data: bytes) -> None:
    """Whatever follows the function code, it is no write or one whose request is just that."""
    pdu = bytes((function,)) + data
    write = Write.of(pdu)

    if write is not None:
        unused = 7 & -len(write.words) if function == 15 else 0
        last = bytes((pdu[-1] & 0xFF >> unused,))
        assert write.pdu == pdu[:-1] + last
