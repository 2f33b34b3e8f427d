"""Calls and agents together: who is served first, what the policy is shown, what a disposition belongs to."""

from __future__ import annotations

import pytest

from dialer.core import actions as act
from dialer.core import events as ev
from tests.unit.core.bench_engine import Bench


def bridges(actions: list[act.Action]) -> list[tuple[int, str]]:
    return [(a.attempt_id, a.agent_id) for a in actions if isinstance(a, act.Bridge)]


def test_a_call_whose_bridge_failed_is_served_before_those_that_came_later() -> None:
    bench = Bench()
    bench.log_in("ana")
    first, second = bench.dial(2)
    assert bridges(bench.tell(ev.AttemptAnswered, attempt_id=first)) == [(first, "ana")]
    bench.now += 0.2
    assert bridges(bench.tell(ev.AttemptAnswered, attempt_id=second)) == []
    bench.tell(ev.BridgeFailed, attempt_id=first, agent_id="ana", agent_gone=True)
    assert bridges(bench.tell(ev.AgentLoggedIn, agent_id="bruno")) == [(first, "bruno")]


def test_the_view_shows_the_calls_that_wait() -> None:
    bench = Bench()
    bench.log_in("ana")
    calls = bench.dial(3)
    for call in calls:
        bench.tell(ev.AttemptAnswered, attempt_id=call)
    bench.wait(0.26)
    assert (bench.policy.views[-1].waiting, bench.policy.views[-1].idle) == (2, 0)


@pytest.mark.parametrize(("rings", "disposition"), [(True, "NO_ANSWER"), (False, "FAILED")])
def test_silence_of_the_far_side_is_the_person_s_if_it_rang_and_the_carrier_s_if_not(
    rings: bool, disposition: str
) -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    if rings:
        bench.tell(ev.AttemptRinging, attempt_id=attempt)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=18, sip_code=408)
    assert [s.disposition for s in bench.settled] == [disposition]


def test_a_disposition_is_of_the_agent_s_present_call_alone() -> None:
    bench = Bench()
    bench.log_in("ana")
    first, second = bench.dial(2)
    bench.talk(first)
    bench.tell(ev.AttemptDisposed, agent_id="ana", attempt_id=second, disposition="PTP")
    bench.tell(ev.AttemptEnded, attempt_id=first, cause=16)
    bench.tell(ev.AttemptDisposed, agent_id="ana", attempt_id=second, disposition="PTP")
    assert bench.settled == [] and bench.state("ana") == "WRAP_UP"
    bench.tell(ev.AttemptDisposed, agent_id="ana", attempt_id=first, disposition="RPC")
    assert [(s.attempt_id, s.disposition) for s in bench.settled] == [(first, "RPC")]


def test_a_disposition_may_be_set_without_ending_the_wrap_up() -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.talk(attempt)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.tell(ev.AttemptDisposed, agent_id="ana", attempt_id=attempt, disposition="PTP", ends_wrap_up=False)
    assert bench.settled == [] and bench.state("ana") == "WRAP_UP"
    bench.tell(ev.AgentReadied, agent_id="ana")
    assert [s.disposition for s in bench.settled] == ["PTP"] and bench.state("ana") == "IDLE"


@pytest.mark.parametrize("answered", [True, False])
def test_the_answer_table_learns_what_came_of_a_line(answered: bool) -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    before = bench.engine._state.answers.rate
    if answered:
        bench.tell(ev.AttemptAnswered, attempt_id=attempt)
    else:
        bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=17, sip_code=486)
    after = bench.engine._state.answers.rate
    assert (after > before) is answered and after != before
