"""Renewed files: who comes next meets them, who is there stays; a broken one changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from tls_partner import (
    PATIENCE,
    Heard,
    client_settings,
    context_of,
    echoing,
    s_client,
    server_settings,
    talk,
    until,
)

from gateway import TlsClient, TlsServer, reason
from gateway.testing.authority import Authority
from gateway.tls.context import Context
from gateway.tls.watched import Watched


class Live:
    """Settings in use, and looks at their files."""

    def __init__(self, settings: TlsServer | TlsClient) -> None:
        self.heard = Heard()
        self.time = 0.0
        self.watched = Watched("scada", settings, lambda: self.time)
        self.look()
        self.context: Context = self.watched.open(self.heard.count, self.heard)  # type: ignore[arg-type]

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.watched.look()


@contextlib.asynccontextmanager
async def session(port: int, context: ssl.SSLContext) -> AsyncIterator[Session]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        yield Session(reader, writer)
    finally:
        writer.transport.abort()


class Session:
    """An open session with an echo."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def echo(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            self._writer.write(b"still here\n")
            return await self._reader.readline()

    @property
    def peer(self) -> bytes:
        der = self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(der, bytes)
        return der


async def test_a_renewed_certificate_meets_the_next_client(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """The session with the old certificate goes on while a new client sees the new one."""
    caplog.set_level(logging.INFO, "gateway")
    live = Live(server_settings(tmp_path))
    client = context_of(client_settings(tmp_path))
    async with echoing(live.context) as port, session(port, client) as old:
        before = old.peer
        authority.issue("server", "127.0.0.1")
        live.look(2)
        async with session(port, client) as new:
            assert new.peer != before
            assert await new.echo() == b"still here\n"
        assert await old.echo() == b"still here\n"
    assert caplog.messages == ["scada: renewed certificates are in use for new sessions"]


async def test_files_are_taken_when_they_stand_still(tmp_path: Path, authority: Authority) -> None:
    """Certificate and key are two writes: what is seen between them is not taken for broken."""
    live = Live(server_settings(tmp_path))
    client = context_of(client_settings(tmp_path))
    async with echoing(live.context) as port:
        async with session(port, client) as first:
            before = first.peer
        key = (tmp_path / "server.key").read_bytes()
        authority.issue("server", "127.0.0.1")
        renewed = (tmp_path / "server.key").read_bytes()
        (tmp_path / "server.key").write_bytes(key)
        live.look()
        assert live.watched.problem == ""
        (tmp_path / "server.key").write_bytes(renewed)
        live.look()
        async with session(port, client) as between:
            assert between.peer == before
        live.look()
        async with session(port, client) as after:
            assert after.peer != before
    assert live.watched.problem == ""


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_a_revoked_client_is_refused_from_then_on(
    tmp_path: Path, authority: Authority, version: str
) -> None:
    """A replaced revocation list counts for new handshakes; others come in as before."""
    victim = authority.issue("victim")
    live = Live(server_settings(tmp_path, crl=authority.revoke()))
    files = ["-cert", str(tmp_path / "victim.pem"), "-key", str(tmp_path / "victim.key")]
    async with echoing(live.context) as port:
        assert "\nhello\n" in await s_client(port, version, *files)
        authority.revoke(victim)
        live.look(2)
        assert "\nhello\n" not in await s_client(port, version, *files)
        await talk(port, context_of(client_settings(tmp_path)))
    assert live.heard.lines == [
        "TLS: the other side's certificate is not good: certificate revoked"
    ]


async def test_a_session_is_not_resumed_behind_a_renewal(
    tmp_path: Path, authority: Authority
) -> None:
    """A revoked client that kept its session of TLS 1.2 has to prove who it is, and cannot."""
    victim = authority.issue("victim")
    live = Live(server_settings(tmp_path, crl=authority.revoke()))
    kept = tmp_path / "session"
    files = ["-cert", str(tmp_path / "victim.pem"), "-key", str(tmp_path / "victim.key")]
    resume = ["-tls1_2", "-sess_in", str(kept), *files]
    async with echoing(live.context) as port:
        assert "New, TLSv1.2" in await s_client(port, "-tls1_2", "-sess_out", str(kept), *files)
        assert "Reused, TLSv1.2" in await s_client(port, *resume)
        authority.revoke(victim)
        live.look(2)
        assert "\nhello\n" not in await s_client(port, *resume)


async def test_a_session_is_not_resumed_behind_its_limit(
    tmp_path: Path, authority: Authority
) -> None:
    """With a limit, what the server remembers of sessions is forgotten in that time."""
    live = Live(server_settings(tmp_path, session_limit="1h"))
    kept = tmp_path / "session"
    files = ["-cert", str(tmp_path / "client.pem"), "-key", str(tmp_path / "client.key")]
    resume = ["-tls1_2", "-sess_in", str(kept), *files]
    async with echoing(live.context) as port:
        await s_client(port, "-tls1_2", "-sess_out", str(kept), *files)
        live.time = 3599.0
        live.look()
        assert "Reused, TLSv1.2" in await s_client(port, *resume)
        live.time = 3600.0
        live.look()
        assert "New, TLSv1.2" in await s_client(port, *resume)


async def test_no_ticket_resumes_a_session(tmp_path: Path, authority: Authority) -> None:
    """TLS 1.3 knows no other way than tickets, and none are given."""
    async with echoing(context_of(server_settings(tmp_path))) as port:
        session = await talk(port, context_of(client_settings(tmp_path)))
        assert session.version() == "TLSv1.3"
        assert session.session is not None
        assert not session.session.has_ticket


async def test_another_authority_takes_over(tmp_path: Path, authority: Authority) -> None:
    """A replaced `ca` lets the new authority's clients in, and the old one's no longer."""
    live = Live(server_settings(tmp_path))
    others = Authority(tmp_path, "others")
    others.issue("newcomer")
    newcomer = context_of(client_settings(tmp_path, "newcomer"))
    known = context_of(client_settings(tmp_path))
    async with echoing(live.context) as port:
        await talk(port, known)
        with pytest.raises(OSError):  # noqa: PT011 - why stands in the server's log
            await talk(port, newcomer)
        (tmp_path / "ca.pem").write_bytes(others.file.read_bytes())
        live.look(2)
        await talk(port, newcomer)
        with pytest.raises(OSError):  # noqa: PT011 - why stands in the server's log
            await talk(port, known)


async def test_a_broken_file_changes_nothing_but_is_said(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """The old certificate goes on; one line names the file, and the next good one is taken."""
    caplog.set_level(logging.INFO, "gateway")
    live = Live(server_settings(tmp_path))
    client = context_of(client_settings(tmp_path))
    file = tmp_path / "server.pem"
    async with echoing(live.context) as port:
        file.write_bytes(file.read_bytes()[:200])
        live.look(5)
        assert live.watched.problem.endswith("server.pem is not a PEM certificate")
        await talk(port, client)
        file.unlink()
        live.look(5)
        assert live.watched.problem == f"tls.certificate: there is no file {file}"
        await talk(port, client)
        authority.issue("server", "127.0.0.1")
        live.look(5)
        assert live.watched.problem == ""
        await talk(port, client)
    prefix = "scada: renewed files are not taken, the old stay: "
    assert caplog.messages == [
        f"{prefix}tls.certificate {file} with tls.key {tmp_path / 'server.key'}: "
        "server.pem is not a PEM certificate",
        f"{prefix}tls.certificate: there is no file {file}",
        "scada: renewed certificates are in use for new sessions",
    ]


async def test_a_client_shows_its_renewed_certificate(tmp_path: Path, authority: Authority) -> None:
    """A library that keeps the context for its own reconnects follows the files, too."""
    live = Live(client_settings(tmp_path))
    server = context_of(server_settings(tmp_path))
    seen: list[bytes] = []

    async def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        writer.write(b"hello\n")
        writer.close()

    async with await asyncio.start_server(look, "127.0.0.1", 0, ssl=server) as listener:
        port = listener.sockets[0].getsockname()[1]
        await talk(port, live.context)
        authority.issue("client")
        live.look(2)
        await talk(port, live.context)
    first, second = seen
    assert first != second


async def test_a_session_ends_at_its_limit(tmp_path: Path, authority: Authority) -> None:
    """What is older than the limit carries nothing more, and a new one is made as ever."""
    live = Live(server_settings(tmp_path, session_limit="24h"))
    client = context_of(client_settings(tmp_path))
    async with echoing(live.context) as port:
        async with session(port, client) as old:
            assert await old.echo() == b"still here\n"
            live.time = 86_399.0
            assert await old.echo() == b"still here\n"
            live.time = 86_400.0
            assert await old.echo() == b""
        async with session(port, client) as new:
            assert await new.echo() == b"still here\n"


async def test_a_client_ends_its_session_at_the_limit(tmp_path: Path, authority: Authority) -> None:
    """The gateway's own connections, too; the library is told why."""
    live = Live(client_settings(tmp_path, session_limit="90min"))
    async with (
        echoing(context_of(server_settings(tmp_path))) as port,
        session(port, live.context) as old,
    ):
        assert await old.echo() == b"still here\n"
        live.time = 5400.0
        with pytest.raises(ssl.SSLError) as caught:
            await old.echo()
    assert reason(caught.value) == "the session is older than its limit of 90min"


async def test_a_library_with_sockets_of_its_own_keeps_the_rules(
    tmp_path: Path, authority: Authority
) -> None:
    """A blocking socket gets the renewed files, the name to verify, and the end of its session."""
    live = Live(client_settings(tmp_path, session_limit="1h", server_name="device.example"))
    authority.issue("server", "device.example")

    def speak(port: int) -> str:
        for time in (0.0, 3600.0):
            live.time = time
            live.look()
            with (
                socket.create_connection(("127.0.0.1", port), PATIENCE) as plain,
                live.context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
            ):
                tls.sendall(b"hello\n")
                assert tls.recv(100) == b"hello\n"
                live.time += 3600.0
                for act in (lambda tls=tls: tls.recv(100), lambda tls=tls: tls.send(b"late")):
                    with pytest.raises(ssl.SSLError, match="older than its limit of 1h"):
                        act()
        return "done"

    async with echoing(context_of(server_settings(tmp_path))) as port:
        assert await asyncio.to_thread(speak, port) == "done"


async def test_refusals_do_not_fill_the_log(tmp_path: Path, authority: Authority) -> None:
    """Each is counted; the log has one line a minute, which says how many there were."""
    live = Live(server_settings(tmp_path))
    stranger = context_of(client_settings(tmp_path, None))
    async with echoing(live.context) as port:
        for time in (0.0, 1.0, 2.0, 60.0):
            live.time = time
            n = len(live.heard.counted)
            with pytest.raises(OSError):  # noqa: PT011 - why stands in the server's log
                await talk(port, stranger)
            await until(lambda n=n: len(live.heard.counted) > n)
    assert live.heard.counted == ["tls_refused"] * 4
    why = "TLS: the other side showed no certificate"
    assert live.heard.lines == [why, f"{why} (2 more were not let in before)"]


@pytest.mark.parametrize(
    "test",
    [
        test_files_are_taken_when_they_stand_still,
        test_another_authority_takes_over,
        test_a_client_shows_its_renewed_certificate,
        test_a_session_ends_at_its_limit,
        test_a_client_ends_its_session_at_the_limit,
        test_refusals_do_not_fill_the_log,
    ],
    ids=lambda test: test.__name__,
)
def test_on_the_loop_that_the_gateway_runs_on(
    tmp_path: Path,
    authority: Authority,
    test: Callable[[Path, Authority], Coroutine[Any, Any, None]],
) -> None:
    """The transports of uvloop are its own; all of this holds there, too."""
    uvloop.run(test(tmp_path, authority))
