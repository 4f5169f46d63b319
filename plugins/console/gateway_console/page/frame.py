"""What all pages have around them: bar, navigation, alarms read aloud, and the ticker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request
from nicegui import ui
from nicegui.client import Client as Page
from nicegui.element import Element
from starlette.responses import Response

from gateway import Client, Permission
from gateway_console.page.desk import Desk
from gateway_console.page.live import Pulse
from gateway_console.page.stage import DESK, finished
from gateway_console.page.wording import clock_text
from gateway_console.visitor import Visitor

log = logging.getLogger("gateway_console.page")
TICK = 0.5
"""Seconds between two looks of a page at the gateway."""
PAGES = (
    ("/", "Overview", None),
    ("/points", "Points", None),
    ("/events", "Events", None),
    ("/ledger", "Ledger", None),
    ("/measurements", "Measurements", None),
    ("/configuration", "Configuration", Permission.CONFIGURE),
    ("/audit", "Audit", Permission.AUDIT),
)
STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
THEME = """() => {
  Quasar.Dark.toggle();
  localStorage.setItem("gateway-theme", Quasar.Dark.isActive ? "dark" : "light");
}"""


@dataclass(slots=True)
class View:
    """One page in one browser: the console it is of, and who looks at it."""

    desk: Desk
    who: Visitor
    client: Client
    page: Page

    def may(self, permission: Permission, point: int | None = None) -> bool:
        """Return whether the reader may do this, now; to any point at all without one."""
        return self.present and self.desk.may(self.client, permission, point)

    @property
    def present(self) -> bool:
        """Whether who opened the page is still logged in."""
        return self.desk.present(self.who)


def tag(name: str, text: str = "", classes: str = "", **attributes: str) -> Element:
    """Return a plain HTML element with a text; attributes as they are, `_` stands for `-`."""
    element = ui.element(name).classes(classes)
    if text:
        element._text = text
    for key, value in attributes.items():
        element._props[key.rstrip("_").replace("_", "-")] = value
    return element


def say(element: Element, text: str, state: str = "") -> None:
    """Replace the text of an element, and its state; sends nothing where both are the same."""
    if element._text == text and element._props.get("data-state", "") == state:
        return
    element._text = text
    element._props["data-state"] = state
    element.update()


def view_of(request: Request, page: Page) -> View:
    who: Visitor = request.scope["state"]["visitor"]
    if who.client is None:
        raise PermissionError("the door let nobody in")
    return View(request.scope[DESK], who, who.client, page)


@contextmanager
def framed(view: View, title: str, current: str = "") -> Iterator[None]:
    """Build a page: bar and navigation first, then what the body of the `with` adds."""
    gateway = view.desk.ctx.gateway
    ui.add_head_html(f"<style>{STYLE}</style>")
    ui.page_title(f"{title} – {gateway}")
    with ui.header(wrap=False):
        tag("a", "Skip to the content", "gw-skip", href="#content")
        _bar(view, gateway, current)
    tag("h1", title, id="content", tabindex="-1")
    yield


def _bar(view: View, gateway: str, current: str) -> None:
    client = view.client
    with tag("div", classes="gw-bar"):
        tag("a", gateway, "gateway", href="/", aria_label=f"gateway {gateway}, overview")
        with tag("nav", classes="gw-nav", aria_label="pages"):
            for path, label, needed in PAGES:
                if needed is None or view.may(needed):
                    link = tag("a", label, href=path)
                    if path == current:
                        link._props["aria-current"] = "page"
        tag("span", classes="spring")
        links = tag("a", "", "gw-chip", href="/")
        alarms = tag("a", "", "gw-chip", href="/events")
        aloud = tag("div", "", "gw-hidden", role="alert", aria_live="assertive")
        pulse = Pulse(clock_text(view.desk.ctx.now()))
        tag("span", f"{client.user or 'anybody'} · {client.role or 'no role'}", "who")
        tag("button", "◐", type="button", aria_label="dark or light").on("click", js_handler=THEME)
        if view.who.session is not None:
            tag("button", "Log out", type="button").on("click", lambda _: _leave(view))

    newest = view.desk.alarms.newest

    def wind() -> None:
        nonlocal newest
        pulse.show(text=clock_text(view.desk.ctx.now()))
        down = [one.name for one in view.desk.links if one.state != "up"]
        total = len(view.desk.links)
        if down:
            say(links, f"✕ {len(down)} of {total} links not up", "bad")
        else:
            say(links, f"● {total} links up")
        open_ = view.desk.alarms.unacknowledged
        say(
            alarms,
            f"▲ {open_:,} alarm{'s' * (open_ > 1)}" if open_ else "no new alarms",
            "warn" if open_ else "",
        )
        if view.desk.alarms.newest != newest:
            newest = view.desk.alarms.newest
            say(aloud, view.desk.alarms.spoken)

    ticking(view, wind)


def _leave(view: View) -> None:
    if view.who.session is not None:
        view.desk.site.sessions.close(view.who.session)
    view.page.open("/login")


def ticking(view: View, step: Callable[[], Any]) -> None:
    """Call `step` now and twice a second, while its reader is logged in and connected."""
    failed = False

    def look() -> None:
        nonlocal failed
        if not view.present:
            timer.cancel()
            view.page.open("/login")
            return
        try:
            step()
            failed = False
        except Exception:
            # Once, not twice a second; the page shows what it had.
            if not failed:
                log.exception("a page of the console cannot be drawn")
            failed = True

    step()
    timer = ui.timer(TICK, look, immediate=False)


def done(view: View) -> Response:
    """Return the page's response; the last line of every page."""
    return finished(view.page, view.page.status_code)
