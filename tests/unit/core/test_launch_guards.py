"""What keeps a launched line from being dialled, and what a launch may never exceed."""

from __future__ import annotations

import msgspec
import pytest

from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.lead import LeadProgress
from dialer.core.timers import COARSE_S
from tests.unit.core.bench_engine import START, Bench, OpenRules, lead_of


def launch(bench: Bench, count: int) -> list[int]:
    """Ask for lines, and leave the store's answer open; returns the attempts' ids."""
    bench.policy.want = count
    return [c.attempt_id for a in bench.wait(1.1) if isinstance(a, act.Reserve) for c in a.claims]


OBSTACLES = {
    "link": (ev.LinkDropped, {"reason": "test"}),
    "store": (ev.StoreStalled, {"reason": "test"}),
    "pause": (ev.LaunchingPaused, {"by": "eva"}),
    "drain": (ev.DrainOrdered, {"by": "eva"}),
    "stop": (ev.StopOrdered, {"by": "eva"}),
    "lead stopped": (ev.LeadStopped, {"key": "lead:L0", "reason": "paid"}),
    "number stopped": (ev.LeadStopped, {"key": "number:+51999000000", "reason": "paid"}),
    "person stopped": (ev.LeadStopped, {"key": "person:PL0", "reason": "paid"}),
    "everything": (ev.LeadStopped, {"key": "everything", "reason": "emergency"}),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_what_came_between_the_reservation_and_its_answer_forbids_the_call(name: str) -> None:
    kind, facts = OBSTACLES[name]
    bench = Bench(leads=1)
    bench.log_in("ana")
    (attempt,) = launch(bench, 1)
    bench.tell(kind, **facts)
    bench.tell(ev.Reserved, attempt_ids=(attempt,))
    bench.wait(2.0)
    assert bench.of(act.Originate) == [] and bench.of(act.HangUp) == []
    assert [(s.attempt_id, s.disposition, s.originated_at) for s in bench.settled] == [(attempt, "CANCELLED", None)]
    assert bench.engine._state.desk.loads.free_channels == 50, "its channel is free again"


@pytest.mark.parametrize("name", ["link", "store", "pause", "drain", "everything"])
def test_nothing_new_is_launched_meanwhile(name: str) -> None:
    kind, facts = OBSTACLES[name]
    bench = Bench(leads=9)
    bench.log_in("ana")
    (talking,) = bench.dial()
    bench.talk(talking)
    bench.tell(kind, **facts)
    assert launch(bench, 2) == []


@pytest.mark.parametrize("when", ["in the call", "after it"])
def test_other_accounts_of_a_person_who_forbids_calls_stop_ringing(when: str) -> None:
    bench = Bench(leads=0)
    leads = tuple(msgspec.structs.replace(lead_of(f"L{i}"), person="Rosa" if i < 2 else "Juan") for i in range(3))
    bench.tell(ev.LeadsAdded, leads=leads, progress=tuple(LeadProgress(lead_id=lead.lead_id) for lead in leads))
    bench.log_in("ana")
    talking, same_person, somebody_else = bench.dial(3)
    bench.talk(talking)
    if when == "after it":
        bench.tell(ev.AttemptEnded, attempt_id=talking, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="9")
    assert {a.attempt_id for a in bench.of(act.HangUp)} == {same_person} != {somebody_else}


@pytest.mark.parametrize(("free", "asked"), [(3, 3), (3, 4), (3, 5), (1, 9)])
def test_a_launch_takes_as_many_lines_as_there_are_channels_and_never_one_more(free: int, asked: int) -> None:
    bench = Bench(leads=20, trunks=[{"name": "t1", "max_channels": free, "max_cps": 100}])
    bench.log_in("ana")
    assert len(launch(bench, asked)) == free
    (decision,) = [decision for _, decision in bench.engine.status().decisions if decision.launched]
    assert (decision.wanted, decision.launched) == (asked, free)
    assert decision.guard == ("channels" if asked > free else "none")


def test_a_launch_never_exceeds_the_switch_s_own_limit() -> None:
    bench = Bench(leads=20, asterisk={"max_calls": 3})
    bench.log_in("ana")
    assert len(bench.dial(2)) == 2
    assert len(bench.dial(2)) == 1


def test_a_batch_has_a_hundred_claims_at_most() -> None:
    bench = Bench(leads=230, trunks=[{"name": "t1", "max_channels": 300, "max_cps": 300}])
    bench.log_in("ana")
    assert len(launch(bench, 230)) == 230
    sizes = [len(action.claims) for action in bench.of(act.Reserve)]
    assert sizes == [100, 100, 30]


def test_attempt_ids_of_two_runs_never_meet() -> None:
    ids = []
    for run in (1, 2, 3):
        bench = Bench(leads=50, run=run)
        bench.log_in("ana")
        bench.wait(1.0)  # a run takes the limits of the one before to be used up
        ids.append(set(bench.dial(40)))
    assert all(len(made) == 40 for made in ids)
    assert len(set().union(*ids)) == 120 and max(ids[0]) < min(ids[1])


def test_a_call_that_nobody_takes_and_no_switch_ends_is_hung_up_after_a_minute_and_then_given_up() -> None:
    bench = Bench()
    bench.log_in("ana")
    first, second = bench.dial(2)
    bench.talk(first)
    bench.wait(10.0)
    bench.tell(ev.AttemptAnswered, attempt_id=second)
    assert [a for a in bench.wait(59.9) if isinstance(a, act.HangUp)] == []
    assert [a.attempt_id for a in bench.wait(0.1 + COARSE_S) if isinstance(a, act.HangUp)] == [second]
    bench.wait(20.0)
    assert [s.attempt_id for s in bench.settled] == [second]


def test_a_lead_that_an_earlier_run_may_have_dialled_is_not_dialled_beside_it() -> None:
    bench = Bench(leads=1)
    bench.log_in("ana")
    claim = act.Claim(
        attempt_id=9, lead_id="L0", number="+51999000000", at=bench.now, stop_keys=(), fact_keys=(), caps=()
    )
    bench.tell(ev.AttemptsInherited, claims=(claim,))
    assert launch(bench, 1) == []
    bench.tell(ev.AttemptSurvived, attempt_id=9, agent_id="ana")
    bench.tell(ev.AgentLoggedIn, agent_id="bruno")
    assert launch(bench, 1) == []


def test_a_finished_list_does_not_end_the_campaign_while_a_call_lives() -> None:
    bench = Bench(leads=1)
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.talk(attempt)
    bench.wait(200.0)
    assert not bench.engine.ended
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="2")
    bench.wait(61.0)
    assert bench.engine.ended


def test_a_stop_order_reaches_conversations_too() -> None:
    bench = Bench()
    bench.log_in("ana")
    talking, ringing = bench.dial(2)
    bench.talk(talking)
    actions = bench.tell(ev.StopOrdered, by="eva")
    assert {a.attempt_id for a in actions if isinstance(a, act.HangUp)} == {talking, ringing}
    assert not bench.engine.ended


def test_a_closed_window_is_noted_with_the_rule_that_closes_it() -> None:
    bench = Bench(leads=2, rules=OpenRules(until=START + 10.0))
    bench.log_in("ana")
    bench.wait(30.0)
    decisions = [action.decision for action in bench.of(act.NoteDecision)]  # type: ignore[attr-defined]
    assert [(d.guard, d.rule) for d in decisions if d.guard == "window"] == [("window", "hours")]
    assert all(not d.rule for d in decisions if d.guard != "window")
