"""How other people's programs read the frames of a link."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dissector:
    """Which of Wireshark's dissectors reads the frames of a link, and what it wants to know.

    name:     as Wireshark has it: `mbtcp`, `dnp3.tcp`, `synphasor`; with `ethernet` it is not used.
    table:    where not every Wireshark finds it by its name: a dissector table in which it is at
              `port`, such as `tcp.port`.
    port:     well-known TCP port of the side that serves, by which some dissectors tell a request
              from an answer; 0 where nothing depends on it.
    serves:   whether the gateway is the side that serves.
    ethernet: whether each frame is a whole Ethernet frame, from its destination address on.
    """

    name: str
    port: int = 0
    table: str = ""
    serves: bool = False
    ethernet: bool = False
