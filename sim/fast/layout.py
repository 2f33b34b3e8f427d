"""The arrays of a simulated day, and the names of what is in them."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.answer import AnswerTable
from pacing.view import Floats

CELLS = 8192  # of a table of durations


class Rule(IntEnum):
    """What decides how many lines to launch."""

    CONSTANT_RATE = 0
    FIXED_RATIO = 1
    PROGRESSIVE = 2
    PRICED = 3
    PEER = 4  # one of pacing.peers


class Table(IntEnum):
    """The rows of the tables of durations."""

    SET_UP = 0
    ANSWER = 1
    MACHINE_ANSWER = 2
    SCREENING = 3
    PATIENCE = 4
    TALK = 5
    WRAP_UP = 6
    UNREACHED = 7
    NO_ANSWER = 8
    MACHINE_HANDLE = 9


# Purposes of random numbers beyond those of the tables.
OUTCOME, DITHER, GAP, FAILURE, LOSS = range(len(Table), len(Table) + 5)
PURPOSES = len(Table) + 5

# What is due: the kinds of entries of the heap.
LINE, TALK_END, WRAP_UP_END, TICK, DECIDE, LAUNCH, STEP = range(7)
KINDS = 8

# How a line ends: without an answer that counts, or with a person, a person whom detection takes for a machine, or a
# machine that it takes for a person.
NOBODY, PERSON, LOST_PERSON, PASSED_MACHINE = range(4)

SETTINGS = (
    "agents", "rule", "channels", "losses_known", "early_signals", "announced", "begins_at", "ends_at", "measured_from",
    "answer_rate", "screened_out_rate", "machine_passed_rate", "unreached_rate", "failure_rate", "human_lost_rate",
    "told_lost_rate", "ring_timeout_s", "connect_deadline_s", "wrap_up_limit_s", "lines_per_s", "lines_per_idle_agent",
    "promised_rate", "max_lines_per_idle_agent", "target_abandon_rate", "decision_delay_s", "decision_gap_s",
    "hang_up_after_ring_s",
)  # fmt: skip
# What a day came to: counts but the first two from `measured_from` on.
COUNTS = (
    "events", "decisions", "attempts", "live_answers", "lost", "abandoned", "connects", "machines", "hung_up",
    "handling_s", "idle_s", "waited_s",
)  # fmt: skip
# Where it stands. `staff`: agents who are on duty; `to_hang_up`: places of HANG_UP that the decision has filled;
# `fault`: what `priced-v1` found wrong with what it was told, 0 if nothing.
_STANDING = (
    "now", "placed", "pushed", "queued", "idle", "busy", "ringing", "waiting", "talking", "asked", "staff", "step",
    "leaves_known", "to_hang_up", "fault", "seen", "answered", "decided_at", "give_up_at", "code",
)  # fmt: skip
_REAL = {*SETTINGS[6:], "handling_s", "idle_s", "waited_s", "now", "seen", "answered", "decided_at", "give_up_at"}
STATE = np.dtype([(name, np.float64 if name in _REAL else np.int64) for name in (*SETTINGS, *COUNTS, *_STANDING)])
STEPS = np.dtype(
    [("at", np.float64), ("answer_rate", np.float64), ("failure_rate", np.float64), ("agents", np.int64)], align=True
)
_HEAP = np.dtype([("at", np.float64), ("serial", np.int64), ("what", np.int64)], align=True)
_AGENT = np.dtype(
    [(name, np.int64) for name in ("idle", "by_row", "row", "attempt", "machine", "away")] + [("leaves_at", np.float64)]
)
_LINES = np.dtype([(name, np.int64) for name in ("by_row", "row", "attempt", "end")] + [("rings_at", np.float64)])
_WAITING = np.dtype([("attempt", np.int64), ("machine", np.int64), ("since", np.float64), ("until", np.float64)])


# The rows of what a decision is told, and of what it answers beside the lines: filled for the decision.
LEAVES_AT, IDLE_LEAVES_AT, RUNG_SINCE, ASK, OUT, HANG_UP = range(6)
DESK_ROWS = 6
_DESK_WIDTH = 64  # at least: what is asked and answered in a row


class Day(NamedTuple):
    """The arrays of a running day. Few of them: each one that is handed from function to function costs time."""

    state: Any  # (1,), of STATE
    heap: Any  # (channels and agents,), of _HEAP
    agents: Any  # (agents,): `idle` is a stack of agents, `by_row` the agents of the busy rows
    lines: Any  # (channels,): `by_row` the slots of the rows in flight, then those that are free
    waiting: Any  # (channels,), longest waiting first
    steps: Any  # (changes of the world in the day,), of STEPS, rising
    handling_since: Floats  # (agents,), by row
    ringing_since: Floats  # (channels,), by row
    probability: Floats  # (channels,), by row
    desk: Floats  # (DESK_ROWS, agents or channels)
    tables: Floats  # (Table, CELLS), seconds
    keys: NDArray[np.uint64]  # (PURPOSES,)


def new_day(state: Any, steps: Any, tables: Floats, keys: NDArray[np.uint64]) -> Day:
    """Return the arrays of a day that has not begun; `state` of shape (1,) with its settings and `staff` filled in.

    What is learned of the answer rate is taken from `state`, where there is any.
    """
    agents, channels, staff = (int(state[name][0]) for name in ("agents", "channels", "staff"))
    state["now"] = state["begins_at"]
    state["idle"] = staff
    state["decided_at"] = -np.inf
    state["give_up_at"] = np.inf
    if state["seen"][0] == 0.0:
        prior = AnswerTable().snapshot()
        state["seen"], state["answered"] = prior["seen"], prior["answered"]
    day = Day(
        state=state,
        heap=np.zeros(agents + channels + 8, dtype=_HEAP),  # an end for each of them, and the clocks
        agents=np.zeros(agents, dtype=_AGENT),
        lines=np.zeros(channels, dtype=_LINES),
        waiting=np.zeros(channels, dtype=_WAITING),
        steps=steps,
        handling_since=np.zeros(agents),
        ringing_since=np.zeros(channels),
        probability=np.zeros(channels),
        desk=np.zeros((DESK_ROWS, max(agents, channels, _DESK_WIDTH))),
        tables=tables,
        keys=keys,
    )
    day.agents["idle"] = np.arange(agents)
    day.agents["away"] = np.arange(agents) >= staff
    day.lines["by_row"] = np.arange(channels)
    return day
