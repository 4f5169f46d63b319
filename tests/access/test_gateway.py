"""Access through a whole gateway: log-in, command, audit log, and the command line beside it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner

from gateway import AccessRefused, Client, CommandStatus, Operation, Permission, Request
from gateway.audit import records, verify
from gateway.cli.command import gateway as command_line
from gateway.model.access import AccessSettings, Lockout, Role
from gateway.testing import Collector, Emitter, running

RIGHT = "right horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=7168, parallelism=1).hash(RIGHT)
POINTS = """\
name,kind,field.at,command.model
bay1.breaker,status,1,latch
bay2.breaker,status,2,latch
"""
CONSOLE, STRANGER = "10.0.0.7:50214", "192.0.2.66:40000"
S = CommandStatus


@pytest.fixture
def settings(tmp_path: Path) -> AccessSettings:
    users = tmp_path / "users.yaml"
    users.write_text(f'anna: {{role: bay1, password: "{HASH}"}}\nhmi: {{role: operator}}\n')
    (tmp_path / "gateway.yaml").write_text("access: {users: users.yaml}\n")
    return AccessSettings(
        users=users,
        roles=(Role(name="bay1", may=frozenset(["read", "command"]), points=("bay1.*",)),),  # type: ignore[arg-type]
        lockout=Lockout(attempts=2),
    )


async def ask(out: Collector, client: Client, name: str) -> CommandStatus:
    ctx = await out.context()
    point = next(one.id for one in ctx.points if one.name == name)
    return (await ctx.command(Request(point, Operation.DIRECT, 1.0, client))).status


async def test_user_commands_its_own_bay_until_it_is_removed(
    tmp_path: Path, settings: AccessSettings
) -> None:
    """A session commands what its role may, and nothing once `gateway user remove` has run."""
    field, out = Emitter(name="field", obeys=True), Collector(name="out")
    data = tmp_path / "data"
    async with running([field], [out], POINTS, data=data, access=settings):
        ctx = await out.context()
        assert ctx.authenticates
        client = await ctx.login("anna", RIGHT, CONSOLE, "session 1")
        assert await ask(out, client, "bay1.breaker") is S.SUCCESS
        assert await ask(out, client, "bay2.breaker") is S.NOT_AUTHORISED
        assert not ctx.may(client, Permission.READ, 1)
        hmi = ctx.client("plant/hmi/cmd", user="hmi")
        assert await ask(out, hmi, "bay2.breaker") is S.SUCCESS
        assert await ask(out, ctx.client("plant/x/cmd", user="x"), "bay2.breaker") is (
            S.NOT_AUTHORISED
        )

        line = ["user", "remove", str(tmp_path / "gateway.yaml"), "anna"]
        assert CliRunner().invoke(command_line, line).exit_code == 0
        async with asyncio.timeout(20):
            while ctx.may(client, Permission.COMMAND):
                await asyncio.sleep(0.05)
        told = len(field.commands)
        assert await ask(out, client, "bay1.breaker") is S.NOT_AUTHORISED
        assert len(field.commands) == told

    facts = [(one.step, one.facts.get("user", "")) for one in records(data / "audit")]
    first = facts.index(("login", "anna"))
    assert facts[first + 1] == ("received", "anna")
    assert ("refused", "x") in facts
    assert [one.facts["removed"] for one in records(data / "audit") if one.step == "users_changed"]
    assert verify(data / "audit")


async def test_guesses_are_on_record(tmp_path: Path, settings: AccessSettings) -> None:
    """Each guess and the lock are in the audit log, with user and address; no password is."""
    out = Collector(name="out")
    data = tmp_path / "data"
    async with running([Emitter(name="field")], [out], POINTS, data=data, access=settings):
        ctx = await out.context()
        for password in ("guess 1", "guess 2", RIGHT):
            with pytest.raises(AccessRefused):
                await ctx.login("anna", password, STRANGER)

    told = [one for one in records(data / "audit") if one.step.startswith(("login", "lock"))]
    assert [one.step for one in told] == [
        "login_refused", "locked_out", "login_refused", "login_refused",
    ]  # fmt: skip
    assert {(one.facts["user"], one.facts["address"]) for one in told} == {("anna", STRANGER)}
    assert verify(data / "audit")
    for path in (data / "audit").iterdir():
        assert b"guess" not in path.read_bytes()
