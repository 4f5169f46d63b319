"""TLS against a real mosquitto that asks for the gateway's certificate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gateway_mqtt import JsonSink, MqttSource
from gateway_mqtt.testing import Broker, Device, Subscriber

from gateway import Quality, Reconnect
from gateway.testing import Collector, Emitter, running
from gateway.testing.authority import Authority

POINTS = "name,field.at\nfeeder1.voltage,x\n"
NAME = "feeder1.voltage"
T = 1_700_000_000_000_000_000
PASSWORD = b"opensesame"


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Broker]:
    """A broker known by its address, that takes only certificates of its own authority."""
    authority = Authority(tmp_path, "authority")
    authority.issue("broker", "127.0.0.1")
    authority.issue("elsewhere", "192.0.2.1")
    authority.issue("gateway", password=PASSWORD)
    authority.issue("reader")
    Authority(tmp_path, "stranger").issue("intruder")
    with Broker(
        tmp_path,
        f"cafile {authority.file}",
        f"certfile {tmp_path / 'broker.pem'}",
        f"keyfile {tmp_path / 'broker.key'}",
        "require_certificate true",
    ).running() as broker:
        yield broker


def _sink(broker: Broker, folder: Path, **tls: Any) -> JsonSink:
    own = {
        "ca": folder / "authority.pem",
        "certificate": folder / "gateway.pem",
        "key": folder / "gateway.key",
        "password": PASSWORD.decode(),
    }
    return JsonSink.model_validate(
        {
            "name": "mqtt",
            "broker": str(broker.endpoint),
            "select": ["feeder*"],
            "tls": own | tls,
            "topic": "{gateway}",
            "reconnect": Reconnect(min=0.05, max=0.1),
        }
    )


async def test_samples_arrive_over_tls_with_client_certificates(
    tmp_path: Path, secure: Broker
) -> None:
    """An encrypted key is opened, both sides are verified, and a burst larger than any
    TLS record or socket buffer arrives whole and in order.
    """

    def certificate(client: Any) -> None:
        client.tls_set(
            str(tmp_path / "authority.pem"),
            str(tmp_path / "reader.pem"),
            str(tmp_path / "reader.key"),
        )

    field = Emitter(name="field")
    with Subscriber(secure.endpoint, "test", configure=certificate).listening() as subscriber:
        async with running([field], [_sink(secure, tmp_path)], POINTS, data=tmp_path) as gw:
            await gw.until(lambda: gw.state("mqtt") == "up")
            n = 100_000
            await field.emit([NAME] * n, np.arange(n) / 7, 0, T + np.arange(n), every=True)
            await gw.until(lambda: gw.ledger("mqtt").delivered == n)
            assert gw.counters("mqtt").get("disconnects", 0) == 0

            def rows() -> int:
                return sum(h.payload.count(b'"good"') for h in list(subscriber.heard))

            await gw.until(lambda: rows() >= n)
    times = [t for h in subscriber.heard for t in json.loads(h.payload)["time"]]
    assert times == list(range(T, T + n))


@pytest.mark.parametrize(
    ("tls", "words"),
    [
        ({"ca": "stranger.pem"}, "certificate is not good: self-signed certificate in"),
        ({"password": "wrong"}, "the password does not open the key"),
        ({"password": None}, "the key is encrypted and needs tls.password"),
    ],
)
async def test_what_cannot_be_verified_is_refused(
    tmp_path: Path, secure: Broker, tls: dict[str, Any], words: str
) -> None:
    """Another authority, or a key that does not open, ends the attempt with a sentence."""
    tls = {k: tmp_path / v if k == "ca" else v for k, v in tls.items()}
    field = Emitter(name="field")
    async with running([field], [_sink(secure, tmp_path, **tls)], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("mqtt") == "down")
        assert words in gw.status("mqtt").error


async def test_a_gateway_without_a_good_certificate_is_refused(
    tmp_path: Path, secure: Broker
) -> None:
    """The broker decides; the link says that it is down, and why as far as TLS tells."""
    intruder = {
        "certificate": tmp_path / "intruder.pem",
        "key": tmp_path / "intruder.key",
        "password": None,
    }
    field = Emitter(name="field")
    async with running([field], [_sink(secure, tmp_path, **intruder)], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("mqtt") == "down")
        assert "closed the connection" in gw.status("mqtt").error


@pytest.mark.parametrize(("verify", "state"), [("full", "down"), ("chain", "up"), ("none", "up")])
async def test_the_host_name_counts_unless_told_otherwise(
    tmp_path: Path, secure: Broker, verify: str, state: str
) -> None:
    """A certificate for another address is refused with `full`, and enough for `chain`."""
    secure.kill()
    for kind in ("pem", "key"):
        (tmp_path / f"broker.{kind}").write_bytes((tmp_path / f"elsewhere.{kind}").read_bytes())
    secure.start()
    field = Emitter(name="field")
    sink = _sink(secure, tmp_path, verify=verify)
    async with running([field], [sink], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("mqtt") == state)
        assert ("IP address mismatch" in gw.status("mqtt").error) is (state == "down")


async def test_a_broker_known_by_address_may_have_another_name(
    tmp_path: Path, secure: Broker
) -> None:
    """`server_name` is what the certificate must say, and the library is asked for nothing."""
    field = Emitter(name="field")
    for name, state in (("192.0.2.1", "down"), ("127.0.0.1", "up")):
        sink = _sink(secure, tmp_path, server_name=name)
        async with running([field], [sink], POINTS, data=tmp_path / name) as gw:
            await gw.until(lambda gw=gw, state=state: gw.state("mqtt") == state)


async def test_a_renewed_certificate_is_shown_at_the_next_connection(
    tmp_path: Path, secure: Broker
) -> None:
    """A certificate of a stranger is refused until a good one takes its place; no restart."""
    for kind in ("pem", "key"):
        (tmp_path / f"own.{kind}").write_bytes((tmp_path / f"intruder.{kind}").read_bytes())
    own = {"certificate": tmp_path / "own.pem", "key": tmp_path / "own.key", "password": None}
    field = Emitter(name="field")
    async with running([field], [_sink(secure, tmp_path, **own)], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("mqtt") == "down")
        for kind in ("pem", "key"):
            (tmp_path / f"own.{kind}").write_bytes((tmp_path / f"reader.{kind}").read_bytes())
        for _ in range(2):
            await gw.engine.certificates.look()
        await gw.until(lambda: gw.state("mqtt") == "up")


async def test_a_session_is_taken_up_again_over_tls(tmp_path: Path, secure: Broker) -> None:
    """What the broker kept comes in one go behind the CONNACK, also what TLS has read ahead:
    all of it is taken, and none acknowledged by anybody else before.
    """

    def certificate(client: Any) -> None:
        client.tls_set(
            str(tmp_path / "authority.pem"),
            str(tmp_path / "reader.pem"),
            str(tmp_path / "reader.key"),
        )

    tls = _sink(secure, tmp_path).tls
    source = MqttSource(name="field", broker=secure.endpoint, tls=tls)
    points = "name,deadband,field.topic\nv,always,dev/v\n"
    sink = Collector(name="out")
    with Device(secure.endpoint, configure=certificate).connected() as device:
        for expected in (0, 500):
            async with running([source], [sink], points, data=tmp_path) as gw:
                await gw.until(lambda: gw.state("field") == "up")
                await gw.until(lambda: len(_live(sink)) >= expected)  # noqa: B023
            for i in range(500):
                device.send("dev/v", f"{i}" + " " * 200)
            device.publish("dev/other", "1")
    assert _live(sink)[:500] == list(range(500))


def _live(sink: Collector) -> list[float]:
    return [row.value for row in sink.rows("v") if not row.quality & Quality.INVALID]
