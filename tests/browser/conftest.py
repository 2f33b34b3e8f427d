"""Chromium as a fixture: the machine's own, driven without a window."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sim.report import render_report

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",  # the tests may run as root in a container; they open only files of their own
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser, no longer than a module: its driver is a running event loop, in which asyncio's tests cannot run.

    Skips on a machine without one, unless CADENCIA_REQUIRE_BROWSER is set.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        said = "no Chromium here (Debian/Ubuntu: apt install chromium)"
        if os.environ.get("CADENCIA_REQUIRE_BROWSER"):
            raise FileNotFoundError(said)
        pytest.skip(said)
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=QUIET)
        yield started
        started.close()


class Opened:
    """A report in a window, and all that the window asked for or complained about."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())

    def ask(self, script: str) -> Any:
        """What an expression of the page gives."""
        return self.page.evaluate(script)


Open = Callable[..., Opened]


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens reports, and finds nothing to complain about in any of them when the test is over."""
    shown: list[tuple[Opened, Path]] = []

    def show(*day: Any, width: int = 1280, scheme: str = "light", **options: Any) -> Opened:
        path = tmp_path / f"report{len(shown)}.html"
        path.write_text(render_report(*day, **options), encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        shown.append((Opened(context.new_page(), path), path))
        return shown[-1][0]

    yield show
    for opened, path in shown:
        opened.page.context.close()
        assert opened.complaints == []
        assert opened.requests == [path.as_uri()]
