"""A controlling station that nobody here wrote: c104, which is lib60870-C, in its own process.

    python c104_client.py '{"port": 2404, "stations": [{"ca": 1, "points": [...]}]}'

Settings: host, port, tick_ms (50 at least), command_timeout_ms, originator, k, w, t0, t1, t2, t3,
raw (true: every frame is an event), stations, start (default true: STARTDT as soon as there is a
connection, and again after each reconnect), learn (default true: points that nobody named are
taken from what comes). TLS it does through `tls_relay`: c104 2.2.1 gives its TLS library no name
to compare the certificate with, and without one the library refuses every handshake of a client.
A point: {"ioa": 1, "type": "C_SC_NA_1"}, with mode "select" for commands with select and execute.

Requests: start (STARTDT), stop (STOPDT), connect, disconnect, interrogation, counters, clock,
test, read, command, counts. Those that are answered wait for it, for command_timeout_ms; on a
busy machine c104 overlooks an answer now and then, so that `done` is false: ask the events.
Events: ready, state, value, new, initialized, unexpected, sent and received (with raw), and
answer: what came back for a command as it stands in the frame, because c104 itself mixes up the
answers of commands with select (see `C104Client.command`).
"""

# Without `from __future__ import annotations`: c104 compares the text of what callbacks take.

from typing import Any

import c104
from c104_information import described, information
from c104_lines import Request, apply_parameters, obey, say, settings

Key = tuple[int, int]

_wanted = settings()
_client = c104.Client(
    tick_rate_ms=_wanted.get("tick_ms", 50),
    command_timeout_ms=_wanted.get("command_timeout_ms", 5000),
)
_client.originator_address = _wanted.get("originator", 0)
# With any other `init` one connection in six is never started: c104 misses its own opening.
_connection = _client.add_connection(
    ip=_wanted.get("host", "127.0.0.1"), port=_wanted["port"], init=c104.Init.MUTED
)
_connection.originator_address = _wanted.get("originator", 0)
apply_parameters(_connection.protocol_parameters, _wanted)
# By type, the octet of a frame with the S/E bit (101 clauses 7.2.6.15, .16, .17, .39).
_QUALIFIERS = {
    **dict.fromkeys((45, 46, 47, 58, 59, 60), 15),
    **dict.fromkeys((48, 49, 61, 62), 17),
    **dict.fromkeys((50, 63), 19),
}
_started = {"wanted": bool(_wanted.get("start", True))}
_points: dict[Key, c104.Point] = {}


def _on_value(
    point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage
) -> c104.ResponseState:
    say(
        event="value",
        ca=message.common_address,
        ioa=message.io_address,
        type=message.type.name,
        cause=int(message.cot),
        test=message.is_test,
        negative=message.is_negative,
        objects=message.number_of_objects,
        **described(message.info),
    )
    return c104.ResponseState.NONE


def _on_new_station(client: c104.Client, connection: c104.Connection, common_address: int) -> None:
    say(event="new", ca=common_address)
    if _wanted.get("learn", True):
        connection.add_station(common_address=common_address)


def _on_new_point(
    client: c104.Client, station: c104.Station, io_address: int, point_type: c104.Type
) -> None:
    say(event="new", ca=station.common_address, ioa=io_address, type=point_type.name)
    if _wanted.get("learn", True):
        _add(station, {"ioa": io_address, "type": point_type.name})


def _on_initialized(client: c104.Client, station: c104.Station, cause: c104.Coi) -> None:
    say(event="initialized", ca=station.common_address, cause=int(cause))


def _on_state(connection: c104.Connection, state: c104.ConnectionState) -> None:
    say(event="state", state=state.name.lower())
    if _started["wanted"] and state == c104.ConnectionState.OPEN_MUTED:
        connection.unmute()


def _on_unexpected(
    connection: c104.Connection, message: c104.IncomingMessage, cause: c104.Umc
) -> None:
    say(
        event="unexpected",
        why=cause.name,
        type=message.type.name,
        cause=int(message.cot),
        negative=message.is_negative,
        ca=message.common_address,
        raw=message.raw.hex(),
    )


def _on_sent(connection: c104.Connection, data: bytes) -> None:
    say(event="sent", frame=data.hex())


def _on_received(connection: c104.Connection, data: bytes) -> None:
    if _wanted.get("raw"):
        say(event="received", frame=data.hex())
    # Behind six octets of APCI: type, one object, cause, originator, CA, IOA, and the command.
    if len(data) > 15 and 45 <= data[6] <= 64:
        ioa = int.from_bytes(data[12:15], "little")
        say(
            event="answer",
            type=c104.Type(data[6]).name,
            cause=data[8] & 0x3F,
            negative=bool(data[8] & 0x40),
            ca=int.from_bytes(data[10:12], "little"),
            ioa=ioa,
            select=bool(data[_QUALIFIERS[data[6]]] & 0x80) if data[6] in _QUALIFIERS else False,
        )


def _add(station: c104.Station, wanted: dict[str, Any]) -> None:
    more: dict[str, Any] = {}
    if wanted.get("mode") == "select":
        more["command_mode"] = c104.CommandMode.SELECT_AND_EXECUTE
    kind = c104.Type.__members__[wanted["type"]]
    point = station.add_point(io_address=wanted["ioa"], type=kind, **more)
    if point is None:
        raise ValueError(f"c104 takes no point {wanted}")
    _points[station.common_address, wanted["ioa"]] = point
    point.on_receive(callable=_on_value)


def _interrogation(request: Request) -> dict[str, Any]:
    done = _connection.interrogation(
        common_address=request["ca"],
        cause=c104.Cot(request.get("cause", 6)),
        qualifier=c104.Qoi(request.get("qualifier", 20)),
        wait_for_response=request.get("wait", True),
    )
    return {"done": done}


def _counters(request: Request) -> dict[str, Any]:
    done = _connection.counter_interrogation(
        common_address=request["ca"],
        cause=c104.Cot(request.get("cause", 6)),
        qualifier=c104.Rqt(request.get("qualifier", 5)),
        freeze=c104.Frz(request.get("freeze", 0)),
        wait_for_response=request.get("wait", True),
    )
    return {"done": done}


def _clock(request: Request) -> dict[str, Any]:
    wait = request.get("wait", True)
    return {"done": _connection.clock_sync(request["ca"], wait_for_response=wait)}


def _test(request: Request) -> dict[str, Any]:
    done = _connection.test(
        common_address=request["ca"],
        with_time=request.get("with_time", True),
        wait_for_response=request.get("wait", True),
    )
    return {"done": done}


def _read(request: Request) -> dict[str, Any]:
    return {"done": _points[request["ca"], request["ioa"]].read()}


def _command(request: Request) -> dict[str, Any]:
    """Send it, in mode select both select and execute: what c104 takes for the answer."""
    point = _points[request["ca"], request["ioa"]]
    more = {name: request[name] for name in ("time", "extra") if name in request}
    point.info = information(point.type.name, request["value"], **more)
    return {"done": point.transmit(cause=c104.Cot(request.get("cause", 6)))}


def _counts(_: Request) -> dict[str, Any]:
    return {
        "state": _connection.state.name.lower(),
        "values": [
            {"ca": ca, "ioa": ioa, **described(point.info)} for (ca, ioa), point in _points.items()
        ],
    }


def _start(_: Request) -> dict[str, Any]:
    _started["wanted"] = True
    return {"done": _connection.unmute()}


def _stop(_: Request) -> dict[str, Any]:
    _started["wanted"] = False
    return {"done": _connection.mute()}


def _connect(_: Request) -> None:
    _connection.connect()


def _disconnect(_: Request) -> None:
    _connection.disconnect()


for _station in _wanted.get("stations", []):
    _made = _connection.add_station(common_address=_station["ca"])
    for _point in _station["points"]:
        _add(_made, _point)
_client.on_new_station(callable=_on_new_station)
_client.on_new_point(callable=_on_new_point)
_client.on_station_initialized(callable=_on_initialized)
_connection.on_state_change(callable=_on_state)
_connection.on_unexpected_message(callable=_on_unexpected)
if _wanted.get("raw"):
    _connection.on_send_raw(callable=_on_sent)
if _wanted.get("raw") or any(point.type.name.startswith("C_") for point in _points.values()):
    _connection.on_receive_raw(callable=_on_received)
say(event="ready")
_client.start()
obey(
    {
        "start": _start,
        "stop": _stop,
        "connect": _connect,
        "disconnect": _disconnect,
        "interrogation": _interrogation,
        "counters": _counters,
        "clock": _clock,
        "test": _test,
        "read": _read,
        "command": _command,
        "counts": _counts,
    }
)
_client.stop()
