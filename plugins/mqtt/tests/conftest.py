"""A broker for each test that asks for one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway_mqtt.testing import Broker, Subscriber

# Lets the modules of this folder find each other.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A real mosquitto with an open door."""
    with Broker(tmp_path).running() as broker:
        yield broker


@pytest.fixture
def subscriber(broker: Broker) -> Iterator[Subscriber]:
    """An independent client that hears everything."""
    with Subscriber(broker.endpoint).listening() as subscriber:
        yield subscriber
