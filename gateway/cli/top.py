"""`gateway top`: the live view of a gateway that runs elsewhere, over its console."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import ssl

    from gateway.cli.remote import LogIn, Remote
    from gateway.cli.snapshot import Snapshot

FILE = click.Path(path_type=Path)
PASSWORD, TOKEN = "GATEWAY_PASSWORD", "GATEWAY_TOKEN"
REDRAW = 0.5
PARTING = 1.0
"""Seconds that an answer may still take at the end."""
LONGEST = 30.0
"""Most seconds between two attempts to reach a gateway that was lost."""


@click.command()
@click.argument("url")
@click.option(
    "--user",
    metavar="NAME",
    help=f"Who asks; the password is in {PASSWORD} or a file, or it is asked for.",
)
@click.option("--password-file", type=FILE, help="File whose first line is the user's password.")
@click.option("--token", is_flag=True, help=f"Show the token that is in {TOKEN}.")
@click.option("--ca", type=FILE, help="Authorities that are trusted, as PEM; else the system's.")
@click.option("--certificate", type=FILE, help="Where the console wants a client's certificate.")
@click.option("--key", type=FILE, help="The key of that certificate.")
@click.option(
    "--every", metavar="DURATION", default="2s", show_default=True, help="How often it is asked."
)
def top(
    url: str,
    user: str | None,
    password_file: Path | None,
    token: bool,
    ca: Path | None,
    certificate: Path | None,
    key: Path | None,
    every: str,
) -> None:
    """Watch the gateway whose console is at URL: links, ledgers, and the worst points.

    Without a terminal it prints one picture and ends. Exits with 1 where it cannot look.
    """
    from pydantic import TypeAdapter, ValidationError

    from gateway.cli.remote import Remote, RemoteError
    from gateway.model.errors import GatewayError
    from gateway.model.fields import Duration

    try:
        seconds: float = TypeAdapter(Duration).validate_python(every)
    except ValidationError:
        seconds = 0.0
    if seconds < 0.2:
        raise click.BadParameter(
            f"found '{every}', allowed: a duration of at least 200ms", param_hint="--every"
        )
    who = _who(user, password_file, token)
    try:
        remote = Remote(url, who, _context(url, ca, certificate, key))
        _watch(remote, seconds)
    except RemoteError as error:
        _end(str(error))
    except GatewayError as error:
        _end(f"tls: {error}")


def _who(user: str | None, password_file: Path | None, token: bool) -> LogIn:
    from gateway.cli.remote import LogIn

    if token and (user or password_file):
        raise click.UsageError("found --token and --user, allowed: one of them")
    if password_file is not None and user is None:
        raise click.UsageError("found --password-file without --user, allowed: both")
    if token:
        shown = os.environ.get(TOKEN, "").strip()
        if not shown or not shown.isascii() or not shown.isprintable():
            found = "no token" if not shown else "a token with characters that none has"
            raise click.UsageError(f"found {found} in the environment variable {TOKEN}")
        return LogIn(token=shown)
    if user is None:
        return LogIn()
    if password_file is not None:
        try:
            password = password_file.read_text("utf-8").partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            _end(f"{password_file} cannot be read: {getattr(error, 'strerror', None) or error}")
    elif PASSWORD in os.environ:
        password = os.environ[PASSWORD]
    else:
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    return LogIn(user, password)


def _context(
    url: str, ca: Path | None, certificate: Path | None, key: Path | None
) -> ssl.SSLContext | None:
    """Return what a connection trusts and shows, by the same rules as a link of the gateway."""
    from pydantic import ValidationError

    from gateway.cli.remote import place
    from gateway.model.tls import TlsClient
    from gateway.tls.build import build
    from gateway.tls.expiry import papers

    if not place(url)[0]:
        if ca or certificate or key:
            raise click.UsageError("found files for TLS and http://, allowed: https://")
        return None
    try:
        settings = TlsClient(ca=ca, certificate=certificate, key=key)
    except ValidationError:
        raise click.UsageError("found one of --certificate and --key, allowed: both") from None
    return build(settings, papers(settings))


def _watch(remote: Remote, every: float) -> None:
    """Show what is asked for until Ctrl-C; raises RemoteError where nothing can be shown."""
    from rich.console import Console
    from rich.live import Live

    from gateway.cli.snapshot import draw, take
    from gateway.cli.view import fit

    console = Console(highlight=False)
    watching = Watching(remote, every)
    thread = threading.Thread(target=watching.run, daemon=True)
    try:
        watching.shown = take(remote)
        if not console.is_terminal:
            console.print(draw(watching.shown, max(console.width, 100), 60))
            return
        thread.start()
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while thread.is_alive():
                fit(console)
                shown, trouble = watching.shown, watching.trouble
                live.update(draw(shown, console.width, console.height, trouble), refresh=True)
                time.sleep(REDRAW)
        raise watching.ended
    except KeyboardInterrupt:
        return
    finally:
        watching.stop.set()
        if thread.ident is not None:
            thread.join(PARTING)
        # One that still waits for an answer has the connection; its session ends by itself.
        if not thread.is_alive():
            remote.close()


class Watching:
    """Asks again and again in a thread of its own, so that the view never waits.

    shown:   the last picture; `trouble` says why there is no newer one.
    ended:   why it gave up.
    """

    shown: Snapshot

    def __init__(self, remote: Remote, every: float) -> None:
        from gateway.cli.remote import RemoteError

        self.trouble = ""
        self.ended = RemoteError("it ended by itself")
        self.stop = threading.Event()
        self._remote = remote
        self._every = every
        self._wait = every

    def run(self) -> None:
        """Ask until told to stop, or until it is no use."""
        while not self.stop.wait(self._wait):
            if not self.step():
                return

    def step(self) -> bool:
        """Ask once; returns whether to go on. `wait` is how long until the next time."""
        from gateway.cli.remote import RemoteError
        from gateway.cli.snapshot import take

        try:
            self.shown = take(self._remote)
        except RemoteError as error:
            if error.for_good:
                self.ended = error
                return False
            self._wait = max(min(2 * self._wait, LONGEST), error.wait)
            self.trouble = f"{error}; asked again every {self._wait:g} s"
        else:
            self._wait, self.trouble = self._every, ""
        return True


def _end(sentence: str) -> Any:
    click.echo(f"gateway: {sentence}", err=True)
    sys.exit(1)
