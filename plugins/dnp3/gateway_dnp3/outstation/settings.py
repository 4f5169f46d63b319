"""How an outstation behaves towards one master, besides its points."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_dnp3.app import FunctionCode


@dataclass(frozen=True, slots=True)
class UnsolicitedSettings:
    """When events are reported without being asked for (IEEE 1815 clause 5.1.1).

    holds:     seconds that events of class 1, 2, 3 wait for more of them.
    counts:    events of class 1, 2, 3 that are not held any longer.
    retry:     seconds after the first time without a confirmation until the response is sent
               again; doubles up to `retry_max`.
    retries:   times that the same response is sent again; then it is made anew, after `retry_max`.
    """

    holds: tuple[float, float, float] = (0.0, 0.0, 0.0)
    counts: tuple[int, int, int] = (1, 1, 1)
    retry: float = 5.0
    retry_max: float = 60.0
    retries: int = 3


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """One side of an association, as the outstation.

    fragment:        most octets of a fragment that is sent, 249 to 65535.
    confirm_timeout: seconds within which a response is confirmed.
    unsolicited:     None where unsolicited responses are never sent.
    controls:        most controls in one request.
    need_time:       seconds after which the master is asked for the time again; None for never.
    refused:         functions that are not supported besides those that nobody supports.
    """

    fragment: int = 2048
    confirm_timeout: float = 5.0
    unsolicited: UnsolicitedSettings | None = None
    controls: int = 16
    need_time: float | None = None
    refused: frozenset[FunctionCode] = frozenset()
