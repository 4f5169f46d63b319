"""How two stations speak with each other."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_dnp3.link.address import HIGHEST


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """One side of an association; raises ValueError for what cannot be.

    local, remote: the addresses, 0..65519 (0xFFEF).
    master:        this side is the master; the other one is an outstation.
    confirmed:     user data is confirmed frame by frame; for lines that lose many.
    timeout:       seconds that an answer may take.
    retries:       times that a frame without an answer is sent again.
    keep_alive:    seconds without a frame from the other side after which its link status is
                   requested, None for never.
    self_address:  frames to 0xFFFC are taken, too (outstations, one on a channel only).
    queue:         most payloads that wait.
    """

    local: int
    remote: int
    master: bool
    confirmed: bool = False
    timeout: float = 2.0
    retries: int = 2
    keep_alive: float | None = 60.0
    self_address: bool = False
    queue: int = 64

    def __post_init__(self) -> None:
        for name, address in (("local", self.local), ("remote", self.remote)):
            if not 0 <= address <= HIGHEST:
                raise ValueError(f"{name} address {address}, not 0..{HIGHEST}")
        if self.local == self.remote:
            raise ValueError(f"address {self.local} is that of both sides")
        if self.timeout <= 0 or (self.keep_alive is not None and self.keep_alive <= 0):
            raise ValueError("timeout and keep_alive must be above 0 s")
        if self.retries < 0 or self.queue < 1:
            raise ValueError(
                f"{self.retries} retries and a queue of {self.queue}: at least 0 and 1"
            )
