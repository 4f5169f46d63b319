"""The DNP3 device profile: what an outstation can, in the tables that utilities exchange."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from gateway import Control, LinkPoint, SelectRule, seconds_text
from gateway_dnp3.outstation.family import FAMILIES, Family
from gateway_dnp3.outstation.sink.implementation import implementation
from gateway_dnp3.outstation.sink.point import (
    INDICATIONS,
    ControlType,
    DnpOutstationPoint,
    Type,
    address_of,
    output_of,
    type_of,
)
from gateway_dnp3.outstation.sink.transport import Transport

if TYPE_CHECKING:
    from gateway_dnp3.outstation.sink.sink import DnpOutstation

Rows = Iterable[Sequence[object]]

_CODES = "LATCH_ON, LATCH_OFF; CLOSE or TRIP with PULSE_ON, LATCH_ON, LATCH_OFF (trip) or NUL"
_PULSES = "PULSE_ON, PULSE_OFF"


def profile(link: DnpOutstation, points: Sequence[LinkPoint]) -> str:
    """Return the device profile of a link with its points, as Markdown."""
    parts = [
        f"# DNP3 device profile: {link.name}",
        *_section("1.1 Device identification", _identification(link)),
        *_section("1.2 Connections", _connections(link)),
        *_section("1.3 Link layer", _link_layer(link)),
        *_section("1.4 Application layer", _application_layer(link)),
        *_section("1.5 Outstation", _outstation(link)),
        *_section("1.6 Unsolicited responses", _unsolicited(link)),
        "## 2 Implementation table",
        _table(
            ("group", "variation", "object", "requests (qualifiers)", "responses (qualifiers)"),
            implementation(link, points),
        ),
        "## 3 Points",
        *_lists(link, points),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, rows: Rows) -> Iterator[str]:
    yield f"## {title}"
    yield _table(("item", "this device"), rows)


def _table(head: Sequence[str], rows: Rows) -> str:
    lines = [_line(head), _line(["---"] * len(head)), *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _identification(link: DnpOutstation) -> Rows:
    yield "device function", "outstation"
    yield "vendor", "grid-gateway"
    yield "device name", link.name
    yield "software version", link.software
    yield "DNP level supported", "requests and responses of level 3, without file transfer"
    yield "standard", "IEEE 1815-2012"
    yield "notable additions", "double-bit inputs, analog deadbands (g34), device attributes (g0)"
    yield "methods to set the configuration", "files (YAML and CSV)"


def _connections(link: DnpOutstation) -> Rows:
    yield "connection", str(link.transport)
    if link.transport is Transport.SERIAL:
        yield "line", link.port or ""
        yield "speed", f"{link.baud} bit/s, 8 data bits, {link.stop_bits} stop bits"
        yield "parity", link.parity.value
        yield "transmitter control", "RTS, by the driver" if link.rs485 else "none"
        yield "silence before sending", seconds_text(link.turnaround)
        return
    yield "type of end point", "UDP listener" if link.transport is Transport.UDP else "listening"
    yield "listens at", str(link.listen)
    yield "masters accepted from", ", ".join(link.allow) or "any address"
    yield "connections at one time", f"{link.max_clients}, of all outstations at this address"
    yield "multiple masters", "each with its own addresses, events and sequence numbers"
    yield "TLS", "IEC 62351-3, both sides show certificates" if link.tls else "no"


def _link_layer(link: DnpOutstation) -> Rows:
    alive = link.keep_alive
    yield "address of the outstation", link.address
    yield "address of the master", f"{link.master}; frames from others are not answered"
    yield "self address (0xFFFC)", "no"
    yield "data link confirmation", "always" if link.link_confirm else "never"
    yield "confirmation time-out", seconds_text(link.link_timeout)
    yield "retries", link.link_retries
    yield (
        "link status requested after silence of",
        (alive if isinstance(alive, str) else seconds_text(alive)),
    )
    yield "largest frame sent and received", "292 octets"


def _application_layer(link: DnpOutstation) -> Rows:
    yield "largest fragment sent", f"{link.max_fragment} octets"
    yield "largest fragment received", f"{link.max_fragment} octets"
    yield "confirmation asked for", "responses with events, and all but the last fragment"
    yield "confirmation time-out", seconds_text(link.confirm_timeout)
    yield "largest number of controls in one request", link.max_controls
    yield "retries of solicited responses", "none; a request that is repeated is answered again"


def _outstation(link: DnpOutstation) -> Rows:
    need = link.need_time
    bound = "the journal of the gateway, on disk"
    if link.max_events is not None:
        bound = f"{link.max_events} in all; above, the oldest of the fullest class are shed"
    yield (
        "time asked for (IIN1.4)",
        need if isinstance(need, str) else f"every {seconds_text(need)}",
    )
    yield "time written by the master", "compared with the clock of the gateway, which is not set"
    yield "time base", "UTC; events carry the time of the device where it gave one"
    yield "event buffer", f"{bound}; events survive a restart"
    yield "overflow (IIN2.3)", "set when events were shed, cleared when the master confirmed it"
    yield "events reported in the order of", "their occurrence, whatever their class"
    yield "cold and warm restart", "this link, not the gateway" if link.restart else "refused"
    yield "freeze", "counters: g20 into g21, at once; frozen values do not survive a restart"
    yield "select before operate", "held for the time in the list of outputs"
    yield "queue and clear of a control code", "refused, status 4"
    yield "file transfer, data sets, secure authentication", "no"


def _unsolicited(link: DnpOutstation) -> Rows:
    settings = link.session_settings.unsolicited
    yield "supported", "yes; classes are enabled by the master" if settings else "no"
    if settings is None:
        return
    holds = ", ".join(map(seconds_text, settings.holds))
    yield "events of class 1, 2, 3 wait for more for", holds
    yield "and not after so many", ", ".join(map(str, settings.counts))
    yield "confirmation time-out", seconds_text(link.confirm_timeout)
    yield (
        "pause before it is sent again",
        (f"{seconds_text(settings.retry)}, doubling up to {seconds_text(settings.retry_max)}"),
    )
    yield "times that the same response is sent again", settings.retries


def _lists(link: DnpOutstation, points: Sequence[LinkPoint]) -> Iterator[str]:
    for kind in Type:
        mine = [point for point in points if type_of(point) is kind]
        mine.sort(key=lambda point: address_of(point).index)
        if not mine:
            continue
        if kind is Type.IIN:
            yield "### Internal indications"
            yield _table(
                ("bit", "indication", "point"),
                ((i, INDICATIONS[i], p.name) for p in mine for i in (address_of(p).index,)),
            )
            continue
        family = FAMILIES[kind.shown]
        yield f"### {family.name}"
        yield _table(
            ("index", "name", "description", "unit", "class", "static", "event", "deadband"),
            (_row(link, point, address_of(point), family) for point in mine),
        )
    outputs = _outputs(link, points)
    if outputs:
        yield "### Outputs"
        head = ("object", "index", "point", "model", "select held", "answered within", "takes")
        yield _table(head, outputs)


def _row(
    link: DnpOutstation, point: LinkPoint, address: DnpOutstationPoint, family: Family
) -> Sequence[object]:
    event_class = link.event_class if address.event_class is None else address.event_class
    definition = point.definition
    static = f"g{family.static}v{address.static_variation or family.statics[0]}"
    event = f"g{family.event}v{address.event_variation or family.events[0]}"
    return (
        address.index,
        point.name,
        definition.description,
        definition.unit,
        event_class or "none",
        static,
        event if event_class else "none",
        f"{address.deadband:g}" if address.deadband else "",
    )


def _outputs(link: DnpOutstation, points: Sequence[LinkPoint]) -> list[Sequence[object]]:
    rows: list[Sequence[object]] = []
    for point in points:
        output, control = output_of(point), point.command
        if output is None or control is None:
            continue
        kind, index = output
        group = "g12v1" if kind is ControlType.CROB else "g41v1-4"
        select = "not selected"
        if control.select is not SelectRule.NONE:
            select = f"{seconds_text(control.select_timeout)}, {control.select}"
        within = control.timeout + (control.feedback_timeout if control.feedback else 0.0)
        within = min(within, link.command_timeout or within)
        takes = _taken(control, address_of(point), kind)
        model = str(control.model)
        rows.append((group, index, point.name, model, select, seconds_text(within), takes))
    return sorted(rows, key=lambda row: (str(row[0]), int(str(row[1]))))


def _taken(control: Control, address: DnpOutstationPoint, kind: ControlType) -> str:
    """Return what an output takes, in the master's terms."""
    if kind is ControlType.CROB:
        if control.pulse is None:
            return _CODES
        return f"{_PULSES}; with on time 0 for {seconds_text(control.pulse.on_time)}"
    limits = [
        None if limit is None else (limit - address.offset) / address.scale
        for limit in (control.low, control.high)
    ]
    low, high = limits if address.scale > 0 else reversed(limits)
    words = ["" if low is None else f"from {low:g}", "" if high is None else f"up to {high:g}"]
    return " ".join(filter(None, words)) or "any number"
