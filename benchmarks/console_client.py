"""Clients of a console: event streams of all points, and pages as a browser has them open.

python -m benchmarks.console_client PORT STREAMS PAGES

Says "ready" when all have their first picture. Answers a line with: samples that the first stream
had, bytes that all streams had, drawings of tables that all pages were sent, streams that ended.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import uuid
from typing import Any

import aiohttp
import orjson
import socketio  # type: ignore[import-untyped]
import uvloop

HOST = "127.0.0.1"
LIMIT = 1 << 24
_INSIDE = r'(?:(?!"\d+":\{).)*?'
DRAWN = rf'"(\d+)":\{{{_INSIDE}"seq":(\d+){_INSIDE}"listener_id":"([0-9a-f-]+)","type":"shown"'
"""Number, state and listener of each element of a page that wants to know when it is drawn."""


class Stream:
    """Reads one event stream; the samples of the first are counted, the others' bytes only."""

    def __init__(self, port: int, counts: bool) -> None:
        self._port, self._counts = port, counts
        self.samples = self.bytes = 0
        self.ended = False
        self.begun = asyncio.Event()

    async def run(self) -> None:
        reader, writer = await asyncio.open_connection(HOST, self._port, limit=LIMIT)
        writer.write(f"GET /api/v1/stream HTTP/1.1\r\nHost: {HOST}:{self._port}\r\n\r\n".encode())
        try:
            if b" 200 " not in await reader.readline():
                raise RuntimeError((await reader.read(2000)).decode(errors="replace"))
            while data := await (reader.readline() if self._counts else reader.read(1 << 20)):
                self.begun.set()
                self.bytes += len(data)
                if self._counts and data.startswith(b'data: {"point"'):
                    self.samples += len(orjson.loads(data[6:])["point"])
        finally:
            self.ended = True
            self.begun.set()
            writer.close()


class Page:
    """The page of all points, and a browser that says of each table that it has drawn it."""

    def __init__(self, port: int) -> None:
        self._url = f"http://{HOST}:{port}"
        self._socket = socketio.AsyncClient(reconnection=False)
        self._listeners: dict[int, str] = {}
        self.drawn = 0
        self.begun = asyncio.Event()

    async def run(self) -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{self._url}/points") as answer:
            text = await answer.text()
        client = _found(r"'client_id': '([0-9a-f-]{36})'", text)
        self._client = client
        # The elements as the page is given them: which listener is told what was drawn.
        drawn = re.findall(DRAWN, text)
        self._listeners = {int(number): listener for number, _, listener in drawn}
        self._socket.on("update", self._updated)
        who = {
            "client_id": client, "tab_id": str(uuid.uuid4()), "document_id": str(uuid.uuid4()),
            "next_message_id": "0", "implicit_handshake": "true",
        }  # fmt: skip
        query = "&".join(f"{key}={value}" for key, value in who.items())
        await self._socket.connect(
            f"{self._url}?{query}", transports=["websocket"], socketio_path="/_nicegui_ws/socket.io"
        )
        for number, seq, _ in drawn:
            await self._shown(int(number), int(seq))
        await self._socket.wait()

    async def _updated(self, elements: dict[str, Any]) -> None:
        for number, element in elements.items():
            if not isinstance(element, dict) or "seq" not in (props := element.get("props", {})):
                continue
            for event in element.get("events", []):
                if event["type"] == "shown":
                    self._listeners[int(number)] = event["listener_id"]
            if "rows" in props:
                self.drawn += 1
                self.begun.set()
            await self._shown(int(number), props["seq"])

    async def _shown(self, number: int, seq: int) -> None:
        if number in self._listeners:
            said = {
                "id": number, "client_id": self._client,
                "listener_id": self._listeners[number], "args": [json.dumps(seq)],
            }  # fmt: skip
            await self._socket.emit("event", said)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"no {pattern} in the page")
    return found[1]


async def main(port: int, streams: int, pages: int) -> None:
    loop = asyncio.get_running_loop()
    opened = [Stream(port, number == 0) for number in range(streams)]
    shown = [Page(port) for _ in range(pages)]
    everybody: list[Stream | Page] = [*opened, *shown]
    tasks = [loop.create_task(one.run()) for one in everybody]
    async with asyncio.timeout(60):
        for one in everybody:
            await one.begun.wait()
    print("ready", flush=True)

    def answer() -> None:
        if not sys.stdin.readline():
            for task in tasks:
                task.cancel()
            loop.stop()
            return
        numbers = (
            sum(one.samples for one in opened[:1]),
            sum(one.bytes for one in opened),
            sum(one.drawn for one in shown),
            sum(one.ended for one in opened),
        )
        print(*numbers, flush=True)

    loop.add_reader(sys.stdin, answer)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:4])))
