"""The substation of configs/dnp3.yaml, commanded by a DNP3 master that nobody here wrote."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dnp3.core.enums import ControlCode
from dnp3.master import DefaultSOEHandler, Master, MasterConfig, MasterTcpRunner
from gateway_mqtt.payload import Payload
from gateway_mqtt.testing import Broker, Subscriber
from pymodbus.client import AsyncModbusTcpClient

from gateway.testing import free_ports

sys.path.insert(0, str(Path(__file__).parent))
from wiretap import Wiretap

pytestmark = pytest.mark.timeout(300)
SCADA, RELAY, CONTACTS, MQTT = 20001, 20002, 15025, 1883
BREAKER = 0
TOPIC = "north-substation/f1"
PATIENCE = 60.0


class Log(DefaultSOEHandler):
    """Keeps the events of the breaker: value and time."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker: list[tuple[bool, datetime]] = []

    def on_binary_input(self, values: list[Any], info: Any) -> None:
        super().on_binary_input(values, info)
        self.breaker += [
            (one.value, one.timestamp) for one in values if one.index == BREAKER and one.timestamp
        ]


async def moved(master: MasterTcpRunner, log: Log, *, closed: bool) -> datetime:
    """Wait for the unsolicited event that says so, and return its time."""
    async with asyncio.timeout(PATIENCE):
        while not log.breaker or log.breaker[-1][0] is not closed:
            await master.listen_unsolicited(timeout=1)
    return log.breaker[-1][1]


def published(closed: bool, time: datetime) -> Callable[[Any], bool]:
    """Whether a message has the breaker in this state, at this time to the millisecond."""

    def wanted(heard: Any) -> bool:
        said = Payload.model_validate_json(heard.payload)
        milliseconds = round(time.timestamp() * 1000)
        return any(
            (name, value) == ("f1.breaker", closed) and at // 10**6 == milliseconds
            for name, value, at in zip(said.points, said.values, said.time, strict=True)
        )

    return wanted


async def operate(master: MasterTcpRunner, code: ControlCode) -> None:
    """Select the breaker and operate it; status 0 is read off the wire later."""
    builder = master.master.command_builder().add_crob(BREAKER, code, on_time=200)
    await master.request(master.master.build_select(builder.build_select()))
    await master.request(master.master.build_operate(builder.build_operate()))


async def test_a_breaker_is_operated_through_two_lines(
    copied: Callable[[str], Any], start: Callable[[Path], Any], tmp_path: Path
) -> None:
    """Values, events with their time, and commands pass; tshark has nothing to say against it."""
    config = copied("dnp3.yaml")
    tapped = free_ports(2)
    config.replace(f"    port: {config.ports[RELAY]}\n", f"    port: {tapped[0]}\n")
    line = Wiretap(tapped[0], config.ports[RELAY])
    center = Wiretap(tapped[1], config.ports[SCADA])
    log = Log()
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(Broker(tmp_path).running())
        config.replace(f"broker: 127.0.0.1:{config.ports[MQTT]}", f"broker: {broker.endpoint}")
        subscriber = stack.enter_context(Subscriber(broker.endpoint, TOPIC).listening())
        await stack.enter_async_context(line.listening())
        await stack.enter_async_context(center.listening())
        gateway = start(config.path)
        await asyncio.to_thread(gateway.until, r"3/3 sources up, 3/3 sinks up")
        device = AsyncModbusTcpClient("127.0.0.1", port=config.ports[CONTACTS], retries=0)
        assert await device.connect()
        stack.callback(device.close)
        settings = MasterConfig(address=100, outstation_address=1024)
        master = await stack.enter_async_context(
            MasterTcpRunner(Master(handler=log, config=settings), "127.0.0.1", center.port)
        )

        async with asyncio.timeout(PATIENCE):
            while len(log.binary_inputs) < 3 or len(log.analog_inputs) < 3:
                await master.integrity_poll()
        assert log.binary_inputs[2].value
        assert 11.5 < log.analog_inputs[0].value < 13
        assert log.analog_inputs[2].value == 100
        assert log.counters[0].value >= 184300
        await master.enable_unsolicited()

        for code, closed in (
            (ControlCode.CLOSE_PULSE_ON, True),
            (ControlCode.TRIP_PULSE_ON, False),
        ):
            before = datetime.now(UTC)
            await operate(master, code)
            time = await moved(master, log, closed=closed)
            assert before < time < datetime.now(UTC)
            # The time that the relay gave it is that of both.
            await asyncio.to_thread(subscriber.await_message, published(closed, time))
            answer = await device.read_discrete_inputs(BREAKER, count=1)
            assert bool(answer.bits[0]) is closed

        setpoint = master.master.command_builder().add_analog(2, 130)
        await master.request(master.master.build_direct_operate(setpoint.build_direct_operate()))
        assert (await device.read_holding_registers(40, count=1)).registers == [130]
        beyond = master.master.command_builder().add_analog(2, 300)
        await master.request(master.master.build_direct_operate(beyond.build_direct_operate()))
        assert (await device.read_holding_registers(40, count=1)).registers == [130]
        await master.close()
        assert await asyncio.to_thread(gateway.end) == 0, gateway.stderr
    assert "Traceback" not in gateway.stderr

    line.write(tmp_path / "line.pcap")
    center.write(tmp_path / "center.pcap")
    # Every control of both lines was answered with success, but for the one beyond the limits:
    # 12 is out of range (IEEE 1815 table of control status codes).
    status = ("-Y", "dnp3.al.func == 129 && dnp3.al.ctrlstatus", "-T", "fields", "-e")
    assert dissected(tmp_path / "center.pcap", *status, "dnp3.al.ctrlstatus") == [
        "0", "0", "0", "0", "0", "12",
    ]  # fmt: skip
    assert set(dissected(tmp_path / "line.pcap", *status, "dnp3.al.ctrlstatus")) == {"0"}
    for name in ("line.pcap", "center.pcap"):
        assert len(dissected(tmp_path / name, "-Y", "dnp3.al.func == 130")) > 2
        wrong = "_ws.malformed || _ws.expert.severity >= 0x600000"
        assert dissected(tmp_path / name, "-Y", wrong) == []


def dissected(path: Path, *words: str) -> list[str]:
    """Return what tshark prints."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.fail("tshark is missing: apt-get install tshark")
    done = subprocess.run(
        [tshark, "-r", str(path), *words], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()
