"""Compiled arithmetic of the priced policy. Each kernel has a slow twin in the tests as its oracle.

How it works. A candidate line would be answered at one of TAUS equally likely delays `tau[k]` (quantiles of the answer
delay). By then, F of the busy agents are free again and A of the lines in flight are answered, both sums of independent
chances (Poisson-binomial). The candidate finds no agent if A - F >= idle agents. An agent who is *not* free again and
a line that *is* answered count alike:

    A - F >= idle   <=>   A + (busy - F) >= idle + busy

so all that matters is whether a sum of `busy + in flight` chances reaches a size. It is found exactly, for all k at
once (k innermost: it vectorises), from two short distributions: of the chances that are likely, how many do not happen;
of the others, how many do. One more line is one more chance. Above EXACT_CHANCES the normal distribution with its
skewness correction (Volkova's refined normal approximation) takes their place.

Signatures are explicit, so that nothing is ever compiled in the middle of a decision. Arrays are read-only views.
"""

from __future__ import annotations

import math

import numpy as np
from numba import float64, int64, njit, types

from pacing.view import Floats

TAUS = 8
EXACT_CHANCES = 100  # busy agents + lines in flight; about 60 agents
# Widths and lengths of the learned time tables. Lines end within 60 s; handle times beyond the table are rare.
HANDLE_WIDTH_S = 4.0
HANDLE_BINS = 300
DELAY_WIDTH_S = 0.5
DELAY_BINS = 160
# Busy agents are looked up by time in call, in rows that leave room for the longest tau.
FINISH_ROWS = HANDLE_BINS - int(DELAY_BINS * DELAY_WIDTH_S / HANDLE_WIDTH_S)
MOST_LINES = 2000  # launched by one decision

# What `decide` answers, by position.
OUT_LINES, OUT_CAPPED, OUT_SHORTAGE, OUT_FREE, OUT_ANSWERS = 0, 1, 2, 3, 4
BAD_HANDLING, BAD_RINGING, BAD_PROBABILITY = -1, -2, -3

_MOST_PROBABLE = 0.98
_seen = types.Array(float64, 1, "A", readonly=True)
_row = float64[::1]
_rows = float64[:, ::1]
_added = types.Tuple((float64, int64, float64))  # type: ignore[no-untyped-call]


@njit(types.void(_row, float64, _seen, float64, float64, float64, float64, _row), cache=True)
def fill_survival(
    counts: Floats,
    weight: float,
    handling_since: Floats,
    now: float,
    prior_mean_s: float,
    prior_sigma: float,
    prior_agents: float,
    survival: Floats,
) -> None:
    """Fill `survival[i]`, the chance that a handle time exceeds `i * HANDLE_WIDTH_S`, shape (HANDLE_BINS + 1,).

    Kaplan-Meier over `counts` (handle times by bin, the newest weighing `weight`) and over calls in progress, which are
    at risk as long as they have lasted; else the short calls that end first would seem typical. Every bin's hazard is
    shrunk to that of a lognormal of the given mean and sigma, as if `prior_agents` more had been at risk.
    """
    at_risk = np.zeros(HANDLE_BINS + 1)
    for since in handling_since:
        at_risk[min(max(int((now - since) / HANDLE_WIDTH_S), 0), HANDLE_BINS)] += 1.0
    median = math.log(prior_mean_s) - 0.5 * prior_sigma * prior_sigma
    # From the last bin backwards: at_risk becomes "lasted through bin i".
    for i in range(HANDLE_BINS - 1, -1, -1):
        at_risk[i] += at_risk[i + 1]
    finished_later = 0.0
    for i in range(HANDLE_BINS - 1, -1, -1):
        finished_later += counts[i] / weight
        survival[i] = finished_later  # for the moment: finished calls at risk in bin i
    prior_before = 1.0
    lasting = 1.0
    for i in range(HANDLE_BINS):
        prior_after = 0.5 * math.erfc((math.log((i + 1) * HANDLE_WIDTH_S) - median) / (prior_sigma * math.sqrt(2.0)))
        prior_hazard = 1.0 - prior_after / prior_before if prior_before > 1e-12 else 0.0
        prior_before = prior_after
        ended = counts[i] / weight
        hazard = (ended + prior_agents * prior_hazard) / (survival[i] + at_risk[i + 1] + prior_agents)
        survival[i] = lasting
        lasting *= 1.0 - hazard
    survival[HANDLE_BINS] = lasting


@njit(types.void(_row, float64, _row, float64, _row), cache=True)
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


@njit(float64(_row, float64), cache=True)
def _at(table: Floats, position: float) -> float:
    """Interpolate a table at a position counted in bins."""
    if position <= 0.0:
        return float(table[0])
    last = len(table) - 1
    i = int(position)
    if i >= last:
        return float(table[last])
    return float(table[i] + (table[i + 1] - table[i]) * (position - i))


@njit(types.void(_row, _row), cache=True)
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


@njit(types.void(_row, _row, _row, _rows, _rows), cache=True)
def fill_rows(survival: Floats, answered_by: Floats, taus: Floats, finish: Floats, answer: Floats) -> None:
    """Fill the look-up rows by elapsed time: `finish[i, k]`, the chance that an agent i bins into a call is free within
    `taus[k]`, shape (FINISH_ROWS, TAUS); `answer[j, k]`, the chance that an answer comes after j bins but within
    `taus[k]` more, shape (DELAY_BINS, TAUS)."""
    for i in range(FINISH_ROWS):
        now = max(_at(survival, i + 0.5), 1e-12)
        for k in range(TAUS):
            finish[i, k] = 1.0 - _at(survival, i + 0.5 + taus[k] / HANDLE_WIDTH_S) / now
    for j in range(DELAY_BINS):
        now = _at(answered_by, j + 0.5)
        for k in range(TAUS):
            answer[j, k] = _at(answered_by, j + 0.5 + taus[k] / DELAY_WIDTH_S) - now


@njit(float64(float64, float64, float64, float64), cache=True)
def refined_normal_below(size: float, mean: float, variance: float, third: float) -> float:
    """Return about P(sum < size) of a sum of chances by its mean, variance and third central moment."""
    if variance < 1e-9:
        return 1.0 if mean < size - 0.5 else 0.0
    deviation = math.sqrt(variance)
    x = (size - 0.5 - mean) / deviation
    density = math.exp(-0.5 * x * x) * 0.3989422804014327
    below = 0.5 * math.erfc(-x * 0.7071067811865476) + third / (6.0 * variance * deviation) * (1.0 - x * x) * density
    return min(max(below, 0.0), 1.0)


@njit(int64(float64, _seen, _seen, _seen), cache=True)
def find_fault(now: float, handling_since: Floats, ringing_since: Floats, answer_probability: Floats) -> int:
    """Return 0, or which array holds what cannot be true. Written so that NaN fails."""
    for since in handling_since:
        if not -1e15 < since <= now:
            return BAD_HANDLING
    for since in ringing_since:
        if not -1e15 < since <= now:
            return BAD_RINGING
    for probability in answer_probability:
        if not 0.0 <= probability <= 1.0:
            return BAD_PROBABILITY
    return 0


@njit(types.void(float64, _seen, float64, _rows, _rows, _row), cache=True)
def _fill_not_free(
    now: float, handling_since: Floats, staying: float, finish: Floats, chances: Floats, free: Floats
) -> None:
    """Fill one row of `chances` per busy agent, that he is not ready by each tau, and their expected number in `free`.
    It is not known which of them will leave, so each stays with the same chance `staying`."""
    for i in range(len(handling_since)):
        row = min(int((now - handling_since[i]) / HANDLE_WIDTH_S), FINISH_ROWS - 1)
        for k in range(TAUS):
            ready = staying * finish[row, k]
            chances[i, k] = 1.0 - ready
            free[k] += ready


@njit(types.void(float64, _seen, _seen, float64, _rows, _row, _row, _rows, _row), cache=True)
def _fill_answered(
    now: float,
    ringing_since: Floats,
    answer_probability: Floats,
    multiplier: float,
    answer: Floats,
    answered_by: Floats,
    ended_by: Floats,
    chances: Floats,
    answers: Floats,
) -> None:
    """Fill one row of `chances` per line in flight, that it is answered by each tau given that it still is in flight,
    and their expected number in `answers`. Answers and other ends run on separate clocks."""
    for j in range(len(ringing_since)):
        position = (now - ringing_since[j]) / DELAY_WIDTH_S
        row = min(int(position), DELAY_BINS - 1)
        p = min(answer_probability[j] * multiplier, _MOST_PROBABLE)
        alive = p * (1.0 - _at(answered_by, row + 0.5)) + (1.0 - p) * (1.0 - _at(ended_by, row + 0.5))
        share = p / alive if alive > 1e-9 else 0.0
        for k in range(TAUS):
            a = min(share * answer[row, k], 1.0)
            chances[j, k] = a
            answers[k] += a


@njit(types.void(_rows, int64, _row), cache=True)
def add_chance(pmf: Floats, size: int, chance: Floats) -> None:
    """Add one chance to `pmf[x, k] = P(sum = x)`, x < size; what lies beyond is dropped."""
    for x in range(size - 1, 0, -1):
        for k in range(TAUS):
            pmf[x, k] += chance[k] * (pmf[x - 1, k] - pmf[x, k])
    for k in range(TAUS):
        pmf[0, k] *= 1.0 - chance[k]


@njit(int64(_rows, int64, _rows, _rows, _row), cache=True)
def fill_sums(chances: Floats, size: int, likely: Floats, unlikely: Floats, complement: Floats) -> int:
    """Split the sum of all rows of `chances` in two: of the likely ones (above one half at the middle tau) it counts
    those that do *not* happen, so that both sums are small. Fill `likely[f, k] = P(f likely ones do not happen)` and
    `unlikely[a, k] = P(a unlikely ones happen)`; what lies beyond an array's length is dropped. `complement` is room
    for one row. Return `size` less the number of likely ones: the sum reaches `size` where a - f reaches that.
    """
    likely[:, :] = 0.0
    unlikely[:, :] = 0.0
    for k in range(TAUS):
        if len(likely) > 0:
            likely[0, k] = 1.0
        unlikely[0, k] = 1.0
    likely_count = unlikely_count = 0
    for i in range(len(chances)):
        if chances[i, TAUS // 2] > 0.5:
            likely_count += 1
            for k in range(TAUS):
                complement[k] = 1.0 - chances[i, k]
            if len(likely) > 0:
                add_chance(likely, min(likely_count + 1, len(likely)), complement)
        else:
            unlikely_count += 1
            add_chance(unlikely, min(unlikely_count + 1, len(unlikely)), chances[i])
    return size - likely_count


@njit(float64(_rows, _rows, int64, int64, _row), cache=True)
def exact_shortage(likely: Floats, unlikely: Floats, most: int, spare: int, tail: Floats) -> float:
    """Return the mean over taus of P(a - f >= spare), from what `fill_sums` filled; no more than `most` of the unlikely
    ones can happen. `tail` is room for one row."""
    for k in range(TAUS):
        tail[k] = 0.0
    total = 0.0
    a = most
    for f in range(len(likely) - 1, -1, -1):
        while a >= 0 and a >= spare + f:
            for k in range(TAUS):
                tail[k] += unlikely[a, k]
            a -= 1
        for k in range(TAUS):
            total += likely[f, k] * tail[k]
    return total / TAUS


@njit(types.void(_rows, _rows), cache=True)
def _fill_moments(chances: Floats, moments: Floats) -> None:
    """Add up mean, variance and third central moment of the sum of all rows of `chances`, shape (3, TAUS)."""
    for i in range(len(chances)):
        for k in range(TAUS):
            p = chances[i, k]
            spread = p * (1.0 - p)
            moments[0, k] += p
            moments[1, k] += spread
            moments[2, k] += spread * (1.0 - 2.0 * p)


@njit(float64(_rows, int64, _row), cache=True)
def _normal_shortage(moments: Floats, size: int, cdf: Floats) -> float:
    """Fill `cdf` from the moments and return the mean of 1 - cdf."""
    for k in range(TAUS):
        cdf[k] = refined_normal_below(size, moments[0, k], moments[1, k], moments[2, k])
    return float(1.0 - np.sum(cdf) / TAUS)


@njit(_added(_rows, int64, _row, float64, int64), cache=True)
def _add_exactly(
    chances: Floats, size: int, candidate: Floats, threshold: float, most: int
) -> tuple[float, int, float]:
    """Return the probability at which adding stopped, the lines added, and the probability one line earlier."""
    row, tail = np.zeros(TAUS), np.zeros(TAUS)
    unlikely_count = 0
    for i in range(len(chances)):
        if chances[i, TAUS // 2] <= 0.5:
            unlikely_count += 1
    spare = size - (len(chances) - unlikely_count)
    room = min(most, 16)  # lines for which there is room; more is made where they are wanted
    while True:
        last = unlikely_count + room
        likely = np.zeros((max(0, min(len(chances) - unlikely_count, last - spare) + 1), TAUS))
        unlikely = np.zeros((last + 1, TAUS))
        fill_sums(chances, size, likely, unlikely, row)
        lines = 0
        before = 0.0
        while True:
            shortage = exact_shortage(likely, unlikely, unlikely_count + lines, spare, tail)
            if shortage >= threshold or lines >= most:
                return shortage, lines, before
            if lines >= room:
                break
            before = shortage
            lines += 1
            add_chance(unlikely, unlikely_count + lines + 1, candidate)
        room = min(most, 4 * room)


@njit(_added(_rows, int64, _row, float64, int64), cache=True)
def _add_normally(
    chances: Floats, size: int, candidate: Floats, threshold: float, most: int
) -> tuple[float, int, float]:
    """The same by the refined normal distribution."""
    cdf = np.zeros(TAUS)
    moments = np.zeros((3, TAUS))
    _fill_moments(chances, moments)
    row = candidate.reshape((1, TAUS))
    lines = 0
    before = 0.0
    while True:
        shortage = _normal_shortage(moments, size, cdf)
        if shortage >= threshold or lines >= most:
            return shortage, lines, before
        before = shortage
        lines += 1
        _fill_moments(row, moments)


@njit(int64(_rows, int64, _row, float64, float64, int64, _row), cache=True)
def add_lines(
    chances: Floats, size: int, candidate: Floats, threshold: float, dither: float, most: int, out: Floats
) -> int:
    """Return how many candidates, each of the same chances (TAUS,), to add to the rows of `chances`: as long as the
    next one would find `sum >= size` with a probability below `threshold`, and `most` at the most.

    One more is added with the probability by which the threshold reaches into its step, by `dither` in [0, 1]: small
    teams would else be stuck with whole lines. Writes the probability at which it stopped and whether `most` bound to
    `out`.
    """
    if size <= 0:
        shortage, lines, before = 1.0, 0, 0.0
    elif len(chances) <= EXACT_CHANCES:
        shortage, lines, before = _add_exactly(chances, size, candidate, threshold, most)
    else:
        shortage, lines, before = _add_normally(chances, size, candidate, threshold, most)
    capped = shortage < threshold
    if 0 < lines < most and threshold - before > dither * (shortage - before):
        lines += 1
    out[OUT_SHORTAGE] = shortage
    out[OUT_CAPPED] = 1.0 if capped else 0.0
    return lines


@njit(
    int64(float64, int64, float64, float64, _seen, _seen, _seen, _row, _rows, _rows, _row, _row, _row),
    cache=True,
)
def decide(
    now: float,
    spare: int,
    leaving: float,
    multiplier: float,
    handling_since: Floats,
    ringing_since: Floats,
    answer_probability: Floats,
    ask: Floats,
    finish: Floats,
    answer: Floats,
    answered_by: Floats,
    ended_by: Floats,
    out: Floats,
) -> int:
    """Return the lines to launch now, or a negative fault code.

    `spare` is idle agents less waiting calls; `ask` is (probability of the next lead, threshold, dither, lines in
    flight allowed per agent who is idle or expected to be by the last tau); `finish`, `answer`, `answered_by` and
    `ended_by` are the learned tables. Fills `out` (5,): see the OUT_ names.
    """
    fault = find_fault(now, handling_since, ringing_since, answer_probability)
    if fault != 0:
        return fault
    busy, ringing = len(handling_since), len(ringing_since)
    chances = np.empty((busy + ringing, TAUS))
    free = np.zeros(TAUS)
    answers = np.zeros(TAUS)
    staying = 1.0 - leaving / busy if busy > 0 else 1.0
    _fill_not_free(now, handling_since, staying, finish, chances, free)
    _fill_answered(
        now, ringing_since, answer_probability, multiplier, answer, answered_by, ended_by, chances[busy:], answers
    )
    candidate = np.empty(TAUS)
    p = min(ask[0] * multiplier, _MOST_PROBABLE)
    for k in range(TAUS):
        candidate[k] = p * (k + 0.5) / TAUS
    supply = max(spare + free[TAUS - 1], 0.0)
    most = min(max(int(min(ask[3] * supply, 1e6)) - ringing, 0), MOST_LINES)
    lines = add_lines(chances, spare + busy, candidate, ask[1], ask[2], most, out)
    out[OUT_LINES] = lines
    out[OUT_FREE] = spare + np.mean(free)
    out[OUT_ANSWERS] = np.mean(answers) + lines * np.mean(candidate)
    return lines
