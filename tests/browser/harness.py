"""What a browser test stands on: the real server in a process of its own, and a real Chromium. No pytest in here.

The browser is the machine's own (Playwright downloads none); nothing but the server is reached from it.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from core.settings import PROJECT

BROWSERS = (
    "/usr/bin/chromium-headless-shell",
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGES = {
    "Overview": "",
    "Data": "data",
    "Sweep": "sweep",
    "Runs": "runs",
    "Trade-off": "trade_off",
    "Compare": "compare",
    "Users": "users",
    "Sampler": "sampler",
    "Bias and variance": "bias_variance",
    "Reproduction": "reproduction",
}
VIEWS = {**PAGES, "Data look": "data?tab=Look", "Data add": "data?tab=Add"}
"""What is photographed: every page, and the other tabs of Data."""
TALLEST = 4000
MARKS = "[data-testid=stVegaLiteChart] .mark-symbol.role-mark.marks_marks path"
AT_REST = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  const drawn = app?.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-testid=stSkeleton]')
    && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].every(c => c.querySelector('svg, canvas'));
  const places = [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].map(c => {
    const box = c.getBoundingClientRect();
    return [box.x, box.y, box.width, box.height, c.querySelectorAll('path').length];
  });
  const seen = [
    location.href, document.querySelectorAll('*').length, document.fonts.status, places, app?.innerText,
  ].join();
  const now = performance.now();
  if (!drawn || seen !== window.restSeen) { window.restSeen = seen; window.restSince = now; }
  return now - window.restSince > 600;
}"""
"""Has the script ended, is everything drawn, and have the address, what is there and where it is not changed lately?"""
ASKING = 5.0
"""Seconds within which a click reaches the server: a slider waits a fifth of one, a busy machine longer."""


def find_browser() -> str | None:
    """The path of a Chromium on this machine."""
    return next((path for path in BROWSERS if Path(path).exists()), None)


@contextmanager
def serving(cache: Path, **variables: str) -> Iterator[str]:
    """The app on a free port over that cache; its address. Ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "LONGTAIL_CACHE": str(cache), "LONGTAIL_AUTOSTART": "0", **variables}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        f"--server.port={port}",
        "--server.address=127.0.0.1",
    ]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_until_healthy(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _wait_until_healthy(address: str, server: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    for _ in range(600):
        if server.poll() is not None:
            log.seek(0)
            raise RuntimeError(f"the server ended with {server.returncode}: {log.read()[-2000:].decode()}")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not answer within a minute")


class Visit:
    """One browser page on the app: what it asked for, what its console said, and how to wait for it."""

    def __init__(self, page: Any, address: str):
        self.page, self.address = page, address
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.sent = 0  # messages to the server
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._request(request.url))
        page.on("websocket", lambda socket: socket.on("framesent", self._sent))

    def _console(self, message: Any) -> None:
        # a page opened by its address first asks below its own path where the server is, and is answered by 404
        probing = "/_stcore/" in message.location.get("url", "") and "404" in message.text
        if message.type == "error" and not probing:
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _request(self, url: str) -> None:
        if not url.startswith((self.address, self.address.replace("http", "ws", 1), "data:", "blob:")):
            self.outside.append(url)

    def _sent(self, _: Any) -> None:
        self.sent += 1

    def open(self, path: str = "") -> None:
        """Go to a path of the app and wait until it is drawn."""
        self.page.goto(f"{self.address}/{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until nothing more comes. A page on which jobs move never rests: there half a minute must do."""
        from playwright.sync_api import TimeoutError as Late

        self.page.wait_for_selector("[data-testid=stSidebar]", timeout=30_000)
        self.page.evaluate("window.restSeen = undefined")
        try:
            self.page.wait_for_function(AT_REST, timeout=30_000, polling=100)
        except Late:
            self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=30_000)

    def act(self, action: Callable[[], Any], asks: bool = True) -> None:
        """Do it and wait for all that it does; asks: of the server, as most things do."""
        before = self.sent
        action()
        until = time.monotonic() + ASKING
        while asks and self.sent == before and time.monotonic() < until:
            self.page.wait_for_timeout(50)
        self.settle()

    def menu(self, title: str) -> None:
        """Follow a link of the navigation."""
        self.act(self.page.locator("[data-testid=stSidebarNavLink]", has_text=title).click)

    def clean(self) -> None:
        """What must hold after every visit."""
        assert self.errors == []
        assert self.outside == []

    def parameters(self) -> dict[str, str]:
        """What the address says of the view."""
        return {key: values[0] for key, values in parse_qs(urlsplit(self.page.url).query).items()}

    def text(self) -> str:
        """What the main part of the page says."""
        return str(self.page.locator("[data-testid=stMain]").inner_text())

    def shows(self, text: str) -> bool:
        """Does the main part say that, once the browser has drawn its charts? Their words come with them."""
        for _ in range(40):
            if self.text() == text:
                break
            self.page.wait_for_timeout(250)
        return self.text() == text

    def marks(self) -> list[tuple[float, float]]:
        """Where the marks of the trade-off chart are, left to right."""
        boxes = [mark.bounding_box() for mark in self.page.locator(MARKS).all()]
        return sorted((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes if box)

    def photograph(self, path: Path) -> None:
        """The page in its whole height."""
        width = self.page.viewport_size["width"]
        tall = int(self.page.locator("[data-testid=stMain]").evaluate("e => e.scrollHeight"))
        self.page.set_viewport_size({"width": width, "height": min(max(900, tall + 20), TALLEST)})
        self.settle()
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
        self.page.set_viewport_size({"width": width, "height": 900})

    def click(self, point: tuple[float, float]) -> None:
        """Click there, and wait for what it does."""
        self.act(lambda: self.page.mouse.click(*point))


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser; one at a time in a process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def new_visit(browser: Any, address: str, scheme: str = "light", width: int = 1440) -> Visit:
    """A visit without any history, in that colour scheme."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    return Visit(context.new_page(), address)
