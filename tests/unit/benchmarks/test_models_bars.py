"""The bars and tables, from runs whose figures are given."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from benchmarks.models import bench
from benchmarks.models.policies import BY_COUNT, BY_ID, MORNING, ORACLE, OURS, RANDOM
from benchmarks.models.study import Quality, Run
from benchmarks.models.table import measurements, qualities, tables
from benchmarks.report import Row
from models.evaluation import Scores

GOOD = Scores(rows=1000, positives=50, log_loss=0.15, brier=0.04, auc=0.74, ece=0.003, lift10=3.5, top_half=0.8)
PLAIN = Run(
    seed=1,
    regime="scarce",
    policy=OURS,
    attempts=1000,
    answers=80,
    contacts=50,
    bound=100.0,
    told=GOOD,
    randomised=0.02,
    effective=12.0,
    cpu_s=1.0,
)


def run_of(regime: str, policy: str, contacts: int) -> Run:
    return replace(PLAIN, regime=regime, policy=policy, contacts=contacts, told=GOOD if policy == OURS else None)


SCARCE = {OURS: 50, RANDOM: 26, BY_ID: 23, BY_COUNT: 36, MORNING: 45, ORACLE: 72}
AMPLE = {OURS: 28, RANDOM: 26, BY_ID: 25, BY_COUNT: 26, ORACLE: 37}


def rows_of(scarce: dict[str, int], ample: dict[str, int], ece: float = 0.003) -> list[Row]:
    runs = [run_of("scarce", *item) for item in scarce.items()] + [run_of("ample", *item) for item in ample.items()]
    found = [Quality(seed=1, rows=9, train_cpu_s=1.0, model=replace_ece(ece), truth=GOOD)]
    return [*bench._scarce(runs), *bench._ample(runs), *bench._shares(runs), *bench._models(runs, found)]


def replace_ece(ece: float) -> Scores:
    return msgspec.structs.replace(GOOD, ece=ece)


def test_all_bars_are_met_by_runs_that_meet_them() -> None:
    rows = rows_of(SCARCE, AMPLE)
    assert all(row["met"] is not False for row in rows)
    assert sum(row["met"] is True for row in rows) == 7
    shares = [row["value"] for row in rows if "share of the bound" in row["bar"] and OURS in row["bar"]]
    assert shares == [50.0, 28.0]


@pytest.mark.parametrize(
    ("scarce", "ample", "ece", "bar"),
    [
        ({RANDOM: 28}, {}, 0.003, RANDOM),
        ({BY_COUNT: 38}, {}, 0.003, BY_COUNT),
        ({MORNING: 51}, {}, 0.003, "in the morning"),
        ({}, {BY_ID: 28}, 0.003, BY_ID),
        ({}, {}, 0.011, "ECE, random order"),
    ],
)
def test_each_bar_can_fail(scarce: dict[str, int], ample: dict[str, int], ece: float, bar: str) -> None:
    failed = [row["bar"] for row in rows_of({**SCARCE, **scarce}, {**AMPLE, **ample}, ece) if row["met"] is False]
    assert len(failed) == 1 and bar in failed[0]


def test_tables_show_every_policy_the_best_first() -> None:
    runs = [run_of("scarce", *item) for item in SCARCE.items()]
    rows = measurements(runs)
    assert [row["policy"] for row in rows] == [ORACLE, OURS, MORNING, BY_COUNT, RANDOM, BY_ID]
    ours = rows[1]
    assert ours["over_random_pct"] == 92.3
    assert ours["gap_closed_pct"] == 52.2
    models = qualities([Quality(seed=1, rows=9, train_cpu_s=1.0, model=GOOD, truth=GOOD)])
    assert models[0]["auc"] == models[0]["auc_of_truth"] == 0.74
    assert len(tables(rows, models)) == 2
