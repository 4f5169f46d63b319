"""The command `gateway`."""

from __future__ import annotations

import io
import sys
import traceback

MISTAKE = 70
"""EX_SOFTWARE of sysexits.h: the fault is the program's and not the user's."""


def main() -> None:
    """Run the command line; mistakes of the user end in a sentence, our own in a traceback."""
    from gateway.cli.command import gateway

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that has no sign for × shows a ?, and no traceback.
            stream.reconfigure(errors="replace")
    try:
        gateway()
    except Exception:
        traceback.print_exc()
        print(
            "gateway: this is a mistake in the gateway; please report it with the lines above",
            file=sys.stderr,
        )
        sys.exit(MISTAKE)
