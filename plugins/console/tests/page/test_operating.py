"""What an operator does at 3 a.m., in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import expect

LOG_OUT = """() => {
  const named = (button) => button.innerText === "Log out";
  const id = [...document.querySelectorAll("button")].find(named).id.slice(1);
  const [click] = mounted_app.elements[id].events.filter((event) => event.type === "click");
  return {id: +id, client_id: window.clientId, listener_id: click.listener_id, args: []};
}"""
"""What NiceGUI's client would send for a press of the button."""
FORGED = """async () => {
  const who = await (await fetch("/api/v1/session")).json();
  const answer = await fetch("/api/v1/points/e01.voltage/override", {
    method: "POST",
    headers: {"Content-Type": "application/json", "X-CSRF-Token": who.csrf},
    body: JSON.stringify({action: "release", reason: "mischief"}),
  });
  return [answer.status, await answer.json()];
}"""
"""A release that no button of a viewer's page offers."""


def test_who_is_nobody_is_asked_to_log_in(window, station) -> None:
    """Every page leads to the log-in, which leads back; the socket is refused."""
    desk = window()
    desk.page.goto(f"{station.url}/points")
    expect(desk.page).to_have_url(f"{station.url}/login?next=/points")
    polled = desk.page.request.get(f"{station.url}/_nicegui_ws/socket.io/?EIO=4&transport=polling")
    assert polled.status == 401
    desk.page.get_by_label("User").fill("anna")
    desk.page.get_by_label("Password").fill("another password")
    desk.page.get_by_role("button", name="Log in").click()
    expect(desk.page.get_by_role("alert")).to_contain_text("No such user with this password")
    desk.page.get_by_label("User").fill("anna")
    desk.page.get_by_label("Password").fill("a password of theirs")
    desk.page.get_by_role("button", name="Log in").click()
    expect(desk.page).to_have_url(f"{station.url}/points")
    desk.alive()
    desk.page.get_by_role("button", name="Log out").click()
    expect(desk.page).to_have_url(f"{station.url}/login")
    desk.page.goto(f"{station.url}/points")
    expect(desk.page).to_have_url(f"{station.url}/login?next=/points")


def test_a_point_is_found_among_thousands(window) -> None:
    """Words of its name find it; only the rows in sight are in the page, to the last one."""
    desk = window()
    desk.log_in("bert")
    desk.open("/points")
    table = desk.page.get_by_role("region", name="Points")
    expect(desk.row("bus.frequency")).to_be_visible()
    assert int(table.locator("table").get_attribute("aria-rowcount")) > 2000
    assert table.locator("tbody tr[data-id]").count() < 150
    table.evaluate("box => (box.scrollTop = box.scrollHeight)")
    # The gateway's own points stand at the end.
    expect(desk.row("_health.pmu.up")).to_be_visible()
    assert table.locator("tbody tr[data-id]").count() < 150
    desk.page.get_by_label("Search").fill("feeder07 curr")
    expect(table.locator("tbody tr[data-id]")).to_have_count(10)
    desk.page.get_by_label("Search").fill("FEEDER077 volt")
    expect(desk.row("feeder077.voltage")).to_be_visible()
    expect(table.locator("tbody tr[data-id]")).to_have_count(1)
    desk.row("feeder077.voltage").get_by_role("link").click()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("feeder077.voltage")
    lineage = desk.page.get_by_role("list", name="from the device to each consumer")
    expect(lineage).to_contain_text("sine")
    expect(lineage.get_by_role("link", name="desk")).to_be_visible()
    expect(desk.page.get_by_role("img", name="trend of feeder077.voltage")).to_be_visible()


def test_a_device_that_is_lost_is_seen_and_comes_back(window, station) -> None:
    """Its points go stale with their values; its link is down with a reason; an alarm stands."""
    watching, desk = window(), window("phone")
    watching.log_in("anna")
    watching.open("/points?search=e01.voltage")
    expect(watching.row("e01.voltage")).to_contain_text("● good")
    desk.log_in("anna")
    desk.open("/")
    station.unplug()
    try:
        expect(watching.row("e01.voltage")).to_contain_text("✕ invalid")
        expect(watching.row("e01.voltage")).to_contain_text("oldData")
        expect(watching.row("e01.voltage")).to_contain_text(re.compile(r"(19|20)\.\d{3}"))
        card = desk.page.get_by_role("link", name=re.compile("^bay modbus"))
        expect(card).to_contain_text("✕ down for")
        expect(card).to_contain_text("Connection refused")
        expect(desk.page.get_by_role("link", name="✕ 1 of 4 links not up")).to_be_visible()
        expect(desk.page.locator("[role=alert][aria-live]")).to_contain_text("Alarm: bay")
        desk.page.get_by_role("link", name=re.compile(r"▲ \d+ alarm")).click()
        desk.alive()
        expect(desk.row("bay")).to_contain_text("✕ stands")
        desk.row("bay").get_by_role("button", name="Acknowledge bay").click()
        expect(desk.row("bay")).to_contain_text("by anna")
    finally:
        station.plug()
    expect(watching.row("e01.voltage")).to_contain_text("● good")
    expect(desk.page.get_by_role("link", name="● 4 links up")).to_be_visible()
    # It was acknowledged and is over.
    expect(desk.row("bay")).to_have_count(0)


def test_a_breaker_is_closed_with_select_confirm_and_reason(window) -> None:
    """Select, confirm, execute; position and sequence of events follow; the record says who."""
    desk = window()
    desk.log_in("anna")
    desk.open("/point/e01.breaker")
    value = desk.page.get_by_role("region", name="present value")
    panel = desk.page.get_by_role("region", name="commands")
    wanted = "on" if "off" in value.inner_text() else "off"
    panel.get_by_role("button", name="Select").click()
    expect(panel.get_by_role("status")).to_contain_text("Choose what to command first")
    panel.get_by_label("To").select_option(wanted)
    panel.get_by_role("button", name="Select").click()
    expect(panel.get_by_role("status")).to_contain_text("Give a reason first")
    panel.get_by_label("Reason").fill("back after the storm")
    panel.get_by_role("button", name="Select").click()
    expect(panel.get_by_role("status")).to_contain_text(f"select e01.breaker → {wanted}: success")
    dialog = desk.page.get_by_role("dialog", name="confirm the command")
    expect(dialog).to_contain_text(f"e01.breaker → {wanted}")
    expect(value).not_to_contain_text(wanted, use_inner_text=True)
    dialog.get_by_role("button", name="Execute").click()
    expect(panel.get_by_role("status")).to_contain_text(f"execute e01.breaker → {wanted}: success")
    expect(value).to_contain_text(wanted)
    desk.open("/events")
    desk.page.get_by_label("Point").fill("e01.breaker")
    newest = desk.page.get_by_role("region", name="Sequence of events").locator("tr[data-id]").first
    expect(newest).to_contain_text("e01.breaker")
    expect(newest).to_contain_text(wanted)

    auditor = window()
    auditor.log_in("carla")
    auditor.open("/audit?user=anna&point=e01.breaker")
    records = auditor.page.get_by_role("region", name="Records of the audit log")
    executed = records.get_by_role("row").filter(has_text="execute").first
    expect(executed).to_contain_text("anna")
    expect(executed).to_contain_text("back after the storm")
    auditor.page.get_by_role("button", name="Verify the chain").click()
    expect(auditor.page.get_by_text("● proven")).to_be_visible()


def test_a_selection_that_is_cancelled_moves_nothing(window) -> None:
    """Cancel frees the point."""
    desk = window()
    desk.log_in("anna")
    desk.open("/point/e01.breaker")
    panel = desk.page.get_by_role("region", name="commands")
    panel.get_by_label("To").select_option("on")
    panel.get_by_label("Reason").fill("a try")
    panel.get_by_role("button", name="Select").click()
    desk.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(panel.get_by_role("status")).to_contain_text("cancel e01.breaker → on")
    expect(desk.page.get_by_role("dialog")).to_have_count(0)


def test_a_setpoint_out_of_its_limits_is_refused(window) -> None:
    """The gateway's sentence is shown: 600 where 500 is the most."""
    desk = window()
    desk.log_in("anna")
    desk.open("/point/e01.power_limit")
    panel = desk.page.get_by_role("region", name="commands")
    for setpoint, said in (("600", "out_of_range"), ("250", "success")):
        panel.get_by_label("Setpoint from 0 to 500 kW").fill(setpoint)
        panel.get_by_label("Reason").fill("less load")
        panel.get_by_role("button", name="Command").click()
        desk.page.get_by_role("dialog").get_by_role("button", name="Execute").click()
        expect(panel.get_by_role("status")).to_contain_text(said)
    expect(desk.page.get_by_role("region", name="present value")).to_contain_text("250.00")


def test_a_point_is_blocked_and_released_with_a_reason(window) -> None:
    """Value frozen and marked while it is blocked; the record says who and why; a viewer cannot."""
    desk = window()
    desk.log_in("anna")
    desk.open("/point/e01.voltage")
    panel = desk.page.get_by_role("region", name="override")
    now = desk.page.get_by_role("region", name="present value")
    # An operator holds points, and does not test them.
    expect(panel.get_by_role("button")).to_have_text(["Block…", "Substitute…", "Release…"])
    panel.get_by_role("button", name="Block").click()
    expect(panel.get_by_role("status")).to_contain_text("Give a reason first")
    panel.get_by_label("Reason").fill("transformer on the bench")
    panel.get_by_role("button", name="Substitute").click()
    expect(panel.get_by_role("status")).to_contain_text("Give the value to substitute first")
    panel.get_by_label("Value to substitute").fill("17.5")
    for button, words in (("Block", "block e01.voltage"), ("Substitute", "substitute")):
        panel.get_by_role("button", name=button).click()
        dialog = desk.page.get_by_role("dialog", name="confirm the override")
        expect(dialog).to_contain_text("Reason: transformer on the bench")
        dialog.get_by_role("button", name="Do it").click()
        expect(panel.get_by_role("status")).to_contain_text(words)
        expect(panel.get_by_role("status")).to_contain_text("success")
    expect(panel).to_contain_text("◆ blocked, substituted, last changed")
    expect(now).to_contain_text("17.500")
    expect(now).to_contain_text("substituted,operatorBlocked")

    viewer = window()
    viewer.log_in("bert")
    viewer.open("/point/e01.voltage")
    seen = viewer.page.get_by_role("region", name="override")
    expect(seen).to_contain_text("◆ blocked, substituted")
    expect(seen).to_contain_text("Your role (viewer) may not override this point")
    expect(seen.get_by_role("button")).to_have_count(0)
    status, said = viewer.page.evaluate(FORGED)
    assert (status, said["command"]["status"]) == (403, "not_authorised")

    panel.get_by_role("button", name="Release").click()
    desk.page.get_by_role("dialog").get_by_role("button", name="Do it").click()
    expect(panel).to_contain_text("Nothing: the point shows what its device says")
    expect(now).not_to_contain_text("operatorBlocked")

    auditor = window()
    auditor.log_in("carla")
    auditor.open("/point/e01.voltage")
    panel = auditor.page.get_by_role("region", name="override")
    expect(panel.get_by_role("button", name="Test…", exact=True)).to_be_visible()
    panel.get_by_role("link", name="Who did what").click()
    records = auditor.page.get_by_role("region", name="Records of the audit log")
    for action in ("block", "substitute", "release"):
        row = records.get_by_role("row").filter(has_text=f"action {action}").first
        expect(row).to_contain_text("anna")
        expect(row).to_contain_text("transformer on the bench")


def test_a_viewer_may_look_and_nothing_else(window, station) -> None:
    """No buttons; pages of others are not there; and the gateway refuses what is forged."""
    desk = window()
    desk.log_in("bert")
    desk.open("/point/e01.breaker")
    panel = desk.page.get_by_role("region", name="commands")
    expect(panel).to_contain_text("Your role (viewer) may not command this point")
    expect(panel.get_by_role("button")).to_have_count(0)
    pages = desk.page.get_by_role("navigation", name="pages")
    expect(pages.get_by_role("link", name="Ledger")).to_be_visible()
    expect(pages.get_by_role("link", name="Audit")).to_have_count(0)
    for path in ("/audit", "/configuration"):
        answer = desk.page.goto(f"{station.url}{path}")
        assert answer.status == 403
        expect(desk.page.get_by_role("heading", level=1)).to_have_text("Not allowed")
    forged = desk.page.evaluate(
        """async () => {
          const who = await (await fetch("/api/v1/session")).json();
          const answer = await fetch("/api/v1/points/e01.breaker/command", {
            method: "POST",
            headers: {"Content-Type": "application/json", "X-CSRF-Token": who.csrf},
            body: JSON.stringify({operation: "direct", value: 1, reason: "mischief"}),
          });
          return [answer.status, await answer.json()];
        }"""
    )
    assert forged[0] == 403
    assert forged[1]["command"]["status"] == "not_authorised"


def test_a_socket_speaks_for_its_own_page_only(window) -> None:
    """A press of somebody else's button, sent by hand, presses nothing; of one's own it does."""
    anna, bert = window(), window()
    for desk, user in ((anna, "anna"), (bert, "bert")):
        desk.log_in(user)
        desk.alive()
    press = anna.page.evaluate(LOG_OUT)
    bert.page.evaluate("press => window.socket.emit('event', press)", press)
    # What bert's socket sends next is heard after that.
    bert.page.get_by_role("button", name="Log out").click()
    expect(bert.page).to_have_url(re.compile("/login"))
    anna.open("/ledger")
    press = anna.page.evaluate(LOG_OUT)
    anna.page.evaluate("press => window.socket.emit('event', press)", press)
    expect(anna.page).to_have_url(re.compile("/login"))


def test_a_gateway_that_restarts_says_that_the_connection_is_lost(window, station) -> None:
    """A band over everything, at once; when it is back the log-in is asked for."""
    desk = window()
    desk.log_in("bert")
    desk.open("/")
    station.stop()
    try:
        lost = desk.page.get_by_role("alert").filter(has_text="Connection lost")
        expect(lost).to_be_visible()
        grey = "getComputedStyle(document.querySelector('main')).filter"
        assert desk.page.evaluate(grey) == "grayscale(1)"
    finally:
        station.start()
    expect(desk.page).to_have_url(re.compile("/login"))
