# mypy: allow-untyped-decorators
"""What every peer's law counts: outcomes ever, of the day, and of a sliding window; times to answer and to handle.

Outcomes come without the time of day. They belong to the moment of the next look, which is at most a second later.
The window is kept in `BUCKETS` equal parts, so it is as long as it should be, less at most one part.
"""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np
from numba import njit

from pacing.view import Floats

BUCKETS = 60
A_DAY_S = 86_400.0
OVERNIGHT_S = 6 * 3600.0  # a pause that long is a night

BOOKS = np.dtype(
    [
        # The clock
        ("started", np.int64),  # 0 before the first look
        ("looked_at", np.float64),
        ("day_began", np.float64),  # at its first look
        ("new_day", np.int64),  # 1 if the next look is the first of a day
        # Counts ever; those at the beginning of the day
        ("attempts", np.float64),  # that have ended: answered live or otherwise
        ("answers", np.float64),  # live; lost ones are among them
        ("abandoned", np.float64),  # of the answers; lost ones are among them
        ("attempts_before", np.float64),
        ("answers_before", np.float64),
        ("abandoned_before", np.float64),
        # Durations ever, in seconds
        ("answer_s", np.float64),  # sum over lines answered live, from launch to answer
        ("answered_lines", np.float64),
        ("handle_s", np.float64),  # sum over handled calls
        ("handled", np.float64),
        # The window
        ("window_s", np.float64),
        ("bucket", np.int64),
        ("bucket_ends_at", np.float64),
        ("window_attempts", np.float64, (BUCKETS,)),
        ("window_answers", np.float64, (BUCKETS,)),
        ("window_abandoned", np.float64, (BUCKETS,)),
    ],
    align=True,
)


@njit()
def look(books: Any, now: float) -> None:
    """Take note of the time: open a day or a part of the window where one begins."""
    if books.started == 0:
        books.started = 1
        books.new_day = 1
        books.bucket_ends_at = now + books.window_s / BUCKETS
    elif now - books.looked_at >= OVERNIGHT_S or now - books.day_began >= A_DAY_S:
        books.new_day = 1
    if books.new_day == 1:
        books.new_day = 0
        books.day_began = now
        books.attempts_before = books.attempts
        books.answers_before = books.answers
        books.abandoned_before = books.abandoned
    books.looked_at = now
    _turn_window(books, now)


@njit()
def _turn_window(books: Any, now: float) -> None:
    width_s = books.window_s / BUCKETS
    behind = floor((now - books.bucket_ends_at) / width_s) + 1
    for _ in range(min(behind, BUCKETS)):
        books.bucket = (books.bucket + 1) % BUCKETS
        books.window_attempts[books.bucket] = 0.0
        books.window_answers[books.bucket] = 0.0
        books.window_abandoned[books.bucket] = 0.0
    if behind > 0:
        books.bucket_ends_at += behind * width_s


@njit()
def count_line(books: Any, after_s: float, answered: bool) -> None:
    """Count a line that has ended, `after_s` seconds after its launch."""
    books.attempts += 1.0
    books.window_attempts[books.bucket] += 1.0
    if answered:
        books.answers += 1.0
        books.window_answers[books.bucket] += 1.0
        books.answer_s += after_s
        books.answered_lines += 1.0


@njit()
def count_abandoned(books: Any, calls: float) -> None:
    """Count answers that found no agent in time."""
    books.abandoned += calls
    books.window_abandoned[books.bucket] += calls


@njit()
def count_lost(books: Any, answers: float) -> None:
    """Count live answers that were taken for machines; their lines have been counted as not answered."""
    books.answers += answers
    books.window_answers[books.bucket] += answers
    count_abandoned(books, answers)


@njit()
def total(parts: Floats) -> float:
    """Return the sum of a window."""
    return float(parts.sum())


@njit()
def abandon_rate_today(books: Any) -> float:
    """Return abandoned / live answers since the day began; 0 before the first answer."""
    return float((books.abandoned - books.abandoned_before) / max(books.answers - books.answers_before, 1.0))


@njit()
def mean_answer_s(books: Any, if_none: float) -> float:
    """Return the mean seconds from launch to live answer; `if_none` before the first."""
    return float(books.answer_s / books.answered_lines) if books.answered_lines > 0.0 else if_none


@njit()
def next_due(due_at: float, period_s: float, now: float) -> float:
    """Return the first time after `now` on the grid of `due_at` and `period_s`; `due_at` is not after `now`."""
    return float(due_at + period_s * (floor((now - due_at) / period_s) + 1))


@njit()
def half_up(x: float) -> int:
    """Return x >= 0 rounded to the nearest whole number, a half upwards."""
    return floor(x + 0.5)
