# mypy: allow-untyped-decorators
"""The pacing rules as the fast simulator asks them, and what it tells them: of every policy in `pacing`, the compiled
functions that the policy itself calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from dialer.errors import ConfigError
from pacing.peers.compiled import (
    new_peer,
    peer_abandoned,
    peer_answered,
    peer_handled,
    peer_lines,
    peer_lost,
    peer_new_day,
    peer_not_answered,
)
from pacing.peers.names import PEER_IDS
from pacing.priced import clocks, decision, learning, price
from pacing.priced.state import new_state
from pacing.view import Floats
from sim.fast.chance import uniform
from sim.fast.layout import (
    ASK,
    DITHER,
    HANG_UP,
    IDLE_LEAVES_AT,
    LEAVES_AT,
    OUT,
    RUNG_SINCE,
    Day,
    Rule,
)

_RATE_KEEP = 0.5 ** (1.0 / 2000.0)  # models.answer.AnswerTable's half-life


class Pacer(NamedTuple):
    """What the policies have learned; a day's rule uses its own."""

    priced: Any  # (1,), of pacing.priced.state.PRICED
    peer: Any  # (1,), of pacing.peers.compiled.PEER


RULES: Mapping[str, Rule] = {
    "constant-rate": Rule.CONSTANT_RATE,
    "fixed-ratio": Rule.FIXED_RATIO,
    "progressive-v1": Rule.PROGRESSIVE,
    "priced-v1": Rule.PRICED,
    **dict.fromkeys(PEER_IDS, Rule.PEER),
}


def new_pacer(policy: str, constants: Mapping[str, float]) -> Pacer:
    """Return a policy that has learned nothing, with some constants in place of its own defaults.

    Raises `ConfigError` for a policy that is none of RULES, and for constants that it has not got.
    """
    if policy not in RULES:
        raise ConfigError(f"{policy}: the fast simulator knows {', '.join(RULES)}: run it without --fast")
    rule = RULES[policy]
    if constants and rule not in (Rule.PRICED, Rule.PEER):
        raise ConfigError(f"{policy}: expected no constants, were {', '.join(constants)}: leave them out")
    try:
        return Pacer(
            priced=new_state(constants if rule == Rule.PRICED else {}),
            peer=new_peer(policy, constants) if rule == Rule.PEER else new_peer(PEER_IDS[0]),
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error


def begin_day(pacer: Pacer) -> None:
    """Tell the policies that a new day begins; `priced-v1` sees it by the clock."""
    peer_new_day(pacer.peer)


# ---- what they learn --------------------------------------------------------------------------------------------
@njit(forceinline=True)
def tell_line_end(
    day: Day, pacer: Pacer, answered: bool, after_s: float, probability: float, rang_after_s: float
) -> None:
    """A line was answered by what detection takes for a person, or ended without that."""
    c = day.state[0]
    c.seen = c.seen * _RATE_KEEP + 1.0
    c.answered = c.answered * _RATE_KEEP + (1.0 if answered else 0.0)
    if c.rule == Rule.PRICED:
        told_after_s = rang_after_s if c.early_signals == 1 else np.inf
        learning.learn_line_end(pacer.priced[0], answered, after_s, probability, told_after_s, 0)
    elif c.rule == Rule.PEER:
        if answered:
            peer_answered(pacer.peer, after_s, probability)
        else:
            peer_not_answered(pacer.peer, after_s, probability)


@njit(forceinline=True)
def tell_handled(day: Day, pacer: Pacer, handle_s: float) -> None:
    """An agent was taken by one call for so long."""
    if day.state[0].rule == Rule.PRICED:
        clocks.learn_handle_time(pacer.priced[0], 0, handle_s)
    elif day.state[0].rule == Rule.PEER:
        peer_handled(pacer.peer, handle_s)


@njit(forceinline=True)
def tell_abandoned(day: Day, pacer: Pacer) -> None:
    """An answered call found no agent in time."""
    if day.state[0].rule == Rule.PRICED:
        price.count_abandons(pacer.priced[0], 1.0)
    elif day.state[0].rule == Rule.PEER:
        peer_abandoned(pacer.peer)


@njit(forceinline=True)
def tell_lost(day: Day, pacer: Pacer, answers: float) -> None:
    """So many people were taken for machines and hung up."""
    if day.state[0].rule == Rule.PRICED:
        price.count_answers(pacer.priced[0], answers)
        price.count_abandons(pacer.priced[0], answers)
    elif day.state[0].rule == Rule.PEER:
        peer_lost(pacer.peer, answers)


# ---- what they decide -------------------------------------------------------------------------------------------
@njit(forceinline=True)
def wanted_lines(day: Day, pacer: Pacer) -> int:
    """Return how many lines the rule wants to launch now, which may be negative; notes the rows it wants hung up."""
    c = day.state[0]
    if c.rule == Rule.PRICED:
        return _priced_lines(day, pacer.priced[0])
    if c.rule == Rule.PEER:
        return int(
            peer_lines(
                pacer.peer, c.now, c.idle, c.talking, c.waiting, c.agents, day.handling_since[: c.busy],
                day.ringing_since[: c.ringing],
            )
        )  # fmt: skip
    if c.rule == Rule.PROGRESSIVE:
        return int(c.idle - c.waiting - c.ringing)
    return int(c.lines_per_idle_agent * (c.idle - c.waiting) + 0.5) - int(c.ringing)


@njit()
def _priced_lines(day: Day, s: Any) -> int:
    c, ask, out, nothing = day.state[0], day.desk[ASK], day.desk[OUT], day.handling_since[:0]
    leaves_at = idle_leaves_at = rung_since = nothing
    if c.leaves_known == 1:
        leaves_at, idle_leaves_at = _leaves_at(day), _idle_leaves_at(day)
    if c.early_signals == 1:
        rung_since = _rung_since(day)
    ask[decision.ASK_NEXT_PROBABILITY] = c.answered / c.seen if np.isnan(c.promised_rate) else c.promised_rate
    ask[decision.ASK_NEXT_SEGMENT] = 0.0
    ask[decision.ASK_MOST_PER_AGENT] = c.max_lines_per_idle_agent
    ask[decision.ASK_TARGET] = c.target_abandon_rate
    ask[decision.ASK_BUDGET] = np.inf
    ask[decision.ASK_HANG_UP_AFTER_S] = c.hang_up_after_ring_s
    lines = decision.priced_lines(
        s, c.now, c.idle, c.waiting, idle_leaves_at, day.handling_since[: c.busy], nothing, leaves_at,
        day.ringing_since[: c.ringing], day.probability[: c.ringing], rung_since, nothing, ask, out,
        day.desk[HANG_UP],
    )  # fmt: skip
    if lines < 0:
        c.fault = lines
        return 0
    c.to_hang_up = int(out[decision.OUT_HUNG_UP])
    if lines > 0:
        s.draw = uniform(day.keys, DITHER, c.decisions)
    return int(lines)


@njit()
def _leaves_at(day: Day) -> Floats:
    """Return when busy agents leave, by row."""
    leaves_at = day.desk[LEAVES_AT, : day.state[0].busy]
    for row in range(len(leaves_at)):
        leaves_at[row] = day.agents[day.agents[row].by_row].leaves_at
    return leaves_at


@njit()
def _idle_leaves_at(day: Day) -> Floats:
    """Return when idle agents leave, those of whom it is known."""
    known = 0
    for i in range(day.state[0].idle):
        leaves_at = day.agents[day.agents[i].idle].leaves_at
        if leaves_at < np.inf:
            day.desk[IDLE_LEAVES_AT, known] = leaves_at
            known += 1
    return day.desk[IDLE_LEAVES_AT, :known]


@njit()
def _rung_since(day: Day) -> Floats:
    """Return when lines in flight first rang, by row; infinity for those that have not yet."""
    now, rung_since = day.state[0].now, day.desk[RUNG_SINCE, : day.state[0].ringing]
    for row in range(len(rung_since)):
        rings_at = day.lines[day.lines[row].by_row].rings_at
        rung_since[row] = rings_at if rings_at <= now else np.inf
    return rung_since
