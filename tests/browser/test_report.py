"""The report in a real browser. That it is silent and loads nothing, the fixture asks of every page."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.browser.conftest import Open, Opened
from tests.unit.sim_report.days import made_up_day
from tests.unit.sim_report.test_page import HOSTILE, hostile_day

CHARTS = ("moments", "agents", "activity", "waiting", "abandon", "answers", "carriers")

# A chart's pixels, from a copy: reading the original would change how the browser paints it.
PIXELS = """(canvas) => {
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const ink = copy.getContext('2d', { willReadFrequently: true });
  ink.drawImage(canvas, 0, 0);
  return ink.getImageData(0, 0, copy.width, copy.height).data;
}"""

# For each chart: the number of colours in its plot, and a sum that changes with any pixel.
DRAWN = f"""[...document.querySelectorAll('.plot canvas')].map({PIXELS}).map((data) => {{
  const seen = new Set();
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) {{
    const pixel = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
    if (data[at + 3] === 255) seen.add(pixel);
    sum = (sum * 31 + pixel * data[at + 3]) % 2147483647;
  }}
  return [seen.size, sum];
}})"""

# The contrast (WCAG 2: (L1 + 0.05) / (L2 + 0.05)) of each piece of text against what is behind it.
CONTRASTS = """(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(element.tagName)) continue;
    if (!element.checkVisibility()) continue;
    const [one, other] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    found.push([(Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05), walker.currentNode.data.trim()]);
  }
  return found;
})()"""


def readings(opened: Opened, chart: str) -> list[str]:
    """What the legend of a chart says now."""
    legend = opened.page.locator(f'.legend:has(+ .plot[data-chart="{chart}"]) [data-value]')
    return legend.all_inner_texts()


def drawn_once(opened: Opened) -> None:
    """Wait until the browser has painted: readings follow the pointer with the next frame."""
    opened.ask("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def hover(opened: Opened, chart: str, share: float) -> None:
    """Point at a share of a chart's width."""
    over = opened.page.locator(f'.plot[data-chart="{chart}"] .u-over')
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    opened.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    drawn_once(opened)


def painted(opened: Opened, chart: str, share: float) -> bool:
    """Whether most of a column of a chart, at a share of its width, is painted."""
    return bool(
        opened.ask(
            f"""[document.querySelector('.plot[data-chart="{chart}"]')].map((host) => {{
              const canvas = host.querySelector('canvas');
              const over = host.querySelector('.u-over');
              const data = ({PIXELS})(canvas);
              const x = Math.round((over.offsetLeft + {share} * over.clientWidth) * devicePixelRatio);
              let solid = 0;
              for (let y = 0; y < canvas.height; y++) solid += data[4 * (y * canvas.width + x) + 3] === 255;
              return solid > canvas.height / 2;
            }})[0]"""
        )
    )


# ---- drawing --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chart_draws(open_report: Open, scheme: str) -> None:
    opened = open_report(*made_up_day(), scheme=scheme)
    hosts = opened.ask("[...document.querySelectorAll('.plot')].map((host) => host.dataset.chart)")
    assert tuple(hosts) == CHARTS
    assert all(colours >= 3 for colours, _ in opened.ask(DRAWN))


def test_light_and_dark_differ_and_the_button_turns_one_into_the_other(open_report: Open) -> None:
    light, dark = (open_report(*made_up_day(intervals=120), scheme=scheme) for scheme in ("light", "dark"))
    background = "getComputedStyle(document.body).backgroundColor"
    assert light.ask(background) != dark.ask(background)
    pictures = [opened.ask(DRAWN) for opened in (light, dark)]
    assert all(one != other for one, other in zip(*pictures, strict=True))
    light.page.locator("#theme").click()
    assert light.ask(background) == dark.ask(background)
    light.page.wait_for_function(f"JSON.stringify({DRAWN}) === '{_json(pictures[1])}'")
    assert light.page.locator("#theme").inner_text() == "Light"
    light.page.locator("#theme").click()
    light.page.wait_for_function(f"JSON.stringify({DRAWN}) === '{_json(pictures[0])}'")


def _json(picture: list[list[int]]) -> str:
    return str(picture).replace(" ", "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(open_report: Open, scheme: str) -> None:
    opened = open_report(
        *made_up_day(intervals=120), scheme=scheme, other=made_up_day(intervals=120, abandon_rate=0.08)
    )
    opened.page.locator("summary").first.click()
    opened.page.locator('[data-kind="guard"]').first.click()
    found = opened.ask(CONTRASTS)
    assert len(found) > 200
    assert min(found)[0] >= 4.5, min(found)


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("compared", [False, True], ids=["one", "two"])
def test_no_window_scrolls_sideways(open_report: Open, width: int, compared: bool) -> None:
    day = made_up_day(intervals=60, trunks=12)
    opened = open_report(*day, width=width, **({"other": day} if compared else {}))
    assert opened.ask("document.documentElement.scrollWidth <= innerWidth")
    opened.page.set_viewport_size({"width": 360, "height": 800})
    opened.page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")


DAYS: dict[str, dict[str, Any]] = {
    "long": {"intervals": 1440, "trunks": 12},
    "short": {"intervals": 3, "trunks": 1, "agents": 2, "moments": ()},
    "nobody answers": {"intervals": 30, "answer_rate": 0.0},
    "one interval": {"intervals": 1, "trunks": 1},
    "no trunk": {"intervals": 12, "trunks": 0},
}


@pytest.mark.parametrize("options", DAYS.values(), ids=DAYS)
def test_every_kind_of_day_draws(open_report: Open, options: dict[str, Any]) -> None:
    opened = open_report(*made_up_day(**options))
    assert all(colours for colours, _ in opened.ask(DRAWN))
    hover(opened, "agents", 0.5)
    assert all(readings(opened, "activity"))
    assert "NaN" not in opened.page.inner_text("body")


def test_a_chart_without_a_rate_says_so(open_report: Open) -> None:
    silent = open_report(*made_up_day(intervals=30, answer_rate=0.0))
    assert readings(silent, "abandon") == ["", "", "3.00%"]


# ---- reading, zooming ---------------------------------------------------------------------------------------------
def test_pointing_at_one_chart_reads_all_of_them(open_report: Open) -> None:
    day, result = made_up_day(trunks=2)
    opened = open_report(day, result)
    assert opened.page.inner_text("#when") == "Whole day"
    hover(opened, "agents", 120.85 / 480)  # late in an interval: a pixel is 39 s wide
    assert opened.page.inner_text("#when") == "11:00"
    assert readings(opened, "activity") == [f"{day.lines[120]:.1f}", f"{day.agents['idle'][120]:.1f}"]
    assert float(readings(opened, "waiting")[0]) == pytest.approx(day.waiting[120], abs=0.0056)
    rate = 100 * sum(day.answers[120:180]) / sum(day.attempts[120:180])
    assert readings(opened, "answers")[1] == f"{rate:.1f}%"
    on_call = opened.page.locator('.legend:has(+ .plot[data-chart="moments"]) [data-value]').first
    assert on_call.inner_text() == f"{day.agents['on_call'][120]:.1f}"


def test_dragging_zooms_all_charts_and_a_button_shows_the_whole_day(open_report: Open) -> None:
    opened = open_report(*made_up_day())
    whole = opened.page.locator("#whole")
    before = opened.ask(DRAWN)
    assert whole.is_hidden()
    hover(opened, "activity", 0.4)
    opened.page.mouse.down()
    hover(opened, "activity", 0.6)
    opened.page.mouse.up()
    drawn_once(opened)
    whole.wait_for(state="visible")
    zoomed = opened.ask(DRAWN)
    assert all(one != other for one, other in zip(before, zoomed, strict=True))
    hover(opened, "agents", 0.5)
    assert opened.page.inner_text("#when") in {"12:59", "13:00"}
    opened.page.locator('[data-view="answered"]').click()
    whole.click()
    assert whole.is_hidden()
    hover(opened, "abandon", 0.001)
    assert opened.page.inner_text("#when") == "09:00"


def test_the_carriers_chart_shows_what_is_asked(open_report: Open) -> None:
    day, result = made_up_day(trunks=2)
    opened = open_report(day, result)
    trunk = day.trunks["trunk-1"]
    attempts = sum(trunk.attempts)
    expected = {
        "share": f"{100 * attempts / sum(day.attempts):.1f}%",
        "answered": f"{100 * sum(trunk.answers) / attempts:.1f}%",
        "failed": f"{100 * sum(trunk.failed) / attempts:.1f}%",
        "delay": f"{sum(trunk.set_up_s) / sum(trunk.rang):.1f} s",
    }
    for view, value in expected.items():
        opened.page.locator(f'[data-view="{view}"]').click()
        assert readings(opened, "carriers")[0] == value
        assert opened.page.locator('[data-view][aria-pressed="true"]').get_attribute("data-view") == view


def test_a_span_is_drawn_to_its_end_and_an_unknown_one_not_at_all(open_report: Open) -> None:
    day, result = made_up_day(
        trunks=1
    )  # eight hours, in quarters: dialling pauses in the fourth, and ends with the sixth
    silent = [*range(180, 240), *range(360, 480)]

    def quiet(counts: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(0 if place in silent else value for place, value in enumerate(counts))

    ((name, trunk),) = day.trunks.items()
    counted = ("attempts", "answers", "live_answers", "failed", "rang", "set_up_s")
    trunks = {name: msgspec.structs.replace(trunk, **{each: quiet(getattr(trunk, each)) for each in counted})}
    opened = open_report(msgspec.structs.replace(day, trunks=trunks, attempts=quiet(day.attempts)), result)
    assert {minute: painted(opened, "carriers", minute / 480) for minute in (178, 182, 238, 242, 358, 362, 478)} == {
        178: True, 182: False, 238: False, 242: True, 358: True, 362: False, 478: False,
    }  # fmt: skip


# ---- moments ------------------------------------------------------------------------------------------------------
def test_choosing_a_moment_shows_its_time_in_the_charts(open_report: Open) -> None:
    day, result = made_up_day()
    opened = open_report(day, result)
    before = opened.ask(DRAWN)
    fourth = opened.page.locator("[data-moment]").nth(3)
    fourth.click()
    opened.page.mouse.move(1, 1)
    assert fourth.get_attribute("aria-pressed") == "true"
    assert opened.page.inner_text("#when") == "11:52"
    assert readings(opened, "activity")[0] == f"{day.lines[172]:.1f}"
    assert all(one != other for one, other in zip(before, opened.ask(DRAWN), strict=True))
    opened.page.keyboard.press("Escape")
    assert fourth.get_attribute("aria-pressed") == "false"
    assert opened.page.inner_text("#when") == "Whole day"


def test_a_mark_in_the_chart_chooses_its_moment(open_report: Open) -> None:
    opened = open_report(*made_up_day())
    box = opened.page.locator('.plot[data-chart="moments"] .u-over').bounding_box()
    assert box is not None
    # The seventh kind's lane, at 0.83 of the day: the last moment.
    opened.page.mouse.click(box["x"] + 0.83 * box["width"], box["y"] + 3 + 6.5 * 15)
    assert opened.page.locator('[data-moment][aria-pressed="true"] .title').inner_text() == "Store slow"


def test_a_kind_of_moments_can_be_hidden(open_report: Open) -> None:
    opened = open_report(*made_up_day())
    before = opened.ask(DRAWN)[0]
    opened.page.locator('button[data-kind="abandoned"]').click()
    assert opened.page.locator("[data-moment]:visible").count() == 6
    assert opened.ask(DRAWN)[0] != before
    opened.page.locator('button[data-kind="abandoned"]').click()
    assert opened.page.locator("[data-moment]:visible").count() == 8


def test_in_a_narrow_window_a_moment_leads_to_the_charts(open_report: Open) -> None:
    opened = open_report(*made_up_day(), width=400)
    opened.page.locator("[data-moment]").nth(2).click()
    opened.page.wait_for_function("Math.abs(document.getElementById('charts').getBoundingClientRect().top) < 2")
    assert opened.page.inner_text("#when") == "10:40"


# ---- what is put in, what comes out -------------------------------------------------------------------------------
def test_hostile_names_are_shown_as_text(open_report: Open) -> None:
    opened = open_report(*hostile_day(), title=HOSTILE)
    assert opened.ask("typeof stolen") == "undefined"
    assert opened.ask("document.images.length") == 0
    assert opened.page.locator("h1").inner_text() == HOSTILE.replace("\u2028", "\n").replace("\n", "\u2028")
    assert opened.page.locator("[data-moment] .title").text_content() == HOSTILE
    opened.page.locator("button[data-kind]").click()
    opened.page.locator('[data-view="delay"]').click()


def test_tables_hold_the_numbers(open_report: Open) -> None:
    day, result = made_up_day()
    opened = open_report(day, result)
    details = opened.page.locator("details").nth(1)
    details.locator("summary").click()
    cells = details.locator("tbody tr").all()
    rows = [row.locator("td").all_inner_texts() for row in cells]
    assert sum(int(row[0].replace(",", "")) for row in rows) == sum(day.attempts)
    assert sum(int(row[4]) for row in rows) == sum(day.abandoned)


def test_two_days_share_their_vertical_scale(open_report: Open) -> None:
    quiet, busy = made_up_day(intervals=60, agents=20), made_up_day(intervals=60, agents=100)
    alone = open_report(*quiet)
    paired = open_report(*quiet, other=busy)
    # Where the offline agents' area begins in the middle column, as a share of the height: grid lines are lighter.
    tallest = f"""[...document.querySelectorAll('.plot[data-chart="agents"] canvas')].map((canvas) => {{
      const data = ({PIXELS})(canvas);
      const red = Array.from({{ length: canvas.height }}, (_, y) => 4 * (y * canvas.width + (canvas.width >> 1)));
      return red.findIndex((at) => data[at + 3] === 255 && data[at] < 228) / canvas.height;
    }})"""
    ((one,), (small, large)) = alone.ask(tallest), paired.ask(tallest)
    assert small > large
    assert abs(one - large) < 0.02


def test_it_prints_in_light_and_as_wide_as_the_paper(open_report: Open) -> None:
    opened = open_report(*made_up_day(intervals=120), scheme="dark")
    opened.page.evaluate(
        """addEventListener('beforeprint', () => {
          const width = document.querySelector('.plot canvas').clientWidth;
          document.title = getComputedStyle(document.body).color + ' ' + width;
        })"""
    )
    assert opened.page.pdf(prefer_css_page_size=True, print_background=True).startswith(b"%PDF")
    colour, _, width = opened.ask("document.title").rpartition(" ")
    assert colour == "rgb(23, 33, 44)"
    assert 900 < int(width) < 1030


def test_without_javascript_the_figures_and_tables_are_there(open_report: Open, tmp_path: Any) -> None:
    opened = open_report(*made_up_day(intervals=60))
    context = opened.page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    page = context.new_page()
    page.goto((tmp_path / "report0.html").as_uri())
    assert "The charts need JavaScript" in page.inner_text("body")
    assert page.locator(".tile").count() == 10
    page.locator("summary").first.click()
    assert page.locator("details table").first.is_visible()
    context.close()
