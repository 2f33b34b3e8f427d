"""`on-request-v1`: what was asked for, and agents who are free to take it."""

from __future__ import annotations

import numpy as np
import pytest
from pacing_views import make_view

from pacing.on_request import OnRequest


@pytest.mark.parametrize(
    ("requested", "idle", "waiting", "ringing", "lines", "guard"),
    [
        (0, 3, 0, 0, 0, "not_asked"),
        (2, 3, 0, 0, 2, "not_asked"),
        (3, 3, 0, 0, 3, "none"),
        (5, 3, 0, 0, 3, "none"),
        (3, 3, 0, 2, 1, "none"),
        (3, 3, 1, 1, 1, "none"),
        (1, 3, 0, 1, 1, "not_asked"),
        (2, 0, 0, 0, 0, "none"),
        (2, 1, 2, 0, 0, "none"),
    ],
)
def test_a_line_for_each_call_asked_for(
    requested: int, idle: int, waiting: int, ringing: int, lines: int, guard: str
) -> None:
    view = make_view(requested=requested, idle=idle, waiting=waiting, ringing_s=[5.0] * ringing, handling_s=[60.0])
    pace = OnRequest().lines(view, np.random.default_rng(0))
    assert (pace.lines, pace.guard, pace.figures) == (lines, guard, {"requested": requested})


def test_without_agents_it_says_so() -> None:
    pace = OnRequest().lines(make_view(idle=0, requested=2), np.random.default_rng(0))
    assert (pace.lines, pace.guard) == (0, "no_agents")
