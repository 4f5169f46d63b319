"""Which frames a socket takes: a program that Linux runs for each (classic BPF, linux/filter.h)."""

from __future__ import annotations

from typing import NamedTuple

_WORD, _HALF, _HALF_X, _INDEX = 0x20, 0x28, 0x48, 0x01
_AND, _EQUAL, _RETURN = 0x54, 0x15, 0x06
_PACKET_TYPE, _VLAN = 0xFFFFF004, 0xFFFFF02C
"""What the system knows of a frame, read as if it stood in it (SKF_AD_OFF)."""
_OUTGOING = 4
_TAG = 0x8100
_WHOLE = 0x40000


class Instruction(NamedTuple):
    """code, jump if true, jump if false, constant: a struct sock_filter."""

    code: int
    true: int
    false: int
    k: int


_DROP = -1


def frame_filter(
    ethertype: int,
    *,
    destination: bytes | None = None,
    vlan: int | None = None,
    appid: int | None = None,
) -> list[Instruction]:
    """Return the program that takes incoming frames of an EtherType, and no others.

    destination: the address that they go to, 6 octets; None for any.
    vlan:        the id of their tag; 0 also for frames without one; None for any.
    appid:       the two octets that follow the EtherType; None for any.
    """
    made = [
        Instruction(_WORD, 0, 0, _PACKET_TYPE),
        Instruction(_EQUAL, _DROP, 0, _OUTGOING),
    ]
    if vlan is not None:
        made += [
            Instruction(_WORD, 0, 0, _VLAN),
            Instruction(_AND, 0, 0, 0xFFF),
            Instruction(_EQUAL, 0, _DROP, vlan),
        ]
    if destination is not None:
        high, low = int.from_bytes(destination[:4]), int.from_bytes(destination[4:])
        made += [
            Instruction(_WORD, 0, 0, 0),
            Instruction(_EQUAL, 0, _DROP, high),
            Instruction(_HALF, 0, 0, 4),
            Instruction(_EQUAL, 0, _DROP, low),
        ]
    made += [
        Instruction(_INDEX, 0, 0, 14),
        Instruction(_HALF, 0, 0, 12),
        Instruction(_EQUAL, 4, 0, ethertype),
        # The system takes one tag off; another may be left.
        Instruction(_EQUAL, 0, _DROP, _TAG),
        Instruction(_INDEX, 0, 0, 18),
        Instruction(_HALF, 0, 0, 16),
        Instruction(_EQUAL, 0, _DROP, ethertype),
    ]
    if appid is not None:
        made += [Instruction(_HALF_X, 0, 0, 0), Instruction(_EQUAL, 0, _DROP, appid)]
    made += [Instruction(_RETURN, 0, 0, _WHOLE), Instruction(_RETURN, 0, 0, 0)]
    last = len(made) - 1
    return [
        one._replace(
            true=last - at - 1 if one.true == _DROP else one.true,
            false=last - at - 1 if one.false == _DROP else one.false,
        )
        for at, one in enumerate(made)
    ]
