"""Channels: what carries the octets of DNP3, over TCP, TLS, UDP and serial lines, in asyncio."""
