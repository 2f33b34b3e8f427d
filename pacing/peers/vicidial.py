# mypy: allow-untyped-decorators
"""VICIdial: a dial level that is lines per agent, moved by idle agents and waiting calls (2.14; the law is the same in
2.4 of 2013 and 2.10 of 2017).

How it works. Four clocks: every second ready agents, waiting calls and agents logged in are sampled; every 15 s the
level is multiplied by 1 + (ready - waiting) / agents of the last 15 samples, then braked where too many calls were
dropped; every 60 s the drop figures are counted anew; every 2.5 s calls are launched up to level * agents. The new
level is written over the old one, so a brake that stays on brakes again every 15 s. RATIO keeps its level.

The four methods are one law: `vicidial-ratio`, `vicidial-hard-limit`, `vicidial-average`, `vicidial-tapered`.

Generous to it: samples, levels and launches are on time (VICIdial counts passes of a loop that also waits for its
database); lines in flight are known exactly; an answered call reaches a free agent at once, where VICIdial looks for
one every quarter of a second or every second; launches are not spaced by a limit of calls per second.
Not its own: it lets an answer wait for 5 s before it drops it, so that waiting calls bring the level down. Where the
world allows less, or nothing, the level hardly comes down but for the brakes; `diff_target` below 0 makes up for it.
The clock of a day that the tapered method needs begins at `opens_hhmm` at the first look of the day.
"""

from __future__ import annotations

from enum import IntEnum
from math import floor
from typing import Any

import numpy as np
from numba import njit

from pacing.peers.books import abandon_rate_today, next_due
from pacing.peers.constants import Constant, record_of

SAMPLES = 15
_CODE = "astguiclient 2.14, AST_VDadapt"
_LAUNCHING = "astguiclient 2.14, AST_VDauto_dial"
_DEFAULTS = "astguiclient 2.14, defaults of its tables"


class Method(IntEnum):
    """VICIdial's dial methods that pace."""

    RATIO = 0
    HARD_LIMIT = 1
    AVERAGE = 2
    TAPERED = 3


CONSTANTS = (
    Constant("level", 1.0, "lines per agent", "the lowest, where the adaptive methods start", 0.0, 20.0),
    Constant("max_level", 3.0, "lines per agent", _DEFAULTS, 1.0, 20.0),
    Constant("target_abandon_rate", 0.03, "dropped / answers of the day", _DEFAULTS, 0.0, 1.0),
    Constant("intensity", 0.0, "percent", _DEFAULTS, -100.0, 100.0),
    Constant("diff_target", 0.0, "agents", _DEFAULTS, -100.0, 100.0),
    Constant("available_only", 0.0, "0 or 1", _DEFAULTS, 0, 1),
    Constant("opens_hhmm", 900.0, "hours * 100 + minutes", _DEFAULTS, 0.0, 2359.0),
    Constant("latest_hhmm", 2100.0, "hours * 100 + minutes", _DEFAULTS, 0.0, 2359.0),
    Constant("launch_every_s", 2.5, "s", _LAUNCHING, 0.1, 60.0),
    Constant("level_every_s", 15.0, "s", _CODE, 1.0, 600.0),
    Constant("drops_every_s", 60.0, "s", _CODE, 1.0, 3600.0),
)
METHODS = {
    "vicidial-ratio": Method.RATIO,
    "vicidial-hard-limit": Method.HARD_LIMIT,
    "vicidial-average": Method.AVERAGE,
    "vicidial-tapered": Method.TAPERED,
}
RATIO_LEVEL = 1.5  # RATIO has no default that dials; this is the least that is in use
SAMPLE_EVERY_S = 1.0
FAST_BRAKE_CALLS, FAST_BRAKE_DROP_RATE, DAY_BRAKE_CALLS = 20.0, 0.5, 50.0

RECORD = record_of(
    CONSTANTS,
    ("method", np.int64),  # of Method
    ("begun", np.int64),
    ("sample_at", np.float64),
    ("level_at", np.float64),
    ("drops_at", np.float64),
    ("launch_at", np.float64),
    ("samples", np.int64),  # ever
    ("ready", np.float64, (SAMPLES,)),
    ("waiting", np.float64, (SAMPLES,)),
    ("agents", np.float64, (SAMPLES,)),
    # The drop figures of the last minute (all calls; drops of them) and of the day (all calls; drops / answers)
    ("minute_calls", np.float64),
    ("minute_drop_rate", np.float64),
    ("day_calls", np.float64),
    ("day_drop_rate", np.float64),
    ("attempts_seen", np.float64),
    ("abandoned_seen", np.float64),
)


@njit()
def _begin(v: Any, now: float) -> None:
    v.begun = 1
    v.sample_at = now
    v.launch_at = now
    v.drops_at = now
    v.level_at = now + v.level_every_s


@njit()
def _sample(v: Any, idle: int, waiting: int, logged_in: int) -> None:
    place = v.samples % SAMPLES
    v.ready[place] = idle
    v.waiting[place] = waiting
    v.agents[place] = logged_in
    v.samples += 1


@njit()
def _count_drops(v: Any, books: Any) -> None:
    """Take the drop figures: those of the minute are over all calls that ended, those of the day over answers."""
    v.minute_calls = books.attempts - v.attempts_seen
    v.minute_drop_rate = (books.abandoned - v.abandoned_seen) / max(v.minute_calls, 1.0)
    v.attempts_seen = books.attempts
    v.abandoned_seen = books.abandoned
    v.day_calls = books.attempts - books.attempts_before
    v.day_drop_rate = abandon_rate_today(books)


@njit()
def hhmm_at(opens_hhmm: float, since_s: float) -> float:
    """Return hours * 100 + minutes, `since_s` seconds after the day's opening."""
    minutes = floor(opens_hhmm / 100.0) * 60.0 + opens_hhmm % 100.0 + floor(since_s / 60.0)
    return float(floor(minutes / 60.0) % 24.0 * 100.0 + minutes % 60.0)


@njit()
def _braked(v: Any, level: float, hhmm: float) -> float:
    """Return the level after both brakes: drops of the last minute, drops of the day."""
    if v.minute_calls > FAST_BRAKE_CALLS and v.minute_drop_rate > FAST_BRAKE_DROP_RATE:
        level /= 2.0
    if v.day_calls > DAY_BRAKE_CALLS and v.day_drop_rate > v.target_abandon_rate:
        if v.method == Method.HARD_LIMIT:
            level = 1.0
        elif v.method == Method.AVERAGE:
            level /= 2.0
        else:
            left = v.latest_hhmm - hhmm  # a difference of two numbers such as 2100 and 1630, not of times
            level = 1.0 if left < 0.0 else level * min(left / 1000.0, 1.0)
    return level


@njit()
def adapted_level(v: Any, hhmm: float) -> float:
    """Return the next level, in [1, max_level], from the last samples and drop figures."""
    kept = min(v.samples, SAMPLES)
    agents = v.agents[:kept].mean()
    difference = v.ready[:kept].mean() - v.waiting[:kept].mean() + v.diff_target
    change = difference / agents  # in [-1, 1], and a bit more by the target
    change *= abs(v.intensity / 100.0 - 1.0) if change < 0.0 else v.intensity / 100.0 + 1.0
    level = np.rint(v.level * (1.0 + change) * 1000.0) / 1000.0
    level = _braked(v, min(max(level, 1.0), v.max_level), hhmm)
    return float(max(level, 1.0))


@njit()
def _launches(v: Any, idle: int, talking: int, waiting: int, ringing: int) -> int:
    """Return the lines that bring all calls up to the level; agents in wrap-up do not count."""
    agents = idle if v.available_only > 0.0 else idle + talking
    goal = v.level * agents
    if v.available_only > 0.0:
        goal += talking
    return int(np.rint(goal)) - (ringing + waiting + talking)


@njit()
def lines(c: Any, now: float, idle: int, talking: int, waiting: int, logged_in: int, ringing: int) -> int:
    """Return the lines to launch now; 0 between the passes of the launching loop."""
    v, books = c.vicidial, c.books
    if v.begun == 0:
        _begin(v, now)
    if now >= v.sample_at:
        v.sample_at = next_due(v.sample_at, SAMPLE_EVERY_S, now)
        _sample(v, idle, waiting, logged_in)
    if now >= v.drops_at:
        v.drops_at = next_due(v.drops_at, v.drops_every_s, now)
        _count_drops(v, books)
    if now >= v.level_at:
        v.level_at = next_due(v.level_at, v.level_every_s, now)
        if v.method != Method.RATIO and v.agents[: min(v.samples, SAMPLES)].sum() > 0.0:
            v.level = adapted_level(v, hhmm_at(v.opens_hhmm, now - books.day_began))
    if now < v.launch_at:
        return 0
    v.launch_at = next_due(v.launch_at, v.launch_every_s, now)
    return _launches(v, idle, talking, waiting, ringing)
