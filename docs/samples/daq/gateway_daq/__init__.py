"""Acquisition boxes: over TCP come blocks of 96 rows of three voltages, each after its index."""

import asyncio
from typing import Literal

import numpy as np

from gateway import Endpoint, hookimpl
from gateway.waveform import Channel, Waveform, WaveformSource

RATE = 4800
CHANNELS = tuple(Channel(name, 0.01, "V") for name in ("ua", "ub", "uc"))
BLOCK = 8 + 96 * 3 * 4


class Daq(WaveformSource):
    type: Literal["daq"] = "daq"
    device: Endpoint

    def stream(self):
        return RATE, CHANNELS

    async def run(self, ctx):
        async with asyncio.timeout(5.0):
            reader, writer = await asyncio.open_connection(self.device.host, self.device.port)
        try:
            ctx.up()
            while True:
                async with asyncio.timeout(2.0):
                    block = await reader.readexactly(BLOCK)
                index = int.from_bytes(block[:8], "big")
                samples = np.frombuffer(block, ">i4", offset=8).reshape(-1, 3).astype(np.int32)
                await ctx.emit_waveform(Waveform(RATE, CHANNELS, index, samples))
        finally:
            writer.close()


@hookimpl
def gateway_components():
    return [Daq]
