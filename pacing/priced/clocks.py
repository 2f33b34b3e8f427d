# mypy: allow-untyped-decorators
"""What the rule learns of time: how long agents are taken, and when lines ring, are answered or end otherwise.

How it works: learning is a count in a histogram whose older entries fade. The tables that decisions look up are derived
when enough has been learned since the last time (`stale`, `refresh`), in some tenths of a millisecond.

Handle times are a Kaplan-Meier estimate over ended calls and calls in progress; else the short ones, which end first,
would seem typical. A few hundred calls leave too few in each bin: every bin's hazard is shrunk to that of a smooth
estimate, which corrects a lognormal's by one factor for each doubling of the time in call. A segment's is shrunk to
that of all calls.

A line gives a first sign: the first ringing or, where the network tells nothing, its very end. Busy and unallocated
numbers never ring; so a line that rings is likelier to be answered than one that was just launched, and one that has
given no sign for long is less so. Lines that will be answered and lines that will not run on clocks of their own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from pacing.priced.state import (
    ANSWERED,
    ANSWERED_UNRUNG,
    DELAY_BINS,
    DELAY_WIDTH_S,
    FINISH_ROWS,
    HANDLE_BINS,
    HANDLE_WIDTH_S,
    OTHERS,
    RANG_BEFORE_ANSWER,
    RING_TO_ANSWER,
    RING_TO_OTHER_END,
    SIGN_OF_OTHERS,
    TAUS,
)
from pacing.view import SEGMENTS, Floats

# Half-lives, in observations: habits of agents and networks change over hours, not minutes.
HANDLE_HALF_LIFE = 2000.0
DELAY_HALF_LIFE = 2000.0
# Priors, and how many observations they weigh. Handle times are near lognormal (cv about 1); their mean is learned too.
PRIOR_HANDLE_S = 180.0
PRIOR_HANDLE_SIGMA = 0.83
PRIOR_HANDLES = 5.0
PRIOR_ENDS = 5.0  # in each doubling of the time in call
PRIOR_LINES = 5.0
SMOOTH_AGENTS = 200.0  # at risk in a bin, that the smooth estimate weighs
# What all leads together weigh in a segment's tables.
POOLED_AGENTS = 60.0
POOLED_LINES = 60.0
MOST_UNUSED = 64.0  # refresh at the latest after that many observations

_HANDLE_GROWTH = 2.0 ** (1.0 / HANDLE_HALF_LIFE)
_DELAY_GROWTH = 2.0 ** (1.0 / DELAY_HALF_LIFE)
_MOST_WEIGHT = 1e9


def _gamma_shares(scale_s: float, begin_s: float) -> Floats:
    """Return the shares by bin of a delay of `begin_s` and a gamma of shape 2."""
    edges = np.maximum(np.arange(DELAY_BINS + 1) * DELAY_WIDTH_S - begin_s, 0.0) / scale_s
    share = np.diff(1.0 - (1.0 + edges) * np.exp(-edges))
    return np.asarray(share / share.sum())


def _spread_shares(begin_s: float, end_s: float) -> Floats:
    starts = np.arange(DELAY_BINS) * DELAY_WIDTH_S
    inside = (starts >= begin_s) & (starts < end_s)
    return np.asarray(inside / inside.sum())


# 3 s to set up, then a gamma of shape 2 and mean 8 s.
_PRIOR_ANSWERS = _gamma_shares(4.0, 3.0)
_PRIOR_RING_TO_ANSWER = _gamma_shares(4.0, 0.0)
# A tenth within 2 to 6 s (busy, failed), the rest spread out, as the ring time-out is not known.
_PRIOR_OTHER_ENDS = 0.1 * _spread_shares(2.0, 6.0) + 0.9 * _spread_shares(15.0, 60.0)
_PRIOR_RING_TO_OTHER_END = _spread_shares(12.0, 57.0)


# ---- learning ---------------------------------------------------------------------------------------------------
@njit()
def learn_handle_time(s: Any, segment: int, handle_s: float) -> None:
    """Count how long an agent was taken by one call."""
    _count_handle_time(s, 0, handle_s)
    if segment > 0:
        _count_handle_time(s, segment, handle_s)
    s.unused += 1.0


@njit()
def _count_handle_time(s: Any, row: int, handle_s: float) -> None:
    weight = s.handled_weight[row] * _HANDLE_GROWTH
    s.handled[row, int(min(handle_s / HANDLE_WIDTH_S, HANDLE_BINS - 1.0))] += weight
    s.handled_total[row] += weight * handle_s
    # The newest observation weighs most: growing it is the same as fading all the others, and costs nothing.
    s.handled_weight[row] = weight
    if weight > _MOST_WEIGHT:
        for i in range(HANDLE_BINS):
            s.handled[row, i] /= weight
        s.handled_total[row] /= weight
        s.handled_weight[row] = 1.0


@njit()
def learn_line(s: Any, segment: int, answered: bool, after_s: float, rang_after_s: float) -> None:
    """Count when a line gave its sign and when it ended; `rang_after_s` is infinite where it never rang."""
    weight = _count_line(s, 0, answered, after_s, rang_after_s)
    if answered:
        s.answered[_bin(after_s)] += weight
    if segment > 0:
        _count_line(s, segment, answered, after_s, rang_after_s)
    s.unused += 1.0


@njit()
def _bin(delay_s: float) -> int:
    return int(min(delay_s / DELAY_WIDTH_S, DELAY_BINS - 1.0))


@njit()
def _count_line(s: Any, row: int, answered: bool, after_s: float, rang_after_s: float) -> float:
    """Return what the observation weighs."""
    kind = ANSWERED if answered else OTHERS
    weight = s.clock_weights[row, kind] * _DELAY_GROWTH
    if weight > _MOST_WEIGHT:
        _fade(s, row, kind, weight)
        weight = 1.0
    s.clock_weights[row, kind] = weight
    rang = rang_after_s <= after_s
    sign = _bin(rang_after_s) if rang else _bin(after_s)
    if answered:
        s.clocks[row, RANG_BEFORE_ANSWER if rang else ANSWERED_UNRUNG, sign] += weight
        if rang:
            s.clocks[row, RING_TO_ANSWER, _bin(after_s - rang_after_s)] += weight
    else:
        s.clocks[row, SIGN_OF_OTHERS, sign] += weight
        if rang:
            s.clocks[row, RING_TO_OTHER_END, _bin(after_s - rang_after_s)] += weight
    return float(weight)


@njit()
def _fade(s: Any, row: int, kind: int, weight: float) -> None:
    for clock in (RANG_BEFORE_ANSWER, ANSWERED_UNRUNG, RING_TO_ANSWER, SIGN_OF_OTHERS, RING_TO_OTHER_END):
        if (clock in (SIGN_OF_OTHERS, RING_TO_OTHER_END)) == (kind == OTHERS):
            for i in range(DELAY_BINS):
                s.clocks[row, clock, i] /= weight
    if row == 0 and kind == ANSWERED:
        for i in range(DELAY_BINS):
            s.answered[i] /= weight


# ---- deriving ---------------------------------------------------------------------------------------------------
@njit()
def stale(s: Any) -> bool:
    """Whether enough was learned to derive the tables anew: a tenth more than before, or MOST_UNUSED."""
    return bool(s.refreshed_at_count < 0.0 or s.unused > min(0.1 * s.refreshed_at_count, MOST_UNUSED))


@njit()
def refresh(s: Any, now: float, handling_since: Floats, handling_segment: Floats) -> None:
    """Derive the tables from the counts and from the calls in progress."""
    for row in range(SEGMENTS):
        _refresh_handling(s, row, now, handling_since, handling_segment)
        _refresh_lines(s, row)
    fill_distribution(s.answered, s.clock_weights[0, ANSWERED], _PRIOR_ANSWERS, PRIOR_LINES, s.answered_by)
    s.refreshed_at_count = max(s.refreshed_at_count, 0.0) + s.unused
    s.unused = 0.0
    fill_look_ups(s)


@njit()
def _refresh_handling(s: Any, row: int, now: float, handling_since: Floats, handling_segment: Floats) -> None:
    counts, weight = s.handled[row], s.handled_weight[row]
    ended = np.sum(counts) / weight
    if row > 0 and ended == 0.0:
        return
    at_risk = np.zeros(HANDLE_BINS + 1)
    in_progress_s = 0.0
    for i in range(len(handling_since)):
        if row == 0 or (len(handling_segment) > 0 and int(handling_segment[i]) == row):
            lasted_s = now - handling_since[i]
            in_progress_s += lasted_s
            at_risk[min(max(int(lasted_s / HANDLE_WIDTH_S), 0), HANDLE_BINS)] += 1.0
    if row > 0:
        fill_survival(counts, weight, at_risk, s.survival[0], POOLED_AGENTS, s.survival[row])
        return
    # Time taken per call ended: right for any shape once all is seen, and not fooled by short calls ending first.
    mean_s = (PRIOR_HANDLES * PRIOR_HANDLE_S + s.handled_total[0] / weight + in_progress_s) / (PRIOR_HANDLES + ended)
    prior, smooth = np.empty(HANDLE_BINS + 1), np.empty(HANDLE_BINS + 1)
    _fill_lognormal(max(mean_s, 1.0), prior)
    fill_smooth(counts, weight, at_risk, prior, smooth)
    fill_survival(counts, weight, at_risk, smooth, SMOOTH_AGENTS, s.survival[0])


@njit()
def _fill_lognormal(mean_s: float, survival: Floats) -> None:
    median = math.log(mean_s) - 0.5 * PRIOR_HANDLE_SIGMA * PRIOR_HANDLE_SIGMA
    survival[0] = 1.0
    for i in range(HANDLE_BINS):
        x = (math.log((i + 1) * HANDLE_WIDTH_S) - median) / (PRIOR_HANDLE_SIGMA * math.sqrt(2.0))
        survival[i + 1] = 0.5 * math.erfc(x)


@njit()
def fill_smooth(counts: Floats, weight: float, at_risk: Floats, prior: Floats, smooth: Floats) -> None:
    """Fill `smooth`, a survival function whose hazards are those of `prior`, times one factor for the first bin, the
    next, the next two, four, eight and so on: calls ended by calls expected to end, each with PRIOR_ENDS more. The
    other arguments are those of `fill_survival`; `at_risk` is left as it is."""
    exposed = np.empty(HANDLE_BINS)  # calls that ended in bin i or later, or are in progress beyond it
    ended_later = reached = 0.0
    for i in range(HANDLE_BINS - 1, -1, -1):
        ended_later += counts[i] / weight
        reached += at_risk[i + 1]
        exposed[i] = ended_later + reached
    smooth[0] = 1.0
    begin, end = 0, 1
    while begin < HANDLE_BINS:
        end = min(end, HANDLE_BINS)
        ended = expected = PRIOR_ENDS
        for i in range(begin, end):
            ended += counts[i] / weight
            expected += exposed[i] * _hazard(prior, i)
        for i in range(begin, end):
            smooth[i + 1] = smooth[i] * (1.0 - min(_hazard(prior, i) * ended / expected, 1.0))
        begin, end = end, 2 * end


@njit()
def _hazard(survival: Floats, i: int) -> float:
    return float(1.0 - survival[i + 1] / survival[i]) if survival[i] > 1e-12 else 0.0


@njit()
def fill_survival(
    counts: Floats, weight: float, at_risk: Floats, prior: Floats, prior_agents: float, survival: Floats
) -> None:
    """Fill `survival[i]`, the chance that a handle time exceeds `i * HANDLE_WIDTH_S`, shape (HANDLE_BINS + 1,).

    Kaplan-Meier over `counts` (handle times by bin, the newest weighing `weight`) and over `at_risk` calls in progress
    by the bin they have reached (they are at risk as long as they have lasted). Every bin's hazard is shrunk to that of
    the survival function `prior`, as if `prior_agents` more had been at risk. Overwrites `at_risk`.
    """
    # From the last bin backwards: at_risk becomes "lasted through bin i".
    for i in range(HANDLE_BINS - 1, -1, -1):
        at_risk[i] += at_risk[i + 1]
    finished_later = 0.0
    for i in range(HANDLE_BINS - 1, -1, -1):
        finished_later += counts[i] / weight
        survival[i] = finished_later  # for the moment: finished calls at risk in bin i
    lasting = 1.0
    for i in range(HANDLE_BINS):
        ended = counts[i] / weight
        hazard = (ended + prior_agents * _hazard(prior, i)) / (survival[i] + at_risk[i + 1] + prior_agents)
        survival[i] = lasting
        lasting *= 1.0 - hazard
    survival[HANDLE_BINS] = lasting


@njit()
def _refresh_lines(s: Any, row: int) -> None:
    answered, others = np.sum(s.clocks[row, RANG_BEFORE_ANSWER]), np.sum(s.clocks[row, SIGN_OF_OTHERS])
    rang, others_rang = answered, np.sum(s.clocks[row, RING_TO_OTHER_END])
    answered += np.sum(s.clocks[row, ANSWERED_UNRUNG])
    if row > 0 and answered + others == 0.0:
        return
    answered_weight, others_weight = s.clock_weights[row, ANSWERED], s.clock_weights[row, OTHERS]
    lines = PRIOR_LINES if row == 0 else POOLED_LINES
    rang_prior, others_rang_prior = (0.5, 0.5) if row == 0 else (s.rang_share[0, ANSWERED], s.rang_share[0, OTHERS])
    s.rang_share[row, ANSWERED] = (rang / answered_weight + lines * rang_prior) / (answered / answered_weight + lines)
    s.rang_share[row, OTHERS] = (others_rang / others_weight + lines * others_rang_prior) / (
        others / others_weight + lines
    )
    # The two histograms of answered lines' signs add up to one distribution.
    total = answered / answered_weight + lines
    for i in range(DELAY_BINS):
        before = 0.0 if row == 0 else s.rang_before_answer[0, i]
        unrung = _PRIOR_ANSWERS[i] if row == 0 else s.answered_unrung[0, i]
        s.rang_before_answer[row, i] = (s.clocks[row, RANG_BEFORE_ANSWER, i] / answered_weight + lines * before) / total
        s.answered_unrung[row, i] = (s.clocks[row, ANSWERED_UNRUNG, i] / answered_weight + lines * unrung) / total
    prior = np.empty(DELAY_BINS)
    _fill_prior(s.sign_of_others[0], _PRIOR_OTHER_ENDS, row, prior)
    fill_distribution(s.clocks[row, SIGN_OF_OTHERS], others_weight, prior, lines, s.sign_of_others[row])
    _fill_prior(s.ring_to_answer[0], _PRIOR_RING_TO_ANSWER, row, prior)
    fill_distribution(s.clocks[row, RING_TO_ANSWER], answered_weight, prior, lines, s.ring_to_answer[row])
    _fill_prior(s.ring_to_other_end[0], _PRIOR_RING_TO_OTHER_END, row, prior)
    fill_distribution(s.clocks[row, RING_TO_OTHER_END], others_weight, prior, lines, s.ring_to_other_end[row])


@njit()
def _fill_prior(pooled: Floats, prior: Floats, row: int, shares: Floats) -> None:
    """Fill `shares` by bin: of all leads together for a segment, of the prior for all leads."""
    for i in range(DELAY_BINS):
        shares[i] = prior[i] if row == 0 else pooled[i + 1] - pooled[i]


@njit()
def fill_distribution(counts: Floats, weight: float, prior: Floats, prior_lines: float, distribution: Floats) -> None:
    """Fill `distribution[i]`, the chance that a delay is below `i * DELAY_WIDTH_S`, shape (DELAY_BINS + 1,), from
    `counts` by bin (the newest weighing `weight`) and a prior distribution that weighs `prior_lines` observations."""
    total = prior_lines
    for i in range(DELAY_BINS):
        total += counts[i] / weight
    distribution[0] = 0.0
    for i in range(DELAY_BINS):
        distribution[i + 1] = distribution[i] + (counts[i] / weight + prior_lines * prior[i]) / total
    distribution[DELAY_BINS] = 1.0


# ---- looking up -------------------------------------------------------------------------------------------------
@njit()
def fill_look_ups(s: Any) -> None:
    """Fill what decisions look up, from what is derived."""
    fill_taus(s.answered_by, s.taus)
    for row in range(SEGMENTS):
        known = row == 0 or s.survival[row, 0] > 0.0
        s.handled_row[row] = row if known else 0
        if known:
            fill_finish(s.survival[row], s.taus, s.finish[row])
        known = row == 0 or s.sign_of_others[row, DELAY_BINS] > 0.0
        s.line_row[row] = row if known else 0
        if known:
            _fill_lines(s, row)


@njit()
def at(table: Floats, position: float) -> float:
    """Interpolate a table at a position counted in bins."""
    if position <= 0.0:
        return float(table[0])
    last = len(table) - 1
    i = int(position)
    if i >= last:
        return float(table[last])
    return float(table[i] + (table[i + 1] - table[i]) * (position - i))


@njit()
def fill_taus(answered_by: Floats, taus: Floats) -> None:
    """Fill `taus` with the mid-quantiles of the answer delay, seconds: TAUS equally likely moments of an answer."""
    i = 0
    for k in range(TAUS):
        share = (k + 0.5) / TAUS
        while i < DELAY_BINS - 1 and answered_by[i + 1] < share:
            i += 1
        mass = answered_by[i + 1] - answered_by[i]
        within = (share - answered_by[i]) / mass if mass > 0.0 else 0.5
        taus[k] = (i + min(max(within, 0.0), 1.0)) * DELAY_WIDTH_S


@njit()
def fill_finish(survival: Floats, taus: Floats, finish: Floats) -> None:
    """Fill `finish[i, k]`, the chance that an agent i bins into a call is free within `taus[k]`, shape (FINISH_ROWS,
    TAUS)."""
    for i in range(FINISH_ROWS):
        now = max(at(survival, i + 0.5), 1e-12)
        for k in range(TAUS):
            finish[i, k] = 1.0 - at(survival, i + 0.5 + taus[k] / HANDLE_WIDTH_S) / now


@njit()
def _fill_lines(s: Any, row: int) -> None:
    """Fill `answer[row, rung, j, k]`, the chance of an answer within `taus[k]` of a line that will be answered and has
    been j bins without a sign (`rung` 0) or with one (1), times the chance that it is as it is; and `alive[row, rung,
    j]`, that chance for a line that will be answered and for another."""
    signs, unrung = np.zeros(DELAY_BINS + 1), np.zeros(DELAY_BINS + 1)
    first, last = DELAY_BINS, -1  # bins in which lines ring before they are answered: few
    for i in range(DELAY_BINS):
        signs[i + 1] = signs[i] + s.rang_before_answer[row, i] + s.answered_unrung[row, i]
        unrung[i + 1] = unrung[i] + s.answered_unrung[row, i]
        if s.rang_before_answer[row, i] > 0.0:
            first, last = min(first, i), i
    rings, ends = s.ring_to_answer[row], s.ring_to_other_end[row]
    rang, others_rang = s.rang_share[row, ANSWERED], s.rang_share[row, OTHERS]
    for j in range(DELAY_BINS):
        s.alive[row, 0, j, ANSWERED] = 1.0 - at(signs, j + 0.5)
        s.alive[row, 0, j, OTHERS] = 1.0 - at(s.sign_of_others[row], j + 0.5)
        s.alive[row, 1, j, ANSWERED] = rang * (1.0 - at(rings, j + 0.5))
        s.alive[row, 1, j, OTHERS] = others_rang * (1.0 - at(ends, j + 0.5))
        for k in range(TAUS):
            until = j + 0.5 + s.taus[k] / DELAY_WIDTH_S
            s.answer[row, 1, j, k] = rang * (at(rings, until) - at(rings, j + 0.5))
            at_once = at(unrung, until) - at(unrung, j + 0.5)
            s.answer[row, 0, j, k] = at_once + _rings_and_is_answered(
                s.rang_before_answer[row], first, last, rings, j + 0.5, until
            )


@njit()
def _rings_and_is_answered(
    rang_before_answer: Floats, first: int, last: int, rings: Floats, position: float, until: float
) -> float:
    """Return the chance that a line rings after `position`, in one of the bins from `first` to `last`, and is answered
    before `until`, counted in bins: each sign in the middle of the part of its bin that counts."""
    total = 0.0
    for i in range(max(int(position), first), min(int(until), last) + 1):
        begin, end = max(float(i), position), min(i + 1.0, until)
        if end > begin:
            total += rang_before_answer[i] * at(rings, until - 0.5 * (begin + end)) * (end - begin)
    return total
