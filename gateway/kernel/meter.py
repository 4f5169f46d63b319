"""Meters: power quality and power of one three-phase circuit out of a stream of samples."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError
from gateway.kernel.events import Events
from gateway.kernel.quantity import ITEMS, KINDS, LANES, ORDERED, SPANS, Quantity, kinds
from gateway.kernel.rows import Rows
from gateway.kernel.spectrum import Spectrum
from gateway.kernel.stream import Stream
from gateway.kernel.waveform import check_samples, flags, room
from gateway.model.batch import QualityColumn
from gateway.model.waveform import Samples

_push = lib.gw_meter_push
_from_buffer = ffi.from_buffer
_NULL = ffi.NULL
_NONE = -1


@dataclass(frozen=True, slots=True)
class Setup:
    """What a meter measures.

    stream:   its scale in V and A.
    columns:  of a row of the stream, by lane: `{"ua": 4, "ub": 5, "uc": 6, "ia": 0}`; the phase
              that windows follow is the positive sequence of ua, ub, uc, or ua alone, or that of
              the currents where there is no voltage.
    declared: the declared voltage Udin [V] that limits are parts of.
    orders:   of harmonics, 0 for none; none may be above 0.44 of the rate.
    floor:    rms of the fundamental [V, or A without voltages] below which there is no phase;
              None for 2 % of `declared`.
    dip, swell, interruption, hysteresis: parts of the declared voltage, or of the sliding
              reference; 0, and inf for `swell`, for none.
    change:   threshold of rapid voltage changes, a part too; 0 for none.
    change_hysteresis: a part of `change`.
    sliding:  whether limits are parts of a 1-minute mean instead of `declared`.
    """

    stream: Stream
    columns: Mapping[str, int]
    declared: float
    orders: int = 0
    floor: float | None = None
    dip: float = 0.9
    swell: float = 1.1
    interruption: float = 0.05
    hysteresis: float = 0.02
    change: float = 0.0
    change_hysteresis: float = 0.5
    sliding: bool = False

    def __post_init__(self) -> None:
        unknown = [lane for lane in self.columns if lane not in LANES]
        if unknown:
            raise ValueError(f"unknown lanes {unknown}; known are {', '.join(LANES)}")
        n = self.stream.columns
        if any(not 0 <= column < n for column in self.columns.values()):
            raise ValueError(f"columns {dict(self.columns)}; the stream has 0..{n - 1}")

    def highest_order(self) -> int:
        """Return the highest order of harmonics at this rate: 50, or what it allows."""
        return min(50, math.floor(0.44 * self.stream.rate / self.stream.nominal))

    def quantities(self) -> list[Quantity]:
        """Return what such a meter can give, without what only absent lanes would have."""
        found = []
        for span in SPANS:
            for kind in kinds(span):
                for item in ITEMS[kind]:
                    if _is_there(kind, item, self.columns):
                        orders = range(self.orders) if kind in ORDERED else [0]
                        first = 1 if kind == "harmonic" else 0
                        found += [Quantity(span, kind, item, first + order) for order in orders]
        return found if self.orders else [q for q in found if q.kind != "thd"]

    def _compiled(self) -> tuple[Any, Any]:
        """Return the kernel's setup, and what must live as long."""
        setup = ffi.new("gw_meter_setup *")
        alive = self.stream._fill(setup.stream)
        for name in ("orders", "declared", "dip", "swell", "interruption"):
            setattr(setup, name, getattr(self, name))
        for name in ("hysteresis", "change", "change_hysteresis", "sliding"):
            setattr(setup, name, getattr(self, name))
        setup.floor = 0.02 * self.declared if self.floor is None else self.floor
        for i, lane in enumerate(LANES):
            column = setup.voltage if i < lib.GW_LANES else setup.current
            column[i % lib.GW_LANES] = self.columns.get(lane, _NONE)
        return setup, alive


class State(NamedTuple):
    """Where a meter stands.

    next, held, gaps, lost: as of `StreamState`.
    frequency: [Hz] of the phase that the windows follow; locked: whether there is one.
    reversed:  whether the phases come in the order a, c, b, which their wires should not.
    """

    next: int
    held: int
    gaps: int
    lost: int
    frequency: float
    locked: bool
    reversed: bool


class Meter:
    """Measures one circuit.

    points:   for each wanted quantity the point that its rows are for; None for all quantities,
              numbered in the order of `quantities`.
    spectrum: shared with other meters of the same thread, of at least as many points; None for
              one of its own.

    One thread at a time: the kernel takes no locks, and calls release the GIL.
    Raises KernelError for a setup that cannot be measured, or a quantity that it has not.
    """

    __slots__ = ("_c", "_memory", "_spectrum", "columns", "quantities", "setup")

    def __init__(
        self,
        setup: Setup,
        points: Mapping[Quantity, int] | None = None,
        spectrum: Spectrum | None = None,
    ) -> None:
        c_setup, _alive = setup._compiled()
        count: int = lib.gw_meter_quantities(c_setup)
        if count < 0:
            raise KernelError(count, repr(setup))
        if points is None:
            points = {quantity: i for i, quantity in enumerate(setup.quantities())}
        self.setup = setup
        self.quantities = list(points)
        self.columns = setup.stream.columns
        select = np.full(count, _NONE, np.int32)
        for quantity, point in points.items():
            select[_number(c_setup, quantity)] = point
        if spectrum is None and setup.orders:
            spectrum = Spectrum(lib.gw_meter_points(c_setup))
        self._spectrum = spectrum
        size: int = lib.gw_meter_size(c_setup)
        self._memory = room(size)
        self._c = ffi.cast("gw_meter *", self._memory)
        c_spectrum = _NULL if spectrum is None else spectrum._c
        code: int = lib.gw_meter_init(
            self._c, size, c_setup, c_spectrum, _from_buffer("int32_t[]", select)
        )
        if code < 0:
            needed = lib.gw_meter_points(c_setup)
            raise KernelError(code, f"needs a spectrum of {needed} points")

    def push(
        self,
        index: int,
        samples: Samples,
        rows: Rows,
        events: Events,
        quality: QualityColumn | None = None,
    ) -> int:
        """Take rows of samples, append results and events, and return the number of results.

        index:   of the first row: second since the Unix epoch * rate + number within the second.
        samples: int32, rows of at least `columns` columns.
        quality: of each row; None for good.

        A result's time is the end of its span [ns since the Unix epoch, UTC].
        Raises KernelError, with nothing changed, where `index` lies before the one expected, or
        `rows` or `events` have less than `room` says free.
        """
        check_samples(samples, self.columns)
        n, stride = samples.shape
        marks = flags(quality, n)
        block = _from_buffer("int32_t[]", samples)
        made: int = _push(self._c, index, block, n, stride, marks, rows._c, events._c)
        if made < 0:
            needed = "needs {} free rows and {} free events".format(*self.room(n))
            raise KernelError(
                made,
                f"index {index}, {self.state().next} expected, {n} rows; "
                f"{needed}, got {rows.free} and {events.free}",
            )
        return made

    def room(self, n: int) -> tuple[int, int]:
        """Return how many rows and events must be free for a push of n rows of samples."""
        return lib.gw_meter_rows(self._c, n), lib.gw_meter_events(self._c, n)

    def state(self) -> State:
        """Return where the meter stands."""
        c_state = ffi.new("gw_meter_state *")
        lib.gw_meter_look(self._c, c_state)
        at, s = c_state.stream, c_state
        counted = (at.next, at.held, at.gaps, at.lost)
        return State(*counted, s.frequency, bool(s.locked), bool(s.reversed))

    @property
    def energy(self) -> npt.NDArray[np.float64]:
        """A copy of the 16 registers [Wh, varh], in the order of `ITEMS["energy"]`."""
        return np.array(ffi.unpack(lib.gw_meter_energy(self._c), len(ITEMS["energy"])))

    @energy.setter
    def energy(self, registers: npt.NDArray[np.float64]) -> None:
        for i, register in enumerate(registers):
            lib.gw_meter_energy(self._c)[i] = register


def _number(c_setup: Any, quantity: Quantity) -> int:
    number: int = lib.gw_meter_quantity(
        c_setup,
        SPANS[quantity.span],
        KINDS[quantity.kind],
        ITEMS[quantity.kind].index(quantity.item),
        quantity.order,
    )
    if number < 0:
        raise KernelError(number, f"{quantity}")
    return number


def _is_there(kind: str, item: str, columns: Mapping[str, int]) -> bool:
    """Whether an item can be measured with lanes that have columns."""
    lanes = set(columns)
    three = {"u": {"ua", "ub", "uc"} <= lanes, "i": {"ia", "ib", "ic"} <= lanes}
    if item in LANES:
        return item in lanes
    if kind == "line":
        return {f"u{item[1]}", f"u{item[2]}"} <= lanes
    if kind in ("sequence", "unbalance"):
        return three[item[0]]
    if kind in ("positive", "unbalanced"):
        return three["u"] and three["i"]
    if kind in ("frequency", "flag"):
        return True
    phase = item.rpartition("_")[2]
    if phase == "all":
        return any({f"u{p}", f"i{p}"} <= lanes for p in "abc")
    return {f"u{phase}", f"i{phase}"} <= lanes
