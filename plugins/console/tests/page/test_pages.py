"""Every page: nothing from elsewhere, nothing fails, and everybody can use it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import expect

PAGES = (
    "/",
    "/link/bay",
    "/points",
    "/point/e01.breaker",
    "/events",
    "/ledger",
    "/measurements",
    "/configuration",
    "/audit",
)
HERE = Path(__file__).parent
UNNAMED = (HERE / "unnamed.js").read_text()
PALE = (HERE / "pale.js").read_text()


@pytest.mark.parametrize(("size", "theme"), [("wall", "dark"), ("phone", "light")])
def test_each_page_works_alone_and_for_everybody(window, station, size: str, theme: str) -> None:
    """No request leaves, none fails, no script breaks; names, headings, landmarks, contrast."""
    desk = window(size, theme)
    desk.log_in("carla")
    for path in PAGES:
        desk.open(path)
        page = desk.page
        assert page.evaluate("document.documentElement.lang") == "en-US"
        assert page.evaluate("document.body.classList.contains('body--dark')") == (theme == "dark")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_role("main")).to_have_count(1)
        expect(page.get_by_role("banner")).to_have_count(1)
        expect(page.get_by_role("navigation", name="pages")).to_have_count(1)
        levels = page.evaluate(
            "[...document.querySelectorAll('main h1, main h2, main h3')].map(h => +h.tagName[1])"
        )
        assert levels[0] == 1, path
        assert all(after - before <= 1 for before, after in pairwise(levels)), (path, levels)
        assert page.evaluate(UNNAMED) == [], path
        assert page.evaluate(PALE) == [], path
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} is {wide} px too wide"
    assert desk.foreign == []
    assert desk.failed == []


def test_what_is_looked_for_is_found(browser) -> None:
    """A field and a button without names, a table without headers' scopes, and pale text."""
    context = browser.new_context()
    page = context.new_page()
    page.set_content(
        "<input><button></button><table><tr><th>x</th></tr></table>"
        "<p style='color:#777;background:#eee'>pale</p><p style='color:#767676'>not pale</p>"
    )
    found = page.evaluate(UNNAMED)
    assert [text[:9] for text in found] == ["<input>", "<button><", "no captio", "no scope:"]
    # #767676 is the palest grey that WCAG 2.2 takes on white: 4.54 to 1.
    assert page.evaluate(PALE) == ["3.86  pale"]
    context.close()


def test_keys_are_enough(window) -> None:
    """The first key leads to the content; links, fields and tables follow in order."""
    desk = window()
    desk.log_in("carla")
    desk.open("/points")
    page = desk.page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.type("e01.vol")
    expect(page.locator("tr[data-id]")).to_have_count(1)
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(page.get_by_role("region", name="Points")).to_be_focused()
    header = page.get_by_role("columnheader", name="Value")
    header.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(header).to_have_attribute("aria-sort", "ascending")
    page.keyboard.press("Enter")
    expect(header).to_have_attribute("aria-sort", "descending")


def test_what_is_typed_stays_while_the_page_is_drawn(window) -> None:
    """A slow typist on a page that changes twice a second loses no letter, nor the choice."""
    desk = window()
    desk.log_in("anna")
    desk.open("/point/e01.breaker")
    panel = desk.page.get_by_role("region", name="commands")
    panel.get_by_label("To").select_option("on")
    reason = panel.get_by_label("Reason")
    reason.press_sequentially("work on the cable", delay=120)
    pulse = desk.page.locator(".gw-pulse")
    before = pulse.inner_text()
    expect(pulse).not_to_have_text(before)
    expect(reason).to_have_value("work on the cable")
    expect(panel.get_by_label("To")).to_have_value("1")


def test_a_row_keeps_its_focus_while_it_changes(window) -> None:
    """Drawing twice a second takes the focus from nobody."""
    desk = window()
    desk.log_in("bert")
    desk.open("/points?search=feeder001")
    link = desk.row("feeder001.current").get_by_role("link")
    link.focus()
    cells = desk.row("feeder001.current")
    before = cells.inner_text()
    expect(cells).not_to_have_text(before, use_inner_text=True)
    expect(link).to_be_focused()


def test_phasors_and_harmonics_are_what_was_fed(window) -> None:
    """230 V and 5 A behind by 25°, with 4.3 % of the fifth harmonic: 9.89 V."""
    desk = window()
    desk.log_in("bert")
    desk.open("/measurements")
    expect(desk.row("ua")).to_contain_text(re.compile(r"230\.0\d V\s*-?0\.0\d"))
    expect(desk.row("ub")).to_contain_text(re.compile(r"230\.0\d V\s*-120\.0\d"))
    expect(desk.row("ia")).to_contain_text(re.compile(r"5\.00 A\s*-25\.0\d"))
    expect(desk.row("5")).to_contain_text("9.89")
    arrow = desk.page.locator(".arrow.u").filter(has_text="ub").locator("line")
    # cos and -sin of -120° of a rim of 100.
    expect(arrow).to_have_attribute("x2", "-50")
    expect(arrow).to_have_attribute("y2", "86.6")


def test_a_configuration_is_checked_and_its_flaws_are_named(window, tmp_path) -> None:
    """File, line and column of what `gateway check` would say; a good one is good."""
    desk = window()
    desk.log_in("carla")
    desk.open("/configuration")
    good = (
        "gateway: {name: a}\npoints: a.csv\nsources:\n  - {name: s, type: simulator}\nsinks: []\n"
    )
    (tmp_path / "a.csv").write_text("name,s.signal\nx,sine\n")
    for text, said in ((good, "● valid: 1 sources"), (good.replace("simulator", "simulater"), "✕")):
        (tmp_path / "a.yaml").write_text(text)
        files = desk.page.get_by_label("The YAML file and the point lists")
        files.set_input_files([tmp_path / "a.csv", tmp_path / "a.yaml"])
        desk.page.get_by_role("button", name="Check").click()
        expect(desk.page.locator("form").get_by_role("status")).to_contain_text(said)
    flaws = desk.page.get_by_role("table", name="What is wrong")
    expect(flaws).to_contain_text("simulater")
    expect(flaws.get_by_role("row").nth(1)).to_contain_text("a.yaml")
    # Line 4, where `type:` has its value.
    expect(flaws.get_by_role("row").nth(1).get_by_role("cell").first).to_have_text("4")


def test_themes_are_remembered(window) -> None:
    """Dark by a press of the button, and on the next page as well."""
    desk = window()
    desk.log_in("bert")
    body = desk.page.locator("body")
    expect(body).to_have_class(re.compile("body--light"))
    desk.page.get_by_role("button", name="dark or light").click()
    expect(body).to_have_class(re.compile("body--dark"))
    desk.open("/ledger")
    expect(body).to_have_class(re.compile("body--dark"))
