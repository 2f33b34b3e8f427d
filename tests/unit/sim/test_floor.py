"""Agents' days: drawn as the scenario says, and played without ever breaking off a call."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import events as ev
from sim.clock import VirtualClock, wake_of
from sim.conversations import DEFAULT_CONVERSATIONS, RATED
from sim.floor import AgentDay, Break, SimulatedFloor, agent_days, promise_gain
from sim.scenario import Scenario
from tests.unit.sim.scenes import fixed, scenario


def of(floor: dict[str, Any], **more: Any) -> tuple[Scenario, tuple[AgentDay, ...]]:
    made = scenario(floor={"agents": 40, **floor}, **more)
    return made, agent_days(made, 5)


def test_without_habits_everybody_is_there_from_begin_to_end() -> None:
    made, days = of({})
    assert [day.agent_id for day in days] == [agent.id for agent in made.campaign.agents]
    assert {(day.log_in_at, day.log_out_at, day.breaks) for day in days} == {(made.start_at, None, ())}


def test_shifts_and_kinds_have_their_shares_and_are_not_bound_together() -> None:
    made, days = of(
        {
            "shifts": [
                {"share": 0.75, "begin": "10:00", "end": "14:00"},
                {"share": 0.25, "begin": "2h"},
            ],
            "kinds": [
                {"name": "usual", "share": 1},
                {"name": "new", "share": 1, "skill": 0.5, "handle_factor": 1.5},
            ],
        }
    )
    start = made.start_at
    shifts = Counter((day.log_in_at - start, day.log_out_at and day.log_out_at - start) for day in days)
    assert shifts.keys() == {(0.0, 4 * 3600.0), (7200.0, None)}
    assert shifts[7200.0, None] == pytest.approx(10, abs=1)
    new = [day for day in days if day.skill == 0.5]
    assert len(new) == pytest.approx(20, abs=2) and {day.handle_factor for day in new} == {1.5}
    assert sum(day.log_out_at is None for day in new) == pytest.approx(5, abs=2)


def test_a_shift_that_began_before_the_start_is_under_way() -> None:
    made, days = of({"shifts": [{"begin": "08:00", "end": "12:00"}]})
    assert {day.log_in_at for day in days} == {made.start_at}


def test_more_agents_change_nothing_for_those_before() -> None:
    habits = {"break_every_s": 3600, "kinds": [{"name": "a", "share": 2}, {"name": "b", "share": 1, "skill": 2}]}
    assert of({**habits, "agents": 60})[1][:40] == of(habits)[1]


@given(st.integers(0, 2**32))
def test_breaks_lie_within_the_shift_in_order_and_apart(seed: int) -> None:
    made = scenario(
        floor={
            "agents": 3,
            "shifts": [{"begin": "1h", "end": "7h"}],
            "breaks": [
                {"at": "13:00", "length_s": fixed(1800), "name": "lunch"},
                {"at": "13:20", "length_s": fixed(600)},
                {"at": 0},
            ],
            "break_every_s": "90m",
        }
    )
    for day in agent_days(made, seed):
        begin, end = made.start_at + 3600.0, made.start_at + 7 * 3600.0
        assert all(begin < taken.at < end for taken in day.breaks)
        assert all(b.at >= a.at + a.length_s for a, b in pairwise(day.breaks))
        assert 1 <= len(day.breaks) <= 8


# ---- played -------------------------------------------------------------------------------------------------
class Played:
    """One agent's day from the clock's zero on."""

    def __init__(self, **day: Any) -> None:
        self.clock = VirtualClock(0.0)
        self.events: list[ev.Event] = []
        made = AgentDay(agent_id="ana", log_in_at=day.pop("log_in_at", 0.0), **day)
        self.floor = SimulatedFloor([made], DEFAULT_CONVERSATIONS, seed=1, clock=self.clock, wake=wake_of(self.clock))
        self.floor.begin(self.events.append)

    def until(self, at: float) -> None:
        while (due := self.clock.next_at) is not None and due <= at:
            self.clock.advance()
        self.clock.call_at(at, lambda: None)
        self.clock.advance()

    @property
    def told(self) -> list[tuple[str, float]]:
        return [(type(event).__name__, event.at) for event in self.events]


LUNCH = (Break(at=100.0, length_s=50.0, reason="lunch"),)


def test_a_break_begins_and_ends_at_its_time() -> None:
    played = Played(breaks=LUNCH, log_in_at=10.0, log_out_at=400.0)
    assert played.told == []
    played.until(1000.0)
    assert played.told[:2] == [("AgentLoggedIn", 10.0), ("AgentPaused", 100.0)]
    assert played.told[2:] == [("AgentReadied", 150.0), ("AgentLoggedOut", 400.0)]
    assert played.events[1].reason == "lunch"  # type: ignore[attr-defined]


def test_a_break_in_a_call_is_asked_for_at_its_time_and_taken_after_the_wrap_up() -> None:
    played = Played(breaks=LUNCH)
    played.until(90.0)
    played.floor.take_call("ana", 7)
    played.until(130.0)
    played.floor.dispose("ana", 7, "RPC")
    played.until(500.0)
    assert played.told[1:] == [("AgentPaused", 100.0), ("AttemptDisposed", 130.0), ("AgentReadied", 180.0)]


def test_a_call_that_was_promised_as_the_break_began_is_the_last_before_it() -> None:
    played = Played(breaks=LUNCH)
    played.until(100.0)
    played.floor.take_call("ana", 7)
    played.until(300.0)
    played.floor.dispose("ana", 7, "RPC")
    played.until(500.0)
    assert played.told[1:] == [("AgentPaused", 100.0), ("AttemptDisposed", 300.0), ("AgentReadied", 305.0)]


def test_the_shift_s_end_waits_for_the_call_and_takes_no_other() -> None:
    played = Played(log_out_at=200.0, breaks=(Break(at=210.0, length_s=10.0),))
    played.until(190.0)
    played.floor.take_call("ana", 7)
    played.until(250.0)
    played.floor.dispose("ana", 7, "RPC")
    played.until(500.0)
    assert played.told[1:] == [("AgentPaused", 200.0), ("AttemptDisposed", 250.0), ("AgentLoggedOut", 250.0)]
    assert not played.floor.is_here("ana")


def test_a_late_report_does_not_free_an_agent_who_has_another_call() -> None:
    played = Played(log_out_at=200.0)
    played.floor.take_call("ana", 7)
    played.floor.take_call("ana", 8)
    played.floor.dispose("ana", 7, "RPC")
    played.until(250.0)
    assert played.floor.is_here("ana")
    played.floor.dispose("ana", 8, "RPC")
    assert not played.floor.is_here("ana")


def test_an_agent_who_was_logged_out_takes_no_break_and_does_not_come_back() -> None:
    played = Played(breaks=LUNCH, log_out_at=400.0)
    played.until(120.0)
    played.floor.log_out("ana")
    played.floor.log_out("ana")
    played.floor.log_out("nobody")
    played.until(1000.0)
    assert [name for name, _ in played.told] == ["AgentLoggedIn", "AgentPaused", "AgentLoggedOut"]


def test_a_shift_that_is_over_never_begins() -> None:
    played = Played(log_in_at=-100.0, log_out_at=-50.0)
    played.until(100.0)
    assert played.told == []


@pytest.mark.parametrize("skill", [0.0, 0.5, 1.0, 1.4, 5.0])
def test_skill_multiplies_the_promise_rate(skill: float) -> None:
    promised = DEFAULT_CONVERSATIONS["PTP"].rate or 0.0
    plain = 1.0 - sum(DEFAULT_CONVERSATIONS[name].rate or 0.0 for name in RATED)
    kept, won = promise_gain(DEFAULT_CONVERSATIONS, skill)
    assert promised * kept + plain * won == pytest.approx(min(promised * skill, promised + plain))
    day = AgentDay(agent_id="ana", log_in_at=0.0, skill=skill)
    clock = VirtualClock(0.0)
    floor = SimulatedFloor([day], DEFAULT_CONVERSATIONS, seed=1, clock=clock, wake=wake_of(clock))
    for usual, rate in (("PTP", kept), ("RPC", won), ("REFUSED", 0.0)):
        made = [floor.disposition("ana", usual, subject, 0) for subject in range(3000)]
        assert made.count("PTP") / 3000 == pytest.approx(rate, abs=0.03)
        assert set(made) <= {"PTP", "RPC", usual}


def test_scheduled_breaks_and_the_shift_s_end_are_announced_one_after_the_other() -> None:
    coffee = Break(at=100.0, length_s=5.0, reason="coffee", announced=True)
    whim = Break(at=150.0, length_s=5.0)
    lunch = Break(at=200.0, length_s=50.0, reason="lunch", announced=True)
    played = Played(breaks=(coffee, whim, lunch), log_out_at=260.0, announced_s=120.0)
    played.until(300.0)
    told = [(e.at, e.leaves_at, e.reason) for e in played.events if isinstance(e, ev.AgentLeaveAnnounced)]
    assert told == [(0.0, 100.0, "coffee"), (100.0, 200.0, "lunch"), (200.0, 260.0, "end of the shift")]
    assert [at for kind, at in played.told if kind == "AgentPaused"] == [100.0, 150.0, 200.0]


def test_only_scheduled_breaks_are_announced_and_only_where_the_scenario_says_so() -> None:
    habits: dict[str, Any] = {"breaks": [{"at": "2h"}], "break_every_s": 3600}
    _, days = of({**habits, "announce": "5m"})
    assert {day.announced_s for day in days} == {300.0}
    assert {sum(taken.announced for taken in day.breaks) for day in days} <= {0, 1}
    assert sum(taken.announced for day in days for taken in day.breaks) > 20
    assert {day.announced_s for day in of(habits)[1]} == {0.0}
