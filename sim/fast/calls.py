# mypy: allow-untyped-decorators
"""The lines of the fast simulator, from launch to their end.

How it works: lines in flight are kept in dense rows, as the engine keeps them, because a decision reads them as they
are. What will become of an attempt is known when it is launched; only the policy has to wait for it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim.fast.chance import seconds, uniform
from sim.fast.floor import await_agent
from sim.fast.heap import drop, push
from sim.fast.layout import (
    FAILURE,
    HANG_UP,
    LINE,
    LOSS,
    LOST_PERSON,
    NOBODY,
    OUTCOME,
    PASSED_MACHINE,
    PERSON,
    Day,
    Table,
)
from sim.fast.rules import Pacer, tell_line_end, tell_lost


@njit()
def launch(day: Day, lines: int) -> None:
    """Place calls, as many as there are channels for."""
    c = day.state[0]
    for _ in range(min(lines, c.channels - c.ringing - c.waiting - c.talking)):
        attempt, row = c.placed, c.ringing
        slot = day.lines[row].by_row
        c.placed += 1
        c.ringing += 1
        if c.now >= c.measured_from:
            c.attempts += 1
        day.ringing_since[row] = c.now
        day.probability[row] = c.answered / c.seen if np.isnan(c.promised_rate) else c.promised_rate
        day.lines[slot].row = row
        day.lines[slot].attempt = attempt
        day.lines[slot].end = NOBODY
        push(day, c.now + _fate(day, slot, attempt), LINE, slot)


@njit(forceinline=True)
def _fate(day: Day, slot: int, attempt: int) -> float:
    """Return the seconds to the end of the line, and note which end that is and when it first rings."""
    c, line = day.state[0], day.lines[slot]
    set_up_s = seconds(day, Table.SET_UP, attempt)
    line.rings_at = np.inf
    if c.failure_rate > 0.0 and uniform(day.keys, FAILURE, attempt) < c.failure_rate:
        return set_up_s
    u = uniform(day.keys, OUTCOME, attempt) - c.unreached_rate
    if u < 0.0:
        return seconds(day, Table.UNREACHED, attempt)
    line.rings_at = c.now + set_up_s
    if u < c.answer_rate + c.screened_out_rate + c.machine_passed_rate:
        rings_s = seconds(day, Table.ANSWER if u < c.answer_rate else Table.MACHINE_ANSWER, attempt)
        if set_up_s + rings_s >= c.ring_timeout_s:
            return float(c.ring_timeout_s)
        if u < c.answer_rate:
            lost = c.human_lost_rate > 0.0 and uniform(day.keys, LOSS, attempt) < c.human_lost_rate
            line.end = LOST_PERSON if lost else PERSON
        elif u >= c.answer_rate + c.screened_out_rate:
            line.end = PASSED_MACHINE
        return set_up_s + rings_s + seconds(day, Table.SCREENING, attempt)
    return min(seconds(day, Table.NO_ANSWER, attempt), float(c.ring_timeout_s))


@njit(forceinline=True)
def end_line(day: Day, pacer: Pacer, slot: int) -> None:
    """A line is answered, or comes to nothing."""
    c, line = day.state[0], day.lines[slot]
    row, end = line.row, line.end
    launched_at, probability = day.ringing_since[row], day.probability[row]
    rang_after_s = line.rings_at - launched_at if line.rings_at <= c.now else np.inf
    _free_row(day, slot)
    tell_line_end(day, pacer, end in (PERSON, PASSED_MACHINE), c.now - launched_at, probability, rang_after_s)
    if end == LOST_PERSON:
        if c.now >= c.measured_from:
            c.live_answers += 1
            c.lost += 1
        if c.losses_known == 1:
            tell_lost(day, pacer, 1.0)
    elif end != NOBODY:
        if c.losses_known == 0 and c.told_lost_rate > 0.0:
            tell_lost(day, pacer, c.told_lost_rate / (1.0 - c.told_lost_rate))
        await_agent(day, line.attempt, 1 if end == PASSED_MACHINE else 0)


@njit(forceinline=True)
def _free_row(day: Day, slot: int) -> None:
    c = day.state[0]
    row = day.lines[slot].row
    c.ringing -= 1
    last = c.ringing
    moved = day.lines[last].by_row
    day.ringing_since[row] = day.ringing_since[last]
    day.probability[row] = day.probability[last]
    day.lines[row].by_row = moved
    day.lines[moved].row = row
    day.lines[last].by_row = slot


@njit()
def hang_up(day: Day) -> None:
    """End the lines that the decision has named, if they have rung for long enough. Nothing is learned of them."""
    c, named = day.state[0], day.desk[HANG_UP]
    for i in range(c.to_hang_up):
        named[i] = day.lines[int(named[i])].by_row  # the slot: rows move as lines end
    for i in range(c.to_hang_up):
        slot = int(named[i])
        if day.lines[slot].rings_at + c.hang_up_after_ring_s <= c.now:
            day.lines[slot].rings_at = np.inf  # named twice, it is hung up once
            drop(day, LINE, slot)
            _free_row(day, slot)
            if c.now >= c.measured_from:
                c.hung_up += 1
    c.to_hang_up = 0
