"""The source against a real mosquitto and an independent device, under the real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gateway_mqtt import MqttSource
from gateway_mqtt.testing import Broker, Device

from gateway import Quality, Reconnect
from gateway.testing import Collector, running

POINTS = (
    "name,kind,field.topic,field.path,field.on,field.off\n"
    "meter.voltage,analog,plant/meter,u[0],,\n"
    "meter.current,analog,plant/meter,i.a,,\n"
    "bay.breaker,status,plant/breaker,,CLOSED,OPEN\n"
)
SOON = Reconnect(min=0.05, max=0.1)
T = 1_700_000_000_000_000_000


def _source(broker: Broker, /, **fields: Any) -> MqttSource:
    return MqttSource.model_validate(
        {"name": "field", "broker": str(broker.endpoint), "reconnect": SOON} | fields
    )


async def test_documents_become_samples(tmp_path: Path, broker: Broker) -> None:
    """Values stand where their paths say, with the device's time where it says one."""
    sink = Collector(name="out", select=["meter*", "bay*"])
    source = _source(broker, time_path="t", time="ms")
    async with running([source], [sink], POINTS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("field") == "up")
        with Device(broker.endpoint).connected() as device:
            device.publish(
                "plant/meter", json.dumps({"u": [230.5], "i": {"a": 4}, "t": T // 10**6})
            )
            device.publish("plant/breaker", '"CLOSED"')
            await gw.until(lambda: len(sink.rows("bay")) >= 1)
    rows = {row.name: row for row in sink.rows()}
    assert rows["meter.voltage"][1:] == (230.5, Quality.DEVICE_TIME, T)
    assert rows["meter.current"][1:] == (4.0, Quality.DEVICE_TIME, T)
    assert rows["bay.breaker"].value == 1.0
