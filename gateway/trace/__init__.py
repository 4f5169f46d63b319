"""The protocol analyser: the last frames of each link, in words, and as a file for Wireshark."""

from gateway.trace.pcapng import Packet, Writer
from gateway.trace.ring import FIRST, LONGEST, Did, Frame, Ring
from gateway.trace.words import words

__all__ = ["FIRST", "LONGEST", "Did", "Frame", "Packet", "Ring", "Writer", "words"]
