"""Takes `report-light.png` and `report-dark.png`: the top of a simulated morning's report, as Chromium shows it.

Run it with `.venv/bin/python docs/pictures/report.py` after a change of the report. Needs Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import msgspec
from playwright.sync_api import Browser, sync_playwright

from dialer.bootstrap import simulate
from sim.report import render_report
from sim.scenario_file import packaged_scenario

FOLDER = Path(__file__).parent
SIZE = {"width": 1280, "height": 1010}  # CSS pixels


def report() -> str:
    """Return the report of the demo's morning."""
    scenario = packaged_scenario("collections_demo", agents=20, leads=3000, duration_s=3 * 3600.0)
    run = simulate(scenario, seed=scenario.seed)
    return render_report(run.day, msgspec.structs.asdict(run.result))


def take(browser: Browser, page_file: Path, scheme: str) -> None:
    """Take one picture, with a moment chosen so that the charts show its time."""
    context = browser.new_context(viewport=SIZE, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(page_file.as_uri())
    page.locator('li[data-kind="launch"] [data-moment]').first.click()
    page.mouse.move(1, 1)
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=FOLDER / f"report-{scheme}.png")
    context.close()


def main() -> None:
    """Take both pictures anew."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no Chromium here (Debian/Ubuntu: apt install chromium)")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        page_file = Path(folder) / "report.html"
        page_file.write_text(report(), encoding="utf-8")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for scheme in ("light", "dark"):
            take(browser, page_file, scheme)
        browser.close()


if __name__ == "__main__":
    main()
