"""The control field: who speaks, what for, and whether it was said before (60870-5-2 clauses 5.1.2,
6.1.2; 101 clauses 6.2.1.2, 6.2.2.2).

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
    """The functions of the link, tables 1 to 4 of 60870-5-2: PRM and the code."""

    RESET_REMOTE_LINK = PRM | 0
    RESET_USER_PROCESS = PRM | 1
    TEST_LINK = PRM | 2  # balanced only
    USER_DATA = PRM | 3  # SEND/CONFIRM
    USER_DATA_NO_REPLY = PRM | 4  # SEND/NO REPLY
    ACCESS_DEMAND = PRM | 8  # unbalanced only
    REQUEST_STATUS = PRM | 9
    REQUEST_CLASS_1 = PRM | 10  # unbalanced only
    REQUEST_CLASS_2 = PRM | 11  # unbalanced only
    ACK = 0
    NACK = 1  # message not accepted, link busy
    RESPOND = 8  # user data
    NO_DATA = 9  # requested data not available
    STATUS = 11  # status of link or access demand
    NOT_FUNCTIONING = 14
    NOT_IMPLEMENTED = 15


WITH_DATA = frozenset({Function.USER_DATA, Function.USER_DATA_NO_REPLY, Function.RESPOND})
"""The functions whose frames carry an ASDU; the others carry none."""

COUNTED = frozenset(
    {
        Function.TEST_LINK,
        Function.USER_DATA,
        Function.REQUEST_CLASS_1,
        Function.REQUEST_CLASS_2,
    }
)
"""The functions of a primary station whose FCB counts."""


class Control(NamedTuple):
    """What the control field says.

    function: a `Function`, or PRM and code of one that is reserved.
    dir:      balanced: from the controlling station; unbalanced: reserved, not set.
    fcb:      from a primary station the frame count bit; from a secondary one it is ACD.
    fcv:      from a primary station: the frame count bit counts; from a secondary one it is DFC.
    """

    function: int
    dir: bool = False
    fcb: bool = False
    fcv: bool = False

    @property
    def prm(self) -> bool:
        """Whether a primary station speaks: one that begins an exchange."""
        return bool(self.function & PRM)

    @property
    def acd(self) -> bool:
        """Whether a secondary station of an unbalanced line has class 1 data to be asked for."""
        return self.fcb and not self.prm

    @property
    def dfc(self) -> bool:
        """Whether further messages may be too many for the secondary station that speaks."""
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
