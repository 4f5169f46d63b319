"""The checks of frames, for protocols that carry them: `checksum.crc_dnp(data)`.

A module of its own, so that only plugins that need it load the kernel before a gateway runs.
"""

from gateway.kernel.checksum import crc_dnp, open_dnp, seal_dnp

__all__ = ["crc_dnp", "open_dnp", "seal_dnp"]
