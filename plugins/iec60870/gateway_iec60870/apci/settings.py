"""The parameters of a connection (IEC 60870-5-104:2006, 5.5, 5.6 and 9.6)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_iec60870.apci.frame import MODULO


@dataclass(frozen=True, slots=True)
class ApciSettings:
    """What both stations have agreed on; raises ValueError for what cannot be.

    k:  most I frames that may be sent without an acknowledgement, 1..32767.
    w:  I frames after which an acknowledgement is sent at the latest, 1..k; two thirds of k
        are recommended.
    t0: seconds until a connection stands.
    t1: seconds that an acknowledgement of an I frame, or the answer to a U frame, may take.
    t2: seconds after which an I frame is acknowledged where no w of them come; below t1.
    t3: seconds without a frame from the other side after which the connection is tested.
    """

    k: int = 12
    w: int = 8
    t0: float = 30.0
    t1: float = 15.0
    t2: float = 10.0
    t3: float = 20.0

    def __post_init__(self) -> None:
        if not 1 <= self.k < MODULO:
            raise ValueError(f"found k {self.k}, allowed: 1 to {MODULO - 1}")
        if not 1 <= self.w <= self.k:
            raise ValueError(
                f"found w {self.w}, allowed: 1 to {self.k} (k): the other side would wait for t2"
            )
        for name in ("t0", "t1", "t2", "t3"):
            if not getattr(self, name) > 0:
                raise ValueError(f"found {name} {getattr(self, name):g} s, allowed: above 0")
        if self.t2 >= self.t1:
            raise ValueError(f"found t2 {self.t2:g} s, allowed: below t1 ({self.t1:g} s)")
