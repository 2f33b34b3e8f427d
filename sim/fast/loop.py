# mypy: allow-untyped-decorators
"""The compiled event loop of the fast simulator: agents, lines and a pacing rule, and nothing else.

How it works: a binary heap of (time, what, whom) drives the day. A decision is asked for by whatever changes supply or
demand and taken a moment later over all that came in, and by a tick where nothing has asked for a second: as in
`dialer.core.launching`.

The n-th attempt of a day has the same fate, patience and handle time whatever the policy: its random numbers are those
of (seed, day, purpose, n).

Only `run_day` is compiled ahead, with an explicit signature, and kept in numba's cache; the other functions are
compiled into it. numba looks at one file only to tell whether a cached function is out of date, so the sources of all
that is compiled in are part of its key, as a constant in its closure.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba import njit, typeof, types

from dialer.core.launching import TICK_S
from pacing.peers.compiled import SOURCE_CODE as PEERS_CODE
from pacing.priced.compiled import source_code as priced_code
from sim.fast import calls, chance, floor, heap, layout, rules
from sim.fast.calls import end_line, hang_up, launch
from sim.fast.chance import uniform
from sim.fast.floor import change_staff, end_talk, end_wrap_up, give_up
from sim.fast.heap import drop_first, push
from sim.fast.layout import (
    CELLS,
    DECIDE,
    GAP,
    KINDS,
    LAUNCH,
    LINE,
    PURPOSES,
    STATE,
    STEP,
    STEPS,
    TALK_END,
    TICK,
    Day,
    Rule,
    Table,
    new_day,
)
from sim.fast.rules import Pacer, new_pacer, wanted_lines


# ---- decisions --------------------------------------------------------------------------------------------------
@njit(forceinline=True)
def _decide(day: Day, pacer: Pacer) -> None:
    c = day.state[0]
    c.decisions += 1
    c.decided_at = c.now
    lines = wanted_lines(day, pacer)
    if c.to_hang_up > 0:
        hang_up(day)
    launch(day, max(lines, 0))


@njit(forceinline=True)
def _ask(day: Day) -> None:
    """Ask for a decision; those of the next moments are taken as one."""
    c = day.state[0]
    if c.asked == 0 and c.rule != Rule.CONSTANT_RATE:
        c.asked = 1
        push(day, max(c.now + c.decision_delay_s, c.decided_at + c.decision_gap_s), DECIDE, 0)


# ---- what is due ------------------------------------------------------------------------------------------------
@njit(forceinline=True)
def _keep_time(day: Day, pacer: Pacer, kind: int) -> None:
    """A tick, a decision that was asked for, the next call of a constant stream, or a change of the world."""
    c = day.state[0]
    if kind == DECIDE:
        c.asked = 0
        _decide(day, pacer)
    elif kind == TICK:
        if c.asked == 0 and c.now >= c.decided_at + TICK_S:
            _decide(day, pacer)
        at = c.decided_at + TICK_S
        push(day, at if at > c.now else c.now + TICK_S, TICK, 0)
    elif kind == LAUNCH:
        launch(day, 1)
        gap_s = -np.log(1.0 - uniform(day.keys, GAP, c.placed)) / c.lines_per_s
        push(day, c.now + gap_s, LAUNCH, 0)
    else:
        _change(day)
        _ask(day)


@njit()
def _change(day: Day) -> None:
    """The next step of the world."""
    c = day.state[0]
    step = day.steps[c.step]
    c.step += 1
    c.answer_rate = step.answer_rate
    c.failure_rate = step.failure_rate
    change_staff(day, step.agents)
    if c.step < len(day.steps):
        push(day, day.steps[c.step].at, STEP, 0)


@njit(forceinline=True)
def _happen(day: Day, pacer: Pacer, kind: int, whom: int) -> None:
    if kind == LINE:
        end_line(day, pacer, whom)
    elif kind == TALK_END:
        end_talk(day, whom)
    else:
        end_wrap_up(day, pacer, whom)
    _ask(day)


@njit(forceinline=True)
def _begin(day: Day) -> None:
    c = day.state[0]
    push(day, c.now, LAUNCH if c.rule == Rule.CONSTANT_RATE else TICK, 0)
    if len(day.steps) > 0:
        change_staff(day, c.staff)
        push(day, day.steps[0].at, STEP, 0)


@njit()
def _play(day: Day, pacer: Pacer) -> None:
    """Play the day to its end."""
    c = day.state[0]
    _begin(day)
    while True:
        at, what = day.heap[0].at, day.heap[0].what
        given_up = c.give_up_at < at
        at = min(at, c.give_up_at)
        if min(at, c.ends_at) > c.measured_from:
            passed_s = min(at, c.ends_at) - max(c.now, c.measured_from)
            c.handling_s += c.busy * passed_s
            c.idle_s += c.idle * passed_s
        if at >= c.ends_at:
            break
        c.now = at
        c.events += 1
        if given_up:
            give_up(day, pacer)
            _ask(day)
            continue
        drop_first(day)
        kind = what % KINDS
        if kind < TICK:
            _happen(day, pacer, kind, what // KINDS)
        else:
            _keep_time(day, pacer, kind)


# ---- compilation ------------------------------------------------------------------------------------------------
def _source_code() -> int:
    """A number that changes with any source that is compiled into `run_day`."""
    code = zlib.crc32(repr((TICK_S, priced_code(), PEERS_CODE)).encode())
    for module in (calls, chance, floor, heap, layout, rules):
        code = zlib.crc32(Path(str(module.__file__)).read_bytes(), code)
    return code


def _compiled(code: int) -> Callable[[Day, Pacer], None]:
    steps, tables = np.zeros(0, dtype=STEPS), np.zeros((len(Table), CELLS))
    day = new_day(np.ones(1, dtype=STATE), steps, tables, np.zeros(PURPOSES, dtype=np.uint64))
    signature = types.void(typeof(day), typeof(new_pacer("priced-v1", {})))  # type: ignore[no-untyped-call]

    @njit(signature, cache=True)
    def run_day(day: Day, pacer: Pacer) -> None:
        day.state[0].code = code
        _play(day, pacer)

    compiled: Callable[[Day, Pacer], None] = run_day
    return compiled


run_day = _compiled(_source_code())
