# mypy: allow-untyped-decorators
"""Impact Dialing (2017): a dial factor that is chosen by simulating the next four minutes.

How it works. In the background, the outcomes of the last half hour (at most 100 attempts) are drawn from to play four
minutes in steps of a second, once for each of six factors between 1 and 1 / answer rate. The factor with the best
utilisation among those whose abandon rate is acceptable is kept, else 1. Lines are brought up to factor * idle agents
at every request; while the real abandon rate is above the limit the factor counts 0.75 times, but never below 1.

Where the description is silent: the simulated floor begins as the real one is, each call in progress lasting as long
as one of the recorded calls that have lasted longer; a simulated answer that finds nobody is abandoned; the background
job runs once a minute; the real abandon rate is the day's; factor * idle is rounded to the nearest number of lines.

Generous to it: handle times take the place of talk times, so wrap-up is foreseen; all factors meet the same draws, so
less of their difference is chance; agents logged in, not only those in a call, count for the least number of agents.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from pacing.peers.books import abandon_rate_today, half_up
from pacing.peers.chance import uniform
from pacing.peers.constants import Constant, record_of
from pacing.view import Floats

RECORDED = 100
FACTORS = 6
HORIZON_S = 240
SEED = 5
_CODE = "Impact Dialing, simulated values and predictive campaigns (2017)"
CONSTANTS = (
    Constant("max_abandon_rate", 0.03, "abandoned / answers", "the legal bound; each campaign sets its own", 0.0, 1.0),
    Constant("every_s", 60.0, "s", "a background job: no figure is published", 1.0, 3600.0),
    Constant("recent_s", 1800.0, "s", _CODE, 1.0, 86_400.0),
    Constant("least_attempts", 50.0, "recent attempts", _CODE, 1.0, RECORDED),
    Constant("least_agents", 5.0, "agents logged in", _CODE, 0.0, 1e6),
    Constant("relief", 0.75, "factor while above the limit", _CODE, 0.0, 1.0),
    Constant("boldness", 1.0, "factor on the chosen dial factor", "neutral; ours, to tune it", 0.0, 20.0),
)
RECORD = record_of(
    CONSTANTS,
    ("begun", np.int64),
    ("due_at", np.float64),
    ("factor", np.float64),  # the dial factor in force
    ("draws", np.int64),  # random numbers used up
    # The last attempts and the last handle times, each a ring
    ("attempts", np.int64),  # ever
    ("ended_at", np.float64, (RECORDED,)),
    ("after_s", np.float64, (RECORDED,)),
    ("answered", np.int64, (RECORDED,)),
    ("handled", np.int64),  # ever
    ("handle_s", np.float64, (RECORDED,)),
)


@njit()
def line_ended(i: Any, now: float, after_s: float, answered: bool) -> None:
    """Record an attempt."""
    place = i.attempts % RECORDED
    i.ended_at[place] = now
    i.after_s[place] = after_s
    i.answered[place] = 1 if answered else 0
    i.attempts += 1


@njit()
def call_handled(i: Any, handle_s: float) -> None:
    """Record a handle time."""
    i.handle_s[i.handled % RECORDED] = handle_s
    i.handled += 1


@njit()
def _second(after_s: float) -> int:
    """Return the step in which something happens that takes `after_s` seconds: the next one at the earliest."""
    return int(max(np.ceil(min(after_s, HORIZON_S + 1.0)), 1.0))


@njit()
def _longer(values: Floats, known: int, than: float, draw: float) -> int:
    """Return the place of a value above `than`, the first one from a random place on; -1 if there is none."""
    first = int(draw * known)
    for k in range(known):
        place = (first + k) % known
        if values[place] > than:
            return place
    return -1


@njit()
def _begin_as_now(i: Any, recent: int, now: float, handling_since: Floats, ringing_since: Floats, wheel: Any) -> None:
    """Enter when busy agents will be free (row 0) and lines in flight be answered (1) or end otherwise (2)."""
    draw = i.draws
    for since in handling_since:
        place = _longer(i.handle_s, min(i.handled, RECORDED), now - since, uniform(SEED, draw))
        draw += 1
        after_s = i.handle_s[place] - (now - since) if place >= 0 else 1.0
        step = _second(after_s)
        if step < HORIZON_S:
            wheel[0, step] += 1
    for since in ringing_since:
        place = _longer(i.after_s, recent, now - since, uniform(SEED, draw))
        draw += 1
        step = _second(i.after_s[place] - (now - since)) if place >= 0 else 1
        row = 1 if place >= 0 and i.answered[place] == 1 else 2
        if step < HORIZON_S:
            wheel[row, step] += 1


@njit()
def _play(i: Any, recent: int, factor: float, idle: int, agents: int, ringing: int, wheel: Any) -> tuple[float, float]:
    """Return utilisation and abandon rate of the next four minutes at a factor; uses `wheel` up."""
    draw_call, draw_line = i.draws + 1_000_000, i.draws + 2_000_000
    known = min(i.handled, RECORDED)
    busy_s, answers, abandoned = 0, 0, 0
    for step in range(HORIZON_S):
        idle += wheel[0, step]
        ringing -= wheel[1, step] + wheel[2, step]
        served = min(idle, wheel[1, step])
        answers += wheel[1, step]
        abandoned += wheel[1, step] - served
        idle -= served
        for _ in range(served):
            ends = step + _second(i.handle_s[int(uniform(SEED, draw_call) * known)])
            draw_call += 1
            if ends < HORIZON_S:
                wheel[0, ends] += 1
        busy_s += agents - idle
        for _ in range(half_up(factor * idle) - ringing):
            place = int(uniform(SEED, draw_line) * recent)
            draw_line += 1
            ringing += 1
            ends = step + _second(i.after_s[place])
            if ends < HORIZON_S:
                wheel[1 if i.answered[place] == 1 else 2, ends] += 1
    return busy_s / (agents * HORIZON_S), abandoned / max(answers, 1)


@njit()
def _pack_recent(i: Any, now: float) -> int:
    """Move the attempts that are recent to the front of their ring, oldest first, and return how many they are."""
    kept = min(i.attempts, RECORDED)
    ended_at, after_s, answered = i.ended_at.copy(), i.after_s.copy(), i.answered.copy()
    recent = 0
    for k in range(i.attempts - kept, i.attempts):
        place = k % RECORDED
        if now - ended_at[place] <= i.recent_s:
            i.ended_at[recent] = ended_at[place]
            i.after_s[recent] = after_s[place]
            i.answered[recent] = answered[place]
            recent += 1
    i.attempts = recent
    return recent


@njit()
def best_factor(i: Any, now: float, idle: int, handling_since: Floats, ringing_since: Floats) -> float:
    """Return the dial factor, >= 1, that does best in simulation from here on."""
    agents = idle + len(handling_since)
    recent = _pack_recent(i, now)
    answers = 0
    for place in range(recent):
        answers += i.answered[place]
    if agents < i.least_agents or recent < i.least_attempts or answers == 0 or i.handled == 0:
        return 1.0
    start = np.zeros((3, HORIZON_S), dtype=np.int64)
    _begin_as_now(i, recent, now, handling_since, ringing_since, start)
    best, best_utilisation = 1.0, -1.0
    for k in range(FACTORS):
        factor = 1.0 + k / (FACTORS - 1.0) * (recent / answers - 1.0)
        utilisation, abandon_rate = _play(i, recent, factor, idle, agents, len(ringing_since), start.copy())
        if abandon_rate < i.max_abandon_rate and utilisation > best_utilisation:
            best, best_utilisation = factor, utilisation
    i.draws += 4_000_000  # more than all of these could use up
    return best


@njit()
def lines(c: Any, now: float, idle: int, waiting: int, handling_since: Floats, ringing_since: Floats) -> int:
    """Return the lines to launch now."""
    i = c.impact
    if i.begun == 0:
        i.begun = 1
        i.due_at = now
        i.factor = 1.0
    if now >= i.due_at:
        i.due_at = now + i.every_s
        i.factor = best_factor(i, now, idle, handling_since, ringing_since)
    factor = max(i.factor * i.boldness, 1.0)
    if abandon_rate_today(c.books) > i.max_abandon_rate:
        factor = max(factor * i.relief, 1.0)
    return half_up(factor * idle) - (len(ringing_since) + waiting)
