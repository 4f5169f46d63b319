"""The transport function of DNP3: fragments to segments and back (IEEE 1815-2012, clause 8)."""

from gateway_dnp3.transport.reassembly import Reassembly
from gateway_dnp3.transport.segment import PAYLOAD, count, split

__all__ = ["PAYLOAD", "Reassembly", "count", "split"]
