# mypy: allow-untyped-decorators
"""Erlang-B: dialling at a constant rate, the one at which Erlang's loss formula gives the target abandon rate.

Open loop: the rate follows from agents logged in, mean handle time and answer rate, both measured, and from nothing
that happens on the floor. Erlang B assumes Poisson answers and no waiting; here the launches are evenly spaced, which
is kinder. The load at a loss is found by bisection on the recursion of 1/B (as in Cooper, Introduction to Queueing
Theory, 1981). Progressive until enough calls are known.
"""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np
from numba import njit

from pacing.peers.books import total
from pacing.peers.constants import Constant, record_of

WINDOW_S = 1800.0
_OURS = "ours: no product publishes it"
CONSTANTS = (
    Constant("target_abandon_rate", 0.03, "abandoned / answers", "the legal bound", 1e-6, 0.99),
    Constant("rate_factor", 1.0, "factor on the rate", _OURS, 0.0, 20.0),
    Constant("least_answers", 30.0, "answers in half an hour, and handled calls", _OURS, 1.0, 1e9),
    Constant("rate_every_s", 10.0, "s", _OURS, 0.1, 3600.0),
)
MOST_STEP_S = 5.0  # what a longer pause left out is not made up for
RECORD = record_of(
    CONSTANTS,
    ("begun", np.int64),
    ("looked_at", np.float64),
    ("rate_at", np.float64),
    ("load_agents", np.int64),  # the agents that `load` is of
    ("load", np.float64),  # erlangs at which the loss is the target
    ("lines_per_s", np.float64),  # 0 until enough is known
    ("owed", np.float64),  # lines, a fraction
)


@njit()
def loss(agents: int, load: float) -> float:
    """Return Erlang's loss: the share of answers that find all agents busy; `load` in erlangs, > 0."""
    inverse = 1.0
    for i in range(1, agents + 1):
        inverse = 1.0 + inverse * i / load
    return 1.0 / inverse


@njit()
def load_at(agents: int, target: float) -> float:
    """Return the load in erlangs at which the loss is `target`, in (0, 1)."""
    low, high = 0.0, agents / (1.0 - target) + 1.0  # carried load is below `agents`
    for _ in range(50):
        middle = 0.5 * (low + high)
        if loss(agents, middle) < target:
            low = middle
        else:
            high = middle
    return low


@njit()
def _set_rate(e: Any, books: Any, logged_in: int) -> None:
    answers, attempts = total(books.window_answers), total(books.window_attempts)
    e.lines_per_s = 0.0
    if min(answers, books.handled) >= e.least_answers:
        if logged_in != e.load_agents:
            e.load_agents = logged_in
            e.load = load_at(logged_in, e.target_abandon_rate)
        answers_per_s = e.load / max(books.handle_s / books.handled, 1.0)
        e.lines_per_s = e.rate_factor * answers_per_s * attempts / answers


@njit()
def lines(c: Any, now: float, idle: int, waiting: int, logged_in: int, ringing: int) -> int:
    """Return the lines that have fallen due since the last look."""
    e = c.erlang
    if e.begun == 0:
        e.begun = 1
        e.looked_at = now
        e.rate_at = now
    if now >= e.rate_at:
        e.rate_at = now + e.rate_every_s
        _set_rate(e, c.books, logged_in)
    passed_s = min(now - e.looked_at, MOST_STEP_S)
    e.looked_at = now
    if e.lines_per_s <= 0.0:
        return idle - waiting - ringing
    e.owed += e.lines_per_s * passed_s
    due: int = floor(e.owed)
    e.owed -= due
    return due
