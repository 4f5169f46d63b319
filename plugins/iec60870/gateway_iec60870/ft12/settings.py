"""How two stations speak with each other; every class raises ValueError for what cannot be."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_iec60870.ft12.address import check_address, check_octets

IDLE_BITS = 33
"""Bits of silence between frames (60870-5-1, FT1.2, rule R4)."""


def line_idle(baud: int) -> float:
    """Return the seconds of silence that a serial line needs between frames."""
    return IDLE_BITS / baud


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """A primary station's way with one other station; times are in seconds.

    octets:    of the link address.
    timeout:   from the last octet of a frame to its answer (60870-5-2, annex A).
    retries:   times that a frame without an answer is sent again.
    queue:     most ASDUs that wait.
    pause:     from when it fell silent until it is asked again; doubles up to `pause_max`.
    single:    the single character is used. It has no check of its own: where the other station is
               known to answer with frames of fixed length, noise is not taken for it.
    """

    octets: int = 1
    timeout: float = 1.0
    retries: int = 3
    queue: int = 16
    pause: float = 2.0
    pause_max: float = 60.0
    single: bool = True

    def __post_init__(self) -> None:
        if self.timeout <= 0:
            raise ValueError(f"timeout {self.timeout:g} s, not above 0")
        if self.retries < 0:
            raise ValueError(f"{self.retries} retries, not 0 or more")
        if self.queue < 1:
            raise ValueError(f"a queue of {self.queue}, not 1 or more")
        if not 0 < self.pause <= self.pause_max:
            raise ValueError(
                f"pauses of {self.pause:g} s to {self.pause_max:g} s, not above 0 and rising"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledSettings(CallSettings):
    """An unbalanced primary station's way with one secondary station.

    address: its link address, 0..254 or 0..65534.
    class_2: period of asking for class 2 data; 0 for whenever the line is free.
    class_1: period of asking for class 1 data though nothing demands it (ACD); None for never.
    hold:    while it is undecided whether its data is in custody, the link status is asked for
             with this period: nothing else may be asked, but it shall know that we are there.
    again:   pause before data that was refused is asked for again.
    """

    address: int
    class_2: float = 1.0
    class_1: float | None = None
    hold: float = 10.0
    again: float = 5.0

    def __post_init__(self) -> None:
        CallSettings.__post_init__(self)
        check_octets(self.octets, 1)
        check_address("link address", self.address, self.octets)
        periods = {"class_2": self.class_2, "class_1": self.class_1 or 0.0, "again": self.again}
        for name, period in periods.items():
            if period < 0:
                raise ValueError(f"{name} {period:g} s, not 0 or more")
        if self.hold <= 0:
            raise ValueError(f"hold {self.hold:g} s, not above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancedSettings(CallSettings):
    """One side of a balanced line.

    controlling: this is the controlling station, A: its frames have DIR set.
    local:       our link address; `remote` that of the other station, None for the same one.
    octets:      of the link address, 0..2; without any, both addresses are 0.
    test:        silence after which the link is tested (TEST FUNCTION FOR LINK); None for never.
    single:      besides, acknowledge with the single character where DFC is not set.
    inbox:       most ASDUs that may be received and not confirmed.
    """

    controlling: bool
    local: int = 1
    remote: int | None = None
    pause: float = 1.0
    pause_max: float = 10.0
    test: float | None = 20.0
    inbox: int = 16

    def __post_init__(self) -> None:
        CallSettings.__post_init__(self)
        check_octets(self.octets, 0)
        if self.octets:
            check_address("local link address", self.local, self.octets)
            check_address("remote link address", self.other, self.octets)
        if self.test is not None and self.test <= 0:
            raise ValueError(f"test {self.test:g} s, not above 0")
        if self.inbox < 1:
            raise ValueError(f"an inbox of {self.inbox}, not 1 or more")

    @property
    def own(self) -> int:
        """Our link address as it stands in frames: 0 where they have none."""
        return self.local if self.octets else 0

    @property
    def other(self) -> int:
        """The other station's link address as it stands in frames: 0 where they have none."""
        remote = self.local if self.remote is None else self.remote
        return remote if self.octets else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondarySettings:
    """An unbalanced secondary station.

    address:       our link address, 0..254 or 0..65534.
    octets:        of the link address, 1 or 2.
    single:        say ACK and NO DATA with the single character where ACD and DFC are not set.
    class_1_for_2: answer a request for class 2 data with class 1 data where there is no other
                   (101 clause 8.3 lets both stations agree on it).
    silence:       seconds without a frame for us after which the primary station is called silent;
                   None for never.
    queue:         most ASDUs that wait, in each class.
    inbox:         most ASDUs that may be received and not confirmed.
    """

    address: int
    octets: int = 1
    single: bool = True
    class_1_for_2: bool = False
    silence: float | None = 60.0
    queue: int = 16
    inbox: int = 16

    def __post_init__(self) -> None:
        check_octets(self.octets, 1)
        check_address("link address", self.address, self.octets)
        if self.silence is not None and self.silence <= 0:
            raise ValueError(f"silence {self.silence:g} s, not above 0")
        if self.queue < 1 or self.inbox < 1:
            raise ValueError(f"a queue of {self.queue}, an inbox of {self.inbox}: at least 1 each")
