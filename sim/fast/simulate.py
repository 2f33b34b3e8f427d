"""Runs a fast scenario under a pacing policy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dialer.errors import ConfigError
from sim.fast.learning import nothing_learned
from sim.fast.loop import COUNTS, PURPOSES, new_day, run_day
from sim.fast.scenario import RULES, FastScenario, settings_of, tables_of


@dataclass(frozen=True, kw_only=True)
class FastResult:
    """What a day came to. All but `events` and `decisions` are counted from the end of the warm-up on."""

    policy: str
    seed: int
    duration_s: float
    warm_up_s: float
    occupancy: float  # handling / (handling + idle)
    abandon_rate: float | None  # abandoned / live answers; None without a live answer
    attempts: int
    live_answers: int
    connects: int  # given to an agent
    abandoned: int
    mean_idle_s: float | None  # an agent's, for each connect
    mean_wait_s: float | None  # of live answers, from the answer to the agent or to the abandon
    events: int  # what happened in the world, ticks and decisions
    decisions: int


def run(
    scenario: FastScenario,
    *,
    policy: str = "priced-v1",
    seed: int = 1,
    duration_s: float = 8 * 3600.0,
    warm_up_s: float = 0.0,
) -> FastResult:
    """Play a day that begins with every agent idle and nothing learned. Equal arguments give equal results.

    `policy` is one of RULES. Raises `ConfigError` for another, and for a warm-up that leaves nothing of the day.
    """
    rule = RULES.get(policy)
    if rule is None:
        raise ConfigError(f"{policy}: the fast simulator knows {', '.join(RULES)}: run it without --fast")
    if not 0.0 <= warm_up_s < duration_s < math.inf:
        raise ConfigError(f"expected a warm-up within the day of {duration_s:g} s, was {warm_up_s:g} s")
    state = settings_of(scenario, rule, duration_s=duration_s, warm_up_s=warm_up_s)
    keys = np.random.SeedSequence(seed).generate_state(PURPOSES, np.uint64).astype(np.uint64)
    run_day(new_day(state, tables_of(scenario), keys), nothing_learned())
    count = {name: state[name][0].item() for name in COUNTS}
    agent_s = scenario.agents * (duration_s - warm_up_s)
    return FastResult(
        policy=policy,
        seed=seed,
        duration_s=duration_s,
        warm_up_s=warm_up_s,
        occupancy=count["handling_s"] / agent_s,
        abandon_rate=_ratio(count["abandoned"], count["live_answers"]),
        attempts=count["attempts"],
        live_answers=count["live_answers"],
        connects=count["connects"],
        abandoned=count["abandoned"],
        mean_idle_s=_ratio(agent_s - count["handling_s"], count["connects"]),
        mean_wait_s=_ratio(count["waited_s"], count["live_answers"]),
        events=count["events"],
        decisions=count["decisions"],
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
