"""A recorded day under another decision, and journals of other versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dialer import __version__
from dialer.bootstrap import replay_journal, simulate
from dialer.errors import ConfigError, JournalError
from dialer.studies.rerun import REBUILT_WORLD, THE_SAME_WORLD, rerun_journal
from sim.scenario import Scenario
from sim.scenario_file import packaged_scenario

SEED = 11


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return packaged_scenario("collections_demo", agents=8, leads=400, duration_s=1800.0)


@pytest.fixture(scope="module")
def journal(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = simulate(scenario, seed=SEED, journal_dir=tmp_path_factory.mktemp("day")).journal
    assert path is not None
    return path


@pytest.fixture
def rewritten(journal: Path, tmp_path: Path) -> Callable[..., Path]:
    """The journal with another header."""

    def rewrite(name: str = "other.jsonl", **fields: Any) -> Path:
        head, rest = journal.read_text().split("\n", 1)
        path = tmp_path / name
        path.write_text(json.dumps({**json.loads(head), **fields}) + "\n" + rest)
        return path

    return rewrite


def test_a_simulated_day_reruns_as_the_very_same_day(journal: Path, scenario: Scenario) -> None:
    again = rerun_journal(journal)
    assert again.day == simulate(scenario, seed=SEED).day
    assert again.world == THE_SAME_WORLD
    assert (again.recorded.attempts, again.recorded.promises) == (again.result.attempts, again.result.promises)


def test_another_decision_meets_the_same_world(journal: Path, scenario: Scenario) -> None:
    rerun = rerun_journal(journal, policy="progressive-v1", overrides={"agents": 4})
    changed = scenario.model_copy(update={"floor": scenario.floor.model_copy(update={"agents": 4})})
    own = simulate(Scenario.model_validate(changed.model_dump()), seed=SEED, policy="progressive-v1").result
    assert rerun.result == own
    assert rerun.recorded.policy == "priced-v1"
    assert rerun.result.attempts < rerun.recorded.attempts


def test_a_target_above_the_laws_is_marked(journal: Path) -> None:
    rerun = rerun_journal(journal, overrides={"pacing.target_abandon_rate": 0.05})
    assert len(rerun.cautions) == 1 and rerun.day.target_abandon_rate[0] == 0.05


def test_a_journal_of_such_a_simulation_replays_too(scenario: Scenario, tmp_path: Path) -> None:
    campaign = scenario.campaign.model_copy(update={"target_abandon_rate": 0.05})
    path = simulate(scenario.model_copy(update={"campaign": campaign}), journal_dir=tmp_path).journal
    assert path is not None and replay_journal(path)[1].difference is None
    again = rerun_journal(path)
    assert again.recorded.attempts == again.result.attempts


def test_a_real_day_reruns_with_its_own_people(rewritten: Callable[..., Path]) -> None:
    """A journal without a scenario, as a live run writes it: under its own policy nearly the same day comes again."""
    path = rewritten(scenario=None)
    again = rerun_journal(path)
    assert again.world.startswith(REBUILT_WORLD.split("{")[0])
    for name in ("attempts", "live_answers", "promises"):
        was, now = getattr(again.recorded, name), getattr(again.result, name)
        assert now == pytest.approx(was, rel=0.05, abs=3), name
    assert again.result.cost_per_rpc is None  # nobody told what that day cost
    other = rerun_journal(path, policy="progressive-v1")
    assert other.result.policy == "progressive-v1"
    assert other.result.attempts < again.result.attempts


def test_too_short_a_real_day_is_told_by_its_file(tmp_path: Path) -> None:
    short = packaged_scenario("collections_demo", agents=2, leads=10, duration_s=60.0)
    path = simulate(short, journal_dir=tmp_path).journal
    assert path is not None
    head, rest = path.read_text().split("\n", 1)
    real = tmp_path / "real.jsonl"
    real.write_text(json.dumps({**json.loads(head), "scenario": None}) + "\n" + rest)
    with pytest.raises(ConfigError, match=r"real\.jsonl: expected at least"):
        rerun_journal(real, policy="progressive-v1")


def test_wrong_wishes_are_refused_before_the_day_is_run(journal: Path) -> None:
    with pytest.raises(ConfigError, match="expected a policy of"):
        rerun_journal(journal, policy="priced-v9")
    with pytest.raises(ConfigError, match=r"--set population\.live_rat: unknown key"):
        rerun_journal(journal, overrides={"population.live_rat": 1})


def test_a_journal_of_another_version_is_replayed_all_the_same(rewritten: Callable[..., Path]) -> None:
    header, result = replay_journal(rewritten(version="0.0.1"))
    assert header.version == "0.0.1" != __version__
    assert result.difference is None and result.events > 100


def test_one_whose_settings_this_version_does_not_know_names_the_version_to_use(
    journal: Path, rewritten: Callable[..., Path]
) -> None:
    header = json.loads(journal.read_text().split("\n", 1)[0])
    for fields in (
        {"campaign": {**header["campaign"], "mood": "bold"}},
        {"scenario": {**header["scenario"], "mood": "bold"}},
    ):
        path = rewritten(version="9.9.9", **fields)
        with pytest.raises(JournalError, match=r"other\.jsonl:1: .*mood.*use version 9\.9\.9"):
            rerun_journal(path)


def test_a_cut_journal_is_told_and_nothing_is_run(journal: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(journal.read_bytes()[:-10])
    with pytest.raises(JournalError, match="was cut off"):
        rerun_journal(cut, policy="progressive-v1")
    assert msgspec.json.decode(cut.read_bytes().split(b"\n")[0])["journal"] == 1


def test_a_policy_that_this_version_does_not_know_is_told_in_one_line(rewritten: Callable[..., Path]) -> None:
    path = rewritten(policies={"predictive": "magic-v9"}, version="9.9")
    for use in (replay_journal, rerun_journal):
        with pytest.raises(
            JournalError, match=r"other.jsonl:1: expected a pacing policy of .*'magic-v9': use version 9"
        ):
            use(path)


def test_a_real_day_without_events_is_told_in_one_line(rewritten: Callable[..., Path]) -> None:
    path = rewritten(scenario=None)
    path.write_text(path.read_text().split("\n", 1)[0] + "\n")
    with pytest.raises(JournalError, match=r"other.jsonl:2: expected events after the first line"):
        rerun_journal(path)
