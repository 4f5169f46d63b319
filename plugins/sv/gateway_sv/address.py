"""Addresses of Ethernet as they stand in the YAML."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

MacAddress = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$",
        description="six octets, parted by - or :",
        examples=["01-0C-CD-04-00-01"],
    ),
]


def octets(address: str) -> bytes:
    """Return the six octets of an address."""
    return bytes.fromhex(re.sub("[:-]", "", address))
