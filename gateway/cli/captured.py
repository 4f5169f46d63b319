"""Log lines that would spoil a live view: kept while it is shown, printed when it ends."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

LOG_KEPT = 200
"""Log records that are printed when the view ends, so that nothing was only on its screen."""


class _Capture(logging.Handler):
    """Keeps the last log lines, as the handler it stands in for would have written them."""

    def __init__(self, lines: deque[str], format_: Callable[[logging.LogRecord], str]) -> None:
        super().__init__()
        self._lines = lines
        self._format = format_

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self._format(record))


@contextmanager
def captured_log(console: Console) -> Iterator[deque[str]]:
    """Take the place of each log handler that writes to a terminal; print what came at the end."""
    lines: deque[str] = deque(maxlen=LOG_KEPT)
    swapped: list[tuple[logging.Logger, logging.Handler, logging.Handler]] = []
    for logger in (logging.getLogger(), logging.getLogger("gateway")):
        for handler in list(logger.handlers):
            stream = getattr(handler, "stream", None)
            if stream is None or not stream.isatty():
                continue
            capture: logging.Handler = _Capture(lines, handler.format)
            capture.setLevel(handler.level)
            logger.removeHandler(handler)
            logger.addHandler(capture)
            swapped.append((logger, handler, capture))
    try:
        yield lines
    finally:
        for logger, handler, capture in swapped:
            logger.removeHandler(capture)
            logger.addHandler(handler)
        for line in lines:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
