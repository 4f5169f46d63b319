"""`gateway top` at a real console: over TLS, on loopback."""

from __future__ import annotations

import asyncio
import http.server
import io
import os
import pty
import signal
import socket
import sys
import termios
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from gateway_console import Console
from rich.console import Console as Terminal

from gateway import Quality
from gateway.cli.remote import LogIn, Remote, RemoteError, place
from gateway.cli.snapshot import draw, take
from gateway.cli.top import Watching, _context
from gateway.testing import AccessSettings, Emitter, Running, free_ports, running
from gateway.testing.authority import Authority

POINTS = "name,kind,unit,field.at\n" + "".join(f"bay1.v{n},analog,V,{n}\n" for n in range(5))
PASSWORD = "anna's own password"
Serve = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def port() -> int:
    (found,) = free_ports(1)
    return found


@pytest.fixture
def serve(tmp_path: Path, port: int) -> Serve:
    """Run a gateway with five points, the user anna, and a console that speaks TLS."""
    Authority(tmp_path).issue("gateway", "127.0.0.1")
    Authority(tmp_path, "stranger")
    users = tmp_path / "users.yaml"
    hashed = PasswordHasher(time_cost=1, memory_cost=7 * 1024, parallelism=1).hash(PASSWORD)
    users.write_text(f"anna: {{role: viewer, password: '{hashed}'}}\n")
    users.chmod(0o600)
    papers = {"certificate": tmp_path / "gateway.pem", "key": tmp_path / "gateway.key"}

    @asynccontextmanager
    async def start(*, users_file: Path | None = users, **fields: Any) -> AsyncIterator[Running]:
        given = {"name": "desk", "listen": f"127.0.0.1:{port}", "tls": papers} | fields
        console = Console.model_validate(given)
        field = Emitter(name="field")
        access = AccessSettings.model_validate({"users": users_file} if users_file else {})
        data = tmp_path / "data"
        async with running([field], [console], POINTS, data=data, access=access) as gateway:
            await gateway.until(lambda: gateway.state("desk") == "up", 20, "the console is up")
            qualities = [0, Quality.QUESTIONABLE, Quality.INVALID | Quality.OLD_DATA, 0, 0]
            names = [f"bay1.v{n}" for n in range(5)]
            await field.emit(names, [230.25, 7.5, 8.5, 1, 2], qualities)
            yield gateway

    return start


def remote(folder: Path, port: int, log_in: LogIn, ca: str = "ca.pem") -> Remote:
    url = f"https://127.0.0.1:{port}"
    return Remote(url, log_in, _context(url, folder / ca, None, None), timeout=5)


def lines(shown: Any, width: int = 120, height: int = 40, trouble: str = "") -> list[str]:
    terminal = Terminal(file=io.StringIO(), width=width, height=height, force_terminal=True)
    rendered = terminal.render_lines(draw(shown, width, height, trouble), pad=False)
    return ["".join(segment.text for segment in line).rstrip() for line in rendered]


ANNA = LogIn("anna", PASSWORD)


async def test_it_shows_links_ledgers_and_the_worst_points(
    serve: Serve, tmp_path: Path, port: int
) -> None:
    """What was emitted stands there, invalid before questionable, and good points do not."""
    async with serve():
        far = remote(tmp_path, port, ANNA)
        shown = lines(await asyncio.to_thread(take, far))
        await asyncio.to_thread(far.close)

    assert "1/1 sources up, 1/1 sinks up, 5 points (1 invalid, 1 questionable)" in shown[0]
    rows = [line.split() for line in shown]
    bad = [row for row in rows if row and row[0].startswith("bay1.")]
    assert [row[:4] for row in bad] == [
        ["bay1.v2", "8.500", "V", "invalid,oldData"],
        ["bay1.v1", "7.500", "V", "questionable"],
    ]
    assert next(row for row in rows if row[:1] == ["field"])[1:3] == ["testing.emitter", "up"]
    ledger = rows[next(n for n, row in enumerate(rows) if row[:1] == ["ledger"]) + 1]
    assert ledger[0] == "desk"
    assert shown[-1] == "the worst 2 of 2 bad points"


async def test_the_picture_fits_any_terminal(serve: Serve, tmp_path: Path, port: int) -> None:
    """No line is wider, and the whole no higher, than the terminal; trouble is in the title."""
    async with serve():
        far = remote(tmp_path, port, ANNA)
        shown = await asyncio.to_thread(take, far)
        await asyncio.to_thread(far.close)

    for width, height in ((80, 24), (20, 5), (200, 60), (40, 1)):
        drawn = lines(shown, width, height)
        assert len(drawn) <= height
        assert max(map(len, drawn)) <= width
    assert "as of" in (title := lines(shown, trouble="nothing answers")[0])
    assert "nothing answers" in title


async def test_wrong_passwords_are_tried_once(serve: Serve, tmp_path: Path, port: int) -> None:
    """A password that is not taken is for good: to go on trying would lock the user out."""
    async with serve():
        far = remote(tmp_path, port, LogIn("anna", "another"))
        with pytest.raises(RemoteError, match="does not let anna in: not let in") as wrong:
            await asyncio.to_thread(take, far)
        with pytest.raises(RemoteError, match="nobody is logged in: log in first") as nobody:
            await asyncio.to_thread(take, remote(tmp_path, port, LogIn()))
        with pytest.raises(RemoteError, match="the token is not taken") as token:
            await asyncio.to_thread(take, remote(tmp_path, port, LogIn(token="x" * 40)))

    assert all(one.value.for_good for one in (wrong, nobody, token))


async def test_a_token_shows_as_much(serve: Serve, tmp_path: Path, port: int) -> None:
    """A token that another program got is taken, and its session is left alone at the end."""
    async with serve():
        first = remote(tmp_path, port, ANNA)
        await asyncio.to_thread(first.get, "/session")
        second = remote(tmp_path, port, LogIn(token=first._token))
        await asyncio.to_thread(take, second)
        await asyncio.to_thread(second.close)
        assert (await asyncio.to_thread(first.get, "/session"))["user"] == "anna"
        third = remote(tmp_path, port, LogIn(token=first._token))
        await asyncio.to_thread(first.close)
        with pytest.raises(RemoteError, match="the token is not taken"):
            await asyncio.to_thread(third.get, "/session")


async def test_who_trusts_another_authority_is_told(
    serve: Serve, tmp_path: Path, port: int
) -> None:
    """Nothing, a password least of all, goes to a console whose certificate is not trusted."""
    async with serve() as gateway:
        far = remote(tmp_path, port, ANNA, "stranger.pem")
        with pytest.raises(RemoteError, match=r"is not trusted: .*; --ca names the authority"):
            await asyncio.to_thread(take, far)
        assert gateway.state("desk") == "up"


async def test_it_comes_back_after_a_restart(serve: Serve, tmp_path: Path, port: int) -> None:
    """While the gateway is away the last picture stays and says why; then anna logs in anew."""
    async with serve():
        watching = Watching(remote(tmp_path, port, ANNA), 0.2)
        assert await asyncio.to_thread(watching.step)
        assert watching.trouble == ""
    before = watching.shown
    assert await asyncio.to_thread(watching.step)
    assert "cannot be reached: Connection refused" in watching.trouble
    assert watching.shown is before
    async with serve():
        assert await asyncio.to_thread(watching.step)
        assert watching.trouble == ""
        assert watching.shown is not before
    assert await asyncio.to_thread(watching.step)


class Stranger(http.server.BaseHTTPRequestHandler):
    """A web server that is no gateway's."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<h1>hello</h1>")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_another_web_server_is_told_apart(stranger: int) -> None:
    """HTML is not taken for a gateway's answer."""
    far = Remote(f"http://127.0.0.1:{stranger}", LogIn(), None)
    with pytest.raises(RemoteError, match="is no console of a gateway: found 200 with text/html"):
        take(far)


def test_a_port_that_speaks_something_else(tmp_path: Path) -> None:
    """A port without HTTP, and one without TLS, are each told as what they are."""
    Authority(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            for _ in range(2):
                one, _ = server.accept()
                with one:
                    one.recv(4096)
                    one.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(RemoteError, match="found no HTTP"):
            take(Remote(f"http://127.0.0.1:{port}", LogIn(), None))
        with pytest.raises(RemoteError, match="does not speak TLS"):
            take(remote(tmp_path, port, LogIn()))
        thread.join()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://gateway.example", "passwords do not leave the machine without TLS"),
        ("ftp://gateway.example", "allowed: https://HOST"),
        ("gateway.example:8443", "allowed: https://HOST"),
        ("https://anna:secret@gateway.example", "found a user in the URL, allowed: --user"),
        ("https://gateway.example/points", "allowed: https://HOST"),
        ("https://gateway.example:port", "allowed: https://HOST"),
    ],
)
def test_what_is_no_address_of_a_console(url: str, sentence: str) -> None:
    """A sentence says what is allowed, and repeats no password."""
    with pytest.raises(RemoteError) as error:
        place(url)
    assert sentence in str(error.value)
    assert "secret" not in str(error.value)


async def command(
    *arguments: object, stdout: int = PIPE, **environ: str
) -> asyncio.subprocess.Process:
    """Start the real command."""
    gateway = Path(sys.executable).with_name("gateway")
    return await asyncio.create_subprocess_exec(
        gateway, "top", *map(str, arguments), stdout=stdout, stderr=PIPE, stdin=PIPE,
        env=os.environ | {"TERM": "xterm"} | environ,
    )  # fmt: skip


async def test_the_command_without_a_terminal(serve: Serve, tmp_path: Path, port: int) -> None:
    """It prints one picture; the password comes from the environment, or from a file."""
    (tmp_path / "password").write_text(PASSWORD + "\n")
    url, ca = f"https://127.0.0.1:{port}", ("--ca", tmp_path / "ca.pem")
    async with serve():
        good, filed, wrong = await asyncio.gather(
            command(url, *ca, "--user", "anna", GATEWAY_PASSWORD=PASSWORD),
            command(url, *ca, "--user", "anna", "--password-file", tmp_path / "password"),
            command(url, *ca, "--user", "anna", GATEWAY_PASSWORD="another"),
        )
        said = [await one.communicate() for one in (good, filed, wrong)]

    assert [one.returncode for one in (good, filed, wrong)] == [0, 0, 1]
    assert all(b"bay1.v2" in out and b"invalid,oldData" in out for out, _ in said[:2])
    assert said[2][0] == b""
    assert said[2][1].decode() == f"gateway: {url} does not let anna in: not let in\n"


async def test_the_command_on_a_terminal(serve: Serve, tmp_path: Path, port: int) -> None:
    """The view is drawn again and again, says when the gateway has gone, and Ctrl-C ends it."""
    control, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (40, 140))
    arguments = (f"https://127.0.0.1:{port}", "--ca", tmp_path / "ca.pem", "--every", "200ms")
    process = None
    try:
        async with serve():
            process = await command(
                *arguments, "--user", "anna", stdout=terminal, GATEWAY_PASSWORD=PASSWORD
            )
            os.close(terminal)
            await shown(control, b"bay1.v2")
        await shown(control, b"cannot be reached: Connection refused")
        process.send_signal(signal.SIGINT)
        drained = asyncio.get_running_loop().run_in_executor(None, drain, control)
        _, errors = await asyncio.wait_for(process.communicate(), 20)
        await asyncio.wait_for(drained, 20)
    finally:
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
        os.close(control)

    assert (process.returncode, errors) == (0, b"")


async def shown(control: int, words: bytes) -> None:
    seen = b""
    async with asyncio.timeout(30):
        while words not in seen:
            seen += await asyncio.to_thread(os.read, control, 65_536)


def drain(control: int) -> None:
    try:
        while os.read(control, 65_536):
            pass
    except OSError:
        pass


@pytest.mark.parametrize(
    ("options", "environ", "sentence"),
    [
        (("--token",), {}, "found no token in the environment variable GATEWAY_TOKEN"),
        (("--token", "--user", "anna"), {}, "found --token and --user, allowed: one of them"),
        (("--every", "10ms"), {}, "found '10ms', allowed: a duration of at least 200ms"),
        (("--key", "x"), {}, "found one of --certificate and --key, allowed: both"),
        (("--ca", "/nowhere.pem"), {}, "tls: "),
    ],
)
def test_options_that_do_not_fit(
    options: tuple[str, ...], environ: dict[str, str], sentence: str
) -> None:
    """Each is a sentence that says what is allowed."""
    from click.testing import CliRunner

    from gateway.cli.command import gateway

    result = CliRunner().invoke(gateway, ["top", "https://127.0.0.1:1", *options], env=environ)
    assert result.exit_code != 0
    assert sentence in result.stderr
