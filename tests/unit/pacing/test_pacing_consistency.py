"""What a view may not say; and that one which says everything it may is let through."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import msgspec
import numpy as np
import pytest
from pacing_views import NOW, make_view

from pacing.consistency import check_clock, check_counts, check_view
from pacing.view import SEGMENTS, InconsistentView, PacingView

# Everything that a view can say, at once.
FULL: dict[str, Any] = {
    "idle": 3,
    "handling_s": [0.0, 30.0],
    "ringing_s": [0.0, 8.0, 20.0],
    "probability": [0.0, 0.5, 1.0],
    "idle_leaves_at": np.array([NOW + 60.0]),
    "handling_segment": np.array([0.0, SEGMENTS - 1.0]),
    "leaves_at": np.array([-inf, inf]),
    "rung_since": np.array([inf, NOW - 5.0, NOW]),
    "line_segment": np.array([1.0, 2.0, 3.0]),
    "talking": 1,
    "requested": 2,
    "launched": 3,
    "waiting": 1,
    "next_segment": SEGMENTS - 1,
    "capacity": 4,
    "calls_per_hour": inf,
    "budget_left": -inf,
    "hang_up_after_ring_s": 15.0,
}

BAD_COUNTS: dict[str, Any] = {
    "idle": -1,
    "waiting": -1,
    "talking": -1,
    "requested": -1,
    "handling_segment": np.zeros(3),
    "leaves_at": np.zeros(1),
    "idle_leaves_at": np.zeros(4),
    "answer_probability": np.zeros(2),
    "rung_since": np.zeros(2),
    "line_segment": np.zeros(4),
    "launched": 2,
    "next_segment": SEGMENTS,
    "next_answer_probability": 1.1,
    "target_abandon_rate": nan,
    "max_lines_per_idle_agent": nan,
    "lines_per_idle_agent": inf,
    "calls_per_hour": -1.0,
    "capacity": -1,
    "budget_left": nan,
    "hang_up_after_ring_s": nan,
    "now": inf,
}
BAD_ROWS: dict[str, Any] = {
    "handling_since": np.array([NOW, NOW + 0.1]),
    "ringing_since": np.array([NOW, nan, NOW]),
    "answer_probability": np.array([0.1, 1.1, 0.3]),
    "handling_segment": np.array([0.0, SEGMENTS]),
    "line_segment": np.array([-1.0, 0.0, 0.0]),
    "leaves_at": np.array([nan, 0.0]),
    "idle_leaves_at": np.array([nan]),
    "rung_since": np.array([inf, NOW + 1.0, NOW]),
}


def bad(field: str, value: Any) -> PacingView:
    return msgspec.structs.replace(make_view(**FULL), **{field: value})


def test_a_view_that_says_everything_is_let_through() -> None:
    check_view(make_view(**FULL))
    check_view(make_view())


@pytest.mark.parametrize("field", BAD_COUNTS)
def test_a_scalar_or_a_shape_that_cannot_be_true(field: str) -> None:
    with pytest.raises(InconsistentView, match="expected") as refused:
        check_counts(bad(field, BAD_COUNTS[field]))
    named = {"answer_probability": "probability", "now": "time", "launched": "launched"}.get(field, field)
    assert named in str(refused.value) or field == "idle_leaves_at"


def test_no_line_rang_before_it_was_launched() -> None:
    with pytest.raises(InconsistentView, match="from its line's ringing_since to"):
        check_view(bad("rung_since", np.array([inf, NOW - 8.1, NOW])))


@pytest.mark.parametrize("field", BAD_ROWS)
def test_a_row_that_cannot_be_true(field: str) -> None:
    view = bad(field, BAD_ROWS[field])
    check_counts(view)
    with pytest.raises(InconsistentView, match=f"every {field}"):
        check_view(view)


def test_nobody_counts_launched_lines() -> None:
    check_counts(bad("launched", -1))


def test_a_clock_may_stand_still_and_not_run_back() -> None:
    check_clock(NOW, None)
    check_clock(NOW, NOW)
    with pytest.raises(InconsistentView, match="expected a time from"):
        check_clock(NOW - 0.001, NOW)
