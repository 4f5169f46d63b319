"""Frames of C37.118.2: what a data frame costs in batches, beside struct and binascii.

A frame has 108 octets: ten phasors in floats, frequency, its rate of change and a digital word; or
as many integers as fit there.  500 of them are in a call, as a concentrator has them at a time.
The reference is the fastest that plain Python has: one `struct.Struct` for the whole frame and
`binascii.crc_hqx` for the check; it scales and keeps nothing, and makes no quality.
Times are CPU times of this thread, taken in turns.

`python -m benchmarks.c37` prints a table; `run()` returns the figures.
"""

from __future__ import annotations

import binascii
import statistics
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.kernel import ratio, turns
from gateway.kernel import (
    Configuration,
    DataLayout,
    DigitalWord,
    FrameKind,
    PhasorChannel,
    PmuConfiguration,
    decode_configuration,
)

FRAMES, OCTETS, NOMINAL = 500, 108, 50
SECOND = 1_700_000_000
FORMATS: dict[str, tuple[int, dict[str, Any]]] = {
    "floats": (10, {"float_phasors": True, "float_frequency": True, "polar": True}),
    "integers": (21, {}),
    "integers, polar": (21, {"polar": True}),
}
GOALS = {
    f"{way}, floats: {what}": goal
    for way in ("pack", "unpack")
    for what, goal in (("ns per frame", "<= 100"), ("of struct and crc_hqx", ">= 10"))
}


def stream(phasors: int, form: dict[str, Any]) -> Configuration:
    """Return a stream whose frames have 108 octets."""
    channels = tuple(PhasorChannel(f"V{i}", 0.25) for i in range(phasors))
    word = DigitalWord(tuple(f"bit {i}" for i in range(16)))
    pmu = replace(PmuConfiguration("A", 7, channels, (), (word,)), **form)
    return Configuration(7, (pmu,), NOMINAL)


def calls(phasors: int, form: dict[str, Any]) -> list[Callable[[], object]]:
    """Return pack and unpack of a batch, each followed by the same in plain Python."""
    configuration = stream(phasors, form)
    layout = DataLayout(configuration)
    assert layout.size == OCTETS
    rows, back = layout.rows(FRAMES), layout.rows(FRAMES)
    rows.count = FRAMES
    rows.time[:] = SECOND * 10**9 + np.arange(FRAMES) * (10**9 // NOMINAL)
    rows.phasor[:] = np.random.default_rng(1).uniform(0, 3, rows.phasor.shape)
    rows.frequency[:] = 50.01
    octets, unfit = layout.pack(rows)
    assert unfit == 0
    floats = form.get("float_phasors", False)
    whole = struct.Struct(f">HHHIIH{2 * phasors + 2}{'f' if floats else 'h'}H")
    fields = [whole.unpack(octets[i : i + OCTETS - 2]) for i in range(0, len(octets), OCTETS)]

    def pack() -> object:
        return layout.pack(rows)

    def pack_plain() -> object:
        frames = []
        for values in fields:
            frame = whole.pack(*values)
            frames.append(frame + binascii.crc_hqx(frame, 0xFFFF).to_bytes(2))
        return b"".join(frames)

    def unpack() -> object:
        back.count = 0
        return layout.unpack(octets, back)

    def unpack_plain() -> object:
        found = []
        for i in range(0, len(octets), OCTETS):
            frame = octets[i : i + OCTETS - 2]
            if binascii.crc_hqx(frame, 0xFFFF) == int.from_bytes(octets[i + 106 : i + 108]):
                found.append(whole.unpack(frame))
        return found

    assert unpack() == (FRAMES, len(octets))
    assert pack_plain() == octets
    assert unpack_plain() == fields
    return [pack, pack_plain, unpack, unpack_plain]


def run() -> dict[str, float]:
    """Return all figures by name."""
    figures = {}
    for name, (phasors, form) in FORMATS.items():
        packed, packed_plainly, unpacked, unpacked_plainly = turns(*calls(phasors, form))
        for way, mine, theirs in (
            ("pack", packed, packed_plainly),
            ("unpack", unpacked, unpacked_plainly),
        ):
            figures[f"{way}, {name}: ns per frame"] = statistics.median(mine) / FRAMES * 1e9
            figures[f"{way}, {name}: of struct and crc_hqx"] = ratio(theirs, mine)
    layout = DataLayout(stream(*FORMATS["floats"]))
    rows = layout.rows(1)
    rows.count = 1
    frame, _ = layout.pack(rows)

    def one() -> object:
        rows.count = 0
        return layout.unpack(frame, rows)

    config = stream(*FORMATS["floats"]).encode(FrameKind.CONFIG_2)
    single, reading = turns(one, lambda: decode_configuration(config))
    figures["unpack, one frame in a call: ns"] = statistics.median(single) * 1e9
    figures["configuration 2 of 10 phasors: ns"] = statistics.median(reading) * 1e9
    return figures


def main() -> None:
    """Print the figures, each with its goal where it has one."""
    for name, figure in run().items():
        print(f"{name:60} {figure:10.2f}   {GOALS.get(name, '')}")


if __name__ == "__main__":
    main()
