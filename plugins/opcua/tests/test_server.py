"""What a client finds, reads and may not do."""

# mypy: disable-error-code="attr-defined,arg-type"

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest
from asyncua import Client, ua
from gateway_opcua import OpcUaServer

from gateway import Quality
from gateway.testing import Emitter, running

TIME = 1_700_000_000_500_000_000
DEVICE = int(Quality.DEVICE_TIME)
NAMES = ["feeder1.voltage_a", "feeder1.power", "feeder1.factor", "feeder1.breaker"]
NAMES += ["feeder1.isolator", "feeder1.energy", "feeder1.fine"]


async def test_points_are_typed_variables_in_folders(serve: Any, connect: Any) -> None:
    """The model column or the dotted name makes the folders, kind and unit make the variable."""
    async with serve() as served, connect(served.url) as client:
        assert (await client.get_namespace_array())[1:3] == [
            "urn:grid-gateway:test",
            "urn:grid-gateway:test:points",
        ]
        for path, nodeid in [
            ("2:test/2:Feeder1/2:MMXU1/2:PhV/2:phsA", "ns=2;s=feeder1.voltage_a"),
            ("2:test/2:feeder1/2:power", "ns=2;s=feeder1.power"),
            ("2:test/2:feeder1/2:CB1", "ns=2;s=Feeder1.CB1"),
            ("2:test/2:_health/2:field/2:up", "ns=2;s=_health.field.up"),
        ]:
            node = await client.nodes.objects.get_child(path.split("/"))
            assert node.nodeid == ua.NodeId.from_string(nodeid)
        # DataType and TypeDefinition: numeric ids of OPC 10000-5 and OPC 10000-8
        for name, data_type, definition in [
            ("feeder1.voltage_a", 11, 17570),  # Double, AnalogUnitRangeType
            ("feeder1.power", 11, 17497),  # AnalogUnitType
            ("feeder1.factor", 11, 2368),  # AnalogItemType
            ("Feeder1.CB1", 1, 2373),  # Boolean, TwoStateDiscreteType
            ("feeder1.isolator", 7, 2376),  # UInt32, MultiStateDiscreteType
            ("feeder1.energy", 8, 17497),  # Int64
            ("feeder1.fine", 11, 17497),
        ]:
            node = client.get_node(f"ns=2;s={name}")
            assert (await node.read_data_type()).Identifier == data_type
            assert (await node.read_type_definition()).Identifier == definition
        voltage = client.get_node("ns=2;s=feeder1.voltage_a")
        assert (await voltage.read_description()).Text == "phase A"
        span = await (await voltage.get_child("0:EURange")).read_value()
        assert (span.Low, span.High) == (0.0, 400.0)
        unit = await (await voltage.get_child("0:EngineeringUnits")).read_value()
        # OPC 10000-8, 5.6.3: the UnitId of the common code VLT is its bytes as one number
        assert (unit.UnitId, unit.DisplayName.Text) == (0x564C54, "V")
        states = await client.get_node("ns=2;s=feeder1.isolator/EnumStrings").read_value()
        assert [state.Text for state in states] == ["intermediate", "off", "on", "bad"]
        parent = await client.get_node("ns=2;s=feeder1.power").get_parent()
        assert (await parent.read_browse_name()).Name == "feeder1"


async def test_a_read_shows_the_image_and_costs_no_delivery(serve: Any, connect: Any) -> None:
    """Values are read from the image; a point that nobody monitors is never delivered."""
    async with serve() as served, connect(served.url) as client:
        nodes = [client.get_node(f"ns=2;s={name}") for name in NAMES]
        nodes[3] = client.get_node("ns=2;s=Feeder1.CB1")
        before = [await node.read_data_value(raise_on_bad_status=False) for node in nodes]
        assert {value.StatusCode.value >> 31 for value in before} == {1}
        assert {value.Value.Value for value in before} == {None}
        taken = served.gateway.ledger("ua").taken  # of health points, before the server was up
        for step in range(100):
            raw = [step + 0.5, 7.25, -0.5, step % 2, 2, 2**40 + step, 15]
            await served.field.emit(NAMES, raw, DEVICE, TIME + step)
        values = [await node.read_data_value() for node in nodes]
        assert [value.Value.Value for value in values] == [
            99.5,
            7.25,
            -0.5,
            True,
            2,
            2**40 + 99,
            1.5,
        ]
        assert {value.StatusCode.name for value in values} == {"Good"}
        start = datetime.datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=datetime.UTC)
        assert values[0].SourceTimestamp == start
        assert (served.gateway.ledger("ua").taken, served.gateway.ledger("ua").delivered) == (
            taken,
            0,
        )


@pytest.mark.parametrize(
    ("wanted", "source", "server"),
    [("Source", 1, 0), ("Server", 0, 1), ("Both", 1, 1), ("Neither", 0, 0)],
)
async def test_a_read_has_the_stamps_that_were_asked_for(
    serve: Any, connect: Any, wanted: str, source: int, server: int
) -> None:
    """TimestampsToReturn decides which of the two time stamps comes (OPC 10000-4, 5.11.2)."""
    async with serve() as served, connect(served.url) as client:
        await served.field.emit(NAMES[:1], [1.0], DEVICE, TIME)
        params = ua.ReadParameters(
            TimestampsToReturn=ua.TimestampsToReturn[wanted],
            NodesToRead=[
                ua.ReadValueId(
                    NodeId=ua.NodeId("feeder1.voltage_a", 2), AttributeId=ua.AttributeIds.Value
                )
            ],
        )
        (value,) = await client.uaclient.read(params)
        found = (value.SourceTimestamp is not None, value.ServerTimestamp is not None)
        assert found == (bool(source), bool(server))


async def test_a_lost_link_keeps_the_value_and_says_so(serve: Any, connect: Any) -> None:
    """A device that is gone leaves its last value, uncertain, until it is back."""
    async with serve() as served, connect(served.url) as client:
        node = client.get_node("ns=2;s=feeder1.power")
        await served.field.emit(["feeder1.power"], [7.0])
        served.field.lose()
        await served.gateway.until(
            lambda: served.gateway.sample("feeder1.power").quality & Quality.OLD_DATA
        )
        value = await node.read_data_value(raise_on_bad_status=False)
        assert value.Value.Value == 7.0
        assert value.StatusCode.name == "UncertainNoCommunicationLastUsableValue"
        await served.field.stale(["feeder1.power"], Quality.INVALID | Quality.FAILURE)
        value = await node.read_data_value(raise_on_bad_status=False)
        assert (value.Value.Value, value.StatusCode.name) == (None, "BadDeviceFailure")


async def test_clients_change_nothing(serve: Any, connect: Any) -> None:
    """Writes are refused with BadNotWritable, changes of the address space with an error."""
    async with serve() as served, connect(served.url) as client:
        node = client.get_node("ns=2;s=feeder1.power")
        with pytest.raises(ua.uaerrors.BadNotWritable):
            await node.write_value(3.0)
        with pytest.raises(ua.uaerrors.BadNotWritable):
            await client.get_node(ua.ObjectIds.Server_NamespaceArray).write_value(["mine"])
        with pytest.raises(ua.uaerrors.BadNodeIdUnknown):
            await client.get_node("ns=2;s=nowhere").write_value(3.0)
        assert await node.get_user_access_level() == {ua.AccessLevel.CurrentRead}
        with pytest.raises(ua.UaStatusCodeError):
            await client.nodes.objects.add_folder(2, "mine")
        with pytest.raises(ua.UaStatusCodeError):
            await client.uaclient.register_server(ua.RegisteredServer(ServerUri="urn:mine"))


async def test_the_server_says_that_it_runs(serve: Any, connect: Any) -> None:
    """ServerStatus has state, product and a clock that goes."""
    async with serve() as served, connect(served.url) as client:
        status = await client.get_node(ua.ObjectIds.Server_ServerStatus).read_value()
        assert status.State == ua.ServerState.Running
        assert status.BuildInfo.ManufacturerName == "grid-gateway"
        clock = client.get_node(ua.ObjectIds.Server_ServerStatus_CurrentTime)
        first, deadline = await clock.read_value(), asyncio.get_running_loop().time() + 10
        while await clock.read_value() == first:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.05)


async def test_garbage_ends_one_connection_only(serve: Any, connect: Any) -> None:
    """Bytes that are no OPC UA, and a frame larger than a chunk, close their own socket."""
    async with serve() as served, connect(served.url) as client:
        port = int(served.url.rstrip("/").rpartition(":")[2])
        frames = [
            b"GET / HTTP/1.1\r\n\r\n",
            b"HELF\xff\xff\xff\xff" + bytes(100_000),
            b"HELF\x08\x00\x00\x00",
            b"MSGF\x20\x00\x00\x00" + bytes(24),
        ]
        for frame in frames:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(frame)
            writer.write_eof()
            async with asyncio.timeout(10):
                await reader.read()
            writer.close()
        assert await client.get_node("ns=2;s=feeder1.power").read_browse_name()


async def test_connections_are_bounded(serve: Any, connect: Any) -> None:
    """One client more than `max_clients` is turned away, and counted; the others go on."""
    async with serve(max_clients=1) as served, connect(served.url) as client:
        with pytest.raises((ua.UaError, OSError, TimeoutError)):
            await Client(served.url, timeout=2).connect()
        assert served.gateway.counters("ua")["connections_refused"] >= 1
        assert await client.get_node("ns=2;s=feeder1.power").read_browse_name()


async def test_the_port_is_free_after_a_stop_and_named_when_it_is_not(
    serve: Any, connect: Any, tmp_path: Any
) -> None:
    """A restart listens at the same port; a second server there stays down with a sentence."""
    points = "name,field.at\np,x\n"
    async with serve(points) as served:
        port = served.url.rstrip("/").rpartition(":")[2]
        (tmp_path / "other").mkdir()
        second = OpcUaServer(name="ua", listen=f"127.0.0.1:{port}", security=["none"])
        field = Emitter(name="field")
        async with running([field], [second], points, data=tmp_path / "other") as other:
            await other.until(lambda: other.status("ua").error, 60)
            assert other.status("ua").error.startswith(f"cannot listen at 127.0.0.1:{port}: ")
            assert "in use" in other.status("ua").error
        async with connect(served.url):
            pass
    async with serve(points, listen=f"127.0.0.1:{port}") as served, connect(served.url) as client:
        assert await client.get_node("ns=2;s=p").read_browse_name()
