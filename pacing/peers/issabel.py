# mypy: allow-untyped-decorators
"""Issabel call centre (from Elastix): every 5 s, idle agents and those about to finish, less waiting and ringing calls.

A busy agent is about to finish where 1 - exp(-(time in call + mean ring time) / mean talk time) is at least `qos`: the
chance that any call would have ended, whatever this one has lasted. At 0.97 that is 3.5 mean talk times. With
`overcommit` the lines are divided by the answer rate of the last half hour. It heeds no abandon rate.

Not its own: it goes by talk time, here handle time, as an agent's time since the call came includes wrap-up.
Generous to it: every line in flight is known; means are over all calls seen.
"""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np
from numba import njit

from pacing.peers.books import half_up, mean_answer_s, next_due, total
from pacing.peers.constants import Constant, record_of
from pacing.view import Floats

WINDOW_S = 1800.0
_CODE = "Issabel callcenter, campaign process and predictor"
CONSTANTS = (
    Constant("every_s", 5.0, "s", _CODE, 0.1, 600.0),
    Constant("qos", 0.97, "chance to have finished", _CODE, 0.0, 1.0),
    Constant("least_handled", 10.0, "calls before agents about to finish count", _CODE, 1.0, 1e9),
    Constant("extra_lines", 0.0, "lines whenever any is due", _CODE, 0.0, 1e6),
    Constant("overcommit", 0.0, "0 or 1", _CODE, 0.0, 1.0),
    Constant("least_answer_rate", 0.2, "answers / attempts", _CODE, 1e-6, 1.0),
    Constant("least_attempts", 10.0, "calls in half an hour before overcommitment", _CODE, 1.0, 1e9),
    Constant("ring_s", 15.0, "s, before the first answer", "as other peers: no figure is published", 0.1, 120.0),
)
RECORD = record_of(CONSTANTS, ("begun", np.int64), ("due_at", np.float64))


@njit()
def _about_to_finish(s: Any, books: Any, now: float, handling_since: Floats) -> int:
    if books.handled < s.least_handled:
        return 0
    ring_s, mean_s = mean_answer_s(books, s.ring_s), max(books.handle_s / books.handled, 1.0)
    agents = 0
    for since in handling_since:
        if 1.0 - exp(-(now - since + ring_s) / mean_s) >= s.qos:
            agents += 1
    return agents


@njit()
def lines(c: Any, now: float, idle: int, waiting: int, handling_since: Floats, ringing: int) -> int:
    """Return the lines to launch now; 0 between the passes."""
    s, books = c.issabel, c.books
    if s.begun == 0:
        s.begun = 1
        s.due_at = now
    if now < s.due_at:
        return 0
    s.due_at = next_due(s.due_at, s.every_s, now)
    wanted = float(idle + _about_to_finish(s, books, now, handling_since) - waiting)
    if wanted > 0.0:
        wanted += s.extra_lines
    wanted -= ringing
    attempts = total(books.window_attempts)
    if wanted > 0.0 and s.overcommit > 0.0 and attempts >= s.least_attempts:
        wanted /= max(total(books.window_answers) / attempts, s.least_answer_rate)
    return half_up(max(wanted, 0.0))
