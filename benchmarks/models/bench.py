"""Answer models: whom to call when, in worlds whose truth is hidden; real calls, the whole engine, and speed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from benchmarks.models.policies import BY_COUNT, LISTS, MORNING, ORACLE, OURS, RANDOM
from benchmarks.models.study import Job, Quality, Run, run_all
from benchmarks.models.table import mean_per_1000, measurements, of, qualities, tables
from benchmarks.report import Findings, Row
from models.evaluation import Scores

COMMAND = "./run bench models"
SEEDS = (201, 202, 203, 204, 205)  # none of them used while the models or the worlds were made
QUICK = Job(
    seed=1, leads=5_000, past_days=12, past_an_hour=375, regimes=(("scarce", 125), ("ample", 375)),
    policies=(*LISTS, OURS),
)  # fmt: skip
OVER_RANDOM, OVER_COUNT, MOST_ECE = 85.0, 35.0, 0.01
# Parts measured elsewhere: a function of `quick` that gives rows.
OTHERS = (("benchmarks.models.real_calls", "rows"), ("benchmarks.models.whole_engine", "rows"))


def run(quick: bool) -> Findings:
    """Run all worlds in both regimes, then speed, real calls and the whole engine; every measurement is kept.

    A quick run is one small world and speed on small problems: its figures are rough.
    """
    from benchmarks.models.speed import speed_rows

    runs, found = run_all((QUICK,) if quick else [Job(seed=seed) for seed in SEEDS])
    rows = [*_scarce(runs), *_ample(runs), *_shares(runs), *_models(runs, found), *speed_rows(quick)]
    if not quick:
        rows += [row for module, name in OTHERS for row in _others(module, name, quick)]
    table, models = measurements(runs), qualities(found)
    return Findings(rows=rows, table=[*table, *models], shown=tables(table, models))


def _others(module: str, name: str, quick: bool) -> Sequence[Row]:
    """Rows of another part of the benchmark, if it has any."""
    if find_spec(module) is None:
        return ()
    part: Callable[[bool], Sequence[Row]] | None = getattr(importlib.import_module(module), name, None)
    return part(quick) if part is not None else ()


def _row(bar: str, value: float, goal: str = "–", met: bool | None = None) -> Row:
    return Row(bench="models", bar=bar, value=value, goal=goal, met=met, command=COMMAND)


def _over(runs: Sequence[Run], regime: str, policy: str, other: str) -> float:
    """By how many per cent one policy's contacts per 1,000 attempts are above another's, both means over the seeds."""
    return 100 * (mean_per_1000(runs, regime, policy) / mean_per_1000(runs, regime, other) - 1.0)


def _scarce(runs: Sequence[Run]) -> list[Row]:
    """Capacity for a small part of the list."""
    seeds = len(of(runs, "scarce", OURS))
    rows = [
        _row(
            f"scarce: contacts per 1,000 over {other}, %, {seeds} seeds",
            round(over := _over(runs, "scarce", OURS, other), 1),
            f">= {goal:g}",
            over >= goal,
        )
        for other, goal in ((RANDOM, OVER_RANDOM), (BY_COUNT, OVER_COUNT))
    ]
    if of(runs, "scarce", MORNING):
        over = _over(runs, "scarce", OURS, MORNING)
        rows.append(_row("scarce: over the same model, sorted in the morning, %", round(over, 1), "> 0", over > 0.0))
    return rows


def _ample(runs: Sequence[Run]) -> list[Row]:
    """Capacity for the whole list: only the hour is left to choose."""
    return [
        _row(f"ample: contacts per 1,000 over {other}, %", round(over, 1), "> 0", over > 0.0)
        for other in LISTS
        for over in (_over(runs, "ample", OURS, other),)
    ]


def _shares(runs: Sequence[Run]) -> list[Row]:
    """What part of the bound, and of the way from random order to an oracle, is gone."""
    found = {(row["regime"], row["policy"]): row for row in measurements(runs)}
    rows = []
    for regime in dict.fromkeys(run.regime for run in runs):
        rows += [
            _row(f"{regime}: share of the bound, %, {policy}", found[regime, policy]["of_bound_pct"])
            for policy in (OURS, ORACLE)
            if (regime, policy) in found
        ]
        closed = found[regime, OURS]["gap_closed_pct"]
        if closed is not None:
            rows.append(_row(f"{regime}: of the gap from random order to the oracle, %", closed))
    return rows


def _ece(told: Scores) -> float:
    """Its calibration error; unknown is as bad as can be."""
    return 1.0 if told.ece is None else told.ece


def _models(runs: Sequence[Run], found: Sequence[Quality]) -> list[Row]:
    """Calibration where nobody chose, and where the plan did; and what was left to lots."""
    worst = max(_ece(quality.model) for quality in found)
    rows = [_row("ECE, random order, the worst seed", round(worst, 4), f"<= {MOST_ECE:g}", worst <= MOST_ECE)]
    for regime in dict.fromkeys(run.regime for run in runs):
        ours = of(runs, regime, OURS)
        chosen = max(_ece(run.told) for run in ours if run.told is not None)
        rows.append(_row(f"{regime}: ECE of our own calls, the worst seed", round(chosen, 4)))
        drawn = sum(run.randomised for run in ours) / len(ours)
        rows.append(_row(f"{regime}: calls whose hour or rest was drawn by lot, %", round(100 * drawn, 2)))
        effective = sum(run.effective for run in ours) / len(ours)
        rows.append(_row(f"{regime}: effective sample of them, mean", round(effective)))
    return rows
