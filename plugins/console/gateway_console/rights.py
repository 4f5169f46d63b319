"""What a client may, for all points at once, remembered for a second."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from gateway import Client, Permission

LASTS = 1.0
"""Seconds; within as many the gateway takes over a changed users file."""
MOST = 64

Mask = npt.NDArray[np.bool_]


class Rights:
    """Masks over points: which of them a client may read.

    may:    the context's.
    points: ids of the points that there are; a mask is as long as the greatest and one more.
    clock:  monotonic, in seconds.
    """

    def __init__(
        self,
        may: Callable[[Client, Permission, int | None], bool],
        points: Sequence[int],
        clock: Callable[[], float],
    ) -> None:
        self._may = may
        self._points = points
        self._clock = clock
        self._size = max(points, default=-1) + 1
        self._masks: OrderedDict[Client, tuple[float, Mask]] = OrderedDict()

    def may(self, client: Client, permission: Permission, point: int | None = None) -> bool:
        """Return whether a client may do this to a point; with None, to any point at all."""
        return self._may(client, permission, point)

    def readable(self, client: Client) -> Mask:
        """Return which points a client may read, by id; for reading only."""
        now = self._clock()
        known = self._masks.get(client)
        if known is not None and now - known[0] < LASTS:
            return known[1]
        mask = np.zeros(self._size, np.bool_)
        if self._may(client, Permission.READ, None):
            mask[[p for p in self._points if self._may(client, Permission.READ, p)]] = True
        if known is not None and np.array_equal(known[1], mask):
            mask = known[1]
        self._masks[client] = (now, mask)
        self._masks.move_to_end(client)
        if len(self._masks) > MOST:
            self._masks.popitem(last=False)
        return mask
