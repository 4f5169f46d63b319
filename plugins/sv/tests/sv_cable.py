"""A cable: two interfaces of Ethernet that are joined (veth)."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cable:
    """The names of its two ends."""

    near: str
    far: str

    def set(self, end: str, *words: str) -> None:
        ip("link", "set", end, *words)


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f"ip {' '.join(words)}: {done.stderr.strip()}: the tests of plugins/sv make a cable of "
            "two interfaces; run them as root, or with CAP_NET_ADMIN and CAP_NET_RAW"
        )
