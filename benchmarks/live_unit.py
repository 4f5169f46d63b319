"""A merging unit whose frames were made before: each is sent when its last sample is due.

python -m benchmarks.live_unit INTERFACE PROFILE SECONDS

Says how many were sent, and by how much the clock was past them at the end [ns].
"""

from __future__ import annotations

import sys
import time

from gateway_sv.disturbance import Disturbance, Disturbed
from gateway_sv.publisher import SampledValuesPublisher

from benchmarks.rig import urge
from gateway.ethernet import Frames, Sender

SECOND = 1_000_000_000
LEAD = 2
"""Seconds within which the frames are made."""


def main(interface: str, profile: str, seconds: float) -> None:
    unit = SampledValuesPublisher.model_validate(
        {
            "name": "unit", "interface": interface, "profile": profile,
            "signal": {"frequency": 50.07, "harmonics": {"3": 0.02, "5": 0.03, "7": 0.02}},
        }
    )  # fmt: skip
    sender = Sender(interface)
    first = (time.time_ns() // SECOND + LEAD) * unit.shape.rate
    batches = unit.frames(first, Disturbed(Disturbance(), 1, lambda what, n: None))
    wanted, made = round(seconds * unit.shape.frames), []
    while len(made) < wanted:
        made += next(batches)
    made = made[:wanted]
    frames = Frames.of([one.frame for one in made], [one.time for one in made])
    sent = 0
    while sent < wanted:
        part = slice(sent, None)
        rest = Frames(frames.data, frames.offset[part], frames.size[part], frames.time[part])
        sent += sender.send(rest)
    print(sent, time.time_ns() - made[-1].time)


if __name__ == "__main__":
    urge()
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
