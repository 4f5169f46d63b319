"""Errors that cross the border between host and plugin."""

from __future__ import annotations


class GatewayError(Exception):
    """The base of what the gateway raises on purpose."""


class LinkError(GatewayError):
    """A link cannot go on: the host logs the sentence, waits, and runs it again."""


class CustodyRefused(GatewayError):  # noqa: N818 - the word of the design
    """The gateway could not take the samples: the device must keep them."""
