"""How many octets the fields of an ASDU have, which both ends of a link must agree on."""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct

_HEADS = {(1, 1): "<BBBB", (1, 2): "<BBBH", (2, 1): "<BBBBB", (2, 2): "<BBBBH"}

SHORTEST = 32
LONGEST = 254


@dataclass(frozen=True, slots=True)
class Sizes:
    """Octets of the fields of an ASDU (101 clause 7.1, 104 clause 7.1).

    `cause` is 1 or 2; with 2 the second one is the originator address.
    `address` (common address) is 1 or 2, `object` (information object address) 1, 2 or 3.
    `longest` is that of the longest ASDU: 249 in 104; in FT1.2 what the length octet leaves after
    the control field and the link address. Raises ValueError for what cannot be.
    """

    cause: int = 2
    address: int = 2
    object: int = 3
    longest: int = 249
    head: int = field(init=False, repr=False, compare=False)
    """Octets before the first information object."""
    broadcast: int = field(init=False, repr=False, compare=False)
    """The common address of all stations."""
    last: int = field(init=False, repr=False, compare=False)
    """The highest information object address."""
    form: Struct = field(init=False, repr=False, compare=False)
    """Type, structure, cause, originator where it is there, common address."""

    def __post_init__(self) -> None:
        for name, most in (("cause", 2), ("address", 2), ("object", 3)):
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(
                    f"found {name} of {getattr(self, name)} octets, allowed: 1 to {most}"
                )
        if not SHORTEST <= self.longest <= LONGEST:
            raise ValueError(
                f"found a longest ASDU of {self.longest} octets, allowed: {SHORTEST} to {LONGEST}"
            )
        put = object.__setattr__
        put(self, "head", 2 + self.cause + self.address)
        put(self, "broadcast", (1 << 8 * self.address) - 1)
        put(self, "last", (1 << 8 * self.object) - 1)
        put(self, "form", Struct(_HEADS[self.cause, self.address]))


IEC104 = Sizes()
"""What 104 fixes: two octets of cause, two of common address, three of object address."""
