"""Which plugins are installed, found without importing any of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from urllib.parse import unquote, urlsplit

GROUP = "gateway.plugins"


@dataclass(frozen=True, slots=True)
class Installed:
    """One entry point in the group `gateway.plugins`, and the distribution that has it.

    `value` is what the entry point names, `package` or `package:object`;
    `location` is the folder that an editable distribution is built from,
    and otherwise the folder it is installed in.
    """

    name: str
    value: str
    distribution: str
    version: str
    location: Path
    editable: bool

    def __str__(self) -> str:
        return f"{self.distribution} {self.version} in {self.location}"

    def load(self) -> object:
        """Import and return what the entry point names; raises whatever that raises."""
        return EntryPoint(self.name, self.value, GROUP).load()


def installed() -> tuple[Installed, ...]:
    """Return the plugins of this Python installation, in the order of their names.

    Two distributions may offer the same name; both are returned.
    """
    found: dict[tuple[str, str], Installed] = {}
    for point in entry_points(group=GROUP):
        dist = point.dist
        if dist is None:
            continue
        location, editable = _location(dist)
        found.setdefault(
            (point.name, dist.name),
            Installed(point.name, point.value, dist.name, dist.version, location, editable),
        )
    return tuple(found[key] for key in sorted(found))


def _location(dist: Distribution) -> tuple[Path, bool]:
    """Return where a distribution is, by PEP 610 where it is editable."""
    try:
        origin = json.loads(dist.read_text("direct_url.json") or "{}")
        if origin.get("dir_info", {}).get("editable"):
            return Path(unquote(urlsplit(origin["url"]).path)), True
    except (ValueError, KeyError, AttributeError):
        pass
    return Path(str(dist.locate_file(""))), False
