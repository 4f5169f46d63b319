"""Expiry: the days that are left, by the health points, the log, and a clock of the test's."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field
from tls_partner import client_settings, server_settings

from gateway import LinkError, Settings, Source, SourceContext, TlsClient, TlsServer
from gateway.testing import running
from gateway.testing.authority import Authority
from gateway.testing.running import TrustedClock
from gateway.tls import Certificates
from gateway.tls.expiry import papers

START = datetime.now(UTC) - timedelta(hours=1)
"""Before any certificate is made, so that each still has all its days."""


class Inner(Settings):
    """A group of fields with TLS inside."""

    tls: TlsClient | None = None


class Vendor(Source):
    """A source of somebody else's, with TLS wherever it likes."""

    type: Literal["vendor"] = "vendor"
    tls: Annotated[TlsClient | TlsServer | None, Field(description="of its own")] = None
    groups: Annotated[tuple[Inner, ...], Field(description="several servers")] = ()

    async def run(self, ctx: SourceContext) -> None:
        if self.tls is not None:
            await ctx.tls(self.tls)
        ctx.up()
        await asyncio.Event().wait()


class At(TrustedClock):
    """The wall clock, so many days from the start of the tests."""

    days = 0.0

    def now(self) -> int:
        return round((START + timedelta(days=self.days)).timestamp()) * 10**9


def certificates(*links: Source) -> tuple[Certificates, At]:
    clock = At()
    return Certificates(links, clock.now), clock


async def look(them: Certificates, times: int = 1) -> dict[str, tuple[int | None, bool]]:
    for _ in range(times):
        await them.look()
    return {one.link: (one.days, one.expires) for one in them.health()}


async def test_thirty_days_ahead(tmp_path: Path) -> None:
    """The certificate of 90 days expires soon from day 60 on; below 0 it is over."""
    Authority(tmp_path).issue("client", days=90)
    them, clock = certificates(Vendor(name="meter", tls=client_settings(tmp_path)))
    found = {}
    for clock.days in (0.0, 0.5, 59.5, 60.5, 89.5, 90.5):
        found[clock.days] = (await look(them))["meter"]
    assert found == {
        0.0: (90, False),
        0.5: (89, False),
        59.5: (30, False),
        60.5: (29, True),
        89.5: (0, True),
        90.5: (-1, True),
    }


@pytest.mark.parametrize(
    ("own", "authority", "crl", "first"),
    [
        (10, 365, 20, "certificate"),
        (90, 5, 20, "ca"),
        (90, 365, 7, "crl"),
    ],
)
def test_whatever_expires_first(
    tmp_path: Path, own: int, authority: int, crl: int, first: str
) -> None:
    """Certificate, authority or revocation list: the first of them counts, and is named."""
    ca = Authority(tmp_path, days=authority)
    ca.issue("client", days=own)
    settings = client_settings(tmp_path, crl=ca.revoke(days=crl))
    found = papers(settings).expiries
    now = round(START.timestamp()) * 10**9
    assert found[0].what.startswith(f"tls.{first} {getattr(settings, first)}")
    assert found[0].days(now) == min(own, authority, crl)
    assert found[0].sentence(now).endswith(f", in {min(own, authority, crl)} days")


def test_the_chain_counts(tmp_path: Path) -> None:
    """An authority between that expires before the certificate takes the certificate along."""
    root = Authority(tmp_path)
    between = Authority(tmp_path, "between", by=root, days=3)
    between.issue("client", days=90, chain=[between])
    found = papers(client_settings(tmp_path)).expiries
    assert found[0].days(round(START.timestamp()) * 10**9) == 3


def test_an_authority_that_was_replaced_alarms_nobody(tmp_path: Path) -> None:
    """Of two certificates of one authority the later counts, as long as both are in the file."""
    old = Authority(tmp_path, days=1)
    before = old.file.read_bytes()
    new = Authority(tmp_path, days=400)
    new.issue("client", days=90)
    new.file.write_bytes(before + new.file.read_bytes())
    found = papers(client_settings(tmp_path)).expiries
    assert [one.days(round(START.timestamp()) * 10**9) for one in found] == [90, 400]


async def test_files_that_cannot_be_used_are_shown(tmp_path: Path) -> None:
    """A missing file is a problem from the first look on; what was read before still has days."""
    authority = Authority(tmp_path)
    authority.issue("client", days=90)
    never = client_settings(tmp_path, "nobody")
    them, _ = certificates(
        Vendor(name="meter", tls=client_settings(tmp_path)), Vendor(name="never", tls=never)
    )
    assert await look(them) == {"meter": (90, False), "never": (None, True)}
    (tmp_path / "client.key").unlink()
    assert await look(them, 2) == {"meter": (90, True), "never": (None, True)}
    authority.issue("client", days=120)
    authority.issue("nobody", days=60)
    assert await look(them, 2) == {"meter": (120, False), "never": (60, False)}


async def test_one_line_a_day(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the file and the date, once a day, and two links that share it once."""
    certificate = Authority(tmp_path).issue("client", days=12)
    tls = client_settings(tmp_path)
    them, clock = certificates(Vendor(name="meter", tls=tls), Vendor(name="meter2", tls=tls))
    for clock.days in (0.0, 0.1, 0.5, 0.9, 1.0, 1.5, 12.5):
        await look(them, 3)
    date = certificate.not_valid_after_utc.date()
    file = tmp_path / "client.pem"
    assert caplog.messages == [
        f"meter: tls.certificate {file} expires on {date}, in 12 days",
        f"meter: tls.certificate {file} expires on {date}, in 11 days",
        f"meter: tls.certificate {file} expired on {date}",
    ]


def links(folder: Path) -> Sequence[Source]:
    return (
        Vendor(name="plain"),
        Vendor(name="system", tls=TlsClient()),
        Vendor(name="client", tls=client_settings(folder)),
        Vendor(name="server", tls=server_settings(folder)),
        Vendor(name="deep", groups=(Inner(), Inner(tls=client_settings(folder)))),
    )


async def test_every_link_with_files_has_its_points(tmp_path: Path) -> None:
    """Wherever a vendor puts the settings; a link without files has none."""
    Authority(tmp_path).issue("client", days=20)
    Authority(tmp_path, "other").issue("server", days=200)
    async with running(links(tmp_path), data=tmp_path, clock=At()) as gw:
        names = [name for name in gw.engine.names if "certificate" in name]
        assert names == [
            f"_health.{link}.certificate_{what}"
            for link in ("client", "server", "deep")
            for what in ("days", "expires")
        ]
        await gw.until(lambda: gw.sample("_health.deep.certificate_days").value == 20)
        assert gw.sample("_health.client.certificate_expires").value == 1
        assert gw.sample("_health.server.certificate_days").value == 200
        assert gw.sample("_health.server.certificate_expires").value == 0


async def test_a_link_whose_files_are_missing_says_which(tmp_path: Path) -> None:
    """The link is down, with a sentence that names the file, and up when it is there."""
    meter = Vendor.model_validate(
        {
            "name": "meter",
            "tls": client_settings(tmp_path),
            "reconnect": {"min": "10ms", "max": "20ms"},
        }
    )
    async with running([meter], data=tmp_path) as gw:
        await gw.until(lambda: gw.state("meter") == "down")
        file = tmp_path / "client.pem"
        assert gw.status("meter").error == f"tls.certificate: there is no file {file}"
        Authority(tmp_path).issue("client")
        await gw.until(lambda: gw.state("meter") == "up")


async def test_a_gateway_without_files_looks_at_none(caplog: pytest.LogCaptureFixture) -> None:
    """No thread, no point, no line."""
    caplog.set_level(logging.DEBUG)
    them, _ = certificates(Vendor(name="plain"), Vendor(name="system", tls=TlsClient()))
    assert await look(them, 3) == {}
    assert caplog.messages == []


async def test_other_settings_get_their_context(tmp_path: Path) -> None:
    """What a link makes itself is served, too, and the same settings get the same context."""
    Authority(tmp_path).issue("client")
    them, _ = certificates(Vendor(name="plain"))
    settings = [client_settings(tmp_path), client_settings(tmp_path), TlsClient()]
    log = logging.getLogger("test")
    one, two, three = [await them.context("plain", s, lambda what: None, log) for s in settings]
    assert one is two
    assert one is not three


async def test_a_disk_that_hangs_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look goes on alone after its time, no second one is begun, and a link hears of it."""
    import threading

    from gateway.tls import certificates as module
    from gateway.tls import watched

    Authority(tmp_path).issue("client")
    released, looks = threading.Event(), []

    def hanging(settings: object) -> tuple[()]:
        looks.append(settings)
        released.wait(20)
        return ()

    monkeypatch.setattr(watched, "stamp", hanging)
    monkeypatch.setattr(module, "LOOK_TIMEOUT", 0.01)
    monkeypatch.setattr(module, "READ_TIMEOUT", 0.01)
    tls = client_settings(tmp_path)
    them, _ = certificates(Vendor(name="meter", tls=tls))
    try:
        assert await look(them, 3) == {"meter": (None, False)}
        assert len(looks) == 1
        with pytest.raises(LinkError, match="cannot be read within"):
            await them.context("meter", tls, lambda what: None, logging.getLogger("test"))
    finally:
        released.set()
    await asyncio.sleep(0)


def test_a_gateway_without_tls_does_not_pay_for_it(tmp_path: Path) -> None:
    """Engine, command line and TLS are loaded, contexts without files made: no cryptography."""
    script = (
        "import sys, logging, gateway.cli, gateway.engine\n"
        "from gateway import TlsClient\n"
        "from gateway.tls.watched import Watched\n"
        "Watched('link', TlsClient()).open(print, logging.getLogger())\n"
        "print('cryptography' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert ended.stdout == "False\n"
