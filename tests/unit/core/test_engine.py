"""The engine's answers to single stories, told fact by fact."""

from __future__ import annotations

import pytest

from dialer.core import actions as act
from dialer.core import events as ev
from tests.unit.core.bench_engine import NO_RETRY, START, Bench, OpenRules


def test_nothing_is_dialled_before_an_agent_is_there() -> None:
    bench = Bench()
    bench.policy.want = 3
    bench.wait(5.0)
    assert bench.of(act.Reserve) == []


def test_two_phases_reserve_then_originate() -> None:
    bench = Bench()
    bench.log_in("ana")
    bench.policy.want = 2
    (reserve,) = [a for a in bench.wait(0.1) if isinstance(a, act.Reserve)]
    assert len(reserve.claims) == 2 and bench.of(act.Originate) == []
    first, second = (claim.attempt_id for claim in reserve.claims)
    placed = bench.tell(ev.Reserved, attempt_ids=(first,))
    refused = bench.tell(ev.Refused, refusals=(ev.Refusal(attempt_id=second, rule="cap", retry_at=None),))
    assert [a.attempt_id for a in placed if isinstance(a, act.Originate)] == [first]
    assert not [a for a in refused if isinstance(a, act.Originate)]
    assert bench.engine.counters.refusals == {"cap": 1}


def test_facts_within_fifty_milliseconds_make_one_decision() -> None:
    bench = Bench()
    bench.log_in("ana")
    bench.wait(0.02)
    bench.log_in("bruno")
    bench.wait(0.5)
    assert len(bench.policy.views) == 1
    assert bench.policy.views[0].idle == 2


def test_a_conversation_from_answer_to_disposition() -> None:
    bench = Bench()
    bench.log_in("ana", "bruno")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptRinging, attempt_id=attempt)
    assert bench.talk(attempt) == "ana"
    bench.wait(40.0)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="2")
    assert bench.settled == []
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    assert bench.state("ana") == "WRAP_UP"
    bench.wait(5.0)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="2")
    (settled,) = bench.settled
    assert (settled.disposition, settled.agent_id, settled.progress.status) == ("PTP", "ana", "finished")
    assert bench.state("ana") == "IDLE"
    assert bench.engine.counters.promises == 1
    assert bench.policy.learned == ["answered", "handled"]


def test_the_wrap_up_limit_settles_what_the_agent_left_open() -> None:
    bench = Bench(wrap_up_limit_s=10)
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.talk(attempt)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.wait(9.9)
    assert bench.settled == []
    bench.wait(0.2)
    assert [s.disposition for s in bench.settled] == ["UNDISPOSED"]
    assert bench.state("ana") == "IDLE"


@pytest.mark.parametrize(
    ("cause", "sip_code", "rang", "expected"),
    [
        (17, 486, False, "BUSY"),
        (19, 480, True, "NO_ANSWER"),
        (1, 404, False, "INVALID_NUMBER"),
        (34, 503, False, "CONGESTION"),
        (21, 603, True, "BUSY"),
        (18, 408, False, "FAILED"),
        (0, None, False, "UNKNOWN"),
    ],
)
def test_unanswered_ends(cause: int, sip_code: int | None, rang: bool, expected: str) -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    if rang:
        bench.tell(ev.AttemptRinging, attempt_id=attempt)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=cause, sip_code=sip_code)
    assert [s.disposition for s in bench.settled] == [expected]
    assert bench.policy.learned == ["not_answered"]


def test_an_answer_without_an_agent_is_abandoned_when_the_switch_says_so() -> None:
    bench = Bench()
    bench.log_in("ana")
    first, second = bench.dial(2)
    bench.talk(first)
    assert not [a for a in bench.tell(ev.AttemptAnswered, attempt_id=second) if isinstance(a, act.Bridge)]
    bench.wait(1.9)
    bench.tell(ev.AttemptAbandoned, attempt_id=second)
    bench.tell(ev.AttemptEnded, attempt_id=second, cause=16)
    assert [s.disposition for s in bench.settled] == ["ABANDONED"]
    counters = bench.engine.counters
    assert (counters.live_answers, counters.abandoned, counters.abandon_rate) == (2, 1, 0.5)
    assert bench.policy.learned.count("abandoned") == 1


def test_one_who_hangs_up_on_silence_is_abandoned_too() -> None:
    bench = Bench()
    bench.log_in("ana")
    first, second = bench.dial(2)
    bench.talk(first)
    bench.tell(ev.AttemptAnswered, attempt_id=second)
    bench.tell(ev.AttemptEnded, attempt_id=second, cause=16)
    assert [s.disposition for s in bench.settled] == ["ABANDONED"]


def test_a_waiting_call_gets_the_agent_who_comes_free_within_the_deadline() -> None:
    bench = Bench()
    bench.log_in("ana")
    first, second = bench.dial(2)
    bench.talk(first)
    bench.tell(ev.AttemptAnswered, attempt_id=second)
    bench.tell(ev.AttemptEnded, attempt_id=first, cause=16)
    bench.wait(1.0)
    actions = bench.tell(ev.AgentKeyed, agent_id="ana", key="1")
    assert [(a.attempt_id, a.agent_id) for a in actions if isinstance(a, act.Bridge)] == [(second, "ana")]


def test_a_failed_bridge_goes_to_the_next_agent_and_never_back_to_the_lost_leg() -> None:
    bench = Bench()
    bench.log_in("ana", "bruno")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptAnswered, attempt_id=attempt)
    actions = bench.tell(ev.BridgeFailed, attempt_id=attempt, agent_id="ana", agent_gone=True)
    assert [(a.attempt_id, a.agent_id) for a in actions if isinstance(a, act.Bridge)] == [(attempt, "bruno")]
    assert bench.state("ana") == "PAUSED"


def test_an_agent_s_leg_that_drops_while_reserved_gives_the_call_to_the_next() -> None:
    bench = Bench()
    bench.log_in("ana", "bruno")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptAnswered, attempt_id=attempt)
    actions = bench.tell(ev.AgentLoggedOut, agent_id="ana")
    assert [a.agent_id for a in actions if isinstance(a, act.Bridge)] == ["bruno"]
    bench.tell(ev.AttemptBridged, attempt_id=attempt, agent_id="bruno")
    assert (bench.state("ana"), bench.state("bruno")) == ("OFFLINE", "ON_CALL")


def test_a_leg_that_drops_in_a_call_leaves_the_disposition_open_and_no_agent_behind() -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.talk(attempt)
    bench.tell(ev.AgentLoggedOut, agent_id="ana")
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    assert [s.disposition for s in bench.settled] == ["UNDISPOSED"]
    assert bench.engine.live_attempts == 0


def test_the_bridge_that_races_with_the_message_counts_once_and_keeps_its_agent() -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptAnswered, attempt_id=attempt)
    bench.tell(ev.AttemptAbandoned, attempt_id=attempt)
    bench.tell(ev.AttemptBridged, attempt_id=attempt, agent_id="ana")
    assert (bench.state("ana"), bench.engine.counters.abandoned) == ("ON_CALL", 1)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="1")
    assert [s.disposition for s in bench.settled] == ["RPC"]


def test_detection_of_machines_keeps_them_from_the_agents() -> None:
    bench = Bench(amd=True)
    bench.log_in("ana", "bruno")
    machine, human = bench.dial(2)
    for attempt in (machine, human):
        assert not [a for a in bench.tell(ev.AttemptAnswered, attempt_id=attempt) if isinstance(a, act.Bridge)]
    bench.wait(1.5)
    bench.tell(ev.AttemptScreened, attempt_id=machine, verdict="machine")
    bench.tell(ev.AttemptEnded, attempt_id=machine, cause=16)
    actions = bench.tell(ev.AttemptScreened, attempt_id=human, verdict="human")
    assert [a.attempt_id for a in actions if isinstance(a, act.Bridge)] == [human]
    assert [s.disposition for s in bench.settled] == ["MACHINE"]
    assert bench.engine.counters.live_answers == 1


def test_a_person_lost_while_detection_listens_is_an_abandoned_call() -> None:
    bench = Bench(amd=True)
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptAnswered, attempt_id=attempt)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    assert (bench.engine.counters.live_answers, bench.engine.counters.abandoned) == (1, 1)


def test_a_window_that_closes_between_reservation_and_call_forbids_the_call() -> None:
    bench = Bench(rules=OpenRules(until=START + 2.0))
    bench.log_in("ana")
    bench.policy.want = 1
    (reserve,) = [a for a in bench.wait(1.0) if isinstance(a, act.Reserve)]
    bench.now = START + 2.0
    bench.tell(ev.Reserved, attempt_ids=(reserve.claims[0].attempt_id,))
    assert bench.of(act.Originate) == []
    assert [s.disposition for s in bench.settled] == ["CANCELLED"]


def test_a_reservation_whose_answer_was_lost_is_settled_as_unknown_and_not_dialled() -> None:
    bench = Bench()
    bench.log_in("ana")
    bench.policy.want = 1
    (reserve,) = [a for a in bench.wait(1.0) if isinstance(a, act.Reserve)]
    bench.tell(ev.StoreStalled, reason="test")
    bench.tell(ev.ReservationLost, attempt_ids=(reserve.claims[0].attempt_id,))
    bench.policy.want = 1
    bench.wait(5.0)
    assert [s.disposition for s in bench.settled] == ["UNKNOWN"]
    assert bench.of(act.Originate) == [] and len(bench.of(act.Reserve)) == 1
    bench.tell(ev.StoreRecovered)
    assert len(bench.dial()) == 1


def test_while_the_link_is_down_nothing_is_launched() -> None:
    bench = Bench()
    bench.log_in("ana")
    bench.tell(ev.LinkDropped, reason="test")
    assert bench.dial() == []
    bench.tell(ev.LinkUp)
    assert len(bench.dial()) == 1


@pytest.mark.parametrize("key", ["lead:L0", "number:+51999000000", "person:PL0"])
def test_a_stop_hangs_up_what_rings_and_leaves_what_talks(key: str) -> None:
    bench = Bench(leads=1)
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptRinging, attempt_id=attempt)
    actions = bench.tell(ev.LeadStopped, key=key, reason="paid")
    assert [a.attempt_id for a in actions if isinstance(a, act.HangUp)] == [attempt]
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    assert [s.disposition for s in bench.settled] == ["CANCELLED"]


def test_a_stop_reaches_a_claim_that_is_under_way() -> None:
    bench = Bench(leads=1)
    bench.log_in("ana")
    bench.policy.want = 1
    (reserve,) = [a for a in bench.wait(1.0) if isinstance(a, act.Reserve)]
    bench.tell(ev.LeadStopped, key="lead:L0", reason="paid")
    bench.tell(ev.Reserved, attempt_ids=(reserve.claims[0].attempt_id,))
    assert bench.of(act.Originate) == []


@pytest.mark.parametrize(("key", "reason"), [("6", "paid"), ("7", "disputed"), ("9", "do_not_call")])
def test_what_a_person_says_stops_them_everywhere(key: str, reason: str) -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.talk(attempt)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key=key)
    (settled,) = bench.settled
    assert (settled.stop_reason, settled.progress.status) == (reason, "stopped")
    debt = () if reason == "do_not_call" else ("debt:DL0",)
    assert settled.stop_keys == ("lead:L0", "number:+51999000000", "person:PL0", *debt)


def test_draining_lets_calls_finish_and_then_ends() -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.talk(attempt)
    bench.tell(ev.DrainOrdered, by="ops")
    assert bench.dial() == [] and bench.of(act.EndCampaign) == []
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="1")
    assert [a.reason for a in bench.of(act.EndCampaign)] == ["drained"]  # type: ignore[attr-defined]


def test_a_stop_order_hangs_up_everything_and_ends() -> None:
    bench = Bench()
    bench.log_in("ana")
    first, second = bench.dial(2)
    bench.talk(first)
    actions = bench.tell(ev.StopOrdered, by="ops")
    assert {a.attempt_id for a in actions if isinstance(a, act.HangUp)} == {first, second}
    bench.tell(ev.AttemptEnded, attempt_id=second, cause=16)
    bench.tell(ev.AttemptEnded, attempt_id=first, cause=16)
    bench.wait(60.0)
    assert sorted(s.disposition for s in bench.settled) == ["CANCELLED", "UNDISPOSED"]
    assert len(bench.of(act.EndCampaign)) == 1


def test_the_campaign_ends_when_its_list_is_finished() -> None:
    bench = Bench(leads=1, retry=NO_RETRY)
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=17, sip_code=486)
    bench.wait(70.0)
    assert [a.reason for a in bench.of(act.EndCampaign)] == ["list finished"]  # type: ignore[attr-defined]
    assert bench.engine.next_timer_at is None


def test_a_call_that_the_switch_forgot_is_hung_up_and_then_given_up_as_unknown() -> None:
    bench = Bench(ring_timeout_s=20)
    bench.log_in("ana")
    (attempt,) = bench.dial()
    hung_up = [a for a in bench.wait(40.1) if isinstance(a, act.HangUp)]
    assert [a.attempt_id for a in hung_up] == [attempt]
    bench.wait(20.0)
    assert [s.disposition for s in bench.settled] == ["UNKNOWN"]
    assert bench.engine.live_attempts == 0


def test_facts_about_ended_attempts_change_nothing() -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=17, sip_code=486)
    for kind in (ev.AttemptRinging, ev.AttemptAnswered, ev.AttemptAbandoned):
        assert bench.tell(kind, attempt_id=attempt) == []
    assert bench.engine.counters.late_events == 3


def inherited(bench: Bench, attempt_id: int = 99) -> None:
    claim = act.Claim(
        attempt_id=attempt_id,
        lead_id="L0",
        number="+51999000000",
        at=START - 60.0,
        stop_keys=("lead:L0",),
        fact_keys=("person:PL0",),
        caps=(),
    )
    bench.tell(ev.LinkDropped, reason="not yet connected")
    bench.tell(ev.AttemptsInherited, claims=(claim,))


def test_claims_of_an_earlier_run_are_settled_as_unknown_once_the_switch_is_heard_and_rest() -> None:
    bench = Bench(leads=1)
    inherited(bench)
    assert bench.settled == []
    bench.tell(ev.LinkUp)
    (settled,) = bench.settled
    assert (settled.attempt_id, settled.disposition, settled.originated_at) == (99, "UNKNOWN", None)
    bench.log_in("ana")
    assert bench.dial() == []
    bench.policy.want = 0
    bench.wait(4 * 3600.0)
    assert len(bench.dial()) == 1


def test_a_call_that_outlived_its_engine_goes_on_and_is_disposed_by_its_agent() -> None:
    bench = Bench(leads=1)
    inherited(bench)
    bench.log_in("ana")
    bench.tell(ev.AttemptSurvived, attempt_id=99, agent_id="ana")
    bench.tell(ev.LinkUp)
    assert (bench.state("ana"), bench.settled) == ("ON_CALL", [])
    bench.wait(30.0)
    bench.tell(ev.AttemptEnded, attempt_id=99, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="2")
    (settled,) = bench.settled
    assert (settled.disposition, settled.agent_id) == ("PTP", "ana")
    assert bench.state("ana") == "IDLE"
    assert "handled" not in bench.policy.learned  # nobody here knows when that call began


def test_what_was_learned_and_counted_is_kept_every_minute_and_recalled() -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.talk(attempt)
    saved = [a.learned for a in bench.wait(60.0) if isinstance(a, act.SaveLearned)]
    assert len(saved) == 1 and saved[0].counters["live_answers"] == 1
    other = Bench()
    other.now = saved[0].at
    other.tell(ev.StateRecalled, learned=saved[0])
    assert other.engine.counters.live_answers == 1
    assert other.policy.learned == ["answered"]
    assert other.engine.learned().answers == saved[0].answers


def test_state_from_the_future_is_another_clock_s_and_left_alone() -> None:
    bench = Bench()
    bench.tell(ev.StateRecalled, learned=act.Learned(at=START + 1, policies={}, answers={}, counters={"attempts": 9}))
    assert bench.engine.counters.attempts == 0


def test_live_pacing_is_in_force_at_the_next_decision() -> None:
    bench = Bench()
    bench.log_in("ana")
    bench.wait(1.0)
    bench.tell(ev.PacingChanged, by="eva", target_abandon_rate=0.01, max_lines_per_idle_agent=2.0)
    bench.wait(0.11)
    view = bench.policy.views[-1]
    assert (view.target_abandon_rate, view.max_lines_per_idle_agent) == (0.01, 2.0)
    bench.tell(ev.PacingChanged, by="eva", mode="progressive")
    asked = len(bench.policy.views)
    bench.wait(2.0)
    assert len(bench.policy.views) == asked and bench.progressive.views
    status = bench.engine.status()
    assert (status.mode, status.policy, status.target_abandon_rate) == ("progressive", "told-progressive-v1", 0.01)


def test_every_policy_learns_whichever_is_in_force() -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.talk(attempt)
    assert bench.progressive.learned == bench.policy.learned == ["answered"]


def test_a_paused_campaign_launches_nothing_and_lets_calls_go_on() -> None:
    bench = Bench()
    bench.log_in("ana", "bruno")
    (attempt,) = bench.dial()
    bench.tell(ev.LaunchingPaused, by="eva")
    assert bench.dial() == []
    assert bench.talk(attempt) == "ana"
    bench.tell(ev.LaunchingResumed, by="eva")
    assert len(bench.dial()) == 1


@pytest.mark.parametrize("busy", [False, True])
def test_a_supervisor_logs_an_agent_out_now_or_after_the_call(busy: bool) -> None:
    bench = Bench()
    bench.log_in("ana")
    if busy:
        (attempt,) = bench.dial()
        bench.talk(attempt)
    ordered = bench.tell(ev.AgentLogoutOrdered, agent_id="ana", by="eva")
    assert [isinstance(a, act.LogOut) for a in ordered] == ([] if busy else [True])
    if busy:
        bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
        actions = bench.tell(ev.AgentKeyed, agent_id="ana", key="1")
        assert [a.agent_id for a in actions if isinstance(a, act.LogOut)] == ["ana"]
    assert bench.dial() == []
    bench.tell(ev.AgentLoggedOut, agent_id="ana")
    bench.log_in("ana")
    assert bench.state("ana") == "IDLE"


def test_the_stop_of_everything_hangs_up_what_rings_and_ends_the_campaign() -> None:
    bench = Bench()
    bench.log_in("ana")
    talking, ringing = bench.dial(2)
    bench.talk(talking)
    actions = bench.tell(ev.LeadStopped, key="everything", reason="emergency")
    assert [a.attempt_id for a in actions if isinstance(a, act.HangUp)] == [ringing]
    bench.tell(ev.AttemptEnded, attempt_id=ringing, cause=16)
    assert bench.dial() == []
    bench.tell(ev.AttemptEnded, attempt_id=talking, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="1")
    assert len(bench.of(act.EndCampaign)) == 1


def test_trunk_channels_bound_what_is_launched() -> None:
    bench = Bench(leads=9, trunks=[{"name": "t1", "max_channels": 3, "max_cps": 100}])
    bench.log_in("ana")
    assert len(bench.dial(8)) == 3
    assert "channels" in [decision.guard for _, decision in bench.engine.status().decisions]


def test_the_view_shows_lines_in_flight_and_the_agents_who_will_leave() -> None:
    bench = Bench()
    bench.log_in("ana", "bruno")
    first, _ = bench.dial(2)
    bench.talk(first)
    bench.tell(ev.AgentPaused, agent_id="ana", reason="lunch")
    bench.wait(1.0)
    view = bench.policy.views[-1]
    assert (view.idle, len(view.handling_since), view.talking, len(view.ringing_since)) == (1, 1, 1, 1)
    assert view.leaves_at <= view.now
    assert ((view.answer_probability > 0) & (view.answer_probability < 1)).all()


def test_a_surviving_call_of_somebody_who_is_not_on_the_floor_is_settled_with_the_name_that_the_switch_gave() -> None:
    bench = Bench()
    inherited(bench)
    bench.tell(ev.AttemptSurvived, attempt_id=99, agent_id="nobody")
    bench.tell(ev.LinkUp)
    bench.tell(ev.AttemptEnded, attempt_id=99, cause=16)
    assert [(s.attempt_id, s.agent_id, s.disposition) for s in bench.settled] == [(99, "nobody", "UNDISPOSED")]
