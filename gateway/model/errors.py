"""Errors that cross the border between host and plugin."""

from __future__ import annotations

import os


class GatewayError(Exception):
    """The base of what the gateway raises on purpose."""


class LinkError(GatewayError):
    """A link cannot go on: the host logs the sentence, waits, and runs it again."""


class CustodyRefused(GatewayError):  # noqa: N818 - the word of the design
    """The gateway could not take the samples: the device must keep them."""


def reason(error: BaseException) -> str:
    """Say why something failed in words alone: no number, no address that was said already."""
    if isinstance(error, OSError):
        if error.errno is not None and error.errno > 0:
            return os.strerror(error.errno)
        if error.strerror:
            return error.strerror
    text = str(error)
    return text or type(error).__name__
