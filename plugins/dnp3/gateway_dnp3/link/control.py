"""The control octet of a frame: who is meant, who speaks, and what for (IEEE 1815-2012, 9.2.4.1.3).

A function's number here has the PRM bit in it, because each direction numbers its own from 0.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

DIR = 0x80
PRM = 0x40
FCB = 0x20
FCV = 0x10
CODE = 0x0F


class Function(IntEnum):
    """The link functions, tables 9-1 and 9-2: PRM and the code."""

    RESET_LINK_STATES = PRM | 0
    TEST_LINK_STATES = PRM | 2
    CONFIRMED_USER_DATA = PRM | 3
    UNCONFIRMED_USER_DATA = PRM | 4
    REQUEST_LINK_STATUS = PRM | 9
    ACK = 0
    NACK = 1
    LINK_STATUS = 11
    NOT_SUPPORTED = 15


WITH_DATA = frozenset({Function.CONFIRMED_USER_DATA, Function.UNCONFIRMED_USER_DATA})
"""The functions whose frames carry user data; the others carry none."""

COUNTED = frozenset({Function.CONFIRMED_USER_DATA, Function.TEST_LINK_STATES})
"""The functions of a primary station whose FCB counts."""


class Control(NamedTuple):
    """What the control octet says.

    function: a `Function`, or PRM and code of one that is reserved.
    dir:      from the master.
    fcb:      the frame count bit; a reserved bit in a secondary station's frame.
    fcv:      from a primary station: the frame count bit counts; from a secondary one it is DFC.
    """

    function: int
    dir: bool
    fcb: bool = False
    fcv: bool = False

    @property
    def prm(self) -> bool:
        """Whether a primary station speaks: one that begins an exchange."""
        return bool(self.function & PRM)

    @property
    def dfc(self) -> bool:
        """Whether the secondary station that speaks has no room for user data."""
        return self.fcv and not self.prm

    @property
    def octet(self) -> int:
        """The octet itself."""
        return self.function | self.dir << 7 | self.fcb << 5 | self.fcv << 4


def _control(octet: int) -> Control:
    number = octet & (PRM | CODE)
    known = number in Function.__members__.values()
    function = Function(number) if known else number
    return Control(function, bool(octet & DIR), bool(octet & FCB), bool(octet & FCV))


CONTROLS: tuple[Control, ...] = tuple(map(_control, range(256)))
"""The meaning of each octet."""
