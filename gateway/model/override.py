"""What an operator does to a point itself, whatever its device says."""

from __future__ import annotations

from enum import StrEnum


class Override(StrEnum):
    """Actions on one point; they survive a restart, until they are undone.

    block:      freeze the last value, quality operatorBlocked and oldData; refuse commands.
    substitute: show a manual value, quality source substituted.
    release:    undo block and substitute: the device's own last sample is shown again.
    test:       quality test; take commands only as tests, of which nothing reaches the device.
    end_test:   undo test.
    """

    BLOCK = "block"
    SUBSTITUTE = "substitute"
    RELEASE = "release"
    TEST = "test"
    END_TEST = "end_test"
