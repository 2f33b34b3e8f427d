"""The page as text: it loads nothing, and what is put into it stays text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from sim.day import Moment
from sim.report import render_report
from tests.unit.sim_report.days import START_AT, made_up_day

HOSTILE = "</script><script>stolen=1</script><img src=x onerror='stolen=1'>\"'&{{ 7*7 }}\u2028]]><!--"


class Page(HTMLParser):
    """Elements with their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, dict[str, str | None], str]] = []
        self._open: tuple[str, dict[str, str | None]] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = (tag, dict(attrs)) if tag in {"script", "style"} else None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.raw.append((*self._open, data))
            self._open = None

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def hostile_day() -> tuple[Any, dict[str, Any]]:
    day, result = made_up_day(intervals=5, trunks=1)
    changed = msgspec.structs.replace(
        day,
        campaign=HOSTILE,
        currency=HOSTILE,
        scenario=HOSTILE,
        policy=HOSTILE,
        version=HOSTILE,
        agents={**day.agents, HOSTILE: (1.0,) * 5},
        trunks={HOSTILE: msgspec.structs.replace(day.trunks["trunk-1"], carrier=HOSTILE)},
        dispositions={HOSTILE: 3},
        refusals={HOSTILE: 3},
        moments=(Moment(at=START_AT, kind=HOSTILE, title=HOSTILE, text=HOSTILE),),
    )
    return changed, {**result, "label": HOSTILE, "methods": HOSTILE, "currency": HOSTILE, "scenario_hash": HOSTILE}


@pytest.fixture(scope="module")
def text() -> str:
    return render_report(*made_up_day())


def test_the_page_names_nothing_to_load(text: str) -> None:
    page = Page(text)
    assert not page.named("link") and not page.named("img") and not page.named("iframe") and not page.named("a")
    assert not [attributes for _, attributes in page.elements if "src" in attributes or "href" in attributes]
    styles = [content for tag, _, content in page.raw if tag == "style"]
    assert "url(" not in styles[0] and "@import" not in styles[0]
    # One address: uPlot's own, in the comment that carries its licence.
    assert set(re.findall(r"https?://[\w./-]+", text)) == {"https://github.com/leeoniya/uPlot"}


def test_the_policy_allows_these_scripts_and_this_style_only(text: str) -> None:
    page = Page(text)
    (policy,) = [meta["content"] or "" for meta in page.named("meta") if "http-equiv" in meta]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"

    def digests(tag: str) -> str:
        texts = [content for name, attributes, content in page.raw if name == tag and "type" not in attributes]
        return " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'" for content in texts
        )

    assert rules["script-src"] == digests("script")
    assert rules["style-src"] == digests("style")
    assert not [tag for tag, attributes in page.elements if any(name.startswith("on") for name in attributes)]
    assert not [tag for tag, attributes in page.elements if "style" in attributes]


def test_hostile_names_stay_text() -> None:
    day, result = hostile_day()
    clean, plain_result = made_up_day(intervals=5, trunks=1)
    page = Page(render_report(day, result, other=(clean, plain_result), title=HOSTILE))
    assert len(page.named("script")) == 3
    assert not page.named("img")
    (data,) = [content for tag, attributes, content in page.raw if attributes.get("id") == "data"]
    assert not set("<>&\u2028") & set(data)
    assert json.loads(data)["days"][0]["trunkLooks"][0]["name"] == HOSTILE
    assert "49" not in (page.named("button")[0].get("aria-label") or "")


def test_equal_days_give_equal_pages(text: str) -> None:
    assert render_report(*made_up_day()) == text


def test_the_library_carries_its_licence(text: str) -> None:
    assert "The MIT License (MIT)" in text and "Leon Sorokin" in text


@pytest.mark.parametrize(
    "options",
    [
        {"intervals": 1440, "trunks": 12},
        {"intervals": 3, "trunks": 1, "agents": 2, "moments": ()},
        {"intervals": 30, "trunks": 2, "answer_rate": 0.0},
        {"intervals": 1, "trunks": 1, "seed": 4},
        {"intervals": 12, "trunks": 0},
    ],
    ids=["long", "short", "nobody answers", "one interval", "no trunk"],
)
def test_every_kind_of_day_renders(options: dict[str, Any]) -> None:
    text = render_report(*made_up_day(**options))
    assert "NaN" not in text.split("<script>")[0] and "None<" not in text
    assert len(text) < 600_000


def test_a_real_day_has_no_seed_and_no_scenario() -> None:
    day, _ = made_up_day(intervals=30, seed=3)
    text = render_report(msgspec.structs.replace(day, scenario="", seed=None), {})
    assert "A day on record" in text and "<h1>early-stage</h1>" in text
    assert "<dt>Seed</dt>" not in text and 'class="tiles"' not in text


def test_two_days_are_told_apart_by_letter_and_label() -> None:
    day, result = made_up_day(intervals=30)
    text = render_report(day, result, other=(day, {**result, "label": "at 2%"}))
    assert '<span class="letter">A</span> priced-v1' in text
    assert '<span class="letter">B</span> at 2%' in text
