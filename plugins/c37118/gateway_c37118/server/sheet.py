"""What the engineer of a control centre needs to know of a stream, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from gateway import LinkPoint
from gateway.c37118 import DataLayout, PmuConfiguration
from gateway_c37118.server.places import Placed, places
from gateway_c37118.server.point import Part, What
from gateway_c37118.server.settings import Transport

if TYPE_CHECKING:
    from gateway_c37118.server.sink import C37Server

HEADERS = {Transport.TCP: 20 + 20, Transport.TCP_UDP: 20 + 8, Transport.UDP: 20 + 8}
"""Octets that IPv4 and TCP or UDP put in front of a frame."""


def sheet(sink: C37Server, points: Sequence[LinkPoint]) -> str:
    """Return the sheet of a stream whose points have no problems."""
    placed = places(points, sink.units())
    stream = sink.stream(points)
    lines = [f"# Synchrophasor stream {sink.name}", ""]
    lines += _table(("at the PDC", "enter"), _connection(sink, stream.configuration.rate))
    size = DataLayout(stream.configuration).size
    per_second = sink.rate if sink.rate > 0 else -1 / sink.rate
    bits = (size + HEADERS[sink.transport]) * 8 * per_second
    lines += ["", f"A data frame has {size} octets; with its headers {bits / 1000:.1f} kbit/s."]
    for i, pmu in enumerate(stream.configuration.pmus):
        lines += ["", f"## {pmu.name}, IDCODE {pmu.idcode}", "", _form(pmu), ""]
        mine = [one for one in placed if one.pmu == i]
        lines += _table(("channel", "of point", "unit", "integers count"), _channels(pmu, mine))
    return "\n".join(lines) + "\n"


def _connection(sink: C37Server, rate: int) -> Iterator[tuple[str, str]]:
    yield "protocol", "IEEE C37.118.2-2011 (a PDC for C37.118-2005 reads it too)"
    words = {
        Transport.TCP: "TCP, commands and data",
        Transport.TCP_UDP: f"TCP for commands, UDP port {sink.data_port} of the PDC for data",
        Transport.UDP: "UDP, commands and data",
    }
    if sink.listen is not None:
        yield "transport", words[sink.transport]
        yield "address", f"{sink.listen}; 0.0.0.0 is any address of the gateway"
        yield from _open_pdc(sink)
    for destination in sink.spontaneous:
        yield "UDP without commands", f"{destination.to}, configuration 2 each minute"
    yield "IDCODE (access ID)", str(sink.idcode)
    yield "rate", f"{rate} frames per second" if rate > 0 else f"a frame each {-rate} s"
    yield "nominal frequency", f"{sink.nominal} Hz"
    yield "lag time", f"above {sink.wait:g} s: so long a frame waits for samples at the gateway"


def _open_pdc(sink: C37Server) -> Iterator[tuple[str, str]]:
    if sink.listen is None or sink.transport is Transport.UDP:
        return
    anywhere = sink.listen.host in ("0.0.0.0", "::")  # noqa: S104 - it is only named
    server = f"GATEWAY:{sink.listen.port}" if anywhere else str(sink.listen)
    commands = f"`transportProtocol=tcp; server={server}`"
    if sink.transport is Transport.TCP:
        yield "openPDC: connection string", commands
    else:
        yield "openPDC: connection string", f"`transportProtocol=udp; port={sink.data_port}`"
        yield "openPDC: alternate command channel", commands


def _form(pmu: PmuConfiguration) -> str:
    phasors = "polar" if pmu.polar else "rectangular"
    kind = "floats" if pmu.float_phasors else "integers of 16 bits"
    return f"Phasors are {phasors}; all values are {kind}. Class {pmu.service}."


def _channels(pmu: PmuConfiguration, placed: Sequence[Placed]) -> Iterator[tuple[str, ...]]:
    scales = {phasor.name: phasor for phasor in pmu.phasors}
    for one in placed:
        item, point = one.item, one.point
        unit, counts = point.definition.unit, ""
        if item.what is What.PHASOR:
            phasor = scales[item.name]
            unit = "rad" if item.part is Part.ANGLE else "A" if phasor.current else "V"
            if not pmu.float_phasors:
                counts = "0.0001 rad" if item.part is Part.ANGLE else f"{phasor.scale:g} {unit}"
        elif item.what is What.ANALOG and not pmu.float_analogs:
            counts = f"{one.address.scale or 1:g}"
        elif item.what in (What.FREQUENCY, What.ROCOF):
            unit = "Hz" if item.what is What.FREQUENCY else "Hz/s"
            if not pmu.float_frequency:
                counts = "0.001 Hz" if item.what is What.FREQUENCY else "0.01 Hz/s"
        yield one.address.item, point.name, unit, counts


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
