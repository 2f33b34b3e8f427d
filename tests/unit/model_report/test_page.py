"""The page: all parts or none, sentences with their numbers, and texts of strangers that stay texts."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

from msgspec import structs

from dialer.adapters.model_report import render_models
from models.report_data import ModelReport, report_of
from tests.unit.model_report.reports import made_up_report, made_up_wear, made_up_week

HOSTILE = '</style></title><script>alert("x")</script><img src=x onerror=alert(1)>'


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "line", "path", "circle", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    reader = _Tags()
    reader.feed(page)
    assert reader.open == []
    return reader.seen


def test_a_report_has_its_parts_with_numbers_and_sentences() -> None:
    page = render_models(made_up_report())
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))
    for said in (
        "How well “answer” is told",
        "How well “right party” is told",
        "Of 6,000 calls",
        "chance alone would show",
        "the better half holds",
        "Best: Tue 18:00 with",
        "n = 1,200 leads, 12,345 attempts; base rate 7.5%",
        "of the first at attempt 8 the next day",
        "of the first at attempt 7 after 14 days of rest",
        "Portfolio wear index 0.87",
        "0.21 ± 0.05 off the logit of an answer for each call in vain while it is fresh, half of it 4 days later",
        "The lots do not tell yet: 612 calls after a drawn rest, worth 367 equally likely ones; so far 0.08 ± 0.05",
        "No rest after a call in vain has been drawn by lot yet",
        "as seen: selection and wear mixed",
        "duration_s: known only after the call: left out",
    ):
        assert said in text, said
    tags = [tag for tag, _ in _tags(page)]
    assert tags.count("figure") == 4 + 2 + 3
    assert page.count('aria-label="Wear by the model') == 3 and page.count('aria-label="Wear by lot') == 1


def test_a_model_that_cannot_be_asked_leaves_what_is_seen() -> None:
    wear = structs.replace(made_up_wear(), model=(), lots=(), effect=None, drawn=40, worth=31.0)
    page = render_models(ModelReport(title="Norte", wear=(wear,)))
    assert "The model cannot be asked." in page and 'aria-label="As seen: early"' in page
    assert "The lots do not tell yet: 40 calls after a drawn rest, worth 31 equally likely ones; 200 are" in page
    nothing = structs.replace(wear, raw=None)
    assert '<svg class="plot"' not in render_models(ModelReport(title="Norte", wear=(nothing,)))


def test_nothing_is_loaded_and_no_style_is_inline() -> None:
    page = render_models(made_up_report())
    for tag, attributes in _tags(page):
        assert tag not in ("script", "link", "img", "iframe", "object")
        assert not {"style", "src", "href", "onclick"} & attributes.keys()
    assert "http://" not in page and "https://" not in page
    assert "default-src &#39;none&#39;" in page


def test_texts_of_strangers_stay_texts() -> None:
    report = made_up_report(HOSTILE)
    report = dataclasses.replace(
        report,
        summary=HOSTILE,
        facts=((HOSTILE, HOSTILE),),
        predictions=(dataclasses.replace(report.predictions[0], name=HOSTILE, before_name=HOSTILE),),
        hours=(made_up_week(HOSTILE),),
        wear=(made_up_wear(HOSTILE),),
        told=(HOSTILE,),
        version=HOSTILE,
    )
    page = render_models(report)
    assert "<script" not in page and "<img" not in page
    assert page.count("</style>") == 1
    _tags(page)


def test_an_empty_report_is_a_page() -> None:
    page = render_models(ModelReport(title="Nothing yet"))
    assert "<figure" not in page and "Nothing yet" in page
    _tags(page)


def test_a_table_of_calls_gives_a_report() -> None:
    from models.call_evaluation import evaluate_calls
    from models.call_stream import StreamSettings
    from tests.unit.models.drifting_calls import drifting_calls

    found = evaluate_calls(
        drifting_calls(1_200)[0], label="paid", settings=StreamSettings(every=400, rounds=5), told=("a line",)
    )
    page = render_models(report_of(found, title="Our calls"))
    assert "How well “paid” is told" in page and "a line" in page and "trained anew every 400 rows" in page


def test_equal_reports_give_equal_pages() -> None:
    assert render_models(made_up_report()) == render_models(made_up_report())
