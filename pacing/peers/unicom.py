# mypy: allow-untyped-decorators
"""UNICOM Intelligence (IBM SPSS) Predict1PI: lines per idle interviewer by the recent failures, steered by a PI loop.

    lines = idle + idle * adjustment / 100 * failed / answered      over the last 900 s

asked for at every request, at every call that fails and every half second. The adjustment begins at 150 and stays in
[0, 1000]; a PI loop moves it towards a share of silent calls of 2.8 %, with a bound of 3 % a day. UNICOM publishes no
gains: those of an open clone (`dctr`) are taken, in points of adjustment per percentage point of error and, for the
integral, per second. As there, dialling is progressive where the day's rate is above the bound, in the first five
minutes, and below ten answers.

Generous to it: every line in flight is known, and is taken off the lines wanted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from pacing.peers.books import abandon_rate_today, half_up, total
from pacing.peers.constants import Constant, record_of

WINDOW_S = 900.0
_MANUAL = "UNICOM Intelligence 7.5, predictive dialling"
_CLONE = "dctr"
CONSTANTS = (
    Constant("target_abandon_rate", 0.028, "silent / answered", _MANUAL, 0.0, 1.0),
    Constant("max_abandon_rate", 0.03, "silent / answered of the day", _MANUAL, 0.0, 1.0),
    Constant("proportional_gain", 2.0, "adjustment per percentage point", _CLONE, 0.0, 1e6),
    Constant("integral_gain", 0.05, "adjustment per percentage point and s", _CLONE, 0.0, 1e6),
    Constant("first_adjustment", 150.0, "percent", _MANUAL, 0.0, 1000.0),
    Constant("most_adjustment", 1000.0, "percent", _MANUAL, 0.0, 1e6),
    Constant("least_answers", 10.0, "answers of the day", _CLONE, 0.0, 1e9),
    Constant("warm_up_s", 300.0, "s of the day", _CLONE, 0.0, 86_400.0),
    Constant("step_s", 0.5, "s", _MANUAL, 0.1, 60.0),
)
MOST_STEP_S = 5.0  # a longer pause is none of the loop's doing
RECORD = record_of(
    CONSTANTS,
    ("begun", np.int64),
    ("stepped_at", np.float64),
    ("integral", np.float64),  # the adjustment but for its proportional part
    ("adjustment", np.float64),
)


@njit()
def _step(u: Any, books: Any, now: float) -> None:
    """Move the adjustment; the integral stops at its bounds, so that it never winds up."""
    silent_rate = total(books.window_abandoned) / max(total(books.window_answers), 1.0)
    error = 100.0 * (u.target_abandon_rate - silent_rate)
    moved = u.integral + u.integral_gain * error * min(now - u.stepped_at, MOST_STEP_S)
    u.integral = min(max(moved, 0.0), u.most_adjustment)
    u.adjustment = min(max(u.integral + u.proportional_gain * error, 0.0), u.most_adjustment)
    u.stepped_at = now


@njit()
def lines(c: Any, now: float, idle: int, waiting: int, ringing: int) -> int:
    """Return the lines to launch now."""
    u, books = c.unicom, c.books
    if u.begun == 0:
        u.begun = 1
        u.stepped_at = now
        u.integral = u.first_adjustment
        u.adjustment = u.first_adjustment
    answers_today = books.answers - books.answers_before
    answers = total(books.window_answers)
    early = answers_today < u.least_answers or now - books.day_began < u.warm_up_s or answers <= 0.0
    if not early and now - u.stepped_at >= u.step_s:
        _step(u, books, now)
    elif early:
        u.stepped_at = now
    wanted = float(idle)
    if not early and abandon_rate_today(books) <= u.max_abandon_rate:
        failed = max(total(books.window_attempts) - answers, 0.0)
        wanted += idle * u.adjustment / 100.0 * failed / answers
    return half_up(wanted) - ringing - waiting
