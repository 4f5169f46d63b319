"""What a request comes to: one answer, at most one command, every step on record."""

from __future__ import annotations

import asyncio

import pytest
from desk_scene import (
    ANNA,
    BORIS,
    GUEST,
    TESTER,
    Scene,
    breaker,
    measurement,
    setpoint,
    switch,
)

from gateway import Client, CommandStatus, Kind, Operation, Pulse, Quality
from gateway.command import Outcome
from gateway.model.configuration import Bay
from gateway.testing import paused

S = CommandStatus
SELECT, EXECUTE, CANCEL = Operation.SELECT, Operation.EXECUTE, Operation.CANCEL


@paused
async def test_a_direct_command_reaches_the_device_and_its_answer_the_client() -> None:
    """One command, one answer, and the log has received, forwarded, answered, ended."""
    scene = Scene([breaker()])
    answer = scene.ask("breaker", 1.0)
    command = await scene.command()
    assert (command.operation, command.value, command.client) == (Operation.DIRECT, 1.0, ANNA)
    assert not answer.done()
    scene.answer(command)
    assert (await answer).status is S.SUCCESS
    assert scene.log.steps((await answer).id) == ["received", "forwarded", "answered", "ended"]


@paused
async def test_that_it_leaves_is_on_disk_before_the_source_has_it() -> None:
    """The source is given nothing until the log is durable; if it cannot be, nothing leaves."""
    scene = Scene([breaker()])
    answer = scene.ask("breaker")
    command = await scene.command()
    assert scene.log.syncs == 1
    scene.answer(command)
    await answer
    scene.log.fails = True
    assert (await scene.ask("breaker")).status is S.FAILED
    scene.log.fails = False
    follow_up = scene.ask("breaker", 0.0)
    assert (await scene.command()).value == 0.0
    follow_up.cancel()


@paused
async def test_setpoints_are_scaled_back() -> None:
    """value = raw × scale + offset, so raw = (value − offset) / scale: (25 − 5) / 0.1 = 200."""
    scene = Scene([setpoint("power", scale=0.1, offset=5.0)])
    scene.ask("power", 25.0)
    command = await scene.command()
    assert (command.value, command.raw) == (25.0, pytest.approx(200.0))


@paused
@pytest.mark.parametrize("status", [S.DEVICE_ERROR, S.REFUSED, S.DEVICE_LOCAL])
async def test_what_the_device_refuses_is_what_the_client_hears(status: CommandStatus) -> None:
    """The device's refusal and its sentence come through unchanged."""
    scene = Scene([breaker()])
    answer = scene.ask("breaker")
    scene.answer(await scene.command(), status, "exception 4")
    assert ((await answer).status, (await answer).detail) == (status, "exception 4")


@paused
async def test_a_silent_device_ends_in_a_timeout() -> None:
    """After `timeout` seconds the client hears it; what the device says then is noted as late."""
    scene = Scene([breaker(timeout="3s")])
    loop = asyncio.get_running_loop()
    begun = loop.time()
    answer = scene.ask("breaker")
    command = await scene.command()
    assert (await answer).status is S.TIMEOUT
    assert loop.time() - begun == pytest.approx(3.0, abs=0.01)
    scene.answer(command)
    assert scene.log.steps(command.id)[-1] == "late"


@paused
async def test_a_client_may_wait_for_less() -> None:
    """The shorter of the client's time and the point's counts."""
    scene = Scene([breaker(timeout="30s")])
    answer = scene.ask("breaker", timeout=1.0)
    command = await scene.command()
    assert command.deadline == pytest.approx(asyncio.get_running_loop().time() + 1.0, abs=0.01)
    assert (await answer).status is S.TIMEOUT


@paused
async def test_what_was_not_sent_in_time_is_never_sent() -> None:
    """A source that does not come for it within the time never gets it."""
    scene = Scene([breaker(timeout="2s")])
    assert (await scene.ask("breaker")).status is S.UNREACHABLE
    with pytest.raises(TimeoutError):
        await scene.command()


@paused
async def test_a_broken_link_ends_what_it_had() -> None:
    """Sent: time-out, for the device may have acted. Not yet sent: unreachable. Neither again."""
    scene = Scene([breaker(), switch("other")])
    first = scene.ask("breaker")
    await scene.command()
    second = scene.ask("other")
    await asyncio.sleep(0.01)
    scene.outbox.disconnect()
    scene.up = False
    assert ((await first).status, (await second).status) == (S.TIMEOUT, S.UNREACHABLE)
    scene.outbox.connect()
    scene.up = True
    with pytest.raises(TimeoutError):
        await scene.command()


@paused
async def test_a_client_that_leaves_does_not_undo_what_it_asked() -> None:
    """Its request goes on to its end, and the log has it."""
    scene = Scene([breaker()])
    answer = scene.ask("breaker")
    command = await scene.command()
    answer.cancel()
    scene.answer(command)
    await asyncio.sleep(0.01)
    assert scene.log.steps()[-1] == "ended"


# Who, what, when ---------------------------------------------------------------------------------


@paused
async def test_without_the_right_nothing_leaves() -> None:
    """A client without the role is told so, and it is on record with name and address."""
    scene = Scene([breaker()])
    assert (await scene.ask("breaker", client=GUEST)).status is S.NOT_AUTHORISED
    assert scene.nothing_sent
    step, facts = scene.log.records[-1]
    assert (step, facts["address"], facts["status"]) == ("refused", GUEST.address, "not_authorised")


@paused
async def test_a_measurement_is_no_command() -> None:
    """Points without a way to command them refuse."""
    scene = Scene([measurement("voltage", Kind.ANALOG)])
    assert (await scene.ask("voltage", 3.0)).status is S.NOT_SUPPORTED
    assert scene.log.steps() == ["received", "refused"]


@paused
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
async def test_what_is_not_a_number_is_refused(value: float) -> None:
    """NaN and infinity are format errors for switches and setpoints alike."""
    scene = Scene([breaker(), setpoint("power")])
    assert (await scene.ask("breaker", value)).status is S.FORMAT_ERROR
    assert (await scene.ask("power", value)).status is S.FORMAT_ERROR
    assert scene.nothing_sent


@paused
@pytest.mark.parametrize(
    ("point", "value"), [("breaker", 2.0), ("breaker", 0.5), ("power", -0.1), ("power", 100.1)]
)
async def test_values_outside_their_limits_are_refused(point: str, value: float) -> None:
    """Switches take 0 and 1, setpoints what lies between low and high."""
    scene = Scene([breaker(), setpoint("power", low=0.0, high=100.0)])
    assert (await scene.ask(point, value)).status is S.OUT_OF_RANGE
    assert scene.nothing_sent


@paused
async def test_a_setpoint_moves_by_its_step_at_most() -> None:
    """From 50 with a step of 10: 60 goes, 61 does not; from an unknown value nothing does."""
    scene = Scene([setpoint("power", step=10.0)])
    scene.show("power", 50.0)
    assert (await scene.ask("power", 61.0)).status is S.OUT_OF_RANGE
    answer = scene.ask("power", 60.0)
    scene.answer(await scene.command())
    assert (await answer).status is S.SUCCESS
    scene.show("power", 50.0, Quality.INVALID | Quality.OLD_DATA)
    refused = await scene.ask("power", 51.0)
    assert refused.status is S.OUT_OF_RANGE
    assert "invalid,oldData" in refused.detail


BAY = Bay(name="bay1", points=("breaker",), switch="remote")


@paused
@pytest.mark.parametrize(
    ("value", "quality", "allowed"),
    [
        (1.0, Quality.GOOD, True),
        (0.0, Quality.GOOD, False),
        (1.0, Quality.INVALID, False),
        (1.0, Quality.QUESTIONABLE | Quality.OLD_DATA, False),
        (float("nan"), Quality.GOOD, False),
    ],
)
async def test_the_switch_of_the_bay(value: float, quality: Quality, allowed: bool) -> None:
    """Only a good 1 is remote; what is not known is local."""
    scene = Scene([breaker(), measurement("remote")], [BAY])
    scene.show("remote", value, quality)
    answer = scene.ask("breaker")
    if allowed:
        scene.answer(await scene.command())
    assert (await answer).status is (S.SUCCESS if allowed else S.LOCAL)
    assert scene.nothing_sent is not allowed


@paused
async def test_a_double_point_as_switch_is_remote_at_2() -> None:
    """IEC 61850-7-3 Dbpos: 1 is off, 2 is on; 3 is bad state."""
    scene = Scene([breaker(), measurement("remote", Kind.DOUBLE)], [BAY])
    for value, status in ((1.0, S.LOCAL), (0.0, S.LOCAL), (3.0, S.LOCAL)):
        scene.show("remote", value)
        assert (await scene.ask("breaker")).status is status
    scene.show("remote", 2.0)
    scene.ask("breaker")
    assert (await scene.command()).value == 1.0


@paused
async def test_an_interlock_that_does_not_hold() -> None:
    """The sentence names the point that stands in the way, also where it is not good."""
    scene = Scene([breaker(interlock="not earthed"), measurement("earthed")])
    scene.show("earthed", 1.0)
    refused = await scene.ask("breaker")
    assert refused.status is S.INTERLOCKED
    assert "earthed" in refused.detail
    scene.show("earthed", 0.0, Quality.INVALID)
    assert (await scene.ask("breaker")).status is S.INTERLOCKED
    assert scene.nothing_sent
    scene.show("earthed", 0.0)
    scene.ask("breaker")
    assert (await scene.command()).value == 1.0


@paused
async def test_what_changes_while_a_command_waits_still_counts() -> None:
    """Checked again in the moment in which the source takes it."""
    scene = Scene([breaker(interlock="not earthed"), measurement("earthed")])
    answer = scene.ask("breaker")
    await asyncio.sleep(0.01)
    assert "forwarded" in scene.log.steps()
    scene.show("earthed", 1.0)
    with pytest.raises(TimeoutError):
        await scene.command()
    assert (await answer).status is S.INTERLOCKED


@paused
async def test_blocked_points_and_points_in_test() -> None:
    """Blocked: nothing. In test: only tests, which succeed and send nothing."""
    scene = Scene([breaker()])
    scene.marks.blocks.add(0)
    assert (await scene.ask("breaker")).status is S.BLOCKED
    scene.marks.blocks.clear()
    assert (await scene.ask("breaker", client=TESTER, test=True)).status is S.BLOCKED
    scene.marks.tests.add(0)
    assert (await scene.ask("breaker")).status is S.BLOCKED
    assert (await scene.ask("breaker", test=True)).status is S.NOT_AUTHORISED
    assert (await scene.ask("breaker", client=TESTER, test=True)).status is S.SUCCESS
    assert scene.nothing_sent


@paused
async def test_one_command_at_a_time() -> None:
    """While one is under way, nobody's next is taken, not even the same client's."""
    scene = Scene([breaker(), switch("other")])
    first = scene.ask("breaker")
    command = await scene.command()
    assert (await scene.ask("breaker", 0.0)).status is S.ALREADY_ACTIVE
    assert (await scene.ask("breaker", 0.0, client=BORIS)).status is S.ALREADY_ACTIVE
    other = scene.ask("other")
    scene.answer(await scene.command())
    assert (await other).status is S.SUCCESS
    scene.answer(command)
    assert (await first).status is S.SUCCESS


@paused
async def test_the_interval_between_commands() -> None:
    """With an interval of 5 s the second command after 4 s is refused, after 6 s it goes."""
    scene = Scene([breaker(interval="5s")])
    first = scene.ask("breaker")
    scene.answer(await scene.command())
    await first
    await asyncio.sleep(4.0)
    assert (await scene.ask("breaker", 0.0)).status is S.RATE_LIMITED
    await asyncio.sleep(2.0)
    scene.ask("breaker", 0.0)
    assert (await scene.command()).value == 0.0


@paused
async def test_a_client_that_asks_too_often() -> None:
    """10 a second: of 30 requests at once 10 are looked at, and others are not held up by it."""
    scene = Scene([measurement("voltage"), breaker()], rate=10.0)
    asked = [scene.ask("voltage") for _ in range(30)]
    answers = [(await one).status for one in asked]
    assert answers.count(S.RATE_LIMITED) == 20
    other = scene.ask("breaker", client=BORIS)
    scene.answer(await scene.command())
    assert (await other).status is S.SUCCESS
    assert scene.log.steps().count("refused") == 30


@paused
async def test_a_request_is_carried_out_once() -> None:
    """The same key of the same user is a duplicate; another user's key is his own."""
    scene = Scene([breaker()])
    first = scene.ask("breaker", key="42")
    scene.answer(await scene.command())
    assert (await first).status is S.SUCCESS
    assert (await scene.ask("breaker", key="42")).status is S.DUPLICATE
    scene.ask("breaker", 0.0, client=BORIS, key="42")
    assert (await scene.command()).client == BORIS


@paused
async def test_links_that_are_away_or_take_no_commands() -> None:
    """Down, or up and not ready: unreachable; where the source never takes any: not supported."""
    scene = Scene([breaker()])
    scene.up = False
    assert (await scene.ask("breaker")).status is S.UNREACHABLE
    scene.up = True
    scene.outbox.disconnect()
    assert (await scene.ask("breaker")).status is S.UNREACHABLE
    del scene.outboxes["field"]
    assert (await scene.ask("breaker")).status is S.NOT_SUPPORTED
    assert scene.nothing_sent


@paused
async def test_pulses() -> None:
    """The point's own pulse unless the client names another; none for what is no pulse output."""
    scene = Scene([switch("tap", model="pulse", on_time="500ms"), breaker()])
    scene.ask("tap")
    command = await scene.command()
    assert command.pulse == Pulse(0.5, 0.0, 1)
    scene.answer(command)
    await asyncio.sleep(0.01)
    scene.ask("tap", pulse=Pulse(0.1, 0.2, 3))
    assert (await scene.command()).pulse == Pulse(0.1, 0.2, 3)
    assert command.deadline == pytest.approx(10.0 + 0.5, abs=0.1)
    assert (await scene.ask("breaker", pulse=Pulse(0.1))).status is S.NOT_SUPPORTED
    assert (await scene.ask("tap", pulse=Pulse(0.1, 0.0, 0))).status is S.FORMAT_ERROR


# Select before operate ---------------------------------------------------------------------------


@paused
async def test_a_select_that_the_gateway_holds() -> None:
    """Nothing leaves for the select; the execute leaves once; both have one number."""
    scene = Scene([breaker(select="local")])
    selected = await scene.ask("breaker", 1.0, SELECT)
    assert selected.status is S.SUCCESS
    assert scene.nothing_sent
    execute = scene.ask("breaker", 1.0, EXECUTE)
    command = await scene.command()
    assert (command.operation, command.id) == (EXECUTE, selected.id)
    scene.answer(command)
    assert (await execute).status is S.SUCCESS
    assert (await scene.ask("breaker", 1.0, EXECUTE)).status is S.NO_SELECT


@paused
async def test_a_select_that_the_device_holds() -> None:
    """Select, execute and cancel reach the device; its refusal leaves the point free."""
    scene = Scene([breaker(select="forward")])
    select = scene.ask("breaker", 1.0, SELECT)
    scene.answer(await scene.command(), S.REFUSED)
    assert (await select).status is S.REFUSED
    select = scene.ask("breaker", 1.0, SELECT, BORIS)
    command = await scene.command()
    assert command.operation is SELECT
    scene.answer(command)
    assert (await select).status is S.SUCCESS
    cancel = scene.ask("breaker", 1.0, CANCEL, BORIS)
    command = await scene.command()
    assert command.operation is CANCEL
    scene.answer(command)
    assert (await cancel).status is S.SUCCESS
    assert (await scene.ask("breaker", 1.0, EXECUTE, BORIS)).status is S.NO_SELECT


@paused
async def test_execute_and_direct_need_the_select_where_it_is_asked_for() -> None:
    """Neither leaves without one, and none is there by default."""
    scene = Scene([breaker(select="local"), switch("free")])
    assert (await scene.ask("breaker", 1.0, EXECUTE)).status is S.NO_SELECT
    assert (await scene.ask("breaker", 1.0)).status is S.NO_SELECT
    assert (await scene.ask("free", 1.0, EXECUTE)).status is S.NO_SELECT
    assert scene.nothing_sent
    scene.ask("free", 1.0)
    assert (await scene.command()).operation is Operation.DIRECT


@paused
async def test_a_second_client_is_refused() -> None:
    """Whoever selected keeps it: others can neither select, nor execute, nor cancel, nor direct."""
    scene = Scene([breaker(select="local"), switch("free")])
    for point in ("breaker", "free"):
        await scene.ask(point, 1.0, SELECT)
        for operation in Operation:
            refused = await scene.ask(point, 1.0, operation, BORIS)
            assert refused.status is S.SELECTED_BY_OTHER
    assert scene.nothing_sent
    scene.ask("breaker", 1.0, EXECUTE)
    assert (await scene.command()).client == ANNA


@paused
async def test_two_sessions_of_one_user_are_two_clients() -> None:
    """A reservation is not shared between sessions."""
    scene = Scene([breaker(select="local")])
    one, two = (Client("ua", "10.0.0.1:1", "anna", "operator", session) for session in "12")
    await scene.ask("breaker", 1.0, SELECT, one)
    assert (await scene.ask("breaker", 1.0, EXECUTE, two)).status is S.SELECTED_BY_OTHER


@paused
async def test_a_selection_expires() -> None:
    """After 30 s it is gone: the execute hears so, and others may select."""
    scene = Scene([breaker(select="local", select_timeout="30s")])
    await scene.ask("breaker", 1.0, SELECT)
    await asyncio.sleep(29.0)
    assert (await scene.ask("breaker", 1.0, SELECT, BORIS)).status is S.SELECTED_BY_OTHER
    await asyncio.sleep(2.0)
    assert (await scene.ask("breaker", 1.0, EXECUTE)).status is S.SELECT_EXPIRED
    assert (await scene.ask("breaker", 1.0, SELECT, BORIS)).status is S.SUCCESS
    assert "expired" in scene.log.steps()
    assert scene.nothing_sent


@paused
async def test_the_device_hears_that_its_selection_expired() -> None:
    """What the device holds is cancelled there, and the point is busy until it has answered."""
    scene = Scene([breaker(select="forward", select_timeout="30s")])
    scene.ask("breaker", 1.0, SELECT)
    scene.answer(await scene.command())
    await asyncio.sleep(31.0)
    command = await scene.command()
    assert command.operation is CANCEL
    assert (await scene.ask("breaker", 1.0, SELECT, BORIS)).status is S.ALREADY_ACTIVE
    scene.answer(command)
    await asyncio.sleep(0.01)
    scene.ask("breaker", 1.0, SELECT, BORIS)
    assert (await scene.command()).client == BORIS


@paused
async def test_the_execute_is_for_what_was_selected() -> None:
    """Another value is refused, and ends the selection: one select, one execute."""
    scene = Scene([breaker(select="local")])
    await scene.ask("breaker", 1.0, SELECT)
    assert (await scene.ask("breaker", 0.0, EXECUTE)).status is S.NO_SELECT
    assert (await scene.ask("breaker", 1.0, EXECUTE)).status is S.NO_SELECT
    assert scene.nothing_sent


@paused
async def test_an_execute_that_a_check_refuses_ends_the_selection() -> None:
    """The interlock is looked at again, and the selection does not outlive the refusal."""
    scene = Scene([breaker(select="local", interlock="not earthed"), measurement("earthed")])
    await scene.ask("breaker", 1.0, SELECT)
    scene.show("earthed", 1.0)
    assert (await scene.ask("breaker", 1.0, EXECUTE)).status is S.INTERLOCKED
    scene.show("earthed", 0.0)
    assert (await scene.ask("breaker", 1.0, EXECUTE)).status is S.NO_SELECT
    assert scene.nothing_sent


@paused
async def test_the_selection_of_a_client_that_left_is_free() -> None:
    """At once where the gateway holds it; where the device is being asked, as soon as it said."""
    scene = Scene([breaker(select="local"), switch("slow", select="forward")])
    await scene.ask("breaker", 1.0, SELECT)
    pending = scene.ask("slow", 1.0, SELECT)
    command = await scene.command()
    scene.desk.release(lambda client: client == ANNA)
    assert (await scene.ask("breaker", 1.0, SELECT, BORIS)).status is S.SUCCESS
    scene.answer(command)
    await pending
    command = await scene.command()
    assert (command.operation, command.client) == (CANCEL, ANNA)


@paused
async def test_a_selection_is_gone_with_the_right_to_it() -> None:
    """Whose account is removed after the select cannot execute."""
    scene = Scene([breaker(select="local")])
    await scene.ask("breaker", 1.0, SELECT)
    scene.roles.gone.add("anna")
    assert (await scene.ask("breaker", 1.0, EXECUTE)).status is S.NOT_AUTHORISED
    assert scene.nothing_sent


# Feedback ----------------------------------------------------------------------------------------


@paused
async def test_success_waits_for_the_indication() -> None:
    """The device's yes is not enough: the answer comes with the indication."""
    scene = Scene([breaker(feedback="position"), measurement("position", Kind.DOUBLE)])
    scene.show("position", 1.0)
    answer = scene.ask("breaker", 1.0)
    scene.answer(await scene.command())
    await asyncio.sleep(1.0)
    scene.show("position", 0.0)
    await asyncio.sleep(1.0)
    assert not answer.done()
    scene.show("position", 2.0)
    assert (await answer).status is S.SUCCESS
    assert scene.log.steps((await answer).id)[-2:] == ["indicated", "ended"]


@paused
async def test_without_the_indication_it_did_not_succeed() -> None:
    """In time, good, and the commanded value: anything else is no indication."""
    scene = Scene([breaker(feedback="position", feedback_timeout="5s"), measurement("position")])
    answer = scene.ask("breaker", 1.0)
    scene.answer(await scene.command())
    await asyncio.sleep(1.0)
    scene.show("position", 1.0, Quality.QUESTIONABLE)
    assert (await answer).status is S.NO_INDICATION
    assert scene.desk.watch.idle


@paused
async def test_a_setpoint_is_indicated_within_its_band() -> None:
    """With a band of 0.5 kW: 24.4 does not show 25, 24.6 does."""
    scene = Scene([setpoint("power", feedback="actual", feedback_band=0.5), setpoint("actual")])
    answer = scene.ask("power", 25.0)
    scene.answer(await scene.command())
    scene.show("actual", 24.4)
    await asyncio.sleep(1.0)
    assert not answer.done()
    scene.show("actual", 24.6)
    assert (await answer).status is S.SUCCESS


@paused
async def test_what_an_operator_did_is_no_indication() -> None:
    """A manual value on the feedback point does not show that the device moved."""
    scene = Scene([breaker(feedback="position"), measurement("position")])
    answer = scene.ask("breaker", 1.0)
    scene.answer(await scene.command())
    scene.show("position", 1.0, Quality.SUBSTITUTED)
    scene.show("position", 1.0, Quality.OPERATOR_BLOCKED | Quality.OLD_DATA)
    assert (await answer).status is S.NO_INDICATION


@paused
@pytest.mark.parametrize("point", ["remote", "earthed"])
async def test_frozen_points_keep_the_door_shut(point: str) -> None:
    """An operator may vouch for a switch or an interlock by a manual value, not by freezing it."""
    scene = Scene(
        [breaker(interlock="not earthed"), measurement("remote"), measurement("earthed")], [BAY]
    )
    scene.show("remote", 1.0)
    good = scene.image.value[scene.ids[point]]
    scene.show(point, good, Quality.OPERATOR_BLOCKED | Quality.OLD_DATA)
    assert (await scene.ask("breaker")).status in (S.LOCAL, S.INTERLOCKED)
    scene.show(point, good, Quality.OPERATOR_BLOCKED | Quality.OLD_DATA | Quality.SUBSTITUTED)
    scene.ask("breaker")
    assert (await scene.command()).value == 1.0


@paused
async def test_the_cancel_of_a_test_is_one() -> None:
    """The select did not reach the device, so neither does its cancel, whatever it says."""
    scene = Scene([breaker(select="forward")])
    scene.marks.tests.add(0)
    assert (await scene.ask("breaker", 1.0, SELECT, TESTER, test=True)).status is S.SUCCESS
    assert (await scene.ask("breaker", 1.0, CANCEL, TESTER)).status is S.SUCCESS
    assert scene.nothing_sent


@paused
async def test_a_flood_of_what_a_link_refuses() -> None:
    """10 a second: of 1,000 at once 10 have their own record, and one says that 990 more came."""
    scene = Scene([breaker()], rate=10.0)
    for _ in range(1000):
        scene.desk.refuse(GUEST, Outcome(S.FORMAT_ERROR, "not JSON"))
    await asyncio.sleep(2.0)
    assert scene.log.steps() == ["refused"] * 11
    assert scene.log.records[-1][1]["count"] == 990
    scene.desk.refuse(BORIS, Outcome(S.FORMAT_ERROR, "not JSON"))
    assert scene.log.records[-1][1]["user"] == "boris"


@paused
async def test_a_device_that_says_cancelled_to_a_cancel() -> None:
    """IEC 104 confirms a deactivation so: the client asked for just that."""
    scene = Scene([breaker(select="forward")])
    select = scene.ask("breaker", 1.0, SELECT)
    scene.answer(await scene.command())
    await select
    cancel = scene.ask("breaker", 1.0, CANCEL)
    scene.answer(await scene.command(), S.CANCELLED)
    assert (await cancel).status is S.SUCCESS


@paused
async def test_what_the_device_adds_to_its_yes() -> None:
    """A detail of a success reaches the client."""
    scene = Scene([breaker()])
    answer = scene.ask("breaker")
    scene.answer(await scene.command(), S.SUCCESS, "only the broker has it")
    assert (await answer).detail == "only the broker has it"
