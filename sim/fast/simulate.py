"""Runs a fast scenario under a pacing policy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialer.errors import ConfigError
from pacing.view import InconsistentView
from sim.fast.layout import COUNTS, PURPOSES, new_day
from sim.fast.loop import run_day
from sim.fast.rules import RULES, begin_day, new_pacer
from sim.fast.scenario import FastScenario, settings_of, steps_of, tables_of

DAY_S = 8 * 3600.0
NIGHT_S = 16 * 3600.0
_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class FastResult:
    """What a day came to. All but `events` and `decisions` are counted from the end of the warm-up on."""

    policy: str
    seed: int
    day: int  # of a row of days, from 0
    duration_s: float
    warm_up_s: float
    occupancy: float  # handling / (handling + idle)
    abandon_rate: float | None  # abandoned / live answers; None without a live answer
    attempts: int
    live_answers: int
    connects: int  # given to an agent
    machines: int  # of the connects, those that were no people
    abandoned: int  # live answers that no agent got
    lost: int  # of the abandoned, those that detection took for machines and hung up
    hung_up: int  # attempts that the policy ended while they rang
    handling_s: float  # of all agents together
    idle_s: float
    mean_idle_s: float | None  # an agent's, for each connect
    mean_wait_s: float | None  # of live answers, from the answer to the agent or to the abandon
    attempts_per_agent_hour: float | None  # of handling and idle time
    connects_per_agent_hour: float | None
    events: int  # what happened in the world, ticks and decisions
    decisions: int


def run(
    scenario: FastScenario,
    *,
    policy: str = "priced-v1",
    constants: Mapping[str, float] = _NONE,
    seed: int = 1,
    duration_s: float = DAY_S,
    warm_up_s: float = 0.0,
) -> FastResult:
    """Play a day that begins with every agent idle and nothing learned. Equal arguments give equal results.

    `policy` is one of RULES, `constants` are what it is to have in place of its own defaults. Raises `ConfigError` for
    others, and for a warm-up that leaves nothing of the day.
    """
    return run_days(
        scenario, policy=policy, constants=constants, seed=seed, days=1, duration_s=duration_s, warm_up_s=warm_up_s
    )[0]


def run_days(
    scenario: FastScenario,
    *,
    policy: str = "priced-v1",
    constants: Mapping[str, float] = _NONE,
    seed: int = 1,
    days: int,
    duration_s: float = DAY_S,
    warm_up_s: float = 0.0,
    overnight_s: float = NIGHT_S,
) -> tuple[FastResult, ...]:
    """Play days in a row, as `run` plays one. Each begins with every agent idle and nobody called, `overnight_s` after
    the end of the one before; what was learned is kept. Calls under way at the end of a day are dropped.

    The people of a day are the same for every policy. The first `warm_up_s` of each day are not counted.
    """
    pacer = new_pacer(policy, constants)
    if not 0.0 <= warm_up_s < duration_s < math.inf:
        raise ConfigError(f"expected a warm-up within the day of {duration_s:g} s, was {warm_up_s:g} s")
    if not 0.0 <= overnight_s < math.inf or days < 1:
        raise ConfigError(f"expected at least 1 day and a night of 0 s or more, were {days} and {overnight_s:g} s")
    tables = tables_of(scenario)
    results = []
    learned_rate: dict[str, float] = {}
    for day in range(days):
        begins_at = day * (duration_s + overnight_s)
        state = settings_of(
            scenario, RULES[policy], duration_s=duration_s, warm_up_s=warm_up_s, day=day, begins_at=begins_at
        )
        for name, value in learned_rate.items():
            state[name] = value
        if day > 0:
            begin_day(pacer)
        run_day(new_day(state, steps_of(scenario, day=day, begins_at=begins_at), tables, _keys(seed, day)), pacer)
        if state["fault"][0]:
            raise InconsistentView(f"{policy}: expected a view that can be true, fault {state['fault'][0]}: our bug")
        learned_rate = {name: float(state[name][0]) for name in ("seen", "answered")}
        results.append(_result(state, policy, seed, day, duration_s, warm_up_s))
    return tuple(results)


def _keys(seed: int, day: int) -> NDArray[np.uint64]:
    """Return the keys of a day's random numbers."""
    entropy = np.random.SeedSequence(seed, spawn_key=(day,) if day else ())
    return entropy.generate_state(PURPOSES, np.uint64).astype(np.uint64)


def _result(state: Any, policy: str, seed: int, day: int, duration_s: float, warm_up_s: float) -> FastResult:
    count = {name: state[name][0].item() for name in COUNTS}
    count["abandoned"] += count["lost"]
    agent_s = count["handling_s"] + count["idle_s"]
    if agent_s == 0.0:
        raise ConfigError(f"expected agents on duty in the {duration_s:g} s of a day, found none: see agents_steps")
    return FastResult(
        policy=policy,
        seed=seed,
        day=day,
        duration_s=duration_s,
        warm_up_s=warm_up_s,
        occupancy=count["handling_s"] / agent_s,
        abandon_rate=_ratio(count["abandoned"], count["live_answers"]),
        mean_idle_s=_ratio(count["idle_s"], count["connects"]),
        mean_wait_s=_ratio(count.pop("waited_s"), count["live_answers"]),
        attempts_per_agent_hour=_ratio(3600.0 * count["attempts"], agent_s),
        connects_per_agent_hour=_ratio(3600.0 * count["connects"], agent_s),
        **count,
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
