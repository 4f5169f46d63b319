"""The checks of frames, as plugins call them."""

from __future__ import annotations

import pytest

from gateway import checksum

# From the tests of opendnp3 (LinkFrame), and a Wireshark dissection of a reset of the remote link.
RESET = bytes.fromhex("056405C0040064009A89")
DATA = bytes.fromhex("056414F3010000040A3BC0C3013C02063C03063C04063C01069A12")


def test_crc() -> None:
    """The CRC is the one of the catalogue, and of published frames, low octet first."""
    assert checksum.crc_dnp(b"123456789") == 0xEA82
    assert checksum.crc_dnp(RESET[:8]).to_bytes(2, "little") == RESET[8:]


@pytest.mark.parametrize("frame", [RESET, DATA], ids=["header alone", "with data"])
def test_frames(frame: bytes) -> None:
    """A published frame opens, and seals to the same octets."""
    opened = checksum.open_dnp(frame)

    assert opened == frame[:8] + frame[10:-2]
    assert checksum.seal_dnp(opened) == frame


def test_a_wrong_check() -> None:
    """A frame with a wrong check, in its header or its data, does not open."""
    for at in (3, 9, 12, 26):
        assert checksum.open_dnp(DATA[:at] + bytes((DATA[at] ^ 1,)) + DATA[at + 1 :]) is None


@pytest.mark.parametrize("length", [0, 9, 11, 12, 293])
def test_open_refuses(length: int) -> None:
    """What no frame can be is refused, with the length and what is allowed."""
    with pytest.raises(
        ValueError, match=rf"no frame has that length: {length} octets, not 10..292"
    ):
        checksum.open_dnp(bytes(length))


@pytest.mark.parametrize("length", [0, 7, 259])
def test_seal_refuses(length: int) -> None:
    """A frame without a header, or too long for one, is refused."""
    with pytest.raises(ValueError, match=rf"no frame has that length: {length} octets, not 8..258"):
        checksum.seal_dnp(bytes(length))
