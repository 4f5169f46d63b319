"""What the sessions of this folder are judged with."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture
def trace(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log, with the frames of links that trace them."""
    caplog.set_level(logging.INFO)
    return caplog
