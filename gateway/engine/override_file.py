"""The file of what operators did to points: written whole and durably, before it takes effect."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from gateway.engine.durable import replace
from gateway.engine.override_entry import Entry, Record
from gateway.journal.store import StoreError

NAME = "overrides.json"
"""In the data folder."""


class _Document(Record):
    format: Literal[1] = 1
    points: dict[str, Entry]


class OverrideFile:
    """Entries by point name. The methods block."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> dict[str, Entry]:
        """Return what was saved last; nothing where there is no file.

        Raises StoreError where it cannot be read: to go on would free points that are blocked.
        """
        try:
            return dict(_Document.model_validate_json(self.path.read_bytes()).points)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise StoreError(
                f"{self.path}: {f'{where}: ' if where else ''}{first['msg']}: it says which points "
                "operators have blocked, so the gateway does not start without it; "
                "mend it, or remove it and all points are their devices' again"
            ) from error

    def save(self, entries: Mapping[str, Entry]) -> None:
        """Replace the file; on disk, all of it or nothing, when this returns. Raises OSError."""
        text = _Document(points=dict(entries)).model_dump_json(indent=1)
        replace(self.path, text)
