"""The event stream over a socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from gateway_console import server

from gateway.testing import AccessSettings

STREAM = "/api/v1/stream"


@contextlib.asynccontextmanager
async def following(
    client: httpx.AsyncClient, events: Any, last: str = "", **params: Any
) -> AsyncIterator[Callable[[], Any]]:
    """Open a stream; what is given returns its next event within 5 s."""
    headers = {"Last-Event-ID": last} if last else {}
    async with client.stream("GET", STREAM, params=params, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events(answer)

        async def following_event() -> Any:
            async with asyncio.timeout(5):
                return await anext(told)

        yield following_event


async def test_an_image_and_then_what_changes(serve: Any, events: Any) -> None:
    """Values, qualities and names of the points that were asked for, and of no others."""
    async with serve() as served, served.client() as client:
        await served.field.emit(["bay1.voltage"], [230.0])
        async with following(client, events, name="bay1.*", links=False) as following_event:
            image = await following_event()
            assert image.kind == "image"
            assert image.data["point"] == ["bay1.voltage", "bay1.breaker", "bay1.setpoint"]
            assert image.data["value"] == [230.0, None, None]
            await served.field.emit(["bay2.energy", "bay1.voltage"], [1.0, 231.0])
            samples = await following_event()
            assert (samples.kind, samples.data["point"]) == ("samples", ["bay1.voltage"])
            assert samples.data["value"] == [231.0]
            assert samples.data["quality"] == ["good"]


async def test_a_stream_that_broke_off_goes_on(serve: Any, events: Any) -> None:
    """With the id of its last event it gets what it missed; with another one a gap is said."""
    async with serve() as served, served.client() as client:
        asked: dict[str, Any] = {"name": "bay1.voltage", "links": False}
        async with following(client, events, **asked) as following_event:
            await following_event()
            await served.field.emit(["bay1.voltage"], [1.0])
            last = (await following_event()).id
        await served.field.emit(["bay1.voltage"], [2.0])
        await served.gateway.until(lambda: served.gateway.held("desk") == 0)
        async with following(client, events, last, **asked) as following_event:
            missed = await following_event()
            assert (missed.kind, missed.data["value"]) == ("samples", [2.0])
        for unknown in ("1-1", "nonsense", f"{last.split('-')[0]}-999"):
            async with following(client, events, unknown, **asked) as following_event:
                gap, image = await following_event(), await following_event()
                assert (gap.kind, image.kind) == ("gap", "image")
                assert image.data["value"] == [2.0]


async def test_a_link_that_drops_is_told(serve: Any, events: Any) -> None:
    """With its name, its state and why; and again when it is back."""
    async with (
        serve() as served,
        served.client() as client,
        following(client, events, name="nothing*") as following_event,
    ):
        await following_event()
        served.field.lose("the cable is cut")
        told = await following_event()
        assert (told.kind, told.data["name"]) == ("link", "field")
        assert (told.data["state"], told.data["error"]) == ("down", "the cable is cut")
        back = await following_event()
        assert (back.data["name"], back.data["state"]) == ("field", "up")


async def test_nothing_is_watched_without_a_stream(serve: Any, events: Any) -> None:
    """Before, and after the time to resume, samples do not cost the console anything."""
    async with serve(stream_resume="0s") as served, served.client() as client:

        async def moves(value: float) -> int:
            before = served.gateway.ledger("desk").taken
            await served.field.emit(["bay1.voltage"], [value])
            return int(served.gateway.ledger("desk").taken - before)

        assert await moves(1.0) == 0
        async with following(client, events, name="bay1.voltage", links=False) as following_event:
            await following_event()
            assert await moves(2.0) == 1
        ledger = served.gateway.ledger("desk")
        await served.gateway.until(lambda: ledger.pending == 0)

        async def quiet() -> bool:
            return await moves(asyncio.get_running_loop().time()) == 0

        async with asyncio.timeout(5):
            while not await quiet():
                await asyncio.sleep(0.05)


async def test_streams_are_bounded(serve: Any, events: Any) -> None:
    """One more than allowed is asked to come later; when one has left there is room."""
    async with serve(max_streams=1) as served, served.client() as client:
        async with following(client, events) as following_event:
            await following_event()
            answer = await client.get(STREAM)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")

        async with asyncio.timeout(5):
            while True:
                async with client.stream("GET", STREAM) as again:
                    if again.status_code == 200:
                        break
                await asyncio.sleep(0.02)


async def test_a_client_that_takes_nothing_is_dropped_and_counted(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection ends after the time to stall, and no other stream is in its way."""
    names = [f"p{i}" for i in range(2000)]
    points = "name,field.at\n" + "".join(f"{name},x\n" for name in names)
    async with serve(points, stream_stall="200ms") as served:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(raw, ("127.0.0.1", httpx.URL(served.url).port))
        await loop.sock_sendall(raw, b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        value = 0.0
        async with asyncio.timeout(20):
            while "slow_clients" not in served.gateway.counters("desk"):
                value += 1
                await served.field.emit(names, [value] * len(names))
                await asyncio.sleep(0.01)
        raw.close()
        await served.gateway.until(lambda: served.gateway.held("desk") == 0)


async def test_a_stream_ends_with_its_session(
    serve: Any, access: AccessSettings, events: Any
) -> None:
    """A log-out ends the streams of the session, with a word."""
    async with (
        serve(access=access) as served,
        served.client(token=await served.token("victor")) as client,
        following(client, events, links=False, name="bay2.*") as following_event,
    ):
        await following_event()
        assert (await client.post("/api/v1/logout")).status_code == 204
        end = await following_event()
        assert (end.kind, end.data["detail"]) == ("end", "the session has ended")


async def test_a_stream_has_the_points_of_the_role(
    serve: Any, access: AccessSettings, events: Any
) -> None:
    """Whatever is asked for."""
    async with (
        serve(access=access) as served,
        served.client(token=await served.token("bernd")) as client,
        following(client, events, name="*", links=False) as following_event,
    ):
        image = await following_event()
        assert set(image.data["point"]) == {"bay1.voltage", "bay1.breaker", "bay1.setpoint"}


async def test_a_gateway_that_ends_ends_its_streams(serve: Any, events: Any) -> None:
    """In order, and at once: nobody waits for a client that listens for ever."""
    loop = asyncio.get_running_loop()
    async with serve() as served, served.client() as client, client.stream("GET", STREAM) as answer:
        told = events(answer)
        assert (await anext(told)).kind == "image"
        begun = loop.time()
        await served.gateway.stop()
        assert [one async for one in told if one.kind == "image"] == []
        assert loop.time() - begun < server.GRACE + 1
