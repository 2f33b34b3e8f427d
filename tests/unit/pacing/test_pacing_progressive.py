"""One line per free agent, and never more."""

from __future__ import annotations

import numpy as np
import pytest
from pacing_views import make_view

from pacing.progressive import Progressive


@pytest.mark.parametrize(
    ("idle", "waiting", "ringing", "expected"),
    [(3, 0, 0, 3), (3, 0, 2, 1), (3, 1, 2, 0), (1, 0, 4, 0), (0, 0, 0, 0), (5, 2, 0, 3)],
)
def test_lines_fill_the_idle_agents(idle: int, waiting: int, ringing: int, expected: int) -> None:
    view = make_view(idle=idle, waiting=waiting, ringing_s=[5.0] * ringing, handling_s=[60.0])
    assert Progressive().lines(view, np.random.default_rng(0)).lines == expected


def test_without_agents_it_says_so() -> None:
    pace = Progressive().lines(make_view(idle=0), np.random.default_rng(0))
    assert (pace.lines, pace.guard) == (0, "no_agents")
