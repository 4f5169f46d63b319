"""A fragment: application control, function code, internal indications and objects."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_dnp3.app.error import FragmentError
from gateway_dnp3.app.function import RESPONSES, FunctionCode
from gateway_dnp3.app.iin import Iin

MAX_SEQUENCE = 15


@dataclass(frozen=True, slots=True)
class AppControl:
    """The first octet of a fragment (IEEE 1815 clause 4.2.2.4); `sequence` is 0..15."""

    fir: bool = True
    fin: bool = True
    con: bool = False
    uns: bool = False
    sequence: int = 0

    @classmethod
    def decode(cls, octet: int) -> AppControl:
        return cls(
            bool(octet & 0x80),
            bool(octet & 0x40),
            bool(octet & 0x20),
            bool(octet & 0x10),
            octet & 0x0F,
        )

    def encode(self) -> int:
        if not 0 <= self.sequence <= MAX_SEQUENCE:
            raise FragmentError(0, f"sequence {self.sequence}", "0 to 15 are allowed")
        return self.fir << 7 | self.fin << 6 | self.con << 5 | self.uns << 4 | self.sequence


@dataclass(frozen=True, slots=True)
class Fragment:
    """One application fragment; `iin` is None in requests. `objects` is not looked into."""

    control: AppControl
    function: FunctionCode
    iin: Iin | None = None
    objects: bytes = b""

    @classmethod
    def request(cls, function: FunctionCode, objects: bytes = b"", sequence: int = 0) -> Fragment:
        """Return a request, which is always one fragment."""
        return cls(AppControl(sequence=sequence), function, None, objects)

    @classmethod
    def confirm(cls, sequence: int, *, unsolicited: bool = False) -> Fragment:
        """Return the confirmation of a response of this sequence number."""
        return cls(AppControl(uns=unsolicited, sequence=sequence), FunctionCode.CONFIRM)

    @classmethod
    def response(
        cls,
        iin: Iin = Iin.NONE,
        objects: bytes = b"",
        sequence: int = 0,
        *,
        fir: bool = True,
        fin: bool = True,
        con: bool = False,
        unsolicited: bool = False,
    ) -> Fragment:
        """Return a response; an unsolicited one is a function of its own and sets UNS."""
        function = FunctionCode.UNSOLICITED_RESPONSE if unsolicited else FunctionCode.RESPONSE
        return cls(AppControl(fir, fin, con, unsolicited, sequence), function, iin, objects)

    def encode(self) -> bytes:
        """Return the octets for the transport layer."""
        start = bytes((self.control.encode(), self.function))
        if (self.iin is not None) != (self.function in RESPONSES):
            has = "no internal indications" if self.iin is None else "internal indications"
            raise FragmentError(
                2, f"{self.function.name} with {has}", "responses have them, requests do not"
            )
        if self.iin is not None:
            start += self.iin.to_bytes(2, "little")
        return start + self.objects


def parse(fragment: bytes) -> Fragment:
    """Return the fragment that these octets are; raise FragmentError where they are none."""
    if len(fragment) < 2:
        raise FragmentError(len(fragment), f"{len(fragment)} octets", "at least 2 are a fragment")
    control = AppControl.decode(fragment[0])
    try:
        function = FunctionCode(fragment[1])
    except ValueError:
        raise FragmentError(
            1, f"function code {fragment[1]}", "0 to 33 and 129 to 131 are known"
        ) from None
    if function not in RESPONSES:
        return Fragment(control, function, None, bytes(fragment[2:]))
    if len(fragment) < 4:
        raise FragmentError(
            len(fragment),
            f"{function.name} of {len(fragment)} octets",
            "it has two octets of internal indications",
        )
    iin = Iin(int.from_bytes(fragment[2:4], "little"))
    return Fragment(control, function, iin, bytes(fragment[4:]))
