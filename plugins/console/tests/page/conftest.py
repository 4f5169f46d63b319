"""A substation with a console, and a browser in front of it."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from gateway.testing import free_ports

HERE = Path(__file__).parent
GATEWAY = str(Path(sys.executable).with_name("gateway"))
PASSWORD = "a password of theirs"
PATIENCE = 20.0
SIZES = {"desk": (1280, 800), "wall": (1920, 1080), "phone": (390, 844)}

expect.set_options(timeout=PATIENCE * 1000)


class Station:
    """Two processes: the device of a bay, and the gateway with its console."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._device_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self._device: subprocess.Popen[bytes] | None = None
        self._gateway: subprocess.Popen[bytes] | None = None
        text = (HERE / "device.yaml").read_text().replace("15099", str(self._device_port))
        (folder / "device.yaml").write_text(text)
        shutil.copy(HERE / "device.csv", folder)

    def plug(self) -> None:
        """Start the device."""
        command = [GATEWAY, "run", "device.yaml", "--data", "device", "--no-view"]
        self._device = self._start(command, "device.log")
        self._listening(self._device_port, self._device)

    def unplug(self) -> None:
        """Take the device away."""
        self._device = _stop(self._device)

    def start(self) -> None:
        """Start the gateway."""
        command = [sys.executable, str(HERE / "station.py"), str(self.folder)]
        command += [str(self.port), str(self._device_port), "500"]
        self._gateway = self._start(command, "gateway.log")
        self._listening(self.port, self._gateway)

    def stop(self) -> None:
        """Stop the gateway."""
        self._gateway = _stop(self._gateway)

    def _start(self, command: list[str], log: str) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as file:
            return subprocess.Popen(command, cwd=self.folder, stdout=file, stderr=file)

    def _listening(self, port: int, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert process.poll() is None, self.log
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)
        raise TimeoutError(self.log)

    @property
    def log(self) -> str:
        return "\n".join(path.read_text() for path in self.folder.glob("*.log"))


def _stop(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


class Desk:
    """A browser's window in front of the console; what goes wrong in it is kept.

    foreign: requests to other hosts, which are refused; failed: requests and scripts that failed.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.foreign: list[str] = []
        self.failed: list[str] = []
        page.context.route(re.compile("^(?!data:|blob:)"), self._route)
        page.on("requestfailed", lambda r: self._request_failed(r.url, r.failure or ""))
        page.on("pageerror", lambda error: self.failed.append(str(error)))
        page.on("console", lambda m: m.type == "error" and self.failed.append(m.text))

    def _route(self, route: object, request: object) -> None:
        if request.url.startswith(self.url):  # type: ignore[attr-defined]
            route.continue_()  # type: ignore[attr-defined]
        else:
            self.foreign.append(request.url)  # type: ignore[attr-defined]
            route.abort()  # type: ignore[attr-defined]

    def _request_failed(self, url: str, why: str) -> None:
        # A page that is left ends what it was loading.
        if "ERR_ABORTED" not in why:
            self.failed.append(f"{url} {why}")

    def log_in(self, user: str) -> None:
        self.page.goto(f"{self.url}/login")
        self.page.get_by_label("User").fill(user)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("heading", level=1, name="Overview")).to_be_visible()

    def open(self, path: str) -> None:
        """Open a page, and wait until it lives."""
        self.page.goto(f"{self.url}{path}")
        self.alive()

    def alive(self) -> None:
        """Wait until the page's socket is open."""
        self.page.wait_for_function("window.did_handshake", timeout=PATIENCE * 1000)
        expect(self.page.locator(".gw-pulse")).to_be_visible()

    def row(self, name: str):  # type: ignore[no-untyped-def]
        """Return the rows of tables whose header is this."""
        return self.page.get_by_role("row").filter(
            has=self.page.get_by_role("rowheader", name=name, exact=True)
        )


class Stand:
    """A thread in front of the browser, in which all that is done to it is done.

    Playwright switches greenlets, and in a thread that did so Python 3.11 cannot parse any more
    (`AST constructor recursion depth mismatch`): that must not be pytest's own.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "browser")
        self.browser = self.do(self._begin)

    def do(self, what: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return self._thread.submit(what, *args, **named).result()

    def _begin(self) -> Browser:
        path = shutil.which("chromium")
        assert path, "no chromium: run tools/system test"
        self._playwright = sync_playwright().start()
        arguments = ["--no-sandbox", "--disable-gpu"]
        return self._playwright.chromium.launch(executable_path=path, args=arguments)

    def close(self) -> None:
        self.do(self.browser.close)
        self.do(self._playwright.stop)
        self._thread.shutdown()


@pytest.fixture(scope="session")
def stand() -> Iterator[Stand]:
    """The system's Chromium, and the thread in front of it."""
    stand = Stand()
    yield stand
    stand.close()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that use the browser in its thread."""
    stand = pyfuncitem.funcargs.get("stand")
    if not isinstance(stand, Stand):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    stand.do(pyfuncitem.obj, **{name: pyfuncitem.funcargs[name] for name in names})
    return True


@pytest.fixture
def browser(stand: Stand) -> Browser:
    return stand.browser


@pytest.fixture(scope="session")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    """The substation, up."""
    made = Station(tmp_path_factory.mktemp("station"))
    try:
        made.plug()
        made.start()
        yield made
    finally:
        made.stop()
        made.unplug()


@pytest.fixture
def window(stand: Stand, station: Station) -> Iterator[Callable[..., Desk]]:
    """Open windows, which are closed after the test; each has its own cookies."""
    contexts: list[BrowserContext] = []

    def opened(size: str = "desk", theme: str = "light") -> Desk:
        width, height = SIZES[size]
        context = stand.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        contexts.append(context)
        return Desk(context.new_page(), station.url)

    yield opened
    for context in contexts:
        stand.do(context.close)
