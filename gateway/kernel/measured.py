"""What rows of samples go to, all in one call."""

from __future__ import annotations

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError
from gateway.kernel.events import Events
from gateway.kernel.meter import Meter
from gateway.kernel.phasor import PhasorRows, Phasors
from gateway.kernel.rows import Rows
from gateway.kernel.samples import SampleRows


class Measured:
    """An estimator with its reports, a meter with its results, or both.

    All belong to one thread at a time.
    Raises ValueError where reports do not fit the estimator.
    """

    __slots__ = ("_alive", "_c", "columns")

    def __init__(
        self,
        phasors: tuple[Phasors, PhasorRows] | None = None,
        meter: tuple[Meter, Rows, Events] | None = None,
    ) -> None:
        c = self._c = ffi.new("gw_measured *")
        self._alive = (phasors, meter)
        self.columns = 0
        if phasors is not None:
            estimator, reports = phasors
            estimator._check(reports)
            c.phasor, c.reports = estimator._c, reports._c
            self.columns = estimator.stream.columns
        if meter is not None:
            c.meter, c.values, c.events = (part._c for part in meter)
            self.columns = max(self.columns, meter[0].columns)

    def take(self, rows: SampleRows) -> int:
        """Take the rows, run by run, append results, and return how many.

        Raises KernelError where room for results is missing, or a run lies before what is expected;
        the runs before it were taken, and once there is room, another call goes on.
        """
        made: int = lib.gw_measure(rows._c, self._c)
        if made < 0:
            raise KernelError(
                made, f"{rows.count} rows of {rows.columns} columns, {self.columns} needed"
            )
        return made
