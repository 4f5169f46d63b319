"""Channels: what carries DNP3 to other stations, over TCP, TLS, UDP and serial lines, in asyncio.

from gateway_dnp3.channel import Line, StreamChannel
"""

from gateway_dnp3.channel.channel import Channel, ChannelClosed
from gateway_dnp3.channel.line import Line, Tracer
from gateway_dnp3.channel.listener import Listener
from gateway_dnp3.channel.peer import Message, Peer, Unconfirmed
from gateway_dnp3.channel.serial import Parity, SerialChannel
from gateway_dnp3.channel.stream import StreamChannel
from gateway_dnp3.channel.udp import UdpChannel, UdpListener

__all__ = [
    "Channel",
    "ChannelClosed",
    "Line",
    "Listener",
    "Message",
    "Parity",
    "Peer",
    "SerialChannel",
    "StreamChannel",
    "Tracer",
    "UdpChannel",
    "UdpListener",
    "Unconfirmed",
]
