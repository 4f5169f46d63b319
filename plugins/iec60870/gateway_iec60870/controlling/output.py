"""Where points are commanded, and the commands as ASDUs have them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway import Command, ControlModel, Kind, LinkPoint
from gateway_iec60870.asdu import LAYOUTS, NO_TIME, Sizes, TypeId, encode_command
from gateway_iec60870.asdu import Command as Object
from gateway_iec60870.controlling.point import SETPOINTS, ControlType, Operate, address_of

SHORT_PULSE = 1
"""QU of a pulse whose length is a parameter of the station's (101 clause 7.2.6.26)."""
_T, _C = TypeId, ControlType
TYPES = {
    _C.SINGLE: (_T.C_SC_NA_1, _T.C_SC_TA_1),
    _C.DOUBLE: (_T.C_DC_NA_1, _T.C_DC_TA_1),
    _C.STEP: (_T.C_RC_NA_1, _T.C_RC_TA_1),
    _C.NORMALISED: (_T.C_SE_NA_1, _T.C_SE_TA_1),
    _C.SCALED: (_T.C_SE_NB_1, _T.C_SE_TB_1),
    _C.FLOAT: (_T.C_SE_NC_1, _T.C_SE_TC_1),
    _C.BITSTRING: (_T.C_BO_NA_1, _T.C_BO_TA_1),
}
"""The types of each, without and with time tag."""
_STATES = {_C.SINGLE: (0, 1), _C.DOUBLE: (1, 2), _C.STEP: (1, 2)}
"""How 0 and 1 are said: off and on; of a step lower and higher."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where a point is commanded, and how.

    qualifier:  None for what the model of the command says.
    tagged:     commands have a time tag.
    terminated: the station says when a command has ended.
    forwarded:  the client's select is the station's, too.
    operate:    whether the gateway selects by itself where the client's is not forwarded.
    """

    address: int
    object: int
    type: ControlType
    qualifier: int | None = None
    tagged: bool = False
    terminated: bool = True
    forwarded: bool = False
    operate: Operate = Operate.DIRECT

    @property
    def type_id(self) -> TypeId:
        return TYPES[self.type][self.tagged]

    def repeated(self, sizes: Sizes) -> int:
        """Return how many octets of a command its answers must repeat: all but the time tag."""
        found = LAYOUTS[self.type_id]
        return sizes.object + (found.size or 0) - found.time.value

    def body(
        self, command: Command, sizes: Sizes, *, select: bool, time: int = NO_TIME, clock: int = 0
    ) -> bytes:
        """Return the information object; raises ValueError where it cannot hold the value."""
        return encode_command(
            Object(
                self.type_id,
                self.object,
                self._value(command),
                select=select,
                qualifier=self._qualifier(command),
                time=time if self.tagged else NO_TIME,
                clock=clock if self.tagged else 0,
            ),
            sizes,
        )

    def _value(self, command: Command) -> float:
        if self.type in SETPOINTS:
            return command.raw
        return _STATES[self.type][command.raw != 0]

    def _qualifier(self, command: Command) -> int:
        if self.qualifier is not None:
            return self.qualifier
        return SHORT_PULSE if command.model is ControlModel.PULSE else 0


def output_type(point: LinkPoint) -> ControlType | None:
    """Return what carries the commands of a point; None where nothing does, or it must be said."""
    command, address = point.command, address_of(point)
    if command is None or address.control_type is not None:
        return address.control_type
    if command.model is ControlModel.SETPOINT:
        return None
    return ControlType.DOUBLE if point.kind is Kind.DOUBLE else ControlType.SINGLE


def outputs(points: Iterable[LinkPoint], ca: int | None) -> dict[int, Output]:
    """Return where the points are commanded that are; `ca` is of those that name none."""
    found: dict[int, Output] = {}
    for point in points:
        address, command = address_of(point), point.command
        where = ca if address.ca is None else address.ca
        at = address.ioa if address.control_ioa is None else address.control_ioa
        kind = output_type(point)
        if command is None or where is None or at is None or kind is None:
            continue
        found[point.id] = Output(
            where,
            at,
            kind,
            address.qualifier,
            address.time_tag,
            address.termination,
            command.select.forwarded,
            address.operate,
        )
    return found
