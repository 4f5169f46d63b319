"""`gateway health DATA`: is the gateway that runs with this data folder well?"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click


def ailments(report: dict[str, Any], *, links: bool = False) -> list[str]:
    """Return what is wrong, a sentence each; of the links only if asked.

    A link that is down is the field's trouble or the network's, which no restart of the gateway
    mends; a disk that takes no samples is the gateway's own.
    """
    found = []
    if failing := report["journal"]["failing"]:
        found.append(f"the journal takes no samples: {failing}")
    if links:
        for name, link in report["links"].items():
            if link["state"] != "up":
                why = f": {link['error']}" if link["error"] else ""
                found.append(f"{name} ({link['type']}) is {link['state']}{why}")
    return found


def summary(report: dict[str, Any]) -> str:
    """Return the line of a gateway that is well."""
    up = sum(link["state"] == "up" for link in report["links"].values())
    pending = sum(ledger["pending"] for ledger in report["ledgers"].values())
    return (
        f"{report['gateway']}: {up}/{len(report['links'])} links up, {report['points']} points, "
        f"{pending} samples to deliver"
    )


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--links", is_flag=True, help="Fail also while a link is not up.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
def health(data: Path, *, links: bool, as_json: bool) -> None:
    """Ask the gateway that runs with the data folder DATA how it is.

    Exits with 0 if it answers and is well, else with 1 and the reason.
    Made for the health check of a container and for supervisors.
    """
    from gateway.engine.report import ask

    try:
        report = asyncio.run(ask(data))
    except TimeoutError:
        click.echo(f"{data}: the gateway does not answer", err=True)
        sys.exit(1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        click.echo(f"{data}: no gateway runs with this data folder ({reason})", err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(report, indent=2))
    found = ailments(report, links=links)
    for sentence in found:
        click.echo(f"{data}: {sentence}", err=True)
    if found:
        sys.exit(1)
    if not as_json:
        click.echo(summary(report))
