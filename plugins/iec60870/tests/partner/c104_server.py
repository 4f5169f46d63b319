"""A controlled station that nobody here wrote: c104, which is lib60870-C, in a process of its own.

    python c104_server.py '{"port": 2404, "stations": [{"ca": 1, "points": [...]}]}'

Settings: host, port, tick_ms (50 at least), select_timeout_ms, max_connections, k, w, t1, t2, t3,
tls (see `transport_security`), raw (true: every frame is an event), stations.
A point: {"ioa": 1, "type": "M_SP_TB_1"}, with value, flags, time, extra of `c104_information`;
report_ms for cyclic ones; for commands mode "select", returns (the ioa of the point that shows
the state, and is sent with cause 11 after success).

Requests: set, transmit, batch, burst, initialized, answer, counts, forget.
Events: ready, connect, command, clock, unexpected, sent and received (with raw).
"""

# Without `from __future__ import annotations`: c104 compares the text of what callbacks take.

import datetime
import time
from typing import Any

import c104
from c104_information import described, information
from c104_lines import Request, apply_parameters, obey, say, settings, transport_security

Key = tuple[int, int]

_wanted = settings()
_server = c104.Server(
    ip=_wanted.get("host", "127.0.0.1"),
    port=_wanted["port"],
    tick_rate_ms=_wanted.get("tick_ms", 50),
    select_timeout_ms=_wanted.get("select_timeout_ms", 10000),
    max_connections=_wanted.get("max_connections", 0),
    transport_security=transport_security(_wanted.get("tls")),
)
apply_parameters(_server.protocol_parameters, _wanted)
_points: dict[Key, c104.Point] = {}
_answers: dict[Key, c104.ResponseState] = {}


def _on_command(
    point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage
) -> c104.ResponseState:
    key = (point.station.common_address, point.io_address)
    answer = _answers.get(key, c104.ResponseState.SUCCESS)
    say(
        event="command",
        ca=key[0],
        ioa=key[1],
        type=message.type.name,
        cause=int(message.cot),
        select=message.is_select_command,
        test=message.is_test,
        originator=message.originator_address,
        answered=answer.name.lower(),
        raw=message.raw.hex(),
        **described(message.info),
    )
    related = point.related_io_address
    if related is not None and answer == c104.ResponseState.SUCCESS:
        shown = _points.get((key[0], related))
        if shown is not None and not message.is_select_command:
            shown.value = message.info.value
    return answer


def _on_clock(server: c104.Server, ip: str, date_time: datetime.datetime) -> c104.ResponseState:
    say(event="clock", time=round(date_time.timestamp() * 1000))
    return c104.ResponseState.SUCCESS


def _on_connect(server: c104.Server, ip: str) -> bool:
    accepted = bool(_wanted.get("accept", True))
    say(event="connect", ip=ip, accepted=accepted)
    return accepted


def _on_unexpected(server: c104.Server, message: c104.IncomingMessage, cause: c104.Umc) -> None:
    say(event="unexpected", why=cause.name, type=message.type.name, raw=message.raw.hex())


def _on_sent(server: c104.Server, data: bytes) -> None:
    say(event="sent", frame=data.hex())


def _on_received(server: c104.Server, data: bytes) -> None:
    say(event="received", frame=data.hex())


def _add(station: c104.Station, wanted: dict[str, Any]) -> None:
    more: dict[str, Any] = {}
    if wanted.get("mode") == "select":
        more["command_mode"] = c104.CommandMode.SELECT_AND_EXECUTE
    if "returns" in wanted:
        more |= {"related_io_address": wanted["returns"], "related_io_autoreturn": True}
    if "report_ms" in wanted:
        more["report_ms"] = wanted["report_ms"]
    kind = c104.Type.__members__[wanted["type"]]
    point = station.add_point(io_address=wanted["ioa"], type=kind, **more)
    if point is None:
        raise ValueError(f"c104 takes no point {wanted}")
    _points[station.common_address, wanted["ioa"]] = point
    if "value" in wanted:
        _set({"ca": station.common_address, **wanted})
    if wanted["type"].startswith("C_"):
        point.on_receive(callable=_on_command)


def _set(request: Request) -> c104.Point:
    point = _points[request["ca"], request["ioa"]]
    more = {name: request[name] for name in ("flags", "time", "extra") if name in request}
    point.info = information(point.type.name, request["value"], **more)
    return point


def _transmit(request: Request) -> dict[str, Any]:
    point = _set(request) if "value" in request else _points[request["ca"], request["ioa"]]
    return {"sent": point.transmit(cause=c104.Cot(request.get("cause", 3)))}


def _batch(request: Request) -> dict[str, Any]:
    points = [_points[ca, ioa] for ca, ioa in request["points"]]
    return {"sent": _server.transmit_batch(c104.Batch(c104.Cot(request.get("cause", 3)), points))}


def _burst(request: Request) -> dict[str, Any]:
    """Transmit each of some points `count` times, with the values 0, 1, 2 …: how many were sent.

    c104 says that it sent, and loses what its queue of some hundred has no room for: it pauses for
    `pause_ms` after each `chunk`, so that the queue empties.
    """
    points = [_points[request["ca"], ioa] for ioa in request["ioas"]]
    chunk, pause = request.get("chunk", 100), request.get("pause_ms", 50) / 1000
    cause, sent = c104.Cot(request.get("cause", 3)), 0
    for number in range(request["count"]):
        for point in points:
            point.info = information(point.type.name, number)
            sent += bool(point.transmit(cause=cause))
            if sent % chunk == 0:
                time.sleep(pause)
    return {"sent": sent}


def _initialized(request: Request) -> None:
    station = _server.get_station(common_address=request["ca"])
    station.signal_initialized(cause=c104.Coi(request.get("cause", 0)))


def _answer(request: Request) -> None:
    state = c104.ResponseState.__members__[request["with"].upper()]
    _answers[request["ca"], request["ioa"]] = state


def _counts(_: Request) -> dict[str, Any]:
    return {
        "open": _server.open_connection_count,
        "active": _server.active_connection_count,
        "values": [
            {"ca": ca, "ioa": ioa, **described(point.info)} for (ca, ioa), point in _points.items()
        ],
    }


def _forget(request: Request) -> dict[str, Any]:
    station = _server.get_station(common_address=request["ca"])
    _points.pop((request["ca"], request["ioa"]))
    return {"removed": station.remove_point(io_address=request["ioa"])}


for _station in _wanted.get("stations", []):
    _made = _server.add_station(common_address=_station["ca"])
    for _point in _station["points"]:
        _add(_made, _point)
_server.on_connect(callable=_on_connect)
_server.on_clock_sync(callable=_on_clock)
_server.on_unexpected_message(callable=_on_unexpected)
if _wanted.get("raw"):
    _server.on_send_raw(callable=_on_sent)
    _server.on_receive_raw(callable=_on_received)
_server.start()
say(event="ready")
obey(
    {
        "set": lambda request: {"type": _set(request).type.name},
        "transmit": _transmit,
        "batch": _batch,
        "burst": _burst,
        "initialized": _initialized,
        "answer": _answer,
        "counts": _counts,
        "forget": _forget,
    }
)
_server.stop()
