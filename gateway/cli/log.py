"""How the log is written: lines for people, or a JSON object for each record.

A collector of logs reads the objects; what is in them is a contract, and nothing else is.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from gateway.model.configuration import Configuration, LogFormat

TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def set_up(configuration: Configuration) -> None:
    """Let the process log to stderr, in the form and from the level on that `gateway` says."""
    settings = configuration.gateway
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(TEXT))
    if settings.log is LogFormat.JSON:
        links = [*configuration.sources, *configuration.sinks]
        handler.setFormatter(JsonLines(link.name for link in links))
        # What a library warns of becomes a record: nothing but objects is on stderr.
        logging.captureWarnings(True)
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)


class JsonLines(logging.Formatter):
    """Writes a record as one line: time, level, logger, message, and where there are, link and
    exception.

    links: names that the configuration has; a logger whose last part is one is that link's.
    """

    def __init__(self, links: Iterable[str]) -> None:
        super().__init__()
        self._links = frozenset(links)

    def format(self, record: logging.LogRecord) -> str:
        """Return the object; it is one also where the record's own arguments do not fit."""
        said: dict[str, Any] = {
            "time": moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        exception = ""
        try:
            said["message"] = record.getMessage()
        except Exception as error:
            said["message"] = str(record.msg)
            exception = self.formatException((type(error), error, error.__traceback__))
        first, _, last = record.name.rpartition(".")
        if first and last in self._links:
            said["link"] = last
        if record.exc_info and record.exc_info[0] is not None:
            exception = self.formatException(record.exc_info)
        if exception:
            said["exception"] = exception
        return line(said)


def line(said: dict[str, Any]) -> str:
    """Return an object as one line that every reader of JSON takes."""
    # Half a surrogate, as a file name may have it, is no character that UTF-8 could carry.
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace").decode()


def moment(seconds: float) -> str:
    """Return a time in seconds since 1970 as RFC 3339 in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
