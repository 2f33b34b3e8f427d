"""Hours as people say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.cli.inconvenient_hours import join_spans, read_hours, show_hours
from dialer.errors import ConfigError

DAY = 1440


@pytest.mark.parametrize(
    ("texts", "spans"),
    [
        (["mon-fri 09:00-17:00"], [(day, 540, 1020) for day in range(5)]),
        (["Lun-Vie 9-17"], [(day, 540, 1020) for day in range(5)]),
        (["sat,sun"], [(5, 0, DAY), (6, 0, DAY)]),
        (["sat, sun 10:30 - 11h"], [(5, 630, 660), (6, 630, 660)]),
        (["sábado"], [(5, 0, DAY)]),
        (["sun-mon 08:00-09:00"], [(0, 480, 540), (6, 480, 540)]),
        (["sun 22:00-06:00"], [(0, 0, 360), (6, 1320, DAY)]),
        (["wed 20:00-24:00"], [(2, 1200, DAY)]),
        (["wed 20:00-0:00"], [(2, 1200, DAY)]),
        (["12-13"], [(day, 720, 780) for day in range(7)]),
        (["daily 12-13"], [(day, 720, 780) for day in range(7)]),
        (["mon 9-12", "mon 11-14", "mon 14-15"], [(0, 540, 900)]),
        (["tue 20:00-08:00", "wed 8-9"], [(1, 1200, DAY), (2, 0, 540)]),
    ],
)
def test_what_is_said_is_understood(texts: list[str], spans: list[tuple[int, int, int]]) -> None:
    assert list(read_hours(texts)) == spans


@pytest.mark.parametrize(
    "text",
    ["", "  ", "noon", "mon-fry 9-17", "mon 9", "mon 9-9", "mon 25-26", "mon 9:60-10", "9-17 mon", "mon 9-10 11-12",
     "mon tue", "mon 24:00-01:00", "mon -9", "mon 9-5pm", "\x1b[31m"],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected|write mon"):
        read_hours([text])


SPANS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, DAY - 1), st.integers(1, DAY)).filter(lambda span: span[1] < span[2]),
    max_size=8,
)


@given(SPANS)
def test_joined_spans_cover_the_same_minutes_once(spans: list[tuple[int, int, int]]) -> None:
    joined = join_spans(spans)
    minutes = [(day, minute) for day, begin, end in joined for minute in range(begin, end)]
    assert len(minutes) == len(set(minutes))
    assert set(minutes) == {(day, minute) for day, begin, end in spans for minute in range(begin, end)}


@given(SPANS)
def test_what_is_shown_reads_the_same(spans: list[tuple[int, int, int]]) -> None:
    joined = join_spans(spans)
    assert read_hours(text for text in show_hours(joined).split("; ") if text) == joined
