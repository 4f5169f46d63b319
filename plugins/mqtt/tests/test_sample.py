"""The sample of the README, run by the command line against a real broker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from gateway_mqtt.payload import Payload
from gateway_mqtt.testing import Broker, Subscriber

FOLDER = Path(__file__).parent.parent


def test_the_sample_runs(tmp_path: Path, broker: Broker, subscriber: Subscriber) -> None:
    """`gateway run` of the sample publishes both feeders and their statuses, and ends with
    `offline` when it is told to stop.
    """
    text = (FOLDER / "sample.yaml").read_text()
    assert "127.0.0.1:1883" in text
    (tmp_path / "sample.yaml").write_text(text.replace("127.0.0.1:1883", str(broker.endpoint)))
    (tmp_path / "sample.csv").write_text((FOLDER / "sample.csv").read_text())
    gateway = subprocess.Popen(
        (Path(sys.executable).with_name("gateway"), "run", "sample.yaml"), cwd=tmp_path
    )
    try:
        first = subscriber.await_message(lambda heard: heard.topic == "workshop/feeder1")
        subscriber.await_message(lambda heard: heard.topic == "workshop/feeder2")
        gateway.terminate()
        assert gateway.wait(20) == 0
    finally:
        gateway.kill()
    subscriber.await_message(lambda heard: heard.payload == b"offline")
    payload = Payload.model_validate_json(first.payload)
    assert json.loads(first.payload)["device"] == "feeder1"
    assert set(payload.points) <= {"feeder1.voltage_a", "feeder1.breaker"}
