"""Parcels: what outstations said, on its way to whoever takes it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto

from gateway_dnp3.app import Fragment, Iin
from gateway_dnp3.objects import Columns

MOST = 8
"""Parcels that may wait for the gateway to take them; what comes then stays where it is."""


class Custody(Enum):
    """Who has what an outstation said: nobody yet, the gateway, or the outstation still."""

    PENDING = auto()
    TAKEN = auto()
    REFUSED = auto()


@dataclass(slots=True, eq=False)
class Parcel:
    """Measurements of one fragment, to be taken in this order; say so with `settled`.

    confirm: the outstation waits to hear that they were taken.
    """

    columns: list[Columns]
    fragment: Fragment
    confirm: bool = False
    custody: Custody = Custody.PENDING

    @property
    def iin(self) -> Iin:
        """The indications of the fragment."""
        return self.fragment.iin or Iin.NONE

    def same(self, other: Fragment) -> bool:
        """Whether another fragment is this one again; its indications may have changed."""
        mine = self.fragment
        return mine.control == other.control and mine.objects == other.objects


class Parcels:
    """Counts those that wait."""

    def __init__(self, counts: Counter[str]) -> None:
        self.waiting = 0
        self._counts = counts
        self._told: Iin | None = None

    def pack(self, columns: list[Columns], fragment: Fragment) -> Parcel | None:
        """Return a parcel to hand on; None where nothing is new, or too many wait.

        Then `columns` are lost to the gateway, and the outstation must not hear a confirmation.
        """
        iin = fragment.iin or Iin.NONE
        if not columns and iin == self._told:
            return None
        if self.waiting >= MOST:
            self._counts["dropped_fragments"] += bool(columns)
            return None
        self._told = iin
        self.waiting += 1
        return Parcel(columns, fragment, bool(columns) and fragment.control.con)

    def settled(self, parcel: Parcel, taken: bool) -> None:
        """Take note that one was taken, or refused."""
        self.waiting -= 1
        parcel.custody = Custody.TAKEN if taken else Custody.REFUSED
        if not taken:
            self._counts["refused_custody"] += 1
