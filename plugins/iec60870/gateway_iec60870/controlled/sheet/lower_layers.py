"""What a sheet says of the layers below the application, in which 101 and 104 differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway_iec60870.asdu import TypeId
from gateway_iec60870.controlled.sheet.markdown import Rows


@dataclass(frozen=True, slots=True)
class LowerLayers:
    """The transport of a controlled station, in the words of its interoperability sheet.

    standard:   the companion standard and its edition.
    clause:     of interoperability in it: 8 in 101:2003, 9 in 104:2006.
    network, physical, link: what stands in its subclauses 2 to 4: item, this device; or a sentence
                where the standard leaves it out.
    length:     the longest frame: item, this device.
    certified:  whether the control centre shows a certificate.
    parameters: tables at the end of the basic application functions, by title, each with its head.
    foreign:    types that the companion standard does not have.
    """

    standard: str
    clause: int
    network: Rows | str
    physical: Rows | str
    link: Rows | str
    length: Rows
    certified: bool = False
    parameters: Mapping[str, tuple[tuple[str, ...], Rows]] = field(default_factory=dict)
    foreign: frozenset[TypeId] = frozenset()
