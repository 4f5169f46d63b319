"""What carries the frames of a `dnp3.outstation`."""

from __future__ import annotations

from enum import StrEnum


class Transport(StrEnum):
    """What carries the frames."""

    TCP = "tcp"
    TLS = "tls"
    UDP = "udp"
    SERIAL = "serial"
