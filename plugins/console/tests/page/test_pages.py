"""Every page: nothing from elsewhere, nothing fails, and everybody can use it."""

from __future__ import annotations

import re

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
UNNAMED = """() => {
  const found = [];
  const seen = (e) => e.getClientRects().length > 0;
  for (const e of document.querySelectorAll("input, select, textarea"))
    if (e.type !== "hidden" && seen(e) && !e.labels?.length && !e.ariaLabel) found.push(e.outerHTML);
  for (const e of document.querySelectorAll("a, button"))
    if (seen(e) && !(e.innerText.trim() || e.ariaLabel)) found.push(e.outerHTML);
  for (const e of document.querySelectorAll("table")) {
    if (!e.caption) found.push("no caption: " + e.outerHTML.slice(0, 200));
    for (const h of e.querySelectorAll("th")) if (!h.scope) found.push("no scope: " + h.outerHTML);
  }
  for (const e of document.querySelectorAll("svg[role], canvas, img"))
    if (!e.closest("[aria-label], [alt]")) found.push(e.outerHTML.slice(0, 200));
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  found.push(...ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => "twice: " + id));
  for (const e of document.querySelectorAll("[tabindex]"))
    if (e.tabIndex > 0) found.push("tabindex: " + e.outerHTML.slice(0, 200));
  for (const e of document.querySelectorAll(".gw-table"))
    if (e.scrollWidth > e.clientWidth && e.tabIndex !== 0) found.push("scrolls without keys");
  return found;
}"""
PALE = """() => {
  // WCAG 2.2, 1.4.3: relative luminance and contrast ratio, as its definitions say.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => {
      const s = v / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgba(getComputedStyle(e).backgroundColor);
      if (c[3] === 255) return c;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !e.getClientRects().length) continue;
    if (e.closest("script, style, svg, .gw-hidden, [aria-hidden=true], :disabled")) continue;
    const style = getComputedStyle(e);
    const big = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const [a, b] = [light(rgba(style.color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < (big ? 3 : 4.5)) found.add(ratio.toFixed(2) + " " + e.className + " " + e.innerText.slice(0, 40));
  }
  return [...found];
}"""


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
        steps = list(zip(levels, levels[1:], strict=False))
        assert levels[0] == 1, path
        assert all(after - before <= 1 for before, after in steps), (path, levels)
        assert page.evaluate(UNNAMED) == [], path
        assert page.evaluate(PALE) == [], path
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} is {wide} px too wide"
    assert desk.foreign == []
    assert desk.failed == []


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
    good = "gateway: {name: a}\npoints: a.csv\nsources:\n  - {name: s, type: simulator}\nsinks: []\n"
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
    desk.page.get_by_role("button", name="Dark/light").click()
    expect(body).to_have_class(re.compile("body--dark"))
    desk.open("/ledger")
    expect(body).to_have_class(re.compile("body--dark"))
