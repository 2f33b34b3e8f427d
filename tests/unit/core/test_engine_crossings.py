"""The engine's answers where something crosses, is late, or never comes: what makes a dialer do harm."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from carriers.router import Room
from compliance.clearance import CapSlot, DialCandidate, Place
from compliance.window import WindowState
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.calls import ENDED_BY_SWITCH_S, UNBRIDGED_LIMIT_S
from dialer.core.engine import Engine
from dialer.core.lead import LeadProgress, PhoneNumber
from tests.unit.core.bench_engine import Bench, OpenRules, campaign_of, lead_of


def same_person(bench: Bench) -> None:
    """Give the first two leads one person."""
    first, second = bench.engine.queue[0], bench.engine.queue[1]
    second.lead = msgspec.structs.replace(second.lead, person=first.lead.person)


def test_what_ended_before_a_reservation_of_the_same_step_is_recorded_before_it() -> None:
    bench = Bench(leads=3, wrap_up_limit_s=1)
    bench.log_in("ana", "bruno")
    (attempt,) = bench.dial()
    bench.talk(attempt)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.wait(0.98)
    bench.tell(ev.PacingChanged, by="eva")  # asks for a decision just after the wrap-up limit
    bench.policy.want = 5
    bench.now += 5.0  # an alarm that comes late covers both
    kinds = [type(action) for action in bench.tell(ev.TimePassed)]
    assert kinds.index(act.Settle) < kinds.index(act.Reserve)


WHO = ("lead:L0", "number:+51999000000", "person:PL0")


@pytest.mark.parametrize(
    ("key", "reason", "stopped"),
    [("6", "paid", (*WHO, "debt:DL0")), ("7", "disputed", (*WHO, "debt:DL0")), ("9", "do_not_call", WHO)],
)
def test_what_a_person_says_is_recorded_while_the_agent_still_talks(
    key: str, reason: str, stopped: tuple[str, ...]
) -> None:
    bench = Bench(leads=2)
    same_person(bench)
    bench.log_in("ana")
    first, second = bench.dial(2)
    bench.talk(first)
    actions = bench.tell(ev.AgentKeyed, agent_id="ana", key=key)
    (stop,) = [a for a in actions if isinstance(a, act.Stop)]
    assert (stop.reason, stop.keys) == (reason, stopped)
    # The same person's other line, which rings now, is hung up at once.
    assert [a.attempt_id for a in actions if isinstance(a, act.HangUp)] == [second]
    assert not [a for a in bench.tell(ev.AgentKeyed, agent_id="ana", key=key) if isinstance(a, act.Stop)]


@pytest.mark.parametrize("amd", [False, True])
def test_a_call_whose_end_is_never_told_does_not_stay_for_ever(amd: bool) -> None:
    bench = Bench(amd=amd)
    bench.log_in("ana")
    first, second = bench.dial(2)
    for attempt in (first, second):
        bench.tell(ev.AttemptAnswered, attempt_id=attempt)
        if amd:
            bench.wait(2.0)
            bench.tell(ev.AttemptScreened, attempt_id=attempt, verdict="human")
    bench.wait(UNBRIDGED_LIMIT_S + 2 * ENDED_BY_SWITCH_S)
    assert bench.engine.live_attempts == 0
    assert sorted(s.attempt_id for s in bench.settled) == [first, second]


def test_a_stop_order_gives_up_on_calls_whose_end_is_never_told() -> None:
    bench = Bench()
    bench.log_in("ana", "bruno")
    first, second, _ = bench.dial(3)
    bench.talk(first)
    bench.tell(ev.AttemptAnswered, attempt_id=second)
    bench.tell(ev.StopOrdered, by="ops")
    bench.wait(60.0)
    assert bench.engine.ended and bench.engine.live_attempts == 0
    assert len(bench.of(act.EndCampaign)) == 1


def test_a_stop_order_bridges_nobody_to_a_call_that_it_hangs_up() -> None:
    bench = Bench()
    bench.log_in("ana")
    first, second = bench.dial(2)
    bench.talk(first)
    bench.tell(ev.AttemptEnded, attempt_id=first, cause=16)
    bench.tell(ev.AttemptAnswered, attempt_id=second)
    actions = bench.tell(ev.StopOrdered, by="ops")
    assert not [a for a in actions if isinstance(a, act.Bridge)]


def test_an_agent_freed_by_a_failed_bridge_serves_the_next_call() -> None:
    bench = Bench()
    bench.log_in("ana")
    first, second = bench.dial(2)
    bench.tell(ev.AttemptAnswered, attempt_id=first)
    bench.tell(ev.AttemptAbandoned, attempt_id=first)  # the bridge is under way as the limit passes
    bench.tell(ev.AttemptAnswered, attempt_id=second)
    actions = bench.tell(ev.BridgeFailed, attempt_id=first, agent_id="ana", agent_gone=False)
    assert [a.attempt_id for a in actions if isinstance(a, act.Bridge)] == [second]


def test_call_set_ups_keep_their_rate_however_late_the_store_answers() -> None:
    bench = Bench(leads=9, trunks=[{"name": "t1", "max_channels": 50, "max_cps": 2}])
    bench.log_in("ana")
    reserved: list[int] = []
    for _ in range(4):
        bench.policy.want = 2
        reserved += [c.attempt_id for a in bench.wait(1.1) if isinstance(a, act.Reserve) for c in a.claims]
    assert len(reserved) == 2  # what is planned counts, so no more is claimed than can be placed
    bench.tell(ev.Reserved, attempt_ids=tuple(reserved))
    at = [bench.now] * len(bench.of(act.Originate))
    for _ in range(3):
        bench.policy.want = 2
        bench.wait(0.4)
        claims = [c.attempt_id for a in bench.done if isinstance(a, act.Reserve) for c in a.claims]
        bench.tell(ev.Reserved, attempt_ids=tuple(c for c in claims if c not in reserved))
        reserved = claims
        at += [bench.now] * (len(bench.of(act.Originate)) - len(at))
    assert all(later - earlier >= 1.0 for earlier, later in zip(at, at[2:], strict=False))


def test_reserved_calls_beyond_the_set_up_rate_are_placed_as_the_trunk_takes_them() -> None:
    bench = Bench(leads=9, trunks=[{"name": "t1", "max_channels": 50, "max_cps": 3}])
    bench.log_in("ana")
    ids = bench.dial(3)
    bench.wait(0.5)
    bench.policy.want = 3
    more = [c.attempt_id for a in bench.wait(0.6) if isinstance(a, act.Reserve) for c in a.claims]
    bench.tell(ev.Reserved, attempt_ids=tuple(more))
    bench.wait(1.5)
    placed = [a.attempt_id for a in bench.of(act.Originate)]  # type: ignore[attr-defined]
    assert placed == ids + more


def test_nobody_learns_from_calls_that_were_lost() -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=0, lost=True)
    assert (bench.policy.learned, [s.disposition for s in bench.settled]) == ([], ["UNKNOWN"])


def test_a_live_answer_that_waited_too_long_and_was_then_lost_is_abandoned() -> None:
    bench = Bench()
    bench.log_in("ana")
    first, second = bench.dial(2)
    bench.talk(first)
    bench.tell(ev.AttemptAnswered, attempt_id=second)
    bench.wait(10.0)
    bench.tell(ev.AttemptEnded, attempt_id=second, cause=0, lost=True)
    (settled,) = bench.settled
    assert (settled.disposition, settled.abandoned) == ("ABANDONED", True)


def test_a_call_bridged_after_its_limit_is_on_record_as_abandoned() -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptAnswered, attempt_id=attempt)
    bench.tell(ev.AttemptAbandoned, attempt_id=attempt)
    bench.tell(ev.AttemptBridged, attempt_id=attempt, agent_id="ana")
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="1")
    (settled,) = bench.settled
    assert (settled.disposition, settled.abandoned) == ("RPC", True)


def test_a_stop_does_not_hang_up_one_who_has_answered() -> None:
    bench = Bench(leads=1, amd=True)
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptAnswered, attempt_id=attempt)
    assert bench.tell(ev.LeadStopped, key="lead:L0", reason="paid") == []


def test_attempts_that_were_never_dialled_cost_no_retry() -> None:
    bench = Bench(leads=1)
    bench.log_in("ana")
    for _ in range(6):
        bench.policy.want = 1
        claims = [c for a in bench.wait(62.0) if isinstance(a, act.Reserve) for c in a.claims]
        bench.tell(ev.LinkDropped, reason="test")
        bench.tell(ev.Reserved, attempt_ids=tuple(claim.attempt_id for claim in claims))
        bench.tell(ev.LinkUp)
    assert [s.disposition for s in bench.settled] == ["CANCELLED"] * 6
    assert bench.settled[-1].progress.status == "ready" and bench.settled[-1].progress.attempts == 0


def test_a_number_s_own_cap_leaves_the_lead_s_other_number() -> None:
    class NumberCap(OpenRules):
        def caps(self, candidate: DialCandidate, now: float) -> tuple[CapSlot, ...]:
            return (CapSlot(rule="number-cap", key=f"number:{candidate.number}", max=1, since=0.0),)

    bench = Bench(leads=1, numbers=2, rules=NumberCap())
    bench.log_in("ana")
    bench.policy.want = 1
    (first,) = [c for a in bench.wait(1.1) if isinstance(a, act.Reserve) for c in a.claims]
    refusal = ev.Refusal(attempt_id=first.attempt_id, rule="number-cap", retry_at=bench.now + 3600.0)
    bench.tell(ev.Refused, refusals=(refusal,))
    bench.policy.want = 1
    (second,) = [c for a in bench.wait(3.0) if isinstance(a, act.Reserve) for c in a.claims]
    assert second.number != first.number


def test_a_number_that_can_never_be_called_gives_way_to_the_next() -> None:
    class NoZone(OpenRules):
        def window(self, place: Place, now: float) -> WindowState:
            if place.zones:
                return super().window(place, now)
            return WindowState(open=False, changes_at=float("inf"), rule="zone.unknown")

    bench = Bench(leads=0, rules=NoZone())
    unknown = PhoneNumber(e164="+18005550100", zones=(), country="US")
    known = lead_of("L1").numbers[0]
    leads = tuple(
        msgspec.structs.replace(lead_of(f"L{i}"), numbers=numbers)
        for i, numbers in enumerate([(unknown, known), (unknown,)])
    )
    bench.tell(ev.LeadsAdded, leads=leads, progress=tuple(LeadProgress(lead_id=lead.lead_id) for lead in leads))
    status = bench.engine.status()
    assert (status.leads_queued, status.refusals) == (1, {"zone.unknown": 2})
    bench.log_in("ana")
    bench.policy.want = 2
    claims = [c for a in bench.wait(1.1) if isinstance(a, act.Reserve) for c in a.claims]
    assert [claim.number for claim in claims] == [known.e164]


def test_ready_in_a_call_takes_back_the_wish_for_a_pause() -> None:
    bench = Bench()
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.talk(attempt)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="*")
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=16)
    bench.tell(ev.AgentKeyed, agent_id="ana", key="#")
    assert bench.state("ana") == "IDLE"


def test_unequal_trunks_are_planned_only_as_far_as_each_can_place() -> None:
    trunks = [{"name": "slow", "max_channels": 100, "max_cps": 1}, {"name": "fast", "max_channels": 30, "max_cps": 30}]
    bench = Bench(leads=60, trunks=trunks)
    bench.log_in("ana")
    ids = bench.dial(60)
    assert len(ids) == 30 + 1
    assert len(bench.of(act.Originate)) == len(ids)


def test_held_calls_have_one_timer_and_are_given_up_when_the_floor_is_empty() -> None:
    bench = Bench(leads=20, trunks=[{"name": "t1", "max_channels": 50, "max_cps": 4}])
    bench.log_in("ana")
    claimed: list[int] = []
    for _ in range(3):
        bench.policy.want = 4
        claimed += [c.attempt_id for a in bench.wait(1.05) if isinstance(a, act.Reserve) for c in a.claims]
        loads = bench.engine._state.desk.loads
        loads.room = lambda _: Room(np.array([50]), np.array([50]))  # type: ignore[method-assign]  # a plan too bold
    bench.tell(ev.Reserved, attempt_ids=tuple(claimed))
    assert len(bench.engine._state.held) == len(claimed) - 4 >= 4
    before = len(bench.engine._state.timers.pending)
    bench.wait(1.05)
    assert len(bench.engine._state.timers.pending) <= before + 8
    placed = len(bench.of(act.Originate))
    bench.tell(ev.AgentLoggedOut, agent_id="ana")
    bench.wait(5.0)
    assert len(bench.of(act.Originate)) == placed
    assert not bench.engine._state.held


def test_a_lead_that_no_list_has_any_more_is_settled_and_never_dialled_again() -> None:
    bench = Bench(leads=0)
    bench.tell(ev.LinkDropped, reason="not yet connected")
    lead = lead_of("L7")
    bench.tell(ev.LeadsAdded, leads=(lead,), progress=(LeadProgress(lead_id="L7"),), unlisted=("L7",))
    claim = act.Claim(
        attempt_id=9, lead_id="L7", number=lead.numbers[0].e164, at=bench.now, stop_keys=(), fact_keys=(), caps=()
    )
    bench.tell(ev.AttemptsInherited, claims=(claim,))
    bench.tell(ev.LinkUp)
    assert [s.disposition for s in bench.settled] == ["UNKNOWN"]
    bench.log_in("ana")
    bench.policy.want = 3
    bench.wait(5 * 3600.0)
    assert bench.of(act.Reserve) == []


def test_a_drain_while_the_list_loads_does_not_end_before_it_is_loaded() -> None:
    bench = Bench(leads=0)
    engine = Engine(campaign_of(), rules=OpenRules(), policies=bench.engine._state.policies, run=2, seed=1)  # type: ignore[arg-type]
    piece = ev.LeadsAdded(at=bench.now, leads=(lead_of("L1"),), progress=(LeadProgress(lead_id="L1"),), last=False)
    engine.step(piece)
    assert engine.step(ev.DrainOrdered(at=bench.now, by="ops")) == []
    ended = engine.step(ev.LeadsAdded(at=bench.now, leads=(), progress=()))
    assert any(isinstance(action, act.EndCampaign) for action in ended)


def test_a_survivor_whose_agent_is_not_ours_goes_on_until_its_end() -> None:
    bench = Bench(leads=1)
    bench.tell(ev.LinkDropped, reason="not yet connected")
    number = "+51999000000"
    claim = act.Claim(attempt_id=9, lead_id="L0", number=number, at=bench.now, stop_keys=(), fact_keys=(), caps=())
    bench.tell(ev.AttemptsInherited, claims=(claim,))
    bench.tell(ev.AttemptSurvived, attempt_id=9, agent_id="stranger")
    bench.tell(ev.LinkUp)
    assert bench.settled == []
    bench.tell(ev.AttemptEnded, attempt_id=9, cause=16)
    assert [s.disposition for s in bench.settled] == ["UNDISPOSED"]
