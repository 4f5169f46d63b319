"""Channels: what carries a protocol's octets, over TCP, TLS and serial lines, in asyncio.

from gateway.channel import SerialChannel, StreamChannel
"""

from gateway.channel.channel import CHUNK, SEND_TIMEOUT, Channel, ChannelClosed
from gateway.channel.listener import Listener, Network, allows
from gateway.channel.serial import Parity, SerialChannel
from gateway.channel.stream import CONNECT_TIMEOUT, StreamChannel, address_text

__all__ = [
    "CHUNK",
    "CONNECT_TIMEOUT",
    "SEND_TIMEOUT",
    "Channel",
    "ChannelClosed",
    "Listener",
    "Network",
    "Parity",
    "SerialChannel",
    "StreamChannel",
    "address_text",
    "allows",
]
