# mypy: allow-untyped-decorators
"""The compiled event loop of the fast simulator: agents, lines and a pacing rule, and nothing else.

How it works: a binary heap of (time, what, whom) drives the day. Lines in flight and busy agents are kept in dense
rows, as the engine keeps them, because a decision reads them as they are. A decision is asked for by whatever changes
supply or demand and taken a moment later over all that came in, and by a tick where nothing has asked for a second: as
in `dialer.core.launching`.

The n-th attempt of a day has the same fate, patience and handle time whatever the policy: its random numbers are those
of (seed, purpose, n). They come from splitmix64 as a counter (Steele, Lea, Flood, OOPSLA 2014).

Only `run_day` is compiled ahead, with an explicit signature, and kept in numba's cache; the other functions are
compiled into it. numba looks at one file only to tell whether a cached function is out of date, so the sources of all
that is compiled in are part of its key, as a constant in its closure.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit, typeof, types
from numpy.typing import NDArray

from dialer.core.launching import DECISION_DELAY_S, DECISION_GAP_S, TICK_S
from models.answer import AnswerTable
from pacing import answer_rate, hazards, kernels, price
from pacing.view import Floats
from sim.fast import learning
from sim.fast.learning import (
    Learned,
    learn_abandoned,
    learn_answered,
    learn_handled,
    learn_not_answered,
    nothing_learned,
    priced_lines,
)

CELLS = 8192  # of a table of durations


class Rule(IntEnum):
    """What decides how many lines to launch."""

    CONSTANT_RATE = 0
    FIXED_RATIO = 1
    PROGRESSIVE = 2
    PRICED = 3


class Table(IntEnum):
    """The rows of the tables of durations."""

    SET_UP = 0
    ANSWER = 1
    MACHINE_ANSWER = 2
    SCREENING = 3
    PATIENCE = 4
    TALK = 5
    WRAP_UP = 6


# Purposes of random numbers beyond those of the tables.
_OUTCOME, _DITHER, _GAP = len(Table), len(Table) + 1, len(Table) + 2
PURPOSES = len(Table) + 3

SETTINGS = (
    "agents", "rule", "channels", "duration_s", "warm_up_s", "answer_rate", "screened_out_rate", "unreached_rate",
    "ring_timeout_s", "connect_deadline_s", "wrap_up_limit_s", "lines_per_s", "lines_per_idle_agent", "promised_rate",
    "max_lines_per_idle_agent", "target_abandon_rate",
)  # fmt: skip
# What a day came to: counts but the first two from the end of the warm-up on.
COUNTS = ("events", "decisions", "attempts", "live_answers", "abandoned", "connects", "handling_s", "waited_s")
# Where it stands.
_STANDING = (
    "now", "placed", "pushed", "queued", "idle", "busy", "ringing", "waiting", "talking", "asked", "seen", "answered",
    "decided_at", "give_up_at", "code",
)  # fmt: skip
_SECONDS_AND_RATES = {*SETTINGS[3:], "handling_s", "waited_s", "now", "seen", "answered", "decided_at", "give_up_at"}
STATE = np.dtype(
    [(name, np.float64 if name in _SECONDS_AND_RATES else np.int64) for name in (*SETTINGS, *COUNTS, *_STANDING)]
)
_HEAP = np.dtype([("at", np.float64), ("serial", np.int64), ("what", np.int64)], align=True)
_AGENT = np.dtype([("idle", np.int64), ("by_row", np.int64), ("row", np.int64), ("attempt", np.int64)], align=True)
_LINES = np.dtype([("by_row", np.int64), ("row", np.int64), ("attempt", np.int64), ("answered", np.bool_)], align=True)
_WAITING = np.dtype([("attempt", np.int64), ("since", np.float64), ("until", np.float64)], align=True)

_LINE, _TALK_END, _WRAP_UP_END, _TICK, _DECIDE, _LAUNCH = range(6)
_KINDS = 8
_RATE_KEEP = 0.5 ** (1.0 / 2000.0)  # models.answer.AnswerTable's half-life


class Day(NamedTuple):
    """The arrays of a running day. Few of them: each one that is handed from function to function costs time."""

    state: Any  # (1,), of STATE
    heap: Any  # (channels and agents,), of _HEAP
    agents: Any  # (agents,): `idle` is a stack of agents, `by_row` the agents of the busy rows
    lines: Any  # (channels,): `by_row` the slots of the rows in flight, then those that are free
    waiting: Any  # (channels,), longest waiting first
    handling_since: Floats  # (agents,), by row
    ringing_since: Floats  # (channels,), by row
    probability: Floats  # (channels,), by row
    tables: Floats  # (Table, CELLS), seconds
    keys: NDArray[np.uint64]  # (PURPOSES,)


def new_day(state: Any, tables: Floats, keys: NDArray[np.uint64]) -> Day:
    """Return the arrays of a day that has not begun; `state` of shape (1,) with its settings filled in."""
    agents, channels = int(state["agents"][0]), int(state["channels"][0])
    state["idle"] = agents
    state["decided_at"] = -np.inf
    state["give_up_at"] = np.inf
    prior = AnswerTable().snapshot()
    state["seen"], state["answered"] = prior["seen"], prior["answered"]
    day = Day(
        state=state,
        heap=np.zeros(agents + channels + 8, dtype=_HEAP),  # an end for each of them, and the clocks
        agents=np.zeros(agents, dtype=_AGENT),
        lines=np.zeros(channels, dtype=_LINES),
        waiting=np.zeros(channels, dtype=_WAITING),
        handling_since=np.zeros(agents),
        ringing_since=np.zeros(channels),
        probability=np.zeros(channels),
        tables=tables,
        keys=keys,
    )
    day.agents["idle"] = np.arange(agents)
    day.lines["by_row"] = np.arange(channels)
    return day


# ---- chance -----------------------------------------------------------------------------------------------------
@njit()
def uniform(keys: NDArray[np.uint64], purpose: int, subject: int) -> float:
    """Return the number in [0, 1) of a purpose and a subject >= 0."""
    z = keys[purpose] + np.uint64(subject + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53


@njit(forceinline=True)
def _seconds(day: Day, table: int, subject: int) -> float:
    return float(day.tables[table, int(uniform(day.keys, table, subject) * CELLS)])


# ---- the heap ---------------------------------------------------------------------------------------------------
@njit(forceinline=True)
def _before(a: Any, b: Any) -> bool:
    """Whether entry `a` is due before `b`; of equal times the one that was pushed first."""
    return bool(a.at < b.at or (a.at == b.at and a.serial < b.serial))


@njit()
def _push(day: Day, at: float, kind: int, whom: int) -> None:
    c, heap = day.state[0], day.heap
    i = c.queued
    c.queued += 1
    c.pushed += 1
    while i > 0:
        parent = (i - 1) >> 1
        if heap[parent].at <= at:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i].at = at
    heap[i].serial = c.pushed
    heap[i].what = whom * _KINDS + kind


@njit(forceinline=True)
def _drop_first(day: Day) -> None:
    c, heap = day.state[0], day.heap
    c.queued -= 1
    size = c.queued
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and _before(heap[child + 1], heap[child]):
            child += 1
        if not _before(heap[child], heap[size]):
            break
        heap[i] = heap[child]
        i = child
    heap[i] = heap[size]


# ---- calls ------------------------------------------------------------------------------------------------------
@njit()
def _launch(day: Day, lines: int) -> None:
    """Place calls, as many as there are channels for."""
    c = day.state[0]
    for _ in range(min(lines, c.channels - c.ringing - c.waiting - c.talking)):
        attempt, row = c.placed, c.ringing
        slot = day.lines[row].by_row
        c.placed += 1
        c.ringing += 1
        if c.now >= c.warm_up_s:
            c.attempts += 1
        day.ringing_since[row] = c.now
        day.probability[row] = c.answered / c.seen if np.isnan(c.promised_rate) else c.promised_rate
        day.lines[slot].row = row
        day.lines[slot].attempt = attempt
        day.lines[slot].answered = False
        after_s = c.ring_timeout_s
        u = uniform(day.keys, _OUTCOME, attempt)
        set_up_s = _seconds(day, Table.SET_UP, attempt)
        if u < c.unreached_rate:
            after_s = set_up_s
        elif u < c.unreached_rate + c.answer_rate + c.screened_out_rate:
            answered = u < c.unreached_rate + c.answer_rate
            rings_s = _seconds(day, Table.ANSWER if answered else Table.MACHINE_ANSWER, attempt)
            if set_up_s + rings_s < c.ring_timeout_s:
                after_s = set_up_s + rings_s + _seconds(day, Table.SCREENING, attempt)
                day.lines[slot].answered = answered
        _push(day, c.now + after_s, _LINE, slot)


@njit(forceinline=True)
def _end_line(day: Day, learned: Learned, slot: int) -> None:
    """A line is answered live, or comes to nothing."""
    c = day.state[0]
    row = day.lines[slot].row
    after_s, probability = c.now - day.ringing_since[row], day.probability[row]
    c.ringing -= 1
    last = c.ringing
    moved = day.lines[last].by_row
    day.ringing_since[row] = day.ringing_since[last]
    day.probability[row] = day.probability[last]
    day.lines[row].by_row = moved
    day.lines[moved].row = row
    day.lines[last].by_row = slot
    answered = day.lines[slot].answered
    c.seen = c.seen * _RATE_KEEP + 1.0
    c.answered = c.answered * _RATE_KEEP + (1.0 if answered else 0.0)
    if c.rule == Rule.PRICED:
        if answered:
            learn_answered(learned, after_s, probability)
        else:
            learn_not_answered(learned, after_s, probability)
    if answered:
        _await_agent(day, day.lines[slot].attempt)


@njit(forceinline=True)
def _await_agent(day: Day, attempt: int) -> None:
    c = day.state[0]
    if c.now >= c.warm_up_s:
        c.live_answers += 1
    day.waiting[c.waiting].attempt = attempt
    day.waiting[c.waiting].since = c.now
    day.waiting[c.waiting].until = c.now + min(_seconds(day, Table.PATIENCE, attempt), c.connect_deadline_s)
    c.give_up_at = min(c.give_up_at, day.waiting[c.waiting].until)
    c.waiting += 1
    if c.idle > 0:
        _serve(day)


@njit(forceinline=True)
def _leave_queue(day: Day, place: int) -> None:
    c = day.state[0]
    c.waiting -= 1
    if c.now >= day.state[0].warm_up_s:
        c.waited_s += c.now - day.waiting[place].since
    for i in range(place, c.waiting):
        day.waiting[i] = day.waiting[i + 1]
    c.give_up_at = np.inf
    for i in range(c.waiting):
        c.give_up_at = min(c.give_up_at, day.waiting[i].until)


@njit()
def _serve(day: Day) -> None:
    """Give the call that waits longest to an idle agent."""
    c = day.state[0]
    attempt = day.waiting[0].attempt
    _leave_queue(day, 0)
    c.idle -= 1
    agent = day.agents[c.idle].idle
    row = c.busy
    c.busy += 1
    c.talking += 1
    if c.now >= c.warm_up_s:
        c.connects += 1
    day.handling_since[row] = c.now
    day.agents[row].by_row = agent
    day.agents[agent].row = row
    day.agents[agent].attempt = attempt
    _push(day, c.now + _seconds(day, Table.TALK, attempt), _TALK_END, agent)


@njit(forceinline=True)
def _end_talk(day: Day, agent: int) -> None:
    c = day.state[0]
    c.talking -= 1
    wrap_up_s = min(_seconds(day, Table.WRAP_UP, day.agents[agent].attempt), day.state[0].wrap_up_limit_s)
    _push(day, c.now + wrap_up_s, _WRAP_UP_END, agent)


@njit(forceinline=True)
def _end_wrap_up(day: Day, learned: Learned, agent: int) -> None:
    c = day.state[0]
    row = day.agents[agent].row
    if day.state[0].rule == Rule.PRICED:
        learn_handled(learned, c.now - day.handling_since[row])
    c.busy -= 1
    last = day.agents[c.busy].by_row
    day.handling_since[row] = day.handling_since[c.busy]
    day.agents[row].by_row = last
    day.agents[last].row = row
    day.agents[c.idle].idle = agent
    c.idle += 1
    if c.waiting > 0:
        _serve(day)


@njit()
def _give_up(day: Day, learned: Learned) -> None:
    """The call whose time is over is abandoned."""
    c = day.state[0]
    place = 0
    while day.waiting[place].until > c.give_up_at:
        place += 1
    _leave_queue(day, place)
    if c.now >= c.warm_up_s:
        c.abandoned += 1
    if c.rule == Rule.PRICED:
        learn_abandoned(learned)


# ---- decisions --------------------------------------------------------------------------------------------------
@njit(forceinline=True)
def _decide(day: Day, learned: Learned) -> None:
    c = day.state[0]
    c.decisions += 1
    c.decided_at = c.now
    if c.rule == Rule.PRICED:
        lines = priced_lines(
            learned,
            c.now,
            c.idle,
            c.waiting,
            day.handling_since[: c.busy],
            day.ringing_since[: c.ringing],
            day.probability[: c.ringing],
            c.answered / c.seen if np.isnan(c.promised_rate) else c.promised_rate,
            c.max_lines_per_idle_agent,
            c.target_abandon_rate,
            uniform(day.keys, _DITHER, c.decisions),
        )
    elif c.rule == Rule.PROGRESSIVE:
        lines = c.idle - c.waiting - c.ringing
    else:
        lines = int(c.lines_per_idle_agent * (c.idle - c.waiting) + 0.5) - c.ringing
    _launch(day, max(lines, 0))


@njit(forceinline=True)
def _ask(day: Day) -> None:
    """Ask for a decision; those of the next moments are taken as one."""
    c = day.state[0]
    if c.asked == 0 and day.state[0].rule != Rule.CONSTANT_RATE:
        c.asked = 1
        _push(day, max(c.now + DECISION_DELAY_S, c.decided_at + DECISION_GAP_S), _DECIDE, 0)


@njit(forceinline=True)
def _keep_time(day: Day, learned: Learned, kind: int) -> None:
    """A tick, a decision that was asked for, or the next call of a constant stream."""
    c = day.state[0]
    if kind == _DECIDE:
        c.asked = 0
        _decide(day, learned)
    elif kind == _TICK:
        if c.asked == 0 and c.now >= c.decided_at + TICK_S:
            _decide(day, learned)
        at = c.decided_at + TICK_S
        _push(day, at if at > c.now else c.now + TICK_S, _TICK, 0)
    else:
        _launch(day, 1)
        gap_s = -np.log(1.0 - uniform(day.keys, _GAP, c.placed)) / c.lines_per_s
        _push(day, c.now + gap_s, _LAUNCH, 0)


@njit(forceinline=True)
def _happen(day: Day, learned: Learned, kind: int, whom: int) -> None:
    if kind == _LINE:
        _end_line(day, learned, whom)
    elif kind == _TALK_END:
        _end_talk(day, whom)
    else:
        _end_wrap_up(day, learned, whom)
    _ask(day)


@njit()
def _play(day: Day, learned: Learned) -> None:
    """Play the day to its end."""
    c = day.state[0]
    _push(day, 0.0, _LAUNCH if c.rule == Rule.CONSTANT_RATE else _TICK, 0)
    while True:
        at, what = day.heap[0].at, day.heap[0].what
        given_up = c.give_up_at < at
        at = min(at, c.give_up_at)
        if min(at, c.duration_s) > c.warm_up_s:
            c.handling_s += c.busy * (min(at, c.duration_s) - max(c.now, c.warm_up_s))
        if at >= c.duration_s:
            break
        c.now = at
        c.events += 1
        if given_up:
            _give_up(day, learned)
            _ask(day)
            continue
        _drop_first(day)
        kind = what % _KINDS
        if kind < _TICK:
            _happen(day, learned, kind, what // _KINDS)
        else:
            _keep_time(day, learned, kind)


# ---- compilation ------------------------------------------------------------------------------------------------
def _source_code() -> int:
    """A number that changes with any source that is compiled into `run_day`."""
    code = zlib.crc32(repr((DECISION_DELAY_S, DECISION_GAP_S, TICK_S)).encode())
    for module in (kernels, hazards, price, answer_rate, learning):
        code = zlib.crc32(Path(str(module.__file__)).read_bytes(), code)
    return code


def _compiled(code: int) -> Callable[[Day, Learned], None]:
    day = new_day(np.ones(1, dtype=STATE), np.zeros((len(Table), CELLS)), np.zeros(PURPOSES, dtype=np.uint64))
    signature = types.void(typeof(day), typeof(nothing_learned()))  # type: ignore[no-untyped-call]

    @njit(signature, cache=True)
    def run_day(day: Day, learned: Learned) -> None:
        day.state[0].code = code
        _play(day, learned)

    compiled: Callable[[Day, Learned], None] = run_day
    return compiled


run_day = _compiled(_source_code())
