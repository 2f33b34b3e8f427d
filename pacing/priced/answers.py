# mypy: allow-untyped-decorators
"""How a campaign's leads answer, against what their probabilities promised.

How it works: a slow ratio of answers seen to answers promised is what forecasts use; it is steady, and an unsteady one
costs occupancy. A fast ratio stands beside it. When the two differ by more than SURPRISE standard deviations, the day
has changed, and the slow one starts again from the fast one; where that is lower, from half way to it: of thousands of
looks a day some deceive, and to believe in a fall that was none costs abandons. Both forget by the answers that were
expected, so they are as steady on a list that answers one call in ten as on one that answers every second.

A promise falls due bit by bit: who has rung for a while and not been answered will probably not be. Answers come
before refusals to answer, so a ratio that counted promises of ended lines alone would be too high whenever many lines
have just been launched, and dialling goes in bursts. What the waiting of the lines in flight has already told counts
too: what was promised of them less what they still promise. Seen less due is then a martingale if the ratio is right
(Doob's decomposition). Whatever is taken off at a line's end, the sum is right after the next decision: the promises of
all that have ended, and what is due of those in flight.

Forecasts are made with a ratio that is a little too high, the more so the fewer answers it is of (`unsure`): one that
is too high costs seconds, and one that is too low costs abandons.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from pacing.priced.state import ANSWERED, DELAY_BINS, DELAY_WIDTH_S, OTHERS
from pacing.view import Floats

SLOW_HALF_LIFE = 200.0  # answers expected
FAST_HALF_LIFE = 10.0
SURPRISE = 3.0
BELIEVED_FALL = 0.5  # share of the way from the slow ratio to a lower fast one
PROMISED_MIN = 5.0  # answers promised to the fast ratio before it may surprise
MOST_DUE = 100.0  # answers expected, forgotten for at once
DUE_MIN = 0.1  # answers promised: no ratio is of less
MULTIPLIER_MIN, MULTIPLIER_MAX = 0.1, 10.0
MOST_PROBABLE = 0.98
IN_FLIGHT_WEIGHT = 0.02  # of one decision in the mean of the answers that are in flight


@njit()
def learn_outcome(s: Any, answered: bool, after_s: float, probability: float, rang_after_s: float, row: int) -> None:
    """Learn of one line that ended: `probability` is what was promised at launch, `row` its segment's tables."""
    if s.frozen_answers != 0.0:
        return
    # Only what a decision has counted is taken off: while another policy decides, nothing is.
    counted = min(max(_due_of_ended(s, after_s, probability, rang_after_s, row), 0.0), max(s.due_in_flight, 0.0))
    s.due_in_flight -= counted
    rest = probability - counted
    expected = min(rest * s.multiplier, 1.0)
    # The floor keeps outcomes that were held for certain from making any surprise infinite.
    _fall_due(s, rest, max(expected * (1.0 - expected), 0.01))
    if answered:
        s.slow_seen += 1.0
        s.fast_seen += 1.0
    difference = s.fast_seen - s.slow_seen / s.slow_promised * s.fast_promised
    if difference * difference > SURPRISE * SURPRISE * s.fast_variance and s.fast_promised >= PROMISED_MIN:
        believed = 1.0 if difference > 0.0 else BELIEVED_FALL
        known = s.slow_seen / s.slow_promised * s.fast_promised
        s.slow_seen = believed * s.fast_seen + (1.0 - believed) * known
        s.slow_promised = s.fast_promised
    s.multiplier = min(max(s.slow_seen / s.slow_promised, MULTIPLIER_MIN), MULTIPLIER_MAX)


@njit()
def note_in_flight(s: Any, lines: int, due: float, hung_up: float, answers: float) -> None:
    """Note what the lines in flight have told by waiting (`due`, of what was promised; of it `hung_up` is that of those
    which are hung up now), and the answers that are still expected of them."""
    s.in_flight += IN_FLIGHT_WEIGHT * (answers - s.in_flight)
    if s.frozen_answers != 0.0:
        return
    more = due - s.due_in_flight
    if more < 0.0:
        # Of lines that were hung up, and of all when none is left, nobody tells the end: what they told stays told.
        more = 0.0 if lines == 0 else more + min(-more, s.due_hung_up)
    _fall_due(s, more, max(more * s.multiplier, 0.0))
    s.due_in_flight, s.due_hung_up = due, hung_up


@njit()
def _fall_due(s: Any, promised: float, variance: float) -> None:
    """Let promises fall due, and older ones be forgotten for it; `variance` is that of the answers they promise."""
    expected = min(max(promised * s.multiplier, 0.0), MOST_DUE)
    slow, fast = 0.5 ** (expected / SLOW_HALF_LIFE), 0.5 ** (expected / FAST_HALF_LIFE)
    s.slow_seen *= slow
    s.fast_seen *= fast
    s.slow_promised = max(s.slow_promised * slow + promised, DUE_MIN)
    s.fast_promised = max(s.fast_promised * fast + promised, 0.0)
    s.fast_variance = s.fast_variance * fast * fast + variance


@njit()
def cautious_multiplier(s: Any) -> float:
    """Return by how much forecasts multiply what was promised."""
    raised = 1.0 if s.frozen_answers != 0.0 else 1.0 + s.unsure / math.sqrt(max(s.slow_seen, 1.0))
    return float(s.multiplier * raised)


@njit()
def share_of_answered(alive: Floats, p: float) -> float:
    """Return what each line that is as this one weighs: `p` over the chance that any would be so by now."""
    weight = p * alive[ANSWERED] + (1.0 - p) * alive[OTHERS]
    return float(p / weight if weight > 1e-6 else 0.0)


@njit()
def due_of(alive: Floats, probability: float) -> float:
    """Return what of a promise has fallen due of a line that is as this one. By the promise itself: were it by the
    ratio that is learned from it, a high ratio would raise itself."""
    return float(probability - share_of_answered(alive, probability) * alive[ANSWERED])


@njit()
def _due_of_ended(s: Any, after_s: float, probability: float, rang_after_s: float, row: int) -> float:
    """Return what a line had told by waiting when it ended, as `decision` counted it while it was in flight."""
    if s.refreshed_at_count < 0.0:  # nothing was decided yet
        return 0.0
    rung, waited_s = 0, after_s
    if rang_after_s <= after_s:
        rung, waited_s = 1, after_s - rang_after_s
    return due_of(s.alive[row, rung, int(min(waited_s / DELAY_WIDTH_S, DELAY_BINS - 1.0))], probability)
