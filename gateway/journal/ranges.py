"""Sets of sequence numbers as sorted, disjoint, closed ranges."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """A set of integers, mostly contiguous; an operation costs about its number of ranges."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Add first..last; ranges that touch become one."""
        if last < first:
            return
        low = bisect_right(self._lasts, first - 2)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def remove(self, first: int, last: int) -> None:
        """Take first..last out, where it is in."""
        if last < first:
            return
        low = bisect_right(self._lasts, first - 1)
        high = bisect_right(self._firsts, last)
        if low >= high:
            return
        rest = [
            (a, b)
            for a, b in ((self._firsts[low], first - 1), (last + 1, self._lasts[high - 1]))
            if a <= b
        ]
        self._firsts[low:high] = [a for a, _ in rest]
        self._lasts[low:high] = [b for _, b in rest]

    def within(self, first: int, last: int) -> list[tuple[int, int]]:
        """Return the parts of the set that lie in first..last."""
        if last < first:
            return []
        low = bisect_right(self._lasts, first - 1)
        high = bisect_right(self._firsts, last)
        return [(max(first, self._firsts[i]), min(last, self._lasts[i])) for i in range(low, high)]

    def minus(self, other: Ranges) -> Ranges:
        """Return what is in this set and not in the other."""
        left = Ranges(self)
        for first, last in other:
            left.remove(first, last)
        return left

    def __contains__(self, number: int) -> bool:
        i = bisect_right(self._firsts, number) - 1
        return i >= 0 and number <= self._lasts[i]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._firsts, self._lasts, strict=True))

    def __len__(self) -> int:
        """Return the number of ranges, not of members."""
        return len(self._firsts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and list(self) == list(other)

    def __hash__(self) -> int:
        raise TypeError("ranges change")

    def __repr__(self) -> str:
        return f"Ranges({list(self)})"
