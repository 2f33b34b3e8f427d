"""Worlds of the pacing study: one in which the best possible is known exactly, and one that is like real calls."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import gammaincinv  # type: ignore[import-untyped]

from sim.distributions import Exponential, Fixed, LogNormal
from sim.fast.layout import CELLS
from sim.fast.scenario import NEVER_S, FastScenario

_AT_ONCE = Fixed(kind="fixed", value=0.0)
_NO_TIMEOUT_S = 1e6


def markov(
    agents: int, *, answer_rate: float = 0.3, handle_s: float = 180.0, ring_s: float = 15.0, **others: Any
) -> FastScenario:
    """Return the world of the exact bound: exponential handle times and rings, whatever the outcome; nobody waits.

    No sign tells what will become of a ringing call, and the policy knows nothing beforehand. `others` are further
    fields of the scenario.
    """
    ring = Exponential(kind="exponential", mean=ring_s)
    scenario = FastScenario(
        agents=agents,
        answer_rate=answer_rate,
        unreached_rate=0.0,
        set_up_s=_AT_ONCE,
        answer_s=ring,
        no_answer_s=ring,
        ring_timeout_s=_NO_TIMEOUT_S,
        patience_s=(NEVER_S,),
        connect_deadline_s=0.0,
        talk_s=Exponential(kind="exponential", mean=handle_s),
        wrap_up_s=_AT_ONCE,
        wrap_up_limit_s=NEVER_S,
    )
    return replace(scenario, **others)


def realistic(agents: int, *, answer_rate: float = 0.3, talk_cv: float = 1.0, **others: Any) -> FastScenario:
    """Return the world of the study's realistic model.

    Talk is lognormal with mean 150 s and coefficient of variation `talk_cv`, wrap-up gamma of shape 2 with mean 30 s;
    a lead is answered after 3 s of set-up and a gamma of shape 2 with mean 8 s; a tenth is busy at 4 s; the rest rings
    out at 25 s. Nobody waits, and the policy knows nothing beforehand. `others` are further fields of the scenario.
    """
    sigma = math.sqrt(math.log(1.0 + talk_cv**2))
    scenario = FastScenario(
        agents=agents,
        answer_rate=answer_rate,
        unreached_rate=0.1,
        set_up_s=Fixed(kind="fixed", value=3.0),
        unreached_s=Fixed(kind="fixed", value=4.0),
        answer_s=tuple(min(value, 21.9) for value in _gamma_2(8.0)),
        ring_timeout_s=25.0,
        patience_s=(NEVER_S,),
        connect_deadline_s=0.0,
        talk_s=LogNormal(kind="lognormal", median=150.0 * math.exp(-(sigma**2) / 2.0), sigma=sigma),
        wrap_up_s=_gamma_2(30.0),
    )
    return replace(scenario, **others)


def _gamma_2(mean: float) -> tuple[float, ...]:
    """Return equally likely values of a gamma of shape 2, rising."""
    values = gammaincinv(2.0, (np.arange(CELLS) + 0.5) / CELLS) * (mean / 2.0)
    return tuple(values.tolist())
