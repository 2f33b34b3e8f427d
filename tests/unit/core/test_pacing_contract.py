"""What a policy is shown and told, what its second action does, and what becomes of a policy that fails."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, nan

import msgspec
import numpy as np
import pytest

from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.engine import Engine
from dialer.core.lead import LeadProgress
from dialer.core.pacers import FAULTS_IN_ROW
from dialer.core.snapshot import Snapshot
from pacing.consistency import check_view
from pacing.priced import Priced
from pacing.progressive import Progressive
from tests.unit.core.bench_engine import START, Bench, OpenRules, ToldPolicy, campaign_of, lead_of

PRODUCTS = ("card", "", "loan", "card", "car", "home", "boat", "toys", "gold", "late")


def bench_of_products(**changes: object) -> Bench:
    bench = Bench(leads=0, **changes)  # type: ignore[arg-type]
    leads = tuple(lead_of(f"L{index}", product=product) for index, product in enumerate(PRODUCTS))
    bench.tell(ev.LeadsAdded, leads=leads, progress=tuple(LeadProgress(lead_id=lead.lead_id) for lead in leads))
    return bench


def hang_ups(actions: list[act.Action]) -> list[int]:
    return [action.attempt_id for action in actions if isinstance(action, act.HangUp)]


def alerts(bench: Bench) -> list[str]:
    return [action.text for action in bench.done if isinstance(action, act.Alert)]


# ---- what it is shown ---------------------------------------------------------------------------------------
def test_the_view_has_a_row_for_each_line_and_each_busy_agent() -> None:
    bench = bench_of_products()
    bench.log_in("ana", "bruno")
    calls = bench.dial(4)
    launched_at = bench.now
    bench.wait(3.0)
    bench.tell(ev.AttemptRinging, attempt_id=calls[1])
    bench.wait(2.0)
    bench.tell(ev.AttemptRinging, attempt_id=calls[1])  # said twice: the first counts
    bench.talk(calls[2])
    bench.wait(1.0)
    view = bench.policy.views[-1]
    check_view(view)
    rows = {row: tuple(values) for *values, row in zip(view.rung_since, view.line_segment, range(9), strict=False)}
    owners = [attempt.attempt_id for attempt in bench.engine._state.lines.owners]
    assert {owners[row]: values for row, values in rows.items()} == {
        calls[0]: (inf, 1.0),
        calls[1]: (launched_at + 3.0, 0.0),
        calls[3]: (inf, 1.0),
    }
    assert (view.launched, view.talking, view.idle, [*view.handling_segment], view.next_segment) == (4, 1, 1, [2.0], 3)
    assert (view.ringing_since == launched_at).all() and [*view.leaves_at] == [inf]
    assert view.hang_up_after_ring_s == 15.0 and view.idle_leaves_at.size == 0


def test_the_first_seven_products_are_learned_apart_and_keep_their_numbers_in_the_next_run() -> None:
    bench = bench_of_products()
    expected = {"card": 1, "loan": 2, "car": 3, "home": 4, "boat": 5, "toys": 6, "gold": 7}
    assert bench.engine._state.segments == expected
    saved = bench.engine.learned()
    after = Bench(leads=0)
    after.now += 60.0
    leads = (lead_of("L20", product="new"), lead_of("L21", product="loan"))
    after.tell(ev.LeadsAdded, leads=leads[:1], progress=(LeadProgress(lead_id="L20"),))  # too late for a number
    after.tell(ev.StateRecalled, learned=msgspec.json.decode(msgspec.json.encode(saved), type=type(saved)))
    after.tell(ev.LeadsAdded, leads=leads[1:], progress=(LeadProgress(lead_id="L21"),))
    assert after.engine._state.segments == expected


def test_a_policy_that_cannot_use_what_it_had_learned_begins_anew_with_an_alert() -> None:
    saved, bench = Bench().engine.learned(), Bench()
    saved.policies["priced-v1"] = {"policy": "priced-v1", "of": "another shape"}
    policies = {"predictive": Priced(), "progressive": Progressive()}
    bench.engine = Engine(bench.engine.campaign, rules=bench.rules, policies=policies, run=1, seed=0)  # type: ignore[arg-type]
    fresh = bench.engine.learned().policies
    bench.tell(ev.StateRecalled, learned=saved)
    (told,) = alerts(bench)
    assert told.startswith("priced-v1 begins with nothing learned: expected a snapshot")
    assert bench.engine.learned().policies == fresh


def test_lines_launched_are_counted_in_each_run_and_never_fewer_than_those_in_flight() -> None:
    bench = Bench(leads=9, run=7)
    bench.log_in("ana")
    bench.wait(1.0)  # a run takes the limits of the one before to be used up
    bench.dial(3)
    bench.dial(2)
    bench.wait(1.1)
    view = bench.policy.views[-1]
    assert (view.launched, len(view.ringing_since)) == (5, 5)


# ---- what it is told ----------------------------------------------------------------------------------------
def test_outcomes_are_told_with_the_first_ringing_and_the_segment() -> None:
    bench = bench_of_products()
    bench.log_in("ana")
    first, second, third = bench.dial(3)
    bench.wait(2.0)
    bench.tell(ev.AttemptRinging, attempt_id=first)
    bench.wait(4.0)
    bench.talk(first)
    bench.tell(ev.AttemptEnded, attempt_id=second, cause=1, sip_code=404)
    bench.tell(ev.AttemptEnded, attempt_id=third, cause=17, sip_code=486)
    bench.wait(10.0)
    bench.tell(ev.AttemptEnded, attempt_id=first, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="1")
    assert bench.policy.learned == ["answered", "not_answered", "not_answered", "handled"]
    assert bench.policy.told == [
        pytest.approx((6.0, 2.0, 1)),
        pytest.approx((6.0, inf, 0)),
        pytest.approx((6.0, inf, 2)),
        pytest.approx((10.0, 1)),
    ]


@pytest.mark.parametrize(("amd", "each"), [(True, 0.25), (False, 0.0)])
def test_people_whom_detection_is_known_to_lose_are_told_with_each_live_answer(amd: bool, each: float) -> None:
    bench = Bench(amd=amd, amd_false_positive_rate=0.2)
    bench.log_in("ana", "bruno")
    for attempt in bench.dial(2):
        bench.tell(ev.AttemptAnswered, attempt_id=attempt)
        if amd:
            bench.tell(ev.AttemptScreened, attempt_id=attempt, verdict="human")
    assert bench.policy.lost_answers == pytest.approx(2 * each)


# ---- its second action --------------------------------------------------------------------------------------
def ringing_since(bench: Bench, seconds: float, **changes: object) -> int:
    """One line that has rung so long."""
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptRinging, attempt_id=attempt)
    bench.wait(seconds)
    return attempt


@pytest.mark.parametrize(
    ("allowed", "rang_s", "hung_up"),
    [("15s", 14.0, False), ("15s", 15.0, True), (20, 18.0, False), ("off", 30.0, False)],
)
def test_a_line_is_hung_up_only_after_the_legal_least_ring(allowed: object, rang_s: float, hung_up: bool) -> None:
    bench = Bench(hang_up_after_ring=allowed, ring_timeout_s=40)
    attempt = ringing_since(bench, rang_s - 1.5)
    bench.wait(1.5)
    bench.policy.hang_up = (0,)
    bench.tell(ev.PacingChanged, by="eva")  # asks for a decision
    assert hang_ups(bench.wait(0.26)) == ([attempt] if hung_up else [])


def cut_short(bench: Bench) -> int:
    attempt = ringing_since(bench, 16.0)
    bench.policy.hang_up = (0,)
    assert hang_ups(bench.wait(1.1)) == [attempt]
    return attempt


def test_a_line_that_was_cut_short_ends_unanswered_is_told_apart_and_teaches_nothing() -> None:
    bench = Bench()
    attempt = cut_short(bench)
    bench.policy.hang_up = (0,)
    assert hang_ups(bench.wait(1.1)) == []  # asked for once
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    (settled,) = bench.settled
    assert (settled.disposition, settled.cut_short, settled.abandoned) == ("NO_ANSWER", True, False)
    assert settled.progress.by_disposition == {"NO_ANSWER": 1}
    assert (bench.policy.learned, bench.engine.status().cut_short) == ([], 1)
    assert [d.hung_up for _, d in bench.engine.status().decisions if d.hung_up] == [1]


@pytest.mark.parametrize("amd", [False, True])
def test_one_who_answers_as_the_line_is_hung_up_counts_as_abandoned(amd: bool) -> None:
    rules = [{"window": "rolling_24h"}, {"window": "30_days", "denominator": "served_or_abandoned"}]
    bench = Bench(amd=amd, abandon_rules=rules)
    attempt = cut_short(bench)
    bench.tell(ev.AttemptAnswered, attempt_id=attempt)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    assert [(s.disposition, s.abandoned, s.cut_short) for s in bench.settled] == [("ABANDONED", True, False)]
    assert bench.engine.floor.idle == 1
    assert [(a.answers, a.abandons) for a in bench.engine.status().abandon_accounts] == [(1, 1)] * 2
    counters = bench.engine.counters
    assert (counters.live_answers, counters.abandoned) == (1, 1)
    assert bench.policy.learned == ["answered", "abandoned"]


def test_one_who_answers_before_the_switch_is_told_is_let_be_and_given_an_agent() -> None:
    bench = Bench()
    attempt = cut_short(bench)
    assert [action.unanswered_only for action in bench.of(act.HangUp)] == [True]  # type: ignore[attr-defined]
    assert bench.talk(attempt) == "ana"
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="1")
    assert [(s.abandoned, s.cut_short) for s in bench.settled] == [(False, False)]
    assert bench.engine.status().cut_short == 0


def test_one_who_has_answered_is_never_hung_up_on() -> None:
    bench = Bench(amd=True)
    attempt = ringing_since(bench, 16.0)
    bench.tell(ev.AttemptAnswered, attempt_id=attempt)  # detection listens: the line is in flight still
    bench.policy.hang_up = (0,)
    assert hang_ups(bench.wait(1.1)) == []


def test_lines_may_be_hung_up_when_nothing_may_be_launched() -> None:
    bench = Bench()
    attempt = ringing_since(bench, 16.0)
    bench.tell(ev.AgentLoggedOut, agent_id="ana")
    bench.policy.hang_up = (0,)
    assert hang_ups(bench.wait(1.1)) == [attempt]


# ---- a policy that fails ------------------------------------------------------------------------------------
class Failing(ToldPolicy):
    def answered(self, **figures: float) -> None:  # type: ignore[override]
        raise OverflowError("cannot learn")


def test_a_decision_of_a_failing_policy_is_taken_progressively_with_one_alert_for_each_kind_of_fault() -> None:
    bench = Bench(leads=30)
    bench.log_in("ana", "bruno")
    bench.policy.fault = ZeroDivisionError("division of 3.5 by zero")
    bench.wait(0.26)
    assert [len(action.claims) for action in bench.of(act.Reserve)] == [2]  # type: ignore[attr-defined]
    bench.policy.fault = ZeroDivisionError("division of 4.5 by zero")
    bench.wait(1.0)
    assert alerts(bench) == ["pacing policy told-v1: ZeroDivisionError: division of 3.5 by zero"]
    assert [d.guard for _, d in bench.engine.status().decisions if d.launched] == ["policy_fault"]
    bench.policy.fault = None
    bench.wait(2.0)
    bench.policy.want = 3
    bench.wait(1.1)
    assert [len(action.claims) for action in bench.of(act.Reserve)] == [2, 3]  # type: ignore[attr-defined]
    assert bench.engine.status().pacing_fault == ""


def test_after_several_faults_in_a_row_the_policy_is_asked_no_more_until_a_mode_is_set() -> None:
    bench = Bench(leads=30)
    bench.log_in("ana")
    bench.policy.fault = ValueError("no")
    bench.wait(20.0)
    assert len(bench.policy.views) == FAULTS_IN_ROW
    assert bench.engine.status().pacing_fault == "ValueError: no"
    assert len(alerts(bench)) == 2 and "until a supervisor sets a mode" in alerts(bench)[1]
    bench.policy.fault = None
    bench.tell(ev.PacingChanged, by="eva", max_lines_per_idle_agent=4.0)
    bench.wait(5.0)
    assert len(bench.policy.views) == FAULTS_IN_ROW
    bench.tell(ev.PacingChanged, by="eva", mode="predictive")
    bench.wait(1.1)
    assert len(bench.policy.views) > FAULTS_IN_ROW and bench.engine.status().pacing_fault == ""


@pytest.mark.parametrize("answer", [{"want": -1}, {"want": 1.5}, {"want": nan}, {"hang_up": (0,)}, {"hang_up": (-1,)}])
def test_an_answer_that_cannot_be_meant_is_a_fault(answer: Mapping[str, object]) -> None:
    bench = Bench()
    bench.log_in("ana")
    for name, value in answer.items():
        setattr(bench.policy, name, value)
    bench.wait(0.3)
    assert len(alerts(bench)) == 1 and len(bench.of(act.Reserve)) == 1


def test_a_policy_that_cannot_learn_stops_nothing() -> None:
    bench = Bench()
    failing = Failing()
    bench.engine._state.policies["predictive"] = failing
    bench.log_in("ana")
    failing.want = 1
    (claim,) = [c for a in bench.wait(1.1) if isinstance(a, act.Reserve) for c in a.claims]
    bench.tell(ev.Reserved, attempt_ids=(claim.attempt_id,))
    assert bench.talk(claim.attempt_id) == "ana"
    assert bench.progressive.learned == ["answered"]
    assert alerts(bench) == ["pacing policy told-v1: OverflowError: cannot learn"]


@pytest.mark.parametrize("policy", [Progressive, Priced])
def test_a_lead_whose_probability_is_none_never_makes_a_real_policy_overdial(policy: type[Progressive]) -> None:
    rules = OpenRules()
    engine = Engine(
        campaign_of(),
        rules=rules,  # type: ignore[arg-type]
        policies={"progressive": Progressive(), "predictive": policy()},
        run=1,
        seed=1,
    )
    leads = tuple(msgspec.structs.replace(lead_of(f"L{index}"), answer_probability=1.7) for index in range(30))
    progress = tuple(LeadProgress(lead_id=lead.lead_id) for lead in leads)
    out = engine.step(ev.LeadsAdded(at=START, leads=leads, progress=progress))
    out += engine.step(ev.LinkUp(at=START))
    for agent in ("ana", "bruno"):
        out += engine.step(ev.AgentLoggedIn(at=START, agent_id=agent))
    while (due := engine.next_timer_at) is not None and due < START + 30.0:
        actions = engine.step(ev.TimePassed(at=due))
        for claim in [c for a in actions if isinstance(a, act.Reserve) for c in a.claims]:
            actions += engine.step(ev.Reserved(at=due, attempt_ids=(claim.attempt_id,)))
            actions += engine.step(ev.AttemptEnded(at=due, attempt_id=claim.attempt_id, cause=17, sip_code=486))
        assert sum(len(action.claims) for action in actions if isinstance(action, act.Reserve)) <= 2
        out += actions
    told = [action.text for action in out if isinstance(action, act.Alert)]
    assert any("InconsistentView" in text and "1.7" in text for text in told)
    assert any(isinstance(action, act.Reserve) for action in out)


# ---- leaves -------------------------------------------------------------------------------------------------
def test_an_announced_leave_is_shown_while_idle_and_while_busy_and_then_begins() -> None:
    bench = Bench()
    bench.log_in("ana", "bruno")
    leaves_at = bench.now + 30.0
    bench.tell(ev.AgentLeaveAnnounced, agent_id="ana", leaves_at=leaves_at, reason="lunch")
    (attempt,) = bench.dial()
    assert [*bench.policy.views[-1].idle_leaves_at] == [leaves_at]
    assert bench.talk(attempt) == "ana"
    bench.wait(1.1)
    view = bench.policy.views[-1]
    assert ([*view.leaves_at], view.idle_leaves_at.size) == ([leaves_at], 0)
    bench.wait(40.0)
    view = bench.policy.views[-1]
    assert bench.state("ana") == "ON_CALL" and (view.leaves_at <= view.now).all()
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="1")
    assert (bench.state("ana"), bench.engine.floor.agents["ana"].pause_reason) == ("PAUSED", "lunch")
    bench.tell(ev.AgentReadied, agent_id="ana")
    bench.wait(60.0)
    assert bench.state("ana") == "IDLE"


def test_an_idle_agent_pauses_at_the_announced_time_and_not_before() -> None:
    bench = Bench(leads=0)
    bench.log_in("ana")
    bench.tell(ev.AgentLeaveAnnounced, agent_id="ana", leaves_at=bench.now + 30.0)
    bench.wait(29.9)
    assert bench.state("ana") == "IDLE"
    bench.wait(0.2)
    assert bench.state("ana") == "PAUSED"


def test_a_leave_taken_back_put_off_or_far_away_is_not_shown_or_not_begun() -> None:
    bench = Bench()
    bench.log_in("ana", "bruno")
    bench.tell(ev.AgentLeaveAnnounced, agent_id="ana", leaves_at=bench.now + 10.0)
    bench.tell(ev.AgentLeaveAnnounced, agent_id="ana", leaves_at=None)
    bench.tell(ev.AgentLeaveAnnounced, agent_id="bruno", leaves_at=bench.now + 10.0)
    bench.tell(ev.AgentLeaveAnnounced, agent_id="bruno", leaves_at=bench.now + 7200.0)
    bench.wait(20.0)
    assert (bench.state("ana"), bench.state("bruno")) == ("IDLE", "IDLE")
    assert bench.policy.views[-1].idle_leaves_at.size == 0


def test_a_leave_is_known_after_a_restart_and_forgotten_with_the_leg() -> None:
    bench = Bench()
    bench.log_in("ana", "bruno")
    (attempt,) = bench.dial()
    bench.talk(attempt)
    bench.tell(ev.AgentLeaveAnnounced, agent_id="ana", leaves_at=bench.now + 30.0)
    bench.tell(ev.AgentLeaveAnnounced, agent_id="bruno", leaves_at=bench.now + 40.0)
    travelled = msgspec.json.decode(msgspec.json.encode(bench.engine.snapshot()), type=Snapshot)
    policy = ToldPolicy()
    bench.engine = Engine.restore(
        bench.engine.campaign,
        rules=bench.rules,  # type: ignore[arg-type]
        policies={"progressive": ToldPolicy(policy_id="told-progressive-v1"), "predictive": policy},
        snapshot=travelled,
    )
    bench.wait(1.1)
    assert np.isfinite(policy.views[-1].leaves_at).all() and policy.views[-1].idle_leaves_at.size == 1
    bench.tell(ev.AgentLoggedOut, agent_id="bruno")
    bench.log_in("bruno")
    bench.wait(45.0)
    assert (bench.state("ana"), bench.state("bruno")) == ("ON_CALL", "IDLE")
