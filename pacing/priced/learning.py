# mypy: allow-untyped-decorators
"""What the end of a line teaches: its answer rate, its clocks, and where it was answered, what is allowed."""

from __future__ import annotations

from typing import Any

from numba import njit

from pacing.priced.answers import learn_outcome
from pacing.priced.clocks import learn_line
from pacing.priced.price import count_answers


@njit()
def learn_line_end(
    s: Any, answered: bool, after_s: float, probability: float, rang_after_s: float, segment: int
) -> None:
    """Learn of one line. Times in seconds from its launch; `rang_after_s` is infinite where it never rang."""
    learn_outcome(s, answered, after_s, probability, rang_after_s, s.line_row[segment])
    learn_line(s, segment, answered, after_s, rang_after_s)
    if answered:
        count_answers(s, 1.0)
