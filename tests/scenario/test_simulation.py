"""The real engine in the simulated world: repeatable, replayable, and within its caps."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dialer.adapters.journal import read_journal
from dialer.bootstrap import Place, rehearse, replay_journal, simulate
from dialer.core.actions import Originate, Settle
from dialer.core.disposition import Disposition
from sim.scenario import Scenario
from sim.scenario_file import packaged_scenario


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return packaged_scenario("collections_demo", agents=12, leads=600, duration_s=1800.0)


@pytest.fixture(scope="module")
def journal(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = simulate(scenario, journal_dir=tmp_path_factory.mktemp("sim")).journal
    assert path is not None
    return path


def test_the_same_seed_gives_the_same_journal_byte_for_byte(scenario: Scenario, journal: Path, tmp_path: Path) -> None:
    again = simulate(scenario, journal_dir=tmp_path).journal
    assert again is not None
    assert again.read_bytes() == journal.read_bytes()


def test_another_seed_gives_another_day(scenario: Scenario, journal: Path, tmp_path: Path) -> None:
    other = simulate(scenario, seed=8, journal_dir=tmp_path).journal
    assert other is not None
    assert other.read_bytes() != journal.read_bytes()


def test_a_journal_replays_with_every_action_equal(journal: Path) -> None:
    _, result = replay_journal(journal)
    assert result.difference is None
    assert result.events > 1000 and result.actions > 500


def test_a_changed_journal_is_found_out_at_the_first_difference(journal: Path, tmp_path: Path) -> None:
    lines = journal.read_text().splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if '"type":"Originate"' in line)
    lines[place] = lines[place].replace('"number":"+', '"number":"+1', 1)
    changed = tmp_path / "changed.jsonl"
    changed.write_text("".join(lines))
    _, result = replay_journal(changed)
    assert result.difference is not None
    assert result.difference.recorded != result.difference.replayed


async def test_the_runtime_on_a_real_store_does_exactly_what_the_simulator_does(
    scenario: Scenario, journal: Path, tmp_path: Path
) -> None:
    async with rehearse(scenario, Place(data_dir=tmp_path), seed=scenario.seed, speed=None) as session:
        await session.run()
    assert session.journal.read_bytes() == journal.read_bytes()


def test_every_dialled_attempt_is_settled_once(journal: Path) -> None:
    _, steps = read_journal(journal)
    placed: Counter[tuple[int, int]] = Counter()
    settled: Counter[int] = Counter()
    for _, actions in steps:
        placed.update((a.attempt_id, a.try_no) for a in actions if isinstance(a, Originate))
        settled.update(s.attempt_id for a in actions if isinstance(a, Settle) for s in a.settlements)
    assert placed and set(placed.values()) == {1}
    assert set(settled.values()) == {1} and {attempt_id for attempt_id, _ in placed} <= settled.keys()


def test_no_person_is_called_more_often_or_at_another_hour_than_the_rules_say(journal: Path) -> None:
    """The oracle counts from the journal: two attempts a day and person, one a day in Colombia, within the hours.

    What reached nobody's telephone does not count.
    """
    _, steps = read_journal(journal)
    zones = {"+51": "America/Lima", "+57": "America/Bogota", "+52": "America/Mexico_City"}
    calls: Counter[tuple[str, str]] = Counter()
    uncounted = {Disposition.FAILED, Disposition.CONGESTION, Disposition.INVALID_NUMBER}
    steps = list(steps)
    ends = {
        s.attempt_id: s.disposition
        for _, actions in steps
        for a in actions
        if isinstance(a, Settle)
        for s in a.settlements
    }
    for event, actions in steps:
        for action in actions:
            if isinstance(action, Originate):
                local = datetime.fromtimestamp(event.at, ZoneInfo(zones[action.number[:3]]))
                assert 8 <= local.hour < 19, local
                counted = action.try_no == 1 and ends[action.attempt_id] not in uncounted
                calls[action.lead_id, action.number[:3]] += counted
    assert calls
    assert max(count for (_, prefix), count in calls.items()) <= 2


def test_abandoned_calls_stay_within_the_cap_over_a_longer_day() -> None:
    engine = simulate(packaged_scenario("collections_demo", agents=20, leads=3000, duration_s=3 * 3600.0)).engine
    status = engine.status()
    assert status.abandon_rate is not None and status.abandon_rate <= status.target_abandon_rate
    assert status.live_answers > 1000 and status.promises > 100
    assert status.dispositions.get(Disposition.UNKNOWN, 0) == 0


def test_progressive_never_abandons_for_want_of_an_agent() -> None:
    scenario = packaged_scenario("collections_demo", agents=10, leads=800, duration_s=3600.0)
    engine = simulate(scenario, policy="progressive-v1").engine
    status = engine.status()
    # An agent who pauses while the line rings can still leave an answer alone: breaks are part of this world.
    assert status.live_answers > 100
    assert status.abandoned <= 2
