"""Channels and the stations behind them: frames to fragments, over TCP, TLS, UDP, serial lines.

from gateway_dnp3.channel import Line, Peer
"""

from gateway_dnp3.channel.line import Line, Tracer
from gateway_dnp3.channel.peer import Message, Peer, Unconfirmed
from gateway_dnp3.channel.udp import UdpChannel, UdpListener

__all__ = [
    "Line",
    "Message",
    "Peer",
    "Tracer",
    "UdpChannel",
    "UdpListener",
    "Unconfirmed",
]
