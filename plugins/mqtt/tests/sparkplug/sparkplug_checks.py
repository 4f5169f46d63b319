"""What is checked of a day on record: one function for each thing that must be so."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from gateway_mqtt.sparkplug.octets import Metric, Payload, read
from gateway_mqtt.sparkplug.testing import Heard
from sparkplug_recorder import CONNECT, DISCONNECT, PINGREQ, PUBLISH, SUBSCRIBE
from sparkplug_scenario import GROUP, HOST, NODE, Capture

BIRTHS, DATA = ("NBIRTH", "DBIRTH"), ("NDATA", "DDATA")
SEQUENCED = (*BIRTHS, *DATA, "DDEATH")
INT64, INT32, BOOLEAN = 4, 3, 11
# Clause 6.4.16, basic types and those of metrics; 20 and 21 are of properties.
TYPES = range(1, 35)


def _kind(topic: str) -> str:
    return topic.split("/")[2]


def _sessions(capture: Capture) -> Iterator[list[tuple[str, Payload]]]:
    """Yield what each connection published, as it went over the wire, NDEATH aside."""
    for connection in capture.connections:
        yield [
            (packet.topic, read(packet.octets))
            for packet in connection.published
            if _kind(packet.topic) != "NDEATH"
        ]


def _metrics(capture: Capture, *kinds: str) -> Iterator[tuple[Heard, Metric]]:
    for heard, payload in capture.of(*kinds):
        for metric in payload.metrics:
            yield heard, metric


def _known(payload: Payload) -> set[int]:
    return {metric.alias for metric in payload.metrics if metric.alias is not None}


# Topics


def topics(capture: Capture) -> None:
    """spBv1.0/group/type/node, and a device behind it."""
    assert {each.kind for each in capture.heard} == {*SEQUENCED, "NDEATH"}
    for each in capture.heard:
        namespace, group, kind, node, *device = each.topic.split("/")
        assert (namespace, group, node) == ("spBv1.0", GROUP, NODE)
        assert len(device) == (1 if kind.startswith("D") else 0)


def topic_names(capture: Capture) -> None:
    """No level has a sign that topics reserve, and each is UTF-8 text (paho decoded it)."""
    for each in capture.heard:
        for level in each.topic.split("/"):
            assert level
            assert not set(level) & set("+#\0")


def devices_differ(capture: Capture) -> None:
    """Each device has a name of its own among the births of the node."""
    for session in _sessions(capture):
        names = [topic for topic, _ in session if _kind(topic) == "DBIRTH"]
        assert names, session
        break
    assert {each.device for each, _ in capture.of("DBIRTH")} == {"field", "yard"}


def case_of_names(capture: Capture) -> None:
    """No two devices, and no two metrics of one birth, differ in case only."""
    devices = {each.device for each in capture.heard}
    assert len({name.lower() for name in devices}) == len(devices)
    for _, payload in capture.of(*BIRTHS):
        names = [metric.name or "" for metric in payload.metrics]
        assert len({name.lower() for name in names}) == len(names)


# How messages are published


def _qos_0_not_retained(capture: Capture, kind: str) -> None:
    for connection in capture.connections:
        for packet in connection.published:
            if _kind(packet.topic) == kind:
                assert (packet.qos, packet.retain) == (0, False)
    found = [each for each in capture.heard if each.kind == kind]
    assert found
    assert {(each.qos, each.retain) for each in found} == {(0, False)}


def nbirth_mqtt(capture: Capture) -> None:
    """QoS 0 and no retain flag, on the wire and at the subscriber."""
    _qos_0_not_retained(capture, "NBIRTH")


def dbirth_mqtt(capture: Capture) -> None:
    """QoS 0 and no retain flag, on the wire and at the subscriber."""
    _qos_0_not_retained(capture, "DBIRTH")


def ndata_mqtt(capture: Capture) -> None:
    """QoS 0 and no retain flag, on the wire and at the subscriber."""
    _qos_0_not_retained(capture, "NDATA")


def ddata_mqtt(capture: Capture) -> None:
    """QoS 0 and no retain flag, on the wire and at the subscriber."""
    _qos_0_not_retained(capture, "DDATA")


def ddeath_mqtt(capture: Capture) -> None:
    """QoS 0 and no retain flag, on the wire and at the subscriber."""
    _qos_0_not_retained(capture, "DDEATH")


def payloads_are_readable(capture: Capture) -> None:
    """Every payload is taken apart by a reader that shares nothing with the writer."""
    for each in capture.heard:
        read(each.octets)


# Sessions


def clean_session(capture: Capture) -> None:
    """Clean session (3.1.1) or clean start without a session expiry (5.0)."""
    assert capture.connections
    for connection in capture.connections:
        assert connection.level == (5 if capture.version == "5" else 4)
        assert connection.clean
        assert connection.expiry == 0


def will(capture: Capture) -> None:
    """Each CONNECT has an NDEATH as its will: topic, QoS 1, not retained, bdSeq alone."""
    for connection in capture.connections:
        assert connection.packets[0].type == CONNECT
        assert connection.will is not None
        assert connection.will.topic == f"spBv1.0/{GROUP}/NDEATH/{NODE}"
        assert (connection.will.qos, connection.will.retain) == (1, False)
        _is_death(read(connection.will.octets))


def _is_death(payload: Payload) -> int:
    assert payload.seq is None
    (metric,) = payload.metrics
    assert (metric.name, metric.datatype) == ("bdSeq", INT64)
    assert metric.value_field == "long_value"
    assert 0 <= metric.raw <= 255
    return int(metric.raw)


def bdseq_increments(capture: Capture) -> None:
    """bdSeq is 0 at the first CONNECT and one more at each, over a restart of the gateway, too."""
    assert len(capture.connections) == 4
    numbers = [
        _is_death(read(connection.will.octets))
        for connection in capture.connections
        if connection.will is not None
    ]
    assert numbers == [0, 1, 2, 3]


def bdseq_of_births(capture: Capture) -> None:
    """Every NBIRTH of a connection has the bdSeq of its will."""
    for connection in capture.connections:
        assert connection.will is not None
        number = _is_death(read(connection.will.octets))
        births = [p for p in connection.published if _kind(p.topic) == "NBIRTH"]
        assert births
        for packet in births:
            metric = read(packet.octets).named("bdSeq")
            assert (metric.datatype, metric.raw) == (INT64, number)


def deaths_match(capture: Capture) -> None:
    """Every NDEATH that was heard has the bdSeq of the NBIRTH before it, and nothing else."""
    born = None
    found = 0
    for each in capture.heard:
        if each.kind == "NBIRTH":
            born = each.payload.named("bdSeq").raw
        if each.kind == "NDEATH":
            found += 1
            assert _is_death(each.payload) == born
    # The host went offline, the wire was cut, two orderly ends.
    assert found == 4


def death_by_will(capture: Capture) -> None:
    """Cut off, the node dies by its will: the subscriber hears what CONNECT had promised."""
    (cut,) = [connection for connection in capture.connections if connection.cut]
    assert cut.will is not None
    assert not [p for p in cut.published if _kind(p.topic) == "NDEATH"]
    assert cut.packets[-1].type != DISCONNECT
    first = next(each for each in capture.heard[capture.marks["cut"] :] if each.kind == "NDEATH")
    assert (first.topic, first.octets) == (cut.will.topic, cut.will.octets)
    assert not first.retain


def orderly_end(capture: Capture) -> None:
    """Where the node leaves by itself, NDEATH and DISCONNECT are its last two packets."""
    left = [connection for connection in capture.connections if not connection.cut]
    assert len(left) == 3
    for connection in left:
        death, end = connection.packets[-2:]
        assert (death.type, _kind(death.topic)) == (PUBLISH, "NDEATH")
        assert end.type == DISCONNECT


def births_first(capture: Capture) -> None:
    """NBIRTH is the first message of each connection; DBIRTHs follow before any data."""
    for session in _sessions(capture):
        kinds = [_kind(topic) for topic, _ in session]
        assert kinds[0] == "NBIRTH"
        first = next((i for i, kind in enumerate(kinds) if kind in DATA), len(kinds))
        assert set(kinds[1:first]) <= {"DBIRTH"}


def connected_first(capture: Capture) -> None:
    """Nothing is published before CONNECT, and nothing before the subscriptions."""
    for connection in capture.connections:
        kinds = [packet.type for packet in connection.packets if not packet.came]
        assert kinds[:2] == [CONNECT, SUBSCRIBE]


def subscribes_ncmd(capture: Capture) -> None:
    """NCMD of the node, at QoS 1."""
    for connection in capture.connections:
        assert (f"spBv1.0/{GROUP}/NCMD/{NODE}", 1) in _filters(connection)


def subscribes_dcmd(capture: Capture) -> None:
    """DCMD of each device that has something to write, at QoS 1."""
    for connection in capture.connections:
        found = [name for name, _ in _filters(connection) if "/DCMD/" in name]
        assert found == [f"spBv1.0/{GROUP}/DCMD/{NODE}/field"]
        assert (found[0], 1) in _filters(connection)


def subscribes_state(capture: Capture) -> None:
    """STATE of the primary host."""
    for connection in capture.connections:
        assert (f"spBv1.0/STATE/{HOST}", 1) in _filters(connection)


def _filters(connection) -> list[tuple[str, int]]:  # type: ignore[no-untyped-def]
    return [f for packet in connection.packets for f in packet.filters]


def one_server(capture: Capture) -> None:
    """A connection has said its last before the next begins: the node has one at a time."""
    assert all(c.packets[-1].type == DISCONNECT or c.cut for c in capture.connections)


# The primary host


def waits_for_host(capture: Capture) -> None:
    """Nothing is published before a STATE of the host itself says online."""
    assert capture.marks["waiting"] == 0
    assert capture.marks["online"] == 0
    for connection in capture.connections:
        online = False
        for packet in connection.packets:
            if packet.type != PUBLISH:
                continue
            if packet.came:
                if packet.topic.startswith("spBv1.0/STATE/"):
                    assert packet.topic == f"spBv1.0/STATE/{HOST}"
                    online = online or b'"online": true' in packet.octets
            else:
                assert online, packet.topic
        assert online


def offline_ends(capture: Capture) -> None:
    """A newer STATE that says offline: NDEATH, DISCONNECT, and a new CONNECT that waits."""
    first, second = capture.connections[:2]
    came = [i for i, p in enumerate(first.packets) if p.came and b"false" in p.octets]
    behind = [p for p in first.packets[came[-1] + 1 :] if p.type not in (4, PINGREQ)]
    assert [p.type for p in behind] == [PUBLISH, DISCONNECT]
    assert _kind(behind[0].topic) == "NDEATH"
    waited = second.packets[: capture.state_topics["away"]]
    assert not [p for p in waited if p.type == PUBLISH and not p.came]
    assert [each.kind for each in capture.between("offline", "again")] == ["NDEATH"]


def outdated_offline(capture: Capture) -> None:
    """An offline STATE older than the last online one changes nothing."""
    heard = capture.between("outdated", "offline")
    assert {each.kind for each in heard} <= set(DATA)
    assert [m.raw for each in heard for m in each.payload.metrics if each.device] == [13.0]
    assert capture.counters["outdated_states"] == 1


# Sequence numbers and times


def sequence(capture: Capture) -> None:
    """0 in NBIRTH, then one more in each message of the node, 0 after 255, in every session."""
    wrapped = 0
    for session in _sessions(capture):
        before = None
        for topic, payload in session:
            if _kind(topic) == "NBIRTH":
                assert payload.seq == 0
            else:
                assert before is not None
                assert payload.seq == (before + 1) % 256
                wrapped += payload.seq == 0
            before = payload.seq
    assert wrapped >= 1
    kinds = {_kind(topic) for session in _sessions(capture) for topic, _ in session}
    assert kinds == set(SEQUENCED)


def timestamps(capture: Capture) -> None:
    """Each payload says when it was sent: ms since 1970 UTC, between begin and end of the day."""
    for each in capture.heard:
        time = each.payload.timestamp
        assert time is not None
        assert capture.started // 10**6 <= time <= capture.ended // 10**6


def metric_timestamps(capture: Capture) -> None:
    """Each metric of births and data says when: ms since 1970 UTC, two hours back at the most."""
    for _, metric in _metrics(capture, *BIRTHS, *DATA):
        assert metric.timestamp is not None
        assert capture.started // 10**6 - 7_200_000 <= metric.timestamp
        assert metric.timestamp <= capture.ended // 10**6


# Metrics


def births_are_whole(capture: Capture) -> None:
    """Each metric of a birth has name, datatype, and a value or is_null."""
    for _, metric in _metrics(capture, *BIRTHS):
        assert metric.name
        assert metric.datatype in TYPES
        if metric.is_null:
            assert metric.value_field == ""
        else:
            assert metric.value_field
    assert any(m.is_null for _, m in _metrics(capture, "DBIRTH") if m.name == "feeder1/never")


def births_are_complete(capture: Capture) -> None:
    """Data never has a metric that the birth before it, of the node or the device, has not."""
    known: dict[str, set[int]] = {}
    for each in capture.heard:
        if each.kind in BIRTHS:
            known[each.device] = _known(each.payload)
        if each.kind in DATA:
            assert _known(each.payload) <= known[each.device]
    names = {m.name for h, m in _metrics(capture, "DBIRTH") if h.device == "field"}
    assert names == {"feeder1/voltage", "feeder1/breaker", "feeder1/never"}
    names = {m.name for h, m in _metrics(capture, "DBIRTH") if h.device == "yard"}
    assert names == {"yard/steps", "yard/switch"}


def current_values(capture: Capture) -> None:
    """A birth has the last value that was there: after the rebirth that of the data before it."""
    last: dict[int | None, object] = {}
    for each in capture.heard[: capture.marks["rebirth"]]:
        if each.kind in ("DDATA", "DBIRTH"):
            last |= {m.alias: m.raw for m in each.payload.metrics}
    reborn = [
        m
        for each in capture.between("rebirth", "reborn")
        if each.kind == "DBIRTH"
        for m in each.payload.metrics
    ]
    assert len(reborn) == 5
    for metric in reborn:
        assert metric.raw == last[metric.alias]


def aliases(capture: Capture) -> None:
    """Births: a name and an alias of its own in the whole node; data: the alias alone.

    bdSeq and Node Control/Rebirth are in no data message and have none (clause 5.16).
    """
    for session in _sessions(capture):
        taken: dict[int, str] = {}
        for topic, payload in session:
            kind = _kind(topic)
            for metric in payload.metrics:
                if kind in DATA:
                    assert metric.name is None
                    assert metric.alias in taken
                elif metric.name in ("bdSeq", "Node Control/Rebirth"):
                    assert metric.alias is None
                else:
                    assert metric.alias is not None
                    name = f"{topic.replace('BIRTH', '')}/{metric.name}"
                    assert taken.setdefault(metric.alias, name) == name


def data_without_datatype(capture: Capture) -> None:
    """NDATA and DDATA leave the datatype to the birth."""
    assert all(metric.datatype is None for _, metric in _metrics(capture, *DATA))


def rebirth_metric(capture: Capture) -> None:
    """Node Control/Rebirth: Boolean, false, without an alias."""
    for _, payload in capture.of("NBIRTH"):
        metric = payload.named("Node Control/Rebirth")
        assert (metric.datatype, metric.raw, metric.alias) == (BOOLEAN, False, None)


def chronological(capture: Capture) -> None:
    """In a payload what is not historical stands in the order of its times."""
    most = 0
    for each in capture.heard:
        if each.kind in (*BIRTHS, *DATA):
            times = [m.timestamp for m in each.payload.metrics if not m.is_historical]
            assert times == sorted(times)
            most = max(most, len(times))
    assert most >= 3


def by_exception(capture: Capture) -> None:
    """Data is what changed: nothing is said twice, neither behind a birth nor behind data."""
    said: dict[tuple[str, int | None], tuple[object, ...]] = {}
    for each in capture.heard:
        if each.kind in (*BIRTHS, *DATA):
            for m in each.payload.metrics:
                if m.is_historical:
                    continue
                key = (each.device, m.alias)
                now = (m.raw, m.timestamp, bool(m.is_null))
                if each.kind in DATA:
                    quality = m.properties.get("Quality")
                    assert said.get(key) != now or quality is not None
                said[key] = now


def every_change(capture: Capture) -> None:
    """Every voltage of the device is heard, in its order: live, in a birth, or as history."""
    heard: dict[float, int] = {}
    for each, metric in _metrics(capture, "DBIRTH", "DDATA"):
        if each.device == "field" and metric.value_field == "double_value":
            heard.setdefault(metric.raw, len(heard))
    sent = capture.emitted["voltage"]
    assert len(set(sent)) == len(sent)
    assert set(sent) <= set(heard)
    live = [
        m.raw
        for each, m in _metrics(capture, "DDATA")
        if m.value_field == "double_value" and each.device == "field" and not m.is_historical
    ]
    positions = [sent.index(value) for value in live]
    assert positions == sorted(positions)


def history(capture: Capture) -> None:
    """What waited for the host comes behind the births, flagged, in its order."""
    heard = capture.between("again", "cut")
    kinds = [each.kind for each in heard]
    assert kinds[:3] == ["NBIRTH", "DBIRTH", "DBIRTH"]
    old = [
        m.raw
        for each in heard[3:]
        for m in each.payload.metrics
        if each.device == "field" and m.is_historical
    ]
    assert old == [14.0, 15.0, 16.0, 17.0, 18.0]


def no_templates(capture: Capture) -> None:
    """No metric is a template or a data set."""
    for _, metric in _metrics(capture, *BIRTHS, *DATA):
        assert metric.value_field not in ("dataset_value", "template_value")
        assert metric.datatype not in (16, 19)


# Properties


def property_sets(capture: Capture) -> None:
    """As many keys as values; every value has the code of a type."""
    found = 0
    for _, metric in _metrics(capture, *BIRTHS, *DATA):
        assert metric.keys == metric.values == len(metric.properties)
        for each in metric.properties.values():
            found += 1
            assert each.type in (*TYPES, 20, 21)
    assert found


def quality_codes(capture: Capture) -> None:
    """Quality is an Int32 of 0, 192 or 500; all three were heard."""
    codes = set()
    for _, metric in _metrics(capture, *BIRTHS, *DATA):
        quality = metric.properties.get("Quality")
        if quality is not None:
            assert (quality.type, quality.field) == (INT32, "int_value")
            codes.add(quality.value)
    assert codes == {0, 192, 500}


# Devices


def device_death(capture: Capture) -> None:
    """A source that is lost: DDEATH of its device alone, with time and seq; back: DBIRTH."""
    lost = capture.between("lost", "back")
    (death,) = [each for each in lost if each.kind == "DDEATH"]
    assert death.device == "yard"
    assert death.payload.metrics == ()
    assert death.payload.timestamp is not None
    assert death.payload.seq is not None
    back = [each for each in capture.between("back", "rebirth") if each.device == "yard"]
    assert back[0].kind == "DBIRTH"
    between = itertools.takewhile(lambda e: e.kind != "DBIRTH", _after(capture, death))
    assert not [each for each in between if each.device == "yard"]


def _after(capture: Capture, death: Heard) -> list[Heard]:
    return capture.heard[capture.heard.index(death) + 1 :]


# Commands


def rebirth(capture: Capture) -> None:
    """A request brings NBIRTH and every DBIRTH, without deaths and without data between."""
    heard = capture.between("rebirth", "reborn")
    assert [each.kind for each in heard] == ["NBIRTH", "DBIRTH", "DBIRTH"]
    assert heard[0].payload.named("bdSeq").raw == 0
    assert capture.counters["rebirths"] == 1


def commands_arrive(capture: Capture) -> None:
    """A DCMD by alias at QoS 0 and one by name at QoS 1 reach the device, and data follows."""
    assert [value for _, value in capture.commands] == [1.0, 12.9]
    heard = [m.raw for e in capture.between("commands", "outdated") for m in e.payload.metrics]
    assert {True, 12.9} <= set(heard)
