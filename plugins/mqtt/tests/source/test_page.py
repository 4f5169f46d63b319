"""The page of the source: its sample is the file, and the file works with a broker and devices."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from commander import Commander
from gateway_mqtt import JsonSink, MqttSource
from gateway_mqtt.source.source import MqttSource as Source
from gateway_mqtt.source.template import FIELDS
from gateway_mqtt.testing import Broker, Device
from paho.mqtt.client import MQTTMessage

from gateway.testing import running

FOLDER = Path(__file__).parents[2]
PAGE = (FOLDER / "SOURCE.md").read_text()


@pytest.mark.parametrize("name", ["source.yaml", "source.csv"])
def test_the_page_shows_the_file(name: str) -> None:
    """What is read is what runs."""
    language = name.rpartition(".")[2]
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert (FOLDER / name).read_text() in blocks


def test_every_field_is_described() -> None:
    """Each field of the source, each column and each field of a template is on the page."""
    words = set(re.findall(r"`\{?([a-z_.]+)\}?`", PAGE))
    assert set(Source.model_fields) - {"name", "type", "reconnect"} <= words
    assert {f"plant.{name}" for name in Source.Point.model_fields} <= words
    assert set(FIELDS) <= words


async def test_the_sample_works(tmp_path: Path, broker: Broker) -> None:
    """Pump and valve as on the page: values, a command with a reply, one with feedback."""
    import yaml

    said = yaml.safe_load((FOLDER / "source.yaml").read_text())
    where = {"broker": str(broker.endpoint)}
    source = MqttSource.model_validate(said["sources"][0] | where)
    sink = JsonSink.model_validate(said["sinks"][0] | where)

    def obey(message: MQTTMessage) -> tuple[str, str, None]:
        if message.topic == "plant/valve/set":
            return "plant/valve", f'"{message.payload.decode()}"', None
        wanted = json.loads(message.payload)
        word = "ok" if wanted["limit"] != 2000 else "busy"
        return "plant/pump/reply", json.dumps({"id": wanted["id"], "status": word}), None

    points = (FOLDER / "source.csv").read_text()
    name = said["gateway"]["name"]
    async with running([source], [sink], points, data=tmp_path, name=name) as gw:
        await gw.until(lambda: gw.state("plant") == gw.state("mqtt") == "up")
        device = Device(broker.endpoint, "plant/+/set", obeys=obey)
        with device.connected(), Commander(broker, gateway=name).connected() as alice:
            text = re.search(r"-t plant/pump -m '(.*)'$", PAGE, re.MULTILINE)
            assert text is not None
            device.publish("plant/pump", text[1])
            await gw.until(lambda: gw.sample("pump.temperature").value == 61.5)
            # 2026-01-31T12:00:00Z, from `date -u +%s`.
            assert gw.sample("pump.speed").time == 1_769_860_800_000_000_000

            async def ask(point: str, value: object) -> str:
                return str((await asyncio.to_thread(alice.ask, point, value=value))["status"])

            assert await ask("pump.speed_limit", 1500) == "success"
            assert await ask("pump.speed_limit", 2000) == "already_active"
            assert await ask("pump.speed_limit", 3001) == "out_of_range"
            assert await ask("valve.position", True) == "success"
            assert gw.sample("valve.position").value == 1.0
    assert [m.payload for m in device.heard if m.topic == "plant/valve/set"] == [b"OPEN"]
