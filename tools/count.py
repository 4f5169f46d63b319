"""Print how many tests passed and failed, over all result files of a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree


def count(folder: Path) -> tuple[int, int, int]:
    """Return the tests that passed, failed (errors included) and were skipped."""
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for path in sorted(folder.glob("*.xml")):
        for suite in ElementTree.parse(path).getroot().iter("testsuite"):  # noqa: S314
            for key in totals:
                totals[key] += int(suite.get(key, 0))
    failed = totals["failures"] + totals["errors"]
    return totals["tests"] - failed - totals["skipped"], failed, totals["skipped"]


if __name__ == "__main__":
    passed, failed, skipped = count(Path(sys.argv[1]))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
