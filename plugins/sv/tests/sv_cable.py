"""A cable: two interfaces of Ethernet that are joined (veth)."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass

PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Cable:
    """The names of its two ends."""

    near: str
    far: str

    def set(self, end: str, *words: str) -> None:
        ip("link", "set", end, *words)

    def ready(self) -> None:
        """Wait until both ends carry frames: the system attends to a new link a moment later, and
        until then drops what is sent without a word."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            shown = (ip("-j", "link", "show", one) for one in (self.near, self.far))
            links = [json.loads(text)[0] for text in shown]
            if all((one["operstate"], one["qdisc"]) == ("UP", "noqueue") for one in links):
                return
        raise TimeoutError(f"{self} carries no frames after {PATIENCE:g} s: {links}")


def ip(*words: str) -> str:
    """Run `ip`, and return what it prints."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f"ip {' '.join(words)}: {done.stderr.strip()}: the tests of plugins/sv make a cable of "
            "two interfaces; run them as root, or with CAP_NET_ADMIN and CAP_NET_RAW"
        )
    return done.stdout
