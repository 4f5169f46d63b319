"""Take the pictures of docs/console.md: each page on a wall and on a phone.

    python plugins/console/tests/page/screenshots.py [FOLDER]

FOLDER is docs/img/console by default. It runs the substation of the tests and the system's
Chromium; a device is lost on the way, so that there is something to see.
With Pillow (`pip install pillow`) the pictures are made small.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
PAGES = {
    "overview": "/",
    "link": "/link/bay",
    "points": "/points",
    "point": "/point/e01.current",
    "command": "/point/e01.breaker",
    "events": "/events",
    "ledger": "/ledger",
    "measurements": "/measurements",
    "configuration": "/configuration",
    "audit": "/audit",
}
THEMES = {"wall": "dark", "phone": "light"}
LOST = ("overview", "events")
"""Pages that are shown while the device is away."""


def helpers() -> Any:
    """Return the tests' own fixtures as a module."""
    spec = importlib.util.spec_from_file_location("console_page_conftest", HERE / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(folder: Path) -> None:
    """Write the pictures."""
    tests = helpers()
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        station = tests.Station(Path(place))
        try:
            station.plug()
            station.start()
            desks = {size: opened(tests, browser, station, size) for size in THEMES}
            closed(desks["wall"])
            for size, desk in desks.items():
                for name in [one for one in PAGES if one not in LOST]:
                    taken(desk, name, folder / f"{name}-{size}.png")
            station.unplug()
            for size, desk in desks.items():
                for name in LOST:
                    taken(desk, name, folder / f"{name}-{size}.png", lost=True)
        finally:
            station.stop()
            station.unplug()


def opened(tests: Any, browser: Browser, station: Any, size: str) -> Any:
    """Return a window of that size in which carla, who may all, is logged in."""
    width, height = tests.SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=THEMES[size],  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    desk = tests.Desk(context.new_page(), station.url)
    desk.log_in("carla")
    return desk


def closed(desk: Any) -> None:
    """Close the breaker, so that events and records tell of it."""
    desk.open("/point/e01.breaker")
    panel = desk.page.get_by_role("region", name="commands")
    panel.get_by_label("To").select_option("on")
    panel.get_by_label("Reason").fill("back after the storm")
    panel.get_by_role("button", name="Select").click()
    desk.page.get_by_role("dialog").get_by_role("button", name="Execute").click()
    expect(panel.get_by_role("status")).to_contain_text("execute e01.breaker → on: success")


def taken(desk: Any, name: str, path: Path, *, lost: bool = False) -> None:
    """Take one picture, when what it shows is there."""
    desk.open(PAGES[name])
    page = desk.page
    if lost:
        expect(page.get_by_role("link", name="links not up")).to_be_visible()
    if name == "command":
        panel = page.get_by_role("region", name="commands")
        panel.get_by_label("To").select_option("off")
        panel.get_by_label("Reason").fill("work on the cable")
        panel.get_by_role("button", name="Select").click()
        expect(page.get_by_role("dialog")).to_be_visible()
    if name in ("point", "measurements"):
        expect(page.locator("canvas").first).to_be_visible()
        page.wait_for_timeout(6_000)
    if name == "audit":
        page.get_by_role("button", name="Verify the chain").click()
        expect(page.get_by_text("● proven")).to_be_visible()
    page.screenshot(path=path)
    small(path)
    if name == "command":
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    print(path.name, path.stat().st_size)


def small(path: Path) -> None:
    """Keep 128 colours of a picture, where Pillow is there."""
    try:
        from PIL import Image
    except ImportError:
        return
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "img" / "console")
