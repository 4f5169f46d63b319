"""What cannot be is refused with what was found and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_iec60870.ft12 import BalancedSettings, PolledSettings, Primary, SecondarySettings


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        (PolledSettings, {"address": 255}, "link address 255, not 0..254"),
        (PolledSettings, {"address": 65535, "octets": 2}, "link address 65535, not 0..65534"),
        (PolledSettings, {"address": 0, "octets": 0}, "a link address of 0 octets, not 1..2"),
        (PolledSettings, {"address": 1, "timeout": 0.0}, "timeout 0 s, not above 0"),
        (PolledSettings, {"address": 1, "retries": -1}, "-1 retries, not 0 or more"),
        (PolledSettings, {"address": 1, "queue": 0}, "a queue of 0, not 1 or more"),
        (
            PolledSettings,
            {"address": 1, "pause": 9.0, "pause_max": 3.0},
            "pauses of 9 s to 3 s, not above 0 and rising",
        ),
        (PolledSettings, {"address": 1, "class_2": -1.0}, "class_2 -1 s, not 0 or more"),
        (PolledSettings, {"address": 1, "class_1": -1.0}, "class_1 -1 s, not 0 or more"),
        (PolledSettings, {"address": 1, "again": -1.0}, "again -1 s, not 0 or more"),
        (PolledSettings, {"address": 1, "hold": 0.0}, "hold 0 s, not above 0"),
        (
            BalancedSettings,
            {"controlling": True, "octets": 3},
            "a link address of 3 octets, not 0..2",
        ),
        (
            BalancedSettings,
            {"controlling": True, "local": 255},
            "local link address 255, not 0..254",
        ),
        (
            BalancedSettings,
            {"controlling": True, "remote": -1},
            "remote link address -1, not 0..254",
        ),
        (BalancedSettings, {"controlling": True, "test": 0.0}, "test 0 s, not above 0"),
        (BalancedSettings, {"controlling": True, "inbox": 0}, "an inbox of 0, not 1 or more"),
        (BalancedSettings, {"controlling": True, "timeout": -1.0}, "timeout -1 s, not above 0"),
        (SecondarySettings, {"address": 1, "octets": 0}, "a link address of 0 octets, not 1..2"),
        (SecondarySettings, {"address": 255}, "link address 255, not 0..254"),
        (SecondarySettings, {"address": 1, "silence": 0.0}, "silence 0 s, not above 0"),
        (
            SecondarySettings,
            {"address": 1, "queue": 0},
            "a queue of 0, an inbox of 16: at least 1 each",
        ),
        (
            SecondarySettings,
            {"address": 1, "inbox": 0},
            "a queue of 16, an inbox of 0: at least 1 each",
        ),
        (Primary, {"octets": 0}, "a link address of 0 octets, not 1..2"),
        (Primary, {"probe_share": 0.0}, "probe_share 0, not above 0 to 1"),
        (Primary, {"probe_share": 1.5}, "probe_share 1.5, not above 0 to 1"),
    ],
)
def test_what_cannot_be(kind: Any, given: dict[str, Any], sentence: str) -> None:
    """Settings that no line can have are refused."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole sentence is compared
        kind(**given)
    assert str(error.value) == sentence


def test_addresses_of_a_balanced_line() -> None:
    """The other station has our address unless it is said otherwise; without the field both have
    none."""
    same = BalancedSettings(controlling=True, local=7)
    assert (same.own, same.other) == (7, 7)
    two = BalancedSettings(controlling=True, local=7, remote=8)
    assert (two.own, two.other) == (7, 8)
    none = BalancedSettings(controlling=True, local=7, remote=8, octets=0)
    assert (none.own, none.other) == (0, 0)
