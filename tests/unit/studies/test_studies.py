"""Studies of real simulated days, small ones: equal people, paired differences, what an interrupt leaves."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dialer.adapters.journal import read_journal
from dialer.bootstrap import simulate
from dialer.errors import ConfigError
from dialer.studies import days, fast_days
from dialer.studies.comparison import Study, compare, sweep, sweep_fast
from dialer.studies.days import DayDone, DaySpec, decisions_of, run_days, seeds_from
from dialer.studies.figures import BY_KEY, FIGURES, in_words
from dialer.studies.lines import as_csv
from dialer.studies.replications import as_result, replicate_days
from dialer.studies.workers import Harvest, Progress, run_all
from sim.overrides import override, parse_settings
from sim.result import SimResult
from sim.scenario import Scenario
from sim.scenario_file import packaged_scenario

pytestmark = pytest.mark.timeout(300)  # the first to use the fast simulator compiles it

SEEDS = (3, 4)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return packaged_scenario("collections_demo", agents=5, leads=120, duration_s=600.0)


@pytest.fixture(scope="module")
def study(scenario: Scenario) -> Study:
    decisions = decisions_of("progressive-v1,priced-v1@pacing.target_abandon_rate=0.01,priced-v1", scenario)
    return compare(decisions, SEEDS, jobs=1)


def figures(result: SimResult) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(result)
    return plain


# ---- comparison ---------------------------------------------------------------------------------------------
def test_every_day_of_a_comparison_is_the_day_that_sim_run_gives(scenario: Scenario, study: Study) -> None:
    assert [variant.name for variant in study.variants] == [
        "progressive-v1", "priced-v1@pacing.target_abandon_rate=0.01", "priced-v1",
    ]  # fmt: skip
    changed = override(scenario, parse_settings(["pacing.target_abandon_rate=0.01"]))
    for place, seed in enumerate(SEEDS):
        own = simulate(changed, seed=seed, policy="priced-v1").result
        assert study.variants[1].replications[place] == figures(own)
        assert study.variants[0].replications[place]["policy"] == "progressive-v1"
    assert study.seeds == SEEDS and not study.interrupted and study.days_finished == 6


def test_differences_are_seed_by_seed_against_the_first(study: Study) -> None:
    first, other = study.variants[0].replications, study.variants[2].replications
    by_hand = [b["attempts"] - a["attempts"] for a, b in zip(first, other, strict=True)]
    found = study.differences[1].figures["attempts"].difference
    assert study.differences[1].against == "progressive-v1"
    assert found.mean == pytest.approx(sum(by_hand) / 2)
    assert found.n == 2 and "Bonferroni over 2" in found.method


def test_the_methods_are_told(study: Study) -> None:
    told = " ".join(study.methods)
    for word in ("Student t", "same seeds", "paired", "common random numbers", "no warm-up cut off"):
        assert word in told


def test_other_dialers_laws_can_be_compared_and_what_a_day_has_not_cannot(scenario: Scenario) -> None:
    (decision,) = decisions_of("vicidial-average", scenario)
    assert decision.policy == "vicidial-average"
    with pytest.raises(ConfigError, match="on-request-v1: expected a policy of"):
        decisions_of("on-request-v1", scenario)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("priced-v9", "--policies priced-v9: priced-v9: expected a policy of power-v1, priced-v1"),
        ("priced-v1,priced-v1", "stands twice"),
        ("priced-v1@agents", "expected PATH=VALUE"),
        ("priced-v1@agents=0", "expected greater than or equal to 1"),
        ("", "expected a policy of"),
    ],
)
def test_a_wrong_decision_is_told_in_one_line(scenario: Scenario, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decisions_of(text, scenario)
    assert told in str(caught.value) and "\n" not in str(caught.value)


def interrupted_after(count: int) -> Callable[..., Harvest[DayDone]]:
    """`run_days` whose Ctrl-C comes after some days."""

    def run(specs: list[DaySpec], *, jobs: int, progress: Progress | None = None) -> Harvest[DayDone]:
        whole = run_days(specs[:count], jobs=1)
        return replace(whole, results=(*whole.results, *[None] * (len(specs) - count)), interrupted=True)

    return run


def test_an_interrupted_comparison_keeps_the_seeds_that_all_have(
    scenario: Scenario, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dialer.studies.comparison.run_days", interrupted_after(3))
    partial = compare(decisions_of("progressive-v1,priced-v1", scenario), SEEDS, jobs=1)
    assert partial.interrupted and (partial.days_finished, partial.days_wanted) == (3, 4)
    assert partial.seeds == SEEDS[:1]
    assert partial.variants[0].replications == study.variants[0].replications[:1]
    assert partial.differences[0].figures["attempts"].difference.half_width is None
    assert "No interval" not in " ".join(partial.methods)


# ---- sweep --------------------------------------------------------------------------------------------------
def test_a_sweep_has_a_line_a_point_and_meets_the_same_people(scenario: Scenario) -> None:
    points = [{"agents": 3}, {"agents": 6}]
    found = sweep(scenario, points, SEEDS, policy="progressive-v1", jobs=1)
    assert [variant.settings for variant in found.variants] == points
    alone = sweep(scenario, points[1:], SEEDS, policy="progressive-v1", jobs=1)
    assert alone.variants[0] == found.variants[1]
    lines = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert [line["agents"] for line in lines] == ["3", "6"]
    for line, variant in zip(lines, found.variants, strict=True):
        estimate = variant.estimates["attempts"]
        assert float(line["attempts"]) == estimate.mean and float(line["attempts_low"]) == estimate.low


def test_a_sweep_above_the_laws_target_says_so(scenario: Scenario) -> None:
    found = sweep(scenario, [{"pacing.target_abandon_rate": 0.05}], SEEDS[:1], policy=None, jobs=1)
    assert len(found.cautions) == 1 and "simulation alone" in found.cautions[0]


def test_a_fast_sweep_is_the_same_here_and_in_workers(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    points, told = [{"agents": 5}, {"agents": 10}, {"agents": 15}], []
    here = sweep_fast(scenario, points, SEEDS, policy=None, jobs=2, progress=told.append)
    assert told[-1] == 3.0 and told == sorted(told)
    monkeypatch.setattr(fast_days, "ALONE_S", 0.0)
    assert sweep_fast(scenario, points, SEEDS, policy=None, jobs=2) == here


def test_what_refuses_a_scenario_does_not_load_what_simulates_one() -> None:
    heavy = "{'numba', 'scipy', 'redis', 'dialer.bootstrap'} & sys.modules.keys()"
    asked = f"import sys, dialer.studies.days, dialer.studies.workers, sim.scenario_file; sys.exit(str({heavy} or ''))"
    ended = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stderr.strip() == ""


def test_a_fast_sweep_knows_pacings_figures_and_says_what_it_leaves_out(scenario: Scenario) -> None:
    found = sweep_fast(scenario, [{"agents": 5}, {"agents": 10}], SEEDS, policy=None, jobs=1)
    assert found.simulator == "fast" and found.days_finished == 4
    assert {"occupancy", "abandon_rate", "attempts"} <= found.variants[0].estimates.keys()
    assert "promises" not in found.variants[0].estimates
    assert "leaves out" in found.methods[-1]
    assert found.variants[1].replications[0]["attempts"] > found.variants[0].replications[0]["attempts"]


# ---- replications -------------------------------------------------------------------------------------------
def test_one_day_is_flat_and_several_are_means_with_every_day_beneath(scenario: Scenario) -> None:
    one = as_result(replicate_days(scenario, SEEDS[:1], policy=None, jobs=1))
    own = figures(simulate(scenario, seed=3).result)
    assert {key: one[key] for key in own if key != "methods"} == {k: v for k, v in own.items() if k != "methods"}
    both = as_result(replicate_days(scenario, SEEDS, policy=None, jobs=1))
    assert both["seeds"] == SEEDS and both["replications"][0] == own
    attempts = [row["attempts"] for row in both["replications"]]
    assert both["attempts"] == sum(attempts) / 2
    for name in ("attempts_per_hour", "agent_hours", "hours", "events", "occupancy", "compliance_blocks"):
        assert both[name] == pytest.approx(sum(row[name] for row in both["replications"]) / 2), name
    assert sum(both["dispositions"].values()) == pytest.approx(both["attempts"])
    assert set(both["dispositions"]) == {name for row in both["replications"] for name in row["dispositions"]}
    assert (both["seed"], both["policy"]) == (3, own["policy"])
    assert both["per_hour"]["attempts"][0] == pytest.approx(
        sum(row["per_hour"]["attempts"][0] for row in both["replications"]) / 2
    )
    assert both["per_hour"]["begins"] == list(own["per_hour"]["begins"])
    assert one["estimates"]["attempts"].half_width is None and both["estimates"]["attempts"].half_width is not None
    msgspec.json.encode(both)


def test_journals_are_kept_whole_and_never_replaced(scenario: Scenario, tmp_path: Path) -> None:
    found = replicate_days(scenario, SEEDS, policy=None, jobs=1, journals=tmp_path)
    paths = [day.journal for day in found.days]
    assert [path.relative_to(tmp_path).parts[0] for path in paths if path] == ["seed-3", "seed-4"]
    assert all(path is not None and read_journal(path)[0].seed == seed for path, seed in zip(paths, SEEDS, strict=True))
    assert not [entry for entry in tmp_path.iterdir() if entry.name.startswith(".")]
    with pytest.raises(ConfigError, match="is there already"):
        replicate_days(scenario, SEEDS, policy=None, jobs=1, journals=tmp_path)


def test_an_interrupted_day_leaves_no_journal(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(spec: DaySpec, progress: Progress | None = None) -> DayDone:
        done = days.run_day(spec, progress)
        if spec.seed == SEEDS[1]:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(days, "run_all", lambda _, specs, **options: run_all(interrupted, specs, **options))
    found = replicate_days(scenario, SEEDS, policy=None, jobs=1, journals=tmp_path)
    assert found.interrupted and found.seeds == SEEDS[:1]
    assert [path.parent.parent.parent.name for path in tmp_path.rglob("*.jsonl")] == ["seed-3"]
    assert {entry.name for entry in tmp_path.iterdir()} == {"seed-3"}


@pytest.mark.parametrize(("first", "count"), [(1, 0), (-1, 1), (2**63 - 1, 2), (1, 10_001)])
def test_seeds_have_bounds(first: int, count: int) -> None:
    with pytest.raises(ConfigError, match="expected"):
        seeds_from(first, count)


# ---- figures ------------------------------------------------------------------------------------------------
def test_every_figure_is_a_field_of_the_result() -> None:
    fields = set(SimResult.__struct_fields__)
    assert {figure.key for figure in FIGURES} <= fields


def test_figures_in_words() -> None:
    rate, count, seconds = BY_KEY["occupancy"], BY_KEY["attempts"], BY_KEY["mean_idle_s"]
    assert in_words(rate, 0.8912) == "89.12 %"
    assert in_words(rate, 0.0112, signed=True) == "+1.12 points"
    assert in_words(count, 1234) == "1,234" and in_words(count, 12.25) == "12.2"
    assert in_words(count, 1234, mean=True) == "1,234.0"
    assert in_words(seconds, -3.25, signed=True) == "-3.2 s"
    assert in_words(rate, None) == "–"
