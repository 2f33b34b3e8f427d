"""The report on models in a real browser: silent, self-contained, readable at 800 pixels in light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dialer.adapters.model_report import render_models
from tests.browser.conftest import Opened
from tests.browser.test_report import CONTRASTS
from tests.unit.model_report.reports import made_up_report

# Texts whose boxes overlap among an SVG's own, and drawings of no size.
OVERLAPS = """[...document.querySelectorAll('svg.plot, svg.week')].flatMap((drawing) => {
  const boxes = [...drawing.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
  return boxes.flatMap(([one, a], at) => boxes.slice(at + 1)
    .filter(([, b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
    .map(([other]) => `${one} / ${other}`));
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_on_models_is_readable(browser: Browser, tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "models.html"
    path.write_text(render_models(made_up_report()), encoding="utf-8")
    context = browser.new_context(viewport={"width": 800, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    try:
        opened = Opened(context.new_page(), path)
        assert opened.ask("document.documentElement.scrollWidth <= innerWidth")
        assert opened.ask("[...document.querySelectorAll('svg.plot')].every((one) => one.clientHeight > 200)")
        assert opened.ask("document.querySelectorAll('svg.week .hour title').length") == 2 * (5 * 13 + 6)
        assert opened.ask(OVERLAPS) == []
        faint = [text for contrast, text in opened.ask(CONTRASTS) if contrast < 4.5 and "\n" not in text]
        assert [text for text in faint if not text.replace(".", "").isdigit()] == []
        assert opened.complaints == []
        assert opened.requests == [path.as_uri()]
    finally:
        context.close()
