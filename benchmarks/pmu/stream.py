"""Which streams there are: classes, nominal frequencies, reporting rates and sampling rates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gateway.kernel import Performance

# IEC/IEEE 60255-118-1 clause 5: the required reporting rates, and 100 and 120 that it encourages.
REPORTING = {50: (10, 25, 50, 100), 60: (10, 12, 15, 20, 30, 60, 120)}
PERFORMANCES: tuple[Performance, ...] = ("P", "M")
# IEC 61850-9-2LE has 80 and 256 samples per cycle, IEC 61869-9 4800 and 14400 per second.
RATES = (4000, 4800, 12800, 14400, 15360)


class Stream(NamedTuple):
    """One combination that is tested: samples/s, Hz, reports/s and the class."""

    rate: int
    nominal: int
    reporting: int
    performance: Performance

    def __str__(self) -> str:
        return (
            f"class {self.performance}, {self.nominal} Hz, {self.reporting} reports/s, "
            f"{self.rate} samples/s"
        )


def streams() -> Iterator[Stream]:
    """Return every combination."""
    for performance in PERFORMANCES:
        for nominal, reportings in REPORTING.items():
            for reporting in reportings:
                for rate in RATES:
                    yield Stream(rate, nominal, reporting, performance)
