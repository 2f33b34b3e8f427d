# mypy: allow-untyped-decorators
"""`priced-v1` and the engine's answer rate as compiled arithmetic, for the fast simulator.

How it works: each function is the twin of a method in `pacing` (named in its docstring) over plain arrays. The rule
itself is not a twin: `pacing.kernels` is called. The tests feed both the same outcomes and compare every decision.

These functions carry no cache of their own: numba would not see that the constants of `pacing` have changed. They are
compiled into `sim.fast.loop`, whose cache does.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from pacing import kernels
from pacing.answer_rate import (
    FAST_HALF_LIFE,
    MULTIPLIER_MAX,
    MULTIPLIER_MIN,
    PRIOR_ANSWERS,
    SLOW_HALF_LIFE,
    SURPRISE,
)
from pacing.hazards import (
    _MOST_WEIGHT,
    _PRIOR_ANSWERS,
    _PRIOR_OTHER_ENDS,
    DELAY_HALF_LIFE,
    HANDLE_HALF_LIFE,
    MOST_UNUSED,
    PRIOR_AGENTS,
    PRIOR_HANDLE_S,
    PRIOR_HANDLE_SIGMA,
    PRIOR_HANDLES,
    PRIOR_LINES,
)
from pacing.price import (
    AIM,
    COLD_ANSWERS,
    COLD_PRICE,
    COMFORT,
    LOG_PRICE_MAX,
    LOG_PRICE_MIN,
    NEW_ACCOUNT_AFTER_S,
    RESERVE,
    SCARCITY,
    STEP,
)
from pacing.view import Floats

_SLOW_FADE = 0.5 ** (1.0 / SLOW_HALF_LIFE)
_FAST_FADE = 0.5 ** (1.0 / FAST_HALF_LIFE)
_HANDLE_GROWTH = 2.0 ** (1.0 / HANDLE_HALF_LIFE)
_DELAY_GROWTH = 2.0 ** (1.0 / DELAY_HALF_LIFE)

# The scalars of pacing.price.AbandonPrice, pacing.answer_rate.AnswerMultiplier, pacing.hazards.TimeTables and
# pacing.priced.Priced, by the names they have there.
SCALARS = np.dtype(
    [
        (name, np.float64)
        for name in (
            "log_price", "answers_seen", "allowance", "abandons", "target_abandon_rate",
            "slow_seen", "slow_promised", "fast_seen", "fast_promised", "fast_variance", "multiplier",
            "handled_weight", "handled_total", "answered_weight", "ended_weight", "unused", "refreshed_at_count",
            "dither", "decided_at", "price",
        )
    ]
)  # fmt: skip


class Learned(NamedTuple):
    """All that `priced-v1` has learned; tables as in `pacing.hazards.TimeTables`, `scalars` of shape (1,)."""

    scalars: Any
    handled: Floats
    answered: Floats
    ended: Floats
    prior_answered: Floats
    prior_ended: Floats
    survival: Floats
    answered_by: Floats
    ended_by: Floats
    taus: Floats
    finish: Floats
    answer: Floats
    ask: Floats
    out: Floats


def nothing_learned() -> Learned:
    """Return the state of a policy at its beginning."""
    scalars = np.zeros(1, dtype=SCALARS)
    scalars["log_price"] = math.log(COLD_PRICE)
    scalars["target_abandon_rate"] = 0.03
    for name in ("slow_seen", "slow_promised"):
        scalars[name] = PRIOR_ANSWERS
    for name in ("multiplier", "handled_weight", "answered_weight", "ended_weight", "dither"):
        scalars[name] = 1.0
    scalars["refreshed_at_count"] = -1.0
    scalars["decided_at"] = np.nan
    return Learned(
        scalars=scalars,
        handled=np.zeros(kernels.HANDLE_BINS),
        answered=np.zeros(kernels.DELAY_BINS),
        ended=np.zeros(kernels.DELAY_BINS),
        prior_answered=_PRIOR_ANSWERS.copy(),
        prior_ended=_PRIOR_OTHER_ENDS.copy(),
        survival=np.zeros(kernels.HANDLE_BINS + 1),
        answered_by=np.zeros(kernels.DELAY_BINS + 1),
        ended_by=np.zeros(kernels.DELAY_BINS + 1),
        taus=np.zeros(kernels.TAUS),
        finish=np.zeros((kernels.FINISH_ROWS, kernels.TAUS)),
        answer=np.zeros((kernels.DELAY_BINS, kernels.TAUS)),
        ask=np.zeros(4),
        out=np.zeros(5),
    )


@njit()
def _count(counts: Floats, weight: float, value_s: float, width_s: float) -> float:
    """Twin of `FadingCounts.observe` with a weight already grown; returns what to divide weight and total by."""
    counts[min(int(value_s / width_s), len(counts) - 1)] += weight
    if weight > _MOST_WEIGHT:
        counts /= weight
        return weight
    return 1.0


@njit()
def _observe_rate(s: Any, seen: float, probability: float) -> None:
    """Twin of `AnswerMultiplier.observe`."""
    expected = min(probability * s.multiplier, 1.0)
    s.slow_seen = s.slow_seen * _SLOW_FADE + seen
    s.slow_promised = s.slow_promised * _SLOW_FADE + probability
    s.fast_seen = s.fast_seen * _FAST_FADE + seen
    s.fast_promised = s.fast_promised * _FAST_FADE + probability
    s.fast_variance = s.fast_variance * _FAST_FADE * _FAST_FADE + max(expected * (1.0 - expected), 0.01)
    ratio = s.slow_seen / s.slow_promised if s.slow_promised > 0.0 else 1.0
    difference = s.fast_seen - ratio * s.fast_promised
    if difference * difference > SURPRISE * SURPRISE * s.fast_variance and s.fast_promised >= PRIOR_ANSWERS:
        s.slow_seen = s.fast_seen
        s.slow_promised = s.fast_promised
        ratio = s.slow_seen / s.slow_promised
    s.multiplier = min(max(ratio, MULTIPLIER_MIN), MULTIPLIER_MAX)


@njit()
def learn_answered(learned: Learned, after_s: float, probability: float) -> None:
    """Twin of `Priced.answered`."""
    s = learned.scalars[0]
    _observe_rate(s, 1.0, probability)
    s.answered_weight *= _DELAY_GROWTH
    s.answered_weight /= _count(learned.answered, s.answered_weight, after_s, kernels.DELAY_WIDTH_S)
    s.unused += 1.0
    s.answers_seen += 1.0
    s.allowance += s.target_abandon_rate
    s.log_price = max(LOG_PRICE_MIN, s.log_price - STEP * AIM * s.target_abandon_rate)


@njit()
def learn_not_answered(learned: Learned, after_s: float, probability: float) -> None:
    """Twin of `Priced.not_answered`."""
    s = learned.scalars[0]
    _observe_rate(s, 0.0, probability)
    s.ended_weight *= _DELAY_GROWTH
    s.ended_weight /= _count(learned.ended, s.ended_weight, after_s, kernels.DELAY_WIDTH_S)
    s.unused += 1.0


@njit()
def learn_handled(learned: Learned, handle_s: float) -> None:
    """Twin of `Priced.handled`."""
    s = learned.scalars[0]
    s.handled_weight *= _HANDLE_GROWTH
    s.handled_total += s.handled_weight * handle_s
    excess = _count(learned.handled, s.handled_weight, handle_s, kernels.HANDLE_WIDTH_S)
    s.handled_weight /= excess
    s.handled_total /= excess
    s.unused += 1.0


@njit()
def learn_abandoned(learned: Learned) -> None:
    """Twin of `Priced.abandoned`."""
    s = learned.scalars[0]
    s.abandons += 1.0
    s.log_price = min(LOG_PRICE_MAX, s.log_price + STEP)


@njit()
def _refresh(learned: Learned, now: float, handling_since: Floats) -> None:
    """Twin of `TimeTables.refresh`."""
    s = learned.scalars[0]
    in_progress_s = np.sum(now - handling_since)
    ended = np.sum(learned.handled) / s.handled_weight
    mean_s = (PRIOR_HANDLES * PRIOR_HANDLE_S + s.handled_total / s.handled_weight + in_progress_s) / (
        PRIOR_HANDLES + ended
    )
    kernels.fill_survival(
        learned.handled,
        s.handled_weight,
        handling_since,
        now,
        max(mean_s, 1.0),
        PRIOR_HANDLE_SIGMA,
        PRIOR_AGENTS,
        learned.survival,
    )
    kernels.fill_distribution(
        learned.answered, s.answered_weight, learned.prior_answered, PRIOR_LINES, learned.answered_by
    )
    kernels.fill_distribution(learned.ended, s.ended_weight, learned.prior_ended, PRIOR_LINES, learned.ended_by)
    kernels.fill_taus(learned.answered_by, learned.taus)
    kernels.fill_rows(learned.survival, learned.answered_by, learned.taus, learned.finish, learned.answer)
    s.refreshed_at_count = max(s.refreshed_at_count, 0.0) + s.unused
    s.unused = 0.0


@njit()
def _price(s: Any) -> float:
    """Twin of `AbandonPrice.price`."""
    price = math.exp(s.log_price + SCARCITY * max(0.0, COMFORT - (s.allowance - s.abandons)))
    return max(price, COLD_PRICE) if s.answers_seen < COLD_ANSWERS else price


@njit()
def _keep_account(s: Any, now: float, target_abandon_rate: float) -> None:
    """Twin of `Priced._keep_account` and `AbandonPrice.open_account`."""
    if now - s.decided_at >= NEW_ACCOUNT_AFTER_S and (s.allowance != 0.0 or s.abandons != 0.0):
        s.allowance = 0.0
        s.abandons = 0.0
        s.log_price = min(LOG_PRICE_MAX, s.log_price + RESERVE * STEP)
    s.decided_at = now
    s.target_abandon_rate = target_abandon_rate


@njit()
def priced_lines(
    learned: Learned,
    now: float,
    idle: int,
    waiting: int,
    handling_since: Floats,
    ringing_since: Floats,
    answer_probability: Floats,
    next_answer_probability: float,
    max_lines_per_idle_agent: float,
    target_abandon_rate: float,
    draw: float,
) -> int:
    """Twin of `Priced.lines` with nobody leaving; `draw` is the random number it takes where it launches."""
    s = learned.scalars[0]
    s.price = _price(s)
    learned.ask[0] = next_answer_probability
    learned.ask[1] = 1.0 / (1.0 + s.price)
    learned.ask[2] = s.dither
    learned.ask[3] = max_lines_per_idle_agent
    if s.refreshed_at_count < 0.0 or s.unused > min(0.1 * s.refreshed_at_count, MOST_UNUSED):
        _refresh(learned, now, handling_since)
    lines = kernels.decide(
        now,
        idle - waiting,
        0.0,
        s.multiplier,
        handling_since,
        ringing_since,
        answer_probability,
        learned.ask,
        learned.finish,
        learned.answer,
        learned.answered_by,
        learned.ended_by,
        learned.out,
    )
    _keep_account(s, now, target_abandon_rate)
    if idle == 0 and len(handling_since) == 0:
        return 0
    if s.allowance - s.abandons < 1.0:
        lines = max(0, idle - waiting - len(ringing_since))
    if lines > 0:
        s.dither = draw
    return lines
