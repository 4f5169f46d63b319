"""Ethernet of Linux: a ring of received frames, and frames that are sent when it is their time."""

from gateway.kernel.ring import Ring, RingCounts, Sender
from gateway.kernel.sampled import Frames

__all__ = ["Frames", "Ring", "RingCounts", "Sender"]
