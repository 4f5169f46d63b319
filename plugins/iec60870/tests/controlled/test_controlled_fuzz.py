"""Whatever octets come: a station does not raise, and what it answers can be read."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from gateway_iec60870.asdu import IEC104, parse

sys.path.insert(0, str(Path(__file__).parent))
from controlled_bench import Bench, octets, point

SEEDS = [
    "64 01 06 00 01 00 00 00 00 14",
    "65 01 06 00 01 00 00 00 00 05",
    "66 01 05 00 01 00 05 00 00",
    "67 01 06 00 01 00 00 00 00 00 00 00 0c 81 01 1a",
    "68 01 06 00 01 00 00 00 00 aa 55",
    "69 01 06 00 01 00 00 00 00 01",
    "6a 01 06 00 01 00 00 00 00 64 00",
    "6b 01 06 00 01 00 00 00 00 17 00 00 00 00 0c 81 01 1a",
    "2d 01 06 00 01 00 05 00 00 81",
    "3a 01 06 00 01 00 05 00 00 01 00 00 00 0c 81 01 1a",
    "32 01 06 00 01 00 06 00 00 00 00 48 41 00",
    "33 01 06 00 01 00 05 00 00 ef be ad de",
]


@pytest.mark.parametrize("seed", range(8))
async def test_any_octets(seed: int) -> None:
    """Mutations of what is said, and noise."""
    dice = random.Random(seed)
    points = [
        point(0, "status", {"model": "latch"}, ioa=5),
        point(1, "analog", {"model": "setpoint"}, ioa=6),
        point(2, "counter", ioa=7, counter_group=1),
    ]
    async with Bench.of(*points) as bench:
        bench.ctx.happen((0, 1, 0), (1, 2, 0), (2, 3, 0))
        await bench.sent()
        for _ in range(400):
            data = bytearray(octets(dice.choice(SEEDS)))
            for _ in range(dice.choice((0, 1, 1, 2, 9))):
                data[dice.randrange(len(data))] = dice.randrange(256)
            if dice.random() < 0.1:
                data = bytearray(dice.randbytes(dice.randrange(249)))
            elif dice.random() < 0.1:
                del data[dice.randrange(len(data)) :]
            await bench.controlled.take([bytes(data)])
            for answer in await bench.sent():
                parse(bytes.fromhex(answer), IEC104)
        assert not bench.ended
