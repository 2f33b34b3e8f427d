"""Made-up days for the report's tests: plausible, and equal for equal arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sim.day import DayRecord, Moment, TrunkDay

STATES = ("on_call", "wrap_up", "reserved", "idle", "paused", "offline")
START_AT = 1_795_442_400.0  # 2026-11-23 09:00 in Lima


def made_up_day(
    *,
    intervals: int = 480,
    interval_s: float = 60.0,
    agents: int = 100,
    trunks: int = 4,
    answer_rate: float = 0.30,
    abandon_rate: float = 0.018,
    seed: int = 1,
    **changes: Any,
) -> tuple[DayRecord, dict[str, Any]]:
    """A day and its headline figures, consistent with each other. `changes` replace fields of the day."""
    rng = np.random.default_rng(seed)
    hours = (np.arange(intervals) + 0.5) * interval_s / 3600
    states = _states(rng, hours, agents)
    lines = np.maximum(0, 1.9 * states["idle"] + agents * 0.12 + rng.normal(0, agents * 0.02, intervals))
    by_trunk = _trunks(rng, hours, trunks, agents * interval_s / 60 * 1.05, answer_rate)
    sums = {name: _sum(by_trunk, name, intervals) for name in ("attempts", "answers", "live_answers")}
    abandoned = rng.binomial(sums["live_answers"], abandon_rate)
    right = rng.binomial(sums["live_answers"] - abandoned, 0.62)
    promises = rng.binomial(right, 0.31)
    refused = rng.poisson(0.6 * interval_s / 60, intervals)
    fields: dict[str, Any] = {
        "campaign": "early-stage",
        "scenario": "collections-day",
        "policy": "priced-v1",
        "seed": seed,
        "version": "0.1.0",
        "start_at": START_AT,
        "zone": "America/Lima",
        "interval_s": interval_s,
        "agents": {name: tuple(values.tolist()) for name, values in states.items()},
        "lines": tuple(lines.tolist()),
        "waiting": tuple(rng.gamma(0.4, 0.25, intervals).tolist()),
        **{name: tuple(values.tolist()) for name, values in sums.items()},
        "bridged": tuple((sums["live_answers"] - abandoned).tolist()),
        "abandoned": tuple(abandoned.tolist()),
        "right_party_contacts": tuple(right.tolist()),
        "promises": tuple(promises.tolist()),
        "refused": tuple(refused.tolist()),
        "target_abandon_rate": tuple(0.03 if hour < 5 else 0.02 for hour in hours),
        "trunks": by_trunk,
        "leads": 30_000,
        "leads_attempted": min(30_000, int(sums["attempts"].sum() * 0.61)),
        "leads_reached": int(right.sum() * 0.93),
        "currency": "USD",
        "dispositions": _dispositions(sums, abandoned, right, promises),
        "refusals": {"window.peru": 112, "frequency.peru.day": 71, "dnc.list": 23} if refused.sum() else {},
        "moments": _moments(intervals * interval_s),
    }
    day = DayRecord(**{**fields, **changes})
    return day, result_of(day)


def result_of(day: DayRecord) -> dict[str, Any]:
    """The headline figures of a made-up day."""
    attempts, live, abandoned = sum(day.attempts), sum(day.live_answers), sum(day.abandoned)
    busy = sum(day.agents["on_call"]) + sum(day.agents["wrap_up"])
    ready = busy + sum(day.agents["idle"])
    agent_hours = sum(map(sum, day.agents.values())) * day.interval_s / 3600
    contacts = sum(day.right_party_contacts)
    return {
        "occupancy": busy / ready if ready else None,
        "abandon_rate": abandoned / live if live else None,
        "abandon_rate_ci95": (0.8 * abandoned / live, 1.2 * abandoned / live) if live else None,
        "attempts": attempts,
        "live_answers": live,
        "connects": sum(day.bridged),
        "abandoned": abandoned,
        "right_party_contacts": contacts,
        "promises": sum(day.promises),
        "mean_idle_s": 9.4,
        "attempts_per_agent_hour": attempts / agent_hours,
        "rpc_per_agent_hour": contacts / agent_hours,
        "cost_per_rpc": 0.61 if contacts else None,
        "compliance_blocks": sum(day.refusals.values()),
        "policy": day.policy,
        "seed": day.seed,
        "scenario_hash": "6f1d8a0b52c49e37",
        "version": day.version,
        "methods": "One run; abandon rate with a Wilson 95% interval.",
    }


def _states(rng: np.random.Generator, hours: np.ndarray, agents: int) -> dict[str, np.ndarray]:
    present = agents * np.clip(0.55 + hours, 0, 1) * np.where(hours > hours[-1] - 0.4, 0.8, 1.0)
    paused = present * (0.05 + 0.22 * np.exp(-(((hours - 4) / 0.5) ** 2)))
    ready = present - paused
    idle = ready * np.clip(0.10 + 0.05 * np.sin(hours * 2.1) + rng.normal(0, 0.025, len(hours)), 0.01, 0.6)
    wrap_up = ready * np.clip(0.17 + rng.normal(0, 0.012, len(hours)), 0, 1)
    reserved = np.full(len(hours), agents * 0.006)
    on_call = ready - idle - wrap_up - reserved
    return dict(
        zip(STATES, (on_call, wrap_up, reserved, idle, paused, agents - present), strict=True),
    )


def _trunks(
    rng: np.random.Generator, hours: np.ndarray, number: int, attempts: float, answer_rate: float
) -> dict[str, TrunkDay]:
    found = {}
    weights = 1 / (1 + 0.5 * np.arange(number))
    for place in range(number):
        share = weights[place] * (1 + 0.5 * np.sin(hours * 0.7 + place))
        tried = rng.poisson(attempts * share / weights.sum())
        failing = 0.02 + 0.02 * place
        quality = 1 - 0.05 * place - (0.4 * np.exp(-(((hours - 5.5) / 0.4) ** 2)) if place == 1 else 0)
        rate = np.clip(answer_rate * quality * (1 + 0.15 * np.sin(hours * 0.8)), 0, 1)
        failed = rng.binomial(tried, np.clip(failing + (1 - quality) * 0.3, 0, 1))
        rang = rng.binomial(tried - failed, 0.96)
        answers = rng.binomial(rang, rate)
        live = rng.binomial(answers, 0.74)
        found[f"trunk-{place + 1}"] = TrunkDay(
            carrier=("Andina", "Pacífico", "Barata", "Sur")[place % 4],
            attempts=tuple(tried.tolist()),
            rang=tuple(rang.tolist()),
            answers=tuple(answers.tolist()),
            live_answers=tuple(live.tolist()),
            failed=tuple(failed.tolist()),
            set_up_s=tuple((rang * (2.1 + 0.7 * place)).tolist()),
            tries=tuple((tried + failed).tolist()),
            contacts=tuple((live - live // 8).tolist()),
            cost=tuple((0.012 * answers).tolist()),
        )
    return found


def _sum(trunks: dict[str, TrunkDay], name: str, intervals: int) -> np.ndarray:
    counts = np.array([getattr(trunk, name) for trunk in trunks.values()], dtype=np.int64)
    return counts.reshape(-1, intervals).sum(axis=0)


def _dispositions(
    sums: dict[str, np.ndarray], abandoned: np.ndarray, right: np.ndarray, promises: np.ndarray
) -> dict[str, int]:
    live, machines = int(sums["live_answers"].sum()), int((sums["answers"] - sums["live_answers"]).sum())
    contacts, promised, lost = int(right.sum()), int(promises.sum()), int(abandoned.sum())
    unanswered = int(sums["attempts"].sum()) - live - machines
    return {
        "NO_ANSWER": math.floor(unanswered * 0.8),
        "BUSY": math.floor(unanswered * 0.1),
        "FAILED": math.floor(unanswered * 0.06),
        "INVALID_NUMBER": math.floor(unanswered * 0.04),
        "MACHINE": machines,
        "ABANDONED": lost,
        "PTP": promised,
        "RPC": math.floor((contacts - promised) * 0.6),
        "REFUSED": math.floor((contacts - promised) * 0.4),
        "WRONG_PARTY": live - lost - contacts,
    }


def _moments(length_s: float) -> tuple[Moment, ...]:
    told = (
        (0.002, "launch", "First lines", "20 idle agents, nothing learned yet: one line for each idle agent."),
        (0.09, "abandoned", "Nobody was free", "Answered 2.0 s before the limit; 7 lines rang for 4 idle agents."),
        (0.21, "guard", "The budget guard held back", "2.7% of the last hour's live answers were abandoned: 0 lines."),
        (0.36, "blocked", "Calling window closed", "window.peru: 112 leads in Loreto may be called from 10:00 on."),
        (0.48, "link", "Switch out of reach", "The link dropped for 12 s; live calls went on, no new ones began."),
        (0.625, "changed", "Cap lowered to 2%", "Supervisor m.rojas set target_abandon_rate from 3% to 2%."),
        (0.69, "abandoned", "Two at once", "Three answers in 0.4 s, one idle agent. Chance of it: 0.6%."),
        (0.83, "store", "Store slow", "The store did not reply for 1.1 s: nothing was dialled meanwhile."),
    )
    return tuple(
        Moment(at=START_AT + share * length_s, kind=kind, title=title, text=text) for share, kind, title, text in told
    )
