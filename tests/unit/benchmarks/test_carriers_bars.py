"""The bars and tables, from runs whose figures are given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.carriers import bench
from benchmarks.carriers.diversion import Diversion
from benchmarks.carriers.logged import Checked
from benchmarks.carriers.plot import draw
from benchmarks.carriers.policies import OURS, UNTOLD
from benchmarks.carriers.study import DESK, Run
from benchmarks.carriers.table import REFERENCE, measurements, tables
from benchmarks.report import Row
from carriers.off_policy import Estimate

PLAIN = Run(
    variant="base",
    seed=1,
    policy=OURS,
    regret=0.07,
    net=40.0,
    contacts=210.0,
    cost_per_contact=0.02,
    us_per_call=6.0,
    solver_ms=9.0,
    explored=0.02,
    most_waiting=0,
    beyond_limits=0,
    surcharges=1.0,
    short_shares=(0.1,),
    cancelled_shares=(0.8,),
    false_share=0.01,
    outages=(Diversion(1, 0, 900, 0.2, 40),),
    degradations=(Diversion(1, 0, 3000, 2.0, 120),),
    checked=(Checked("uniform", "snips", Estimate(0.10, 0.004, 900.0), 0.105, 9000),),
    lost=(1.0, 2.0),
)
REFERENCE_RUN = replace(PLAIN, policy=REFERENCE, regret=0.4, net=40.0, checked=(), false_share=0.12)
RUNS = [
    PLAIN,
    replace(PLAIN, policy=DESK, outages=(Diversion(1, 0, 900, 0.2, 4),)),
    REFERENCE_RUN,
    replace(REFERENCE_RUN, policy=bench.THOMPSON, regret=0.16),
    replace(PLAIN, variant="nothing_to_exploit", net=39.9),
    replace(REFERENCE_RUN, variant="nothing_to_exploit", regret=0.0),
    replace(PLAIN, variant="wrong_model", regret=0.09),
    replace(PLAIN, variant="false_answers"),
    replace(REFERENCE_RUN, variant="false_answers", policy=bench.QOS, false_share=0.4),
    replace(PLAIN, variant="surcharged", net=38.0),
    replace(PLAIN, variant="surcharged", policy=UNTOLD, net=36.0),
]


def rows_of(runs: list[Run]) -> list[Row]:
    return [row for part in bench.PARTS for row in part(runs)]


def test_all_bars_are_met_by_runs_that_meet_them() -> None:
    rows = rows_of(RUNS)
    assert all(row["met"] is not False for row in rows)
    assert sum(row["met"] is True for row in rows) >= 10
    assert all(row["bench"] == "carriers" and row["command"] == "./run bench carriers" for row in rows)


@pytest.mark.parametrize(
    ("place", "change", "bar"),
    [
        (0, {"regret": 0.085}, "regret, %, mean"),
        (3, {"regret": 0.13}, "best peer"),
        (4, {"net": 39.7}, "nothing to exploit"),
        (6, {"regret": 0.11}, "wrong model"),
        (1, {"outages": (Diversion(1, 0, 900, 0.2, 6),)}, "outage"),
        (1, {"outages": (Diversion(1, 0, 900, 0.2, None),)}, "outage"),
        (1, {"degradations": (Diversion(1, 0, 3000, 2.0, None),)}, "degradation"),
        (0, {"us_per_call": 10.5}, "µs a call"),
        (8, {"beyond_limits": 1}, "beyond a limit"),
        (7, {"false_share": 0.05}, "false answers"),
        (9, {"net": 35.0}, "not told"),
        (0, {"checked": (Checked("uniform", "snips", Estimate(0.1, 0.002, 900.0), 0.12, 9000),)}, "off-policy"),
    ],
)
def test_each_bar_fails_where_its_figure_does(place: int, change: dict[str, object], bar: str) -> None:
    runs = [replace(run, **change) if number == place else run for number, run in enumerate(RUNS)]  # type: ignore[arg-type]
    failed = [row["bar"] for row in rows_of(runs) if row["met"] is False]
    assert any(bar in name for name in failed), failed


def test_the_table_has_means_over_seeds_and_gaps_against_round_robin_of_the_same_seed() -> None:
    second = [replace(PLAIN, seed=2, regret=0.09), replace(REFERENCE_RUN, seed=2, regret=0.3)]
    table = measurements([PLAIN, REFERENCE_RUN, *second])
    ours = next(row for row in table if row["policy"] == OURS)
    assert ours["regret_pct"] == 8.0
    assert ours["regret_pct_by_seed"] == {"1": 7.0, "2": 9.0}
    assert ours["gap_closed_pct"] == pytest.approx(100 * ((1 - 0.07 / 0.4) + (1 - 0.09 / 0.3)) / 2, abs=0.06)
    assert [row["policy"] for row in table] == [OURS, REFERENCE]
    assert tables(table)[0].row_count == 2


def test_the_picture_names_every_policy_of_the_day(tmp_path: Path) -> None:
    lost = tuple(0.5 for _ in range(60))
    runs = [replace(run, lost=lost) for run in RUNS]
    draw(runs, seed=1, path=tmp_path / "carriers.svg")
    picture = (tmp_path / "carriers.svg").read_text()
    assert all(name in picture for name in (OURS, "round-robin", "discounted-thompson"))
    assert DESK not in picture
