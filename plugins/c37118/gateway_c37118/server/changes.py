"""CFGCNT: how often the configuration of each PMU has changed, ever (table 9)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from gateway.c37118 import Configuration, FrameKind

FILE = "configuration.json"
WRAP = 1 << 16


def counted(configuration: Configuration, folder: Path) -> tuple[Configuration, bool]:
    """Return the configuration with its counts, and whether it differs from the last one.

    What was sent last is kept in the folder; without it, or where it cannot be read, counting
    begins at 0.
    """
    path = folder / FILE
    known = _known(path)
    now: dict[str, list[str | int]] = {}
    pmus = []
    changed = False
    for pmu in configuration.pmus:
        alone = replace(configuration, pmus=(replace(pmu, changes=0),))
        digest = hashlib.sha256(alone.encode(FrameKind.CONFIG_3)).hexdigest()
        last, count = known.get(str(pmu.idcode), (digest, 0))
        if last != digest:
            count, changed = (count + 1) % WRAP, True
        now[str(pmu.idcode)] = [digest, count]
        pmus.append(replace(pmu, changes=count))
    # A PMU that came or went changes the stream, whatever its own count.
    changed = changed or (bool(known) and set(known) != set(now))
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(now))
    fresh.replace(path)
    return replace(configuration, pmus=tuple(pmus)), changed


def _known(path: Path) -> dict[str, tuple[str, int]]:
    try:
        found = json.loads(path.read_text())
        return {str(k): (str(digest), int(count) % WRAP) for k, (digest, count) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
