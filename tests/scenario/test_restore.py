"""An engine restored from a snapshot goes on exactly as the one that was never interrupted."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.adapters.journal import read_journal
from dialer.bootstrap import POLICY_OF_MODE, make_engine, simulate
from dialer.config.campaign import Campaign
from dialer.config.rule_packs import rule_set
from dialer.core.actions import Action
from dialer.core.engine import Engine
from dialer.core.events import Event, PacingChanged
from dialer.core.snapshot import Snapshot
from pacing.registry import make_policy
from sim.scenario_file import packaged_scenario


class Day:
    """A recorded day. No dataclass: hypothesis prints its arguments, and would print all of it."""

    def __init__(self, campaign: Campaign, run: int, seed: int, steps: list[tuple[Event, list[Action]]]) -> None:
        self.campaign, self.run, self.seed, self.steps = campaign, run, seed, steps

    def __repr__(self) -> str:
        return f"<a day of {len(self.steps)} events>"


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    scenario = packaged_scenario("collections_demo", agents=8, leads=300, duration_s=900.0)
    path = simulate(scenario, journal_dir=tmp_path_factory.mktemp("restore")).journal
    assert path is not None
    header, steps = read_journal(path)
    campaign = Campaign.model_validate(header.campaign)
    return Day(campaign, header.run, header.seed, [(event, list(actions)) for event, actions in steps])


def restored(campaign: Campaign, snapshot: Snapshot, tail: Sequence[Event] = ()) -> Engine:
    """Through JSON, as a snapshot would travel."""
    travelled = msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot)
    policies = {mode: make_policy(policy_id) for mode, policy_id in POLICY_OF_MODE.items()}
    return Engine.restore(campaign, rules=rule_set(campaign), policies=policies, snapshot=travelled, tail=tail)


@settings(max_examples=12, deadline=None)
@given(share=st.floats(0.0, 1.0), tail=st.integers(0, 30), mode=st.sampled_from(["progressive", "predictive"]))
def test_restore_equals_the_uninterrupted_run(day: Day, share: float, tail: int, mode: str) -> None:
    steps = day.steps
    cut = int(share * (len(steps) - 1))
    engine = make_engine(day.campaign, run=day.run, seed=day.seed)
    for event, actions in steps[:cut]:
        assert engine.step(event) == actions
    snapshot = engine.snapshot()
    resume_at = min(len(steps), cut + tail)
    other = restored(day.campaign, snapshot, [event for event, _ in steps[cut:resume_at]])
    for event, actions in steps[cut:resume_at]:
        assert engine.step(event) == actions
    assert other.status() == engine.status()
    # From here on both also meet facts that the recorded day did not have.
    change = PacingChanged(at=steps[resume_at - 1][0].at if resume_at else 0.0, by="test", mode=mode)
    for event in [change, *(event for event, _ in steps[resume_at:])]:
        assert other.step(event) == engine.step(event)
    assert other.snapshot() == engine.snapshot()
