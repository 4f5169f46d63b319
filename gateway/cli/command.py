"""The subcommands; what they need is imported when they run, so that each starts at once."""

from __future__ import annotations

import json
import math
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway import __version__
from gateway.cli.audit import audit
from gateway.cli.operate import command, point
from gateway.cli.top import top
from gateway.cli.trace import trace
from gateway.cli.user import user

if TYPE_CHECKING:
    from gateway.host import Host, Installed
    from gateway.model.configuration import Configuration

FILE = click.Path(path_type=Path)
LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    __version__, "--version", message=f"gateway %(version)s, Python {platform.python_version()}"
)
def gateway() -> None:
    """Reads the field, keeps every event, translates to open grid standards."""


gateway.add_command(audit)
gateway.add_command(command)
gateway.add_command(point)
gateway.add_command(top)
gateway.add_command(trace)
gateway.add_command(user)


@gateway.command()
@click.argument("file", type=FILE)
def check(file: Path) -> None:
    """Say what is wrong with a configuration, without connecting to anything."""
    configuration = _load(file)
    counts = (
        _count(len(configuration.points), "point"),
        _count(len(configuration.sources), "source"),
        _count(len(configuration.sinks), "sink"),
    )
    click.echo(f"{file}: {', '.join(counts)}, no problem found")


@gateway.command()
def schema() -> None:
    """Print the JSON Schema of the YAML file, for editors."""
    from gateway.config.schema import plugins as import_all
    from gateway.config.schema import schema as schema_of
    from gateway.host import Host

    good, bad = import_all(Host())
    for error in bad:
        click.echo(f"gateway: left out: {error}", err=True)
    document = schema_of(component for plugin in good for component in plugin.components)
    click.echo(json.dumps(document, indent=2))


@gateway.command()
@click.argument("file", type=FILE)
@click.argument("point")
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
def explain(file: Path, point: str, as_json: bool) -> None:
    """Show every address and conversion of a point, from its device to each sink."""
    from dataclasses import asdict

    from gateway.config import explain as explain_point
    from gateway.config.problem import did_you_mean

    configuration = _load(file)
    try:
        explanation = explain_point(configuration, point)
    except KeyError:
        near = did_you_mean(point, (one.name for one in configuration.points))
        click.echo(f"{file}: there is no point '{point}'{near}", err=True)
        sys.exit(1)
    if as_json:
        found = asdict(explanation)
        # JSON has no word for infinity: a limit that is not there is null.
        found["point"] = {
            key: None if value in (math.inf, -math.inf) else value
            for key, value in found["point"].items()
            if key not in ("addresses", "command")
        }
        found["conversions"] = dict(explanation.conversions)
        found["command"] = dict(explanation.command)
        click.echo(json.dumps(found, indent=2, default=str))
    else:
        click.echo(str(explanation))


@gateway.command()
@click.argument("file", type=FILE)
@click.argument("link", required=False)
def profile(file: Path, link: str | None) -> None:
    """Print what a sink can and has, in the form that its protocol's users exchange.

    Markdown; without LINK of each sink that has such a document.
    """
    from gateway.config import points_of
    from gateway.config.problem import did_you_mean, listing

    configuration = _load(file)
    found = {
        sink.name: text
        for sink in configuration.sinks
        if link in (None, sink.name)
        and (text := sink.profile(points_of(sink, configuration.points))) is not None
    }
    if found:
        click.echo("\n".join(found.values()), nl=False)
        return
    names = [sink.name for sink in configuration.sinks]
    if link is None:
        click.echo(f"{file}: none of its sinks has a profile", err=True)
    elif link in names:
        click.echo(f"{file}: sink '{link}' has no profile", err=True)
    else:
        near = did_you_mean(link, names)
        click.echo(f"{file}: there is no sink '{link}', allowed: {listing(names)}{near}", err=True)
    sys.exit(1)


@gateway.command()
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
def plugins(as_json: bool) -> None:
    """List the installed plugins: version, types, and where they come from."""
    from gateway.host import Host

    host = Host()
    rows = [_described(host, one) for one in host.installed()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        click.echo("no plugin is installed")
        return
    heads = ("plugin", "version", "types", "from")
    cells = [
        (
            row["name"],
            row["version"],
            ", ".join(row["types"]) or "-",
            row["location"] + (" (editable)" if row["editable"] else ""),
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for line in (heads, *cells):
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())
    for row in rows:
        if row["error"]:
            click.echo(row["error"], err=True)


@gateway.command()
@click.argument("file", type=FILE)
@click.option("--data", type=FILE, help="Folder for the journal, instead of the file's own.")
@click.option("--log-level", type=click.Choice(LEVELS), help="Least level that is logged.")
@click.option("--log", "log_format", type=click.Choice(FORMATS), help="For whom the log is.")
@click.option("--trace", metavar="LINK", multiple=True, help="Log the frames of this link.")
@click.option(
    "--status-every",
    metavar="DURATION",
    default="10s",
    show_default=True,
    help="How often a status line is printed where there is no live view.",
)
@click.option("--no-view", is_flag=True, help="Status lines also on a terminal.")
def run(
    file: Path,
    data: Path | None,
    log_level: str | None,
    log_format: str | None,
    trace: tuple[str, ...],
    status_every: str,
    no_view: bool,
) -> None:
    """Run a gateway until Ctrl-C or SIGTERM."""
    from pydantic import TypeAdapter, ValidationError

    from gateway.cli.run import operate
    from gateway.config.problem import did_you_mean, listing
    from gateway.model.configuration import LogFormat
    from gateway.model.fields import Duration

    try:
        every: float = TypeAdapter(Duration).validate_python(status_every)
    except ValidationError:
        every = 0.0
    if every <= 0:
        raise click.BadParameter(
            f"found '{status_every}', allowed: a duration such as 500ms, 10s or 2min",
            param_hint="--status-every",
        )
    configuration = _load(file)
    links = [link.name for link in (*configuration.sources, *configuration.sinks)]
    for name in trace:
        if name not in links:
            raise click.BadParameter(
                f"there is no link '{name}', allowed: {listing(links)}{did_you_mean(name, links)}",
                param_hint="--trace",
            )
    changes: dict[str, Any] = {}
    if data is not None:
        changes["data"] = data.absolute()
    if log_level is not None:
        changes["log_level"] = log_level
    if log_format is not None:
        changes["log"] = LogFormat(log_format)
    sys.exit(operate(configuration, changes, trace, every, view=not no_view))


@gateway.command()
@click.argument("data", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the whole report for machines.")
def health(data: Path, as_json: bool) -> None:
    """Ask the gateway that runs with the folder DATA how it is.

    Succeeds where it answers and its journal works; links that are down are its devices' fault,
    and are shown.
    """
    import asyncio

    from gateway.engine.local import ask

    try:
        report = asyncio.run(ask(data))
    except (OSError, TimeoutError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "no answer in time"
        click.echo(f"{data}: no gateway answers: {reason}", err=True)
        sys.exit(1)
    failing = report["journal"]["failing"]
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        for name, link in report["links"].items():
            why = f": {link['error']}" if link["error"] else ""
            click.echo(f"{name} ({link['type']}) {link['state']}{why}")
        for part in ("journal", "audit"):
            why = report[part]["failing"]
            click.echo(f"{part} {'failing: ' + why if why else 'works'}")
        for sentence in report["locked_out"]:
            click.echo(f"locked out: {sentence}")
    sys.exit(1 if failing else 0)


def _load(file: Path) -> Configuration:
    """Read a configuration, or print everything that is wrong with it and exit."""
    from gateway.config import ConfigError, load

    try:
        return load(file)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem))
        click.echo(f"{file}: {_count(len(error.problems), 'problem')} found", err=True)
        sys.exit(1)


def _described(host: Host, one: Installed) -> dict[str, Any]:
    from gateway.host import PluginError

    types: list[str] = []
    error = ""
    try:
        types = [word for part in host.load(one.name).components for word in part.types]
    except PluginError as reason:
        error = str(reason)
    return {
        "name": one.name,
        "version": one.version,
        "distribution": one.distribution,
        "types": types,
        "location": str(one.location),
        "editable": one.editable,
        "error": error,
    }


def _count(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")
