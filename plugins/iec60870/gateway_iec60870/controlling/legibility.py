"""Whether what the other side sends can be read at all."""

from __future__ import annotations

import asyncio

from gateway import LinkError
from gateway_iec60870.asdu import AsduError, Sizes


class Legibility:
    """Remembers of one connection what could be read, and the first thing that could not.

    proven:    set when something could be that is not only an echo: until then the sizes are
               perhaps not the station's.
    complaint: what could not be read, a sentence; empty where nothing was.
    """

    def __init__(self, name: str, sizes: Sizes) -> None:
        """`name` is that of the other end."""
        self.proven = asyncio.Event()
        self.complaint = ""
        self._name = name
        self._sizes = sizes

    def failed(self, error: AsduError) -> None:
        """Take note of the first thing that could not be read."""
        sizes = self._sizes
        self.complaint = (
            f"what it sends cannot be read with cause_octets {sizes.cause}, "
            f"ca_octets {sizes.address}, ioa_octets {sizes.object}: {error}"
        )

    async def judge(self, within: float) -> None:
        """Wait until something can be read; raises LinkError after so many seconds without."""
        try:
            async with asyncio.timeout(within):
                await self.proven.wait()
        except TimeoutError:
            raise LinkError(f"{self._name}: {self.complaint}") from None

    async def undisputed(self) -> None:
        """Wait until something can be read, where something could not be."""
        if self.complaint:
            await self.proven.wait()
