"""The modes that run, with the real policies: what no mode may exceed, and changes in force at the next decision."""

from __future__ import annotations

from math import inf
from typing import Any

import msgspec
import numpy as np
import pytest

from dialer.bootstrap import POLICY_OF_MODE
from dialer.config.campaign import MODES_TO_COME, Mode
from dialer.core import actions as act
from dialer.core import events as ev
from pacing.policy import Pace
from pacing.power import Power
from pacing.registry import POLICY_IDS, make_policy
from pacing.view import PacingView
from tests.unit.core.bench_engine import Bench

AGENTS = [f"a{number}" for number in range(10)]
TEN = [{"id": agent} for agent in AGENTS]
EVERY_MODE = pytest.mark.parametrize("mode", POLICY_OF_MODE)


class RichPower(Power):
    """`power-v1` with abandons enough in every account."""

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:
        self.answers = 1e6
        return super().lines(msgspec.structs.replace(view, budget_left=inf), rng)


def bench_of(mode: str, **changes: Any) -> Bench:
    """Ten agents on a bench, and the policies that campaigns have."""
    bench = Bench(leads=90, **{"mode": mode, "agents": TEN, **changes})
    bench.engine._state.policies.update({name: make_policy(policy) for name, policy in POLICY_OF_MODE.items()})
    bench.engine._state.policies["power"] = RichPower()
    return bench


def launched(bench: Bench, seconds: float) -> int:
    """The calls that come of waiting."""
    claims = [c for action in bench.wait(seconds) if isinstance(action, act.Reserve) for c in action.claims]
    bench.tell(ev.Reserved, attempt_ids=tuple(claim.attempt_id for claim in claims))
    return len(claims)


def guards(bench: Bench) -> list[str]:
    return [decision.guard for _, decision in bench.engine.status().decisions if decision.launched]


def test_every_mode_that_runs_has_a_policy_and_every_other_a_reason() -> None:
    assert set(POLICY_OF_MODE) == set(Mode.__args__)  # type: ignore[attr-defined]
    assert not set(POLICY_OF_MODE) & set(MODES_TO_COME)
    assert set(POLICY_OF_MODE.values()) <= set(POLICY_IDS)


@EVERY_MODE
def test_channels_bind(mode: str) -> None:
    bench = bench_of(mode, trunks=[{"name": "t1", "max_channels": 3, "max_cps": 100}])
    bench.log_in(*AGENTS)
    assert launched(bench, 5.0) == 3
    assert guards(bench) == ["channels"]


@EVERY_MODE
def test_the_switch_s_own_limit_binds(mode: str) -> None:
    bench = bench_of(mode, asterisk={"max_calls": 4})
    bench.log_in(*AGENTS)
    assert launched(bench, 5.0) == 4
    assert guards(bench) == ["channels"]


@EVERY_MODE
def test_call_set_ups_a_second_bind(mode: str) -> None:
    bench = bench_of(mode, trunks=[{"name": "t1", "max_channels": 50, "max_cps": 2}])
    bench.log_in(*AGENTS)
    placed_at: list[float] = []
    for _ in range(80):
        before = len(bench.of(act.Originate))
        launched(bench, 0.05)
        placed_at += [bench.now] * (len(bench.of(act.Originate)) - before)
    assert guards(bench)[0] == "cps"
    assert len(placed_at) > 4
    assert all(later - at > 0.9 for at, later in zip(placed_at, placed_at[2:], strict=False)), "any three in a second"


@EVERY_MODE
@pytest.mark.parametrize("order", [ev.LaunchingPaused, ev.DrainOrdered])
def test_a_pause_is_in_force_at_the_next_decision(mode: str, order: type[ev.Event]) -> None:
    bench = bench_of(mode)
    bench.log_in(*AGENTS[:2])
    assert launched(bench, 1.0) > 0
    bench.tell(order, by="eva")
    bench.log_in(*AGENTS[2:])
    assert launched(bench, 5.0) == 0


def change(bench: Bench, **changes: Any) -> int:
    """Change the pacing, and count what the very next decision launches."""
    before = bench.engine._state.decided_at
    bench.tell(ev.PacingChanged, by="eva", **changes)
    came = launched(bench, 0.26)
    assert before < bench.engine._state.decided_at <= bench.now
    return came


def test_lines_per_idle_agent_and_its_bound_change_at_the_next_decision() -> None:
    bench = bench_of("power", lines_per_idle_agent=1.5)
    bench.log_in(*AGENTS[:4])
    assert launched(bench, 1.0) == 6
    assert change(bench, lines_per_idle_agent=2.5) == 4
    assert change(bench, max_lines_per_idle_agent=2.0) == 0
    assert change(bench, lines_per_idle_agent=5.0) == 0
    assert change(bench, max_lines_per_idle_agent=4.0) == 6


def test_the_mode_changes_at_the_next_decision() -> None:
    bench = bench_of("progressive", lines_per_idle_agent=2.0)
    bench.log_in(*AGENTS[:3])
    assert launched(bench, 1.0) == 3
    assert change(bench, mode="power") == 3
    assert change(bench, mode="progressive") == 0
    status = bench.engine.status()
    assert (status.mode, status.policy, status.lines_per_idle_agent) == ("progressive", "progressive-v1", 2.0)


def test_the_target_changes_at_the_next_decision() -> None:
    bench = bench_of("predictive")
    seen: list[float] = []

    class Looking(Power):
        def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:
            seen.append(view.target_abandon_rate)
            return super().lines(view, rng)

    bench.engine._state.policies["predictive"] = Looking()
    bench.log_in("a0")
    launched(bench, 1.0)
    change(bench, target_abandon_rate=0.01)
    assert seen[-1] == 0.01


def test_power_without_a_budget_is_progressive() -> None:
    bench = bench_of("power", lines_per_idle_agent=3.0)
    bench.engine._state.policies["power"] = Power()
    bench.log_in(*AGENTS[:4])
    assert launched(bench, 3.0) == 4
    assert guards(bench) == ["abandon_budget"]


def test_a_change_that_an_older_version_wrote_is_still_read() -> None:
    line = b'{"type":"PacingChanged","at":1.0,"by":"eva","mode":"progressive","max_lines_per_idle_agent":3.0}'
    assert msgspec.json.decode(line, type=ev.AnyEvent) == ev.PacingChanged(
        at=1.0, by="eva", mode="progressive", max_lines_per_idle_agent=3.0
    )
