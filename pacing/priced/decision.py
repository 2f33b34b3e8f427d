# mypy: allow-untyped-decorators
"""The decision of `priced-v1`: one more line while its chance to find no agent is below the price of an abandon.

How it works: every busy agent becomes the chance that he is not ready by each tau, every line in flight the chance that
it is answered by then (`clocks`, `answers`); `shortage` adds lines while the next one would find an agent often enough
for the price (`price`). An idle agent who is about to leave is one who may not be ready either. A line that may be hung
up is, where its answer would most likely find nobody.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from pacing.priced import price
from pacing.priced.answers import MOST_PROBABLE, cautious_multiplier, due_of, note_in_flight, share_of_answered
from pacing.priced.clocks import refresh, stale
from pacing.priced.shortage import add_lines, shortage_of
from pacing.priced.state import ANSWERED, DELAY_BINS, DELAY_WIDTH_S, FINISH_ROWS, HANDLE_WIDTH_S, TAUS
from pacing.view import SEGMENTS, Floats

MOST_LINES = 2000  # launched by one decision
MOST_HUNG_UP = 50  # by one decision

# What is asked, by position.
ASK_NEXT_PROBABILITY, ASK_NEXT_SEGMENT, ASK_MOST_PER_AGENT, ASK_TARGET, ASK_BUDGET, ASK_HANG_UP_AFTER_S = range(6)
ASKED = 6
# What is answered beside the lines.
OUT_GUARD, OUT_SHORTAGE, OUT_THRESHOLD, OUT_FREE, OUT_ANSWERS, OUT_PRICE, OUT_BUDGET, OUT_MULTIPLIER, OUT_HUNG_UP = (
    range(9)
)
ANSWERED_FIGURES = 9
GUARDS = ("none", "no_agents", "abandon_budget", "lines_per_idle_agent")
_NO_AGENTS, _ABANDON_BUDGET, _LINES_PER_IDLE_AGENT = 1.0, 2.0, 3.0
# A view that cannot be true, in place of the lines.
BAD_HANDLING, BAD_RINGING, BAD_PROBABILITY, BAD_SEGMENT, BAD_CLOCK, BAD_LEAVE = -1, -2, -3, -4, -5, -6


@njit()
def priced_lines(
    s: Any,
    now: float,
    idle: int,
    waiting: int,
    idle_leaves_at: Floats,
    handling_since: Floats,
    handling_segment: Floats,
    leaves_at: Floats,
    ringing_since: Floats,
    answer_probability: Floats,
    rung_since: Floats,
    line_segment: Floats,
    ask: Floats,
    out: Floats,
    hang_up: Floats,
) -> int:
    """Return the lines to launch now, or a negative fault code, in which case nothing was learned.

    `s` is the record of a `state.PRICED`; the arrays are those of `PacingView`; `ask` has what the ASK_ names say,
    shape (ASKED,). Fills `out`, shape (ANSWERED_FIGURES,), and the first `out[OUT_HUNG_UP]` places of `hang_up`, shape
    (MOST_HUNG_UP,), with rows of lines to hang up. Where it launches, the caller draws a new `draw`.
    """
    fault = find_fault(
        now, idle_leaves_at, handling_since, handling_segment, leaves_at, ringing_since, answer_probability,
        rung_since, line_segment,
    )  # fmt: skip
    if now < s.decided_at:
        fault = BAD_CLOCK
    if fault != 0:
        return fault
    if stale(s):
        refresh(s, now, handling_since, handling_segment)
    price.keep_account(s, now, ask[ASK_TARGET])
    budget = price.budget_left(s, ask[ASK_BUDGET])
    paid = price.asked_price(s, budget)
    # Small teams know few lines, and a price between two of them: a little chance mixes both.
    threshold = math.exp(s.dither * (2.0 * s.draw - 1.0)) / (1.0 + paid)
    busy, ringing, leaving = len(handling_since), len(ringing_since), len(idle_leaves_at)
    chances = np.empty((busy + leaving + ringing, TAUS))
    free, answers = np.zeros(TAUS), np.zeros(TAUS)
    _fill_not_ready(s, now, handling_since, handling_segment, leaves_at, chances, free)
    _fill_leaving(s, now, idle_leaves_at, chances[busy:], free)
    lines_from = busy + leaving
    due = np.empty(ringing)
    in_flight = _fill_answered(
        s, now, ringing_since, answer_probability, rung_since, line_segment, chances[lines_from:], answers, due
    )
    candidate = np.empty(TAUS)
    p = min(ask[ASK_NEXT_PROBABILITY] * cautious_multiplier(s), MOST_PROBABLE)
    segment = s.line_row[int(ask[ASK_NEXT_SEGMENT])]
    for k in range(TAUS):
        candidate[k] = p * ((k + 0.5) / TAUS if segment == 0 else s.answer[segment, 0, 0, k])
    spare = idle - waiting
    supply = max(spare + free[TAUS - 1], 0.0)
    most = min(max(int(min(ask[ASK_MOST_PER_AGENT] * supply, 1e6)) - ringing, 0), MOST_LINES)
    lines, shortage = add_lines(chances, spare + busy, candidate, threshold, most)
    hung_up = 0
    if lines == 0 and shortage >= s.hang_up_above and len(rung_since) > 0:
        hung_up = _fill_hung_up(
            chances, lines_from, spare + busy, s.hang_up_above, now - ask[ASK_HANG_UP_AFTER_S], rung_since, hang_up
        )
    due_hung_up = 0.0
    for i in range(hung_up):
        due_hung_up += max(due[int(hang_up[i])], 0.0)
    note_in_flight(s, ringing, np.sum(due), due_hung_up, in_flight)
    guard = 0.0
    if idle == 0 and busy == 0:
        lines, guard = 0, _NO_AGENTS
    elif budget < price.GUARDED_BUDGET:
        # The guard bounds what the rule asks for, but never below one line per idle agent.
        safe = max(0, spare - ringing) if hung_up == 0 else 0
        guard = _ABANDON_BUDGET if lines > safe else 0.0
        lines = safe
    elif shortage < threshold:
        guard = _LINES_PER_IDLE_AGENT
    out[OUT_GUARD] = guard
    out[OUT_SHORTAGE] = shortage
    out[OUT_THRESHOLD] = threshold
    out[OUT_FREE] = spare + np.mean(free)
    out[OUT_ANSWERS] = np.mean(answers) + lines * np.mean(candidate)
    out[OUT_PRICE] = paid
    out[OUT_BUDGET] = budget
    out[OUT_MULTIPLIER] = s.multiplier
    out[OUT_HUNG_UP] = hung_up
    return lines


@njit()
def find_fault(
    now: float,
    idle_leaves_at: Floats,
    handling_since: Floats,
    handling_segment: Floats,
    leaves_at: Floats,
    ringing_since: Floats,
    answer_probability: Floats,
    rung_since: Floats,
    line_segment: Floats,
) -> int:
    """Return 0, or which array holds what cannot be true. Written so that NaN fails."""
    for since in handling_since:
        if not -1e15 < since <= now:
            return BAD_HANDLING
    for since in ringing_since:
        if not -1e15 < since <= now:
            return BAD_RINGING
    for i in range(len(rung_since)):
        if not (ringing_since[i] <= rung_since[i] <= now or rung_since[i] == np.inf):
            return BAD_RINGING
    for probability in answer_probability:
        if not 0.0 <= probability <= 1.0:
            return BAD_PROBABILITY
    for segment in handling_segment:
        if not 0.0 <= segment < SEGMENTS:
            return BAD_SEGMENT
    for segment in line_segment:
        if not 0.0 <= segment < SEGMENTS:
            return BAD_SEGMENT
    for leaves in leaves_at:
        if np.isnan(leaves):
            return BAD_LEAVE
    for leaves in idle_leaves_at:
        if np.isnan(leaves):
            return BAD_LEAVE
    return 0


@njit()
def _fill_not_ready(
    s: Any,
    now: float,
    handling_since: Floats,
    handling_segment: Floats,
    leaves_at: Floats,
    chances: Floats,
    free: Floats,
) -> None:
    """Fill one row of `chances` per busy agent, that he is not ready by each tau, and add up in `free` how many are."""
    for i in range(len(handling_since)):
        segment = s.handled_row[int(handling_segment[i])] if len(handling_segment) > 0 else 0
        finish = s.finish[segment, min(int((now - handling_since[i]) / HANDLE_WIDTH_S), FINISH_ROWS - 1)]
        leaves_in_s = leaves_at[i] - now if len(leaves_at) > 0 else np.inf
        for k in range(TAUS):
            ready = finish[k] if s.taus[k] < leaves_in_s else 0.0
            chances[i, k] = 1.0 - ready
            free[k] += ready


@njit()
def _fill_leaving(s: Any, now: float, idle_leaves_at: Floats, chances: Floats, free: Floats) -> None:
    """Fill one row of `chances` per idle agent who will leave: that he is gone by each tau."""
    for i in range(len(idle_leaves_at)):
        for k in range(TAUS):
            gone = 1.0 if s.taus[k] >= idle_leaves_at[i] - now else 0.0
            chances[i, k] = gone
            free[k] -= gone


@njit()
def _fill_answered(
    s: Any,
    now: float,
    ringing_since: Floats,
    answer_probability: Floats,
    rung_since: Floats,
    line_segment: Floats,
    chances: Floats,
    answers: Floats,
    due: Floats,
) -> float:
    """Fill one row of `chances` per line in flight, that it is answered by each tau given that it still is in flight
    and whether it has rung, and add up in `answers` how many are. Fill `due`, shape (lines,), with what has fallen due
    of each one's promise. Return how many are answered ever."""
    multiplier = cautious_multiplier(s)
    in_flight = 0.0
    for j in range(len(ringing_since)):
        segment = s.line_row[int(line_segment[j])] if len(line_segment) > 0 else 0
        rung, since = 0, ringing_since[j]
        if len(rung_since) > 0 and rung_since[j] < np.inf:
            rung, since = 1, rung_since[j]
        row = min(int((now - since) / DELAY_WIDTH_S), DELAY_BINS - 1)
        p = min(answer_probability[j] * multiplier, MOST_PROBABLE)
        alive = s.alive[segment, rung, row]
        share = share_of_answered(alive, p)
        in_flight += share * alive[ANSWERED]
        due[j] = due_of(alive, answer_probability[j])
        answer = s.answer[segment, rung, row]
        for k in range(TAUS):
            a = min(share * answer[k], 1.0)
            chances[j, k] = a
            answers[k] += a
    return in_flight


@njit()
def _fill_hung_up(
    chances: Floats,
    lines_from: int,
    size: int,
    above: float,
    rung_until: float,
    rung_since: Floats,
    hang_up: Floats,
) -> int:
    """Fill `hang_up` with the rows of lines that rang before `rung_until` and whose answer would find no agent with a
    chance of `above` or more: the longest ringing first, as long as the others alone would take every agent."""
    hung_up = 0
    gone = np.zeros(len(rung_since), dtype=np.bool_)
    while hung_up < MOST_HUNG_UP:
        longest = -1
        for j in range(len(rung_since)):
            may_go = rung_since[j] <= rung_until and not gone[j]
            if may_go and (longest < 0 or rung_since[j] < rung_since[longest]):
                longest = j
        if longest < 0:
            break
        kept = chances[lines_from + longest].copy()
        chances[lines_from + longest] = 0.0
        if shortage_of(chances, size) < above:
            chances[lines_from + longest] = kept
            break
        gone[longest] = True
        hang_up[hung_up] = longest
        hung_up += 1
    return hung_up
