# mypy: allow-untyped-decorators
"""OmniDialer (OMniLeads, 2026): expected free agents less expected answers, over the hit rate, times gamma.

    lines = floor((idle + expected - ringing * hit rate) / hit rate * gamma)
    expected = sum over busy agents of 1 - exp(-ring time / max(1 s, mean handle time - time in call))

gamma is `aggressiveness` while the fading abandon rate is at most half of `max_abandon_rate`, falls to `least_gamma`
at it, and stays there above it; five ticks above it and dialling is strictly progressive until the abandon rate is
below 0.8 of the bound. Progressive too until `warm_up_calls` calls are handled. A tick is a second.

As published, answered calls that wait for an agent are not taken from the lines, and one abandon lifts the fading rate
by a tenth. Not its own: it tells talk from wrap-up, each with its mean; here an agent's time since the call came and
the mean handle time serve for both. Generous to it: the mean ring time is that of all answers seen; neither its limit
of calls per second nor its originating one call at a time is in the way; of the answers and abandons within one tick
the abandons are counted first.
"""

from __future__ import annotations

from math import ceil, exp, floor
from typing import Any

import numpy as np
from numba import njit

from pacing.peers.books import mean_answer_s, next_due
from pacing.peers.constants import Constant, record_of
from pacing.view import Floats

_DOCUMENTED = "omnidialer, dialer modes and predictive pacer (2026)"
CONSTANTS = (
    Constant("max_abandon_rate", 0.03, "abandoned / hits, fading", _DOCUMENTED, 1e-6, 1.0),
    Constant("aggressiveness", 1.0, "factor", "neutral: no figure is published", 0.0, 20.0),
    Constant("least_gamma", 0.2, "factor", _DOCUMENTED, 0.0, 20.0),
    Constant("hold_ticks", 5.0, "ticks", _DOCUMENTED, 1.0, 1e9),
    Constant("release_share", 0.8, "of max_abandon_rate", _DOCUMENTED, 0.0, 1.0),
    Constant("abandon_weight", 0.1, "of the newest outcome", _DOCUMENTED, 1e-6, 1.0),
    Constant("hit_weight", 0.1, "of the newest outcome", _DOCUMENTED, 1e-6, 1.0),
    Constant("least_hit_rate", 0.05, "hits / attempts", _DOCUMENTED, 1e-6, 1.0),
    Constant("warm_up_calls", 50.0, "handled calls", _DOCUMENTED, 1.0, 1e9),
    Constant("boost", 1.0, "lines per idle agent while progressive", _DOCUMENTED, 0.0, 20.0),
    Constant("ring_s", 15.0, "s, before the first answer", _DOCUMENTED, 0.1, 120.0),
    Constant("tick_s", 1.0, "s", _DOCUMENTED, 0.1, 60.0),
)
RECORD = record_of(
    CONSTANTS,
    ("begun", np.int64),
    ("tick_at", np.float64),
    ("hit_rate", np.float64),  # fading mean over attempts; from no hits at all
    ("abandon_rate", np.float64),  # fading mean over answers: 1 for an abandoned one, 0 for a hit
    ("hits_seen", np.float64),
    ("ticks_above", np.int64),
    ("held", np.int64),  # 1 while strictly progressive
)


@njit()
def line_ended(o: Any, answered: bool) -> None:
    """Learn the hit rate from one attempt."""
    o.hit_rate += o.hit_weight * ((1.0 if answered else 0.0) - o.hit_rate)


@njit()
def call_abandoned(o: Any, calls: float) -> None:
    """Learn the abandon rate from abandoned answers."""
    o.abandon_rate = 1.0 - (1.0 - o.abandon_rate) * (1.0 - o.abandon_weight) ** calls


@njit()
def _learn_hits(o: Any, books: Any, waiting: int) -> None:
    hits = books.answers - books.abandoned - waiting
    if hits > o.hits_seen:
        o.abandon_rate *= (1.0 - o.abandon_weight) ** (hits - o.hits_seen)
        o.hits_seen = hits


@njit()
def gamma_of(o: Any) -> float:
    """Return the factor on the lines for the fading abandon rate."""
    half = 0.5 * o.max_abandon_rate
    if o.abandon_rate <= half:
        return float(o.aggressiveness)
    if o.abandon_rate >= o.max_abandon_rate:
        return float(o.least_gamma)
    share = (o.abandon_rate - half) / half
    return float(o.aggressiveness + share * (o.least_gamma - o.aggressiveness))


@njit()
def _hold(o: Any) -> None:
    """Latch or release the strictly progressive state; called once a tick."""
    o.ticks_above = o.ticks_above + 1 if o.abandon_rate >= o.max_abandon_rate else 0
    if o.ticks_above >= o.hold_ticks:
        o.held = 1
    elif o.abandon_rate < o.release_share * o.max_abandon_rate:
        o.held = 0


@njit()
def expected_free(now: float, handling_since: Floats, mean_handle_s: float, ring_s: float) -> float:
    """Return the busy agents expected to be free a ring time from now."""
    free = 0.0
    for since in handling_since:
        free += 1.0 - exp(-ring_s / max(1.0, mean_handle_s - (now - since)))
    return free


@njit()
def lines(c: Any, now: float, idle: int, waiting: int, handling_since: Floats, ringing: int) -> int:
    """Return the lines to launch now; 0 between ticks."""
    o, books = c.omnidialer, c.books
    if o.begun == 0:
        o.begun = 1
        o.tick_at = now
    if now < o.tick_at:
        return 0
    o.tick_at = next_due(o.tick_at, o.tick_s, now)
    _learn_hits(o, books, waiting)
    _hold(o)
    if books.handled < o.warm_up_calls or o.held == 1:
        return int(ceil(idle * o.boost) - (ringing + waiting))
    hit_rate = max(o.hit_rate, o.least_hit_rate)
    ring_s = mean_answer_s(books, o.ring_s)
    expected = expected_free(now, handling_since, books.handle_s / books.handled, ring_s)
    lines: int = floor((idle + expected - ringing * hit_rate) / hit_rate * gamma_of(o))
    return lines
