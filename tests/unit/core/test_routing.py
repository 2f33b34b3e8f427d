"""Tries: a carrier's fault goes to the next trunk as the next try of the same attempt, and nothing else does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import msgspec
import numpy as np
import pytest

from carriers.capacity import CapacityPrices
from carriers.capacity_terms import problem_of
from carriers.desk import MOST_SILENT_S
from carriers.router import Room
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.attempt import AttemptState
from dialer.core.engine import Engine
from dialer.core.lead import LeadProgress
from dialer.core.routing import FAILOVER_WITHIN_S, NO_TRUNK
from dialer.core.snapshot import Snapshot
from pacing.policy import Pace
from pacing.view import PacingView
from tests.unit.core.bench_engine import NO_RETRY, START, Bench, OpenRules, ToldPolicy, lead_of
from tests.unit.core.test_launch_guards import OBSTACLES

TRUNKS = [
    {"name": "a", "carrier": "A", "max_channels": 50, "max_cps": 100},
    {"name": "b", "carrier": "B", "max_channels": 50, "max_cps": 100},
    {"name": "c", "carrier": "C", "max_channels": 50, "max_cps": 100},
]
FAULTS = [(38, 500), (34, 503), (27, None), (21, 403), (0, 502), (18, 408)]
FACTS = [(17, 486), (19, 480), (1, 404), (21, 603), (21, 607), (21, 608), (28, 484)]


def bench_of(**changes: object) -> Bench:
    bench = Bench(leads=3, **{"trunks": TRUNKS, "retry": NO_RETRY, **changes})  # type: ignore[arg-type]
    bench.log_in("ana", "bruno")
    return bench


def tries(bench: Bench, attempt: int) -> list[act.Originate]:
    return [a for a in bench.of(act.Originate) if isinstance(a, act.Originate) and a.attempt_id == attempt]


def end(bench: Bench, attempt: int, cause: int, sip_code: int | None = None, **facts: object) -> list[act.Action]:
    try_no = tries(bench, attempt)[-1].try_no
    return bench.tell(
        ev.AttemptEnded, **{"attempt_id": attempt, "try_no": try_no, "cause": cause, "sip_code": sip_code, **facts}
    )


def in_use(bench: Bench) -> list[int]:
    loads = bench.engine._state.desk.loads
    return [loads.in_use(trunk) for trunk in range(3)]


@pytest.mark.parametrize(("cause", "sip_code"), FAULTS)
def test_a_carriers_fault_goes_to_the_next_trunk_at_once(cause: int, sip_code: int | None) -> None:
    bench = bench_of()
    (attempt,) = bench.dial()
    (first,) = tries(bench, attempt)
    actions = end(bench, attempt, cause, sip_code)
    (second,) = [a for a in actions if isinstance(a, act.Originate)]
    assert (first.try_no, second.try_no) == (1, 2) and second.trunk != first.trunk
    assert (second.number, second.lead_id) == (first.number, first.lead_id)
    assert second.route is not None and second.route.because == "failover"
    assert not bench.settled, "it is the same attempt: claimed and counted once"
    assert bench.engine.counters.attempts == 1 and sum(in_use(bench)) == 1
    bench.tell(ev.AttemptRinging, attempt_id=attempt, try_no=2)
    end(bench, attempt, 17, 486)
    (settled,) = bench.settled
    assert (settled.disposition, settled.tries, settled.trunk) == ("BUSY", 2, second.trunk)
    assert sum(in_use(bench)) == 0


@pytest.mark.parametrize(("cause", "sip_code"), FACTS)
def test_what_is_true_of_the_called_party_is_never_tried_elsewhere(cause: int, sip_code: int | None) -> None:
    bench = bench_of()
    (attempt,) = bench.dial()
    end(bench, attempt, cause, sip_code)
    assert len(tries(bench, attempt)) == 1 and len(bench.settled) == 1


def test_an_end_that_nobody_knows_is_never_tried_elsewhere() -> None:
    for facts in ({"cause": 38, "sip_code": 500, "lost": True}, {"cause": 0, "sip_code": None}, {"cause": 16}):
        bench = bench_of()
        (attempt,) = bench.dial()
        bench.tell(ev.AttemptEnded, attempt_id=attempt, **facts)
        assert len(tries(bench, attempt)) == 1
        assert [s.disposition for s in bench.settled] == ["UNKNOWN"]


def test_a_line_that_rang_is_never_tried_elsewhere() -> None:
    bench = bench_of()
    (attempt,) = bench.dial()
    bench.tell(ev.AttemptRinging, attempt_id=attempt)
    end(bench, attempt, 38, 500)
    assert len(tries(bench, attempt)) == 1
    assert [s.disposition for s in bench.settled] == ["FAILED"]


def test_tries_come_to_an_end() -> None:
    bench = bench_of(routing={"max_tries": 2})
    (attempt,) = bench.dial()
    end(bench, attempt, 38, 500)
    end(bench, attempt, 34, 503)
    assert [o.try_no for o in tries(bench, attempt)] == [1, 2]
    (settled,) = bench.settled
    assert (settled.disposition, settled.tries) == ("CONGESTION", 2)
    assert sum(in_use(bench)) == 0


def test_no_trunk_is_asked_twice() -> None:
    bench = bench_of(routing={"max_tries": 5})
    (attempt,) = bench.dial()
    for _ in range(3):
        end(bench, attempt, 38, 500)
    assert sorted(o.trunk for o in tries(bench, attempt)) == ["a", "b", "c"]
    assert [s.disposition for s in bench.settled] == ["FAILED"]


@pytest.mark.parametrize("name", OBSTACLES)
def test_nothing_is_tried_again_once_calls_are_forbidden(name: str) -> None:
    kind, facts = OBSTACLES[name]
    bench = bench_of()
    (attempt,) = bench.dial()
    bench.tell(kind, **facts)
    end(bench, attempt, 38, 500)
    bench.wait(5.0)
    assert len(tries(bench, attempt)) == 1
    assert len(bench.settled) == 1 and sum(in_use(bench)) == 0


def test_nothing_is_tried_again_after_the_hours() -> None:
    bench = Bench(leads=1, rules=OpenRules(until=START + 10.0), trunks=TRUNKS)
    bench.log_in("ana")
    (attempt,) = bench.dial()
    bench.wait(10.0)
    end(bench, attempt, 38, 500)
    assert len(tries(bench, attempt)) == 1 and len(bench.settled) == 1


def waiting_for_a_set_up() -> tuple[Bench, int]:
    """A try that trunk a failed; trunk b has no call set-up to spare for seconds."""
    slow = {"name": "b", "max_channels": 9, "max_cps": 0.25}
    bench = bench_of(trunks=[TRUNKS[0], slow], routing={"router": "round-robin-v1"})
    desk = bench.engine._state.desk
    (attempt,) = bench.dial()
    if tries(bench, attempt)[0].trunk == "b":
        end(bench, attempt, 17, 486)
        (attempt,) = bench.dial()
    assert tries(bench, attempt)[0].trunk == "a"
    plain, desk.loads.room = desk.loads.room, lambda _: Room(np.array([9, 9]), np.array([9, 9]))  # type: ignore[method-assign]
    desk.loads.take(1)
    desk.loads.set_up(1, bench.now)
    end(bench, attempt, 38, 500)
    desk.loads.room = plain  # type: ignore[method-assign]
    assert bench.engine._state.attempts[attempt].state is AttemptState.REROUTING
    return bench, attempt


def claim_keys(bench: Bench, attempt: int) -> tuple[str, ...]:
    return bench.engine._state.attempts[attempt].claim.stop_keys


def test_a_next_try_waits_for_a_set_up() -> None:
    bench, attempt = waiting_for_a_set_up()
    assert len(tries(bench, attempt)) == 1
    bench.wait(11.0)
    assert [o.trunk for o in tries(bench, attempt)] == ["a", "b"]


@pytest.mark.parametrize("name", OBSTACLES)
def test_a_next_try_that_waits_ends_as_it_failed_once_calls_are_forbidden(name: str) -> None:
    kind, facts = OBSTACLES[name]
    bench, attempt = waiting_for_a_set_up()
    stops = dict(zip(("lead stopped", "number stopped", "person stopped"), claim_keys(bench, attempt), strict=False))
    bench.tell(kind, **{**facts, **({"key": stops[name]} if name in stops else {})})
    bench.wait(30.0)
    assert len(tries(bench, attempt)) == 1
    (settled,) = [s for s in bench.settled if s.attempt_id == attempt]
    assert (settled.disposition, settled.tries) == ("FAILED", 1)
    assert not [a for a in bench.of(act.HangUp) if a.attempt_id == attempt], "there is no call to hang up"


def test_a_word_of_the_failed_try_does_not_end_one_that_waits() -> None:
    bench, attempt = waiting_for_a_set_up()
    bench.tell(ev.AttemptEnded, attempt_id=attempt, try_no=1, cause=38, sip_code=500)
    assert bench.engine._state.attempts[attempt].state is AttemptState.REROUTING


def test_a_late_word_of_an_earlier_try_changes_nothing() -> None:
    bench = bench_of()
    (attempt,) = bench.dial()
    end(bench, attempt, 38, 500)
    before = bench.engine.counters.late_events
    bench.tell(ev.AttemptRinging, attempt_id=attempt, try_no=1)
    bench.tell(ev.AttemptAnswered, attempt_id=attempt, try_no=1)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, try_no=1, cause=38)
    assert bench.engine.counters.late_events == before + 3
    assert bench.engine._state.attempts[attempt].state is AttemptState.DIALLING
    assert len(tries(bench, attempt)) == 2 and not bench.settled


def test_the_people_called_see_a_number_and_the_journal_says_why() -> None:
    bench = bench_of()
    (attempt,) = bench.dial()
    (originate,) = tries(bench, attempt)
    assert originate.caller_id == "+5117000000"
    note = originate.route
    assert note is not None
    assert note.because in ("best", "explored") and 0.0 < note.propensity <= 1.0
    assert (note.region, note.pool, note.shown_because) == ("PE", "", "sticky")
    assert 0.0 < note.expected < 1.0


def test_a_closed_circuit_is_passed_by_for_calls_that_are_planned() -> None:
    bench = bench_of()
    desk = bench.engine._state.desk
    bench.policy.want = 1
    claims = [c for a in bench.wait(1.1) if isinstance(a, act.Reserve) for c in a.claims]
    planned = bench.engine._state.attempts[claims[0].attempt_id].trunk
    place = desk.places[planned]
    cell = bench.engine._state.attempts[claims[0].attempt_id].cell
    for _ in range(6):
        desk.circuits.note(place, desk.cells.prefix(cell), fault=1.0, now=bench.now)
    assert not desk.usable(place, cell, bench.now)
    bench.tell(ev.Reserved, attempt_ids=(claims[0].attempt_id,))
    (originate,) = tries(bench, claims[0].attempt_id)
    assert originate.trunk != planned
    assert in_use(bench)[place] == 0


def test_prices_are_asked_for_while_calls_are_placed_and_used_as_they_come() -> None:
    bench = bench_of()
    desk = bench.engine._state.desk
    problem = problem_of(value=np.ones((3, 1)), demand=np.array([9.0]), set_ups_per_s=np.ones(3))
    desk.router.problem = lambda now: problem if now < START + 40.0 else None  # type: ignore[method-assign]
    bench.dial()
    bench.wait(31.0)
    assert [action.problem for action in bench.of(act.PriceCapacity)] == [problem]  # type: ignore[attr-defined]
    free = dict.fromkeys(CapacityPrices.__struct_fields__, (0.0,) * 3)
    bench.tell(ev.CapacityPriced, prices=CapacityPrices(**{**free, "set_up": (0.5, 0.0, 0.0)}))
    assert desk.prices_at == bench.now
    assert bench.engine.routing_standing(bench.now).trunks[0].price == 0.5
    bench.wait(100.0)
    assert bench.engine.routing_standing(bench.now).trunks[0].price == 0.0, "no trunk is short of room any more"
    asked = len(bench.of(act.PriceCapacity))
    bench.wait(600.0)
    assert len(bench.of(act.PriceCapacity)) == asked, "nobody is called any more"


def test_what_was_learned_outlives_a_run_and_a_snapshot_is_exact() -> None:
    bench = bench_of()
    first, second = bench.dial(2)
    bench.talk(first)
    bench.wait(20.0)
    end(bench, first, 16)
    end(bench, second, 38, 500)
    snapshot = msgspec.json.decode(msgspec.json.encode(bench.engine.snapshot()), type=Snapshot)
    policies = bench.engine._state.policies
    twin = Engine.restore(bench.engine.campaign, rules=bench.rules, policies=policies, snapshot=snapshot)  # type: ignore[arg-type]
    assert twin._state.desk.snapshot() == bench.engine._state.desk.snapshot()
    later = bench_of()
    later.now = bench.now
    later.tell(ev.StateRecalled, learned=bench.engine.learned())
    assert later.engine._state.desk.cells.keys == bench.engine._state.desk.cells.keys


def test_a_trunk_that_swallows_calls_is_found_out_before_they_time_out() -> None:
    bench = Bench(leads=30, trunks=TRUNKS[:2], retry=NO_RETRY, routing={"router": "round-robin-v1"})
    bench.log_in("ana", "bruno")
    ids = bench.dial(10)
    on = {o.attempt_id: o.trunk for o in bench.of(act.Originate) if isinstance(o, act.Originate)}
    for attempt in ids:
        if on[attempt] == "a":
            bench.tell(ev.AttemptRinging, attempt_id=attempt)
    bench.wait(MOST_SILENT_S + 1.0)
    desk = bench.engine._state.desk
    assert [circuit.trunk for circuit in desk.circuits.open_circuits()] == [desk.places["b"]]
    assert "by silence" in desk.circuits.open_circuits()[0].because
    later = bench.dial(6)
    on = {o.attempt_id: o.trunk for o in bench.of(act.Originate) if isinstance(o, act.Originate)}
    assert [on[attempt] for attempt in later].count("b") <= 1, "one probe at most"


def busy_bench() -> Bench:
    bench = Bench(leads=30, trunks=TRUNKS[:2], retry=NO_RETRY, routing={"router": "round-robin-v1"})
    bench.log_in("ana", "bruno")
    return bench


def test_a_lost_link_says_nothing_of_the_trunks() -> None:
    """What is ordered as the link goes is refused on our own side, with cause 38: no carrier's fault."""
    bench = busy_bench()
    ids = bench.dial(16)
    bench.tell(ev.LinkDropped, reason="test")
    for attempt in ids:
        end(bench, attempt, 38)
    assert bench.engine._state.desk.circuits.open_circuits() == []
    assert {s.disposition for s in bench.settled} == {"UNKNOWN"}, "some of them may have rung"


def test_people_are_told_at_once_that_a_circuit_is_open() -> None:
    bench = busy_bench()
    bench.wait(5.0)
    for attempt in bench.dial(12):
        if tries(bench, attempt)[0].trunk == "a":
            end(bench, attempt, 38, 500)
    assert bench.engine._state.desk.circuits.open_circuits()
    bench.wait(1.5)
    told = [a.text for a in bench.of(act.Alert) if isinstance(a, act.Alert)]
    assert [text for text in told if text.startswith("trunk a, prefix PE: its circuit is open: 4 of the last")]


def test_a_next_try_waits_for_the_next_second_of_the_only_trunk_left() -> None:
    """The usual case of an outage: all traffic comes to b, whose set-ups of this second are used up."""
    trunks = [TRUNKS[0], {"name": "b", "max_channels": 50, "max_cps": 2}]
    bench = bench_of(trunks=trunks, routing={"router": "round-robin-v1"})
    desk = bench.engine._state.desk
    (attempt,) = bench.dial()
    if tries(bench, attempt)[0].trunk == "b":
        end(bench, attempt, 17, 486)
        (attempt,) = bench.dial()
    assert tries(bench, attempt)[0].trunk == "a"
    for _ in range(2):
        desk.loads.take(1)
        desk.loads.set_up(1, bench.now)
    end(bench, attempt, 38, 500)
    bench.wait(3.0)
    assert [o.trunk for o in tries(bench, attempt)] == ["a", "b"]


@dataclass
class Greedy(ToldPolicy):
    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:
        return Pace(lines=40)


def test_a_trunk_that_bounds_the_pace_is_used_as_far_as_its_limit_goes() -> None:
    """8 calls/s for 20 s, all busy at once: somebody must ask for a decision when room comes."""
    bench = Bench(leads=400, trunks=[{"name": "a", "max_channels": 50, "max_cps": 8}], retry=NO_RETRY)
    bench.engine._state.policies["predictive"] = Greedy()
    bench.log_in("ana", "bruno")
    begun = bench.now
    while bench.now < begun + 20.0:
        due = min(bench.engine.next_timer_at or begun + 20.0, begun + 20.0)
        for reserve in [a for a in bench.wait(max(1e-6, due - bench.now)) if isinstance(a, act.Reserve)]:
            ids = tuple(claim.attempt_id for claim in reserve.claims)
            placed = [a for a in bench.tell(ev.Reserved, attempt_ids=ids) if isinstance(a, act.Originate)]
            bench.now += 0.02
            for originate in placed:
                bench.tell(ev.AttemptEnded, attempt_id=originate.attempt_id, try_no=1, cause=17, sip_code=486)
    assert len(bench.of(act.Originate)) >= 150


# ---- what may have reached somebody ---------------------------------------------------------------------------
def test_what_was_being_set_up_as_the_link_dropped_is_never_tried_elsewhere() -> None:
    bench = bench_of()
    (attempt,) = bench.dial()
    bench.tell(ev.LinkDropped, reason="test")
    bench.tell(ev.LinkUp)
    end(bench, attempt, 38, 500)
    assert len(tries(bench, attempt)) == 1, "it may have rung, unheard"
    assert [s.disposition for s in bench.settled] == ["UNKNOWN"], "which counts against every cap"


@pytest.mark.parametrize(("cause", "sip_code"), FAULTS)
def test_a_fault_that_comes_late_may_follow_an_unheard_ring(cause: int, sip_code: int | None) -> None:
    bench = bench_of()
    (attempt,) = bench.dial()
    bench.wait(FAILOVER_WITHIN_S + 1.0)
    end(bench, attempt, cause, sip_code)
    assert len(tries(bench, attempt)) == 1 and len(bench.settled) == 1


def test_a_fault_says_nothing_of_whether_people_answer() -> None:
    bench = bench_of(routing={"max_tries": 1})
    before = bench.engine._state.answers.snapshot()
    (attempt,) = bench.dial()
    end(bench, attempt, 38, 500)
    assert bench.engine._state.answers.snapshot() == before
    (attempt,) = bench.dial()
    end(bench, attempt, 17, 486)
    assert bench.engine._state.answers.snapshot() != before


# ---- channels and limits over everything that may happen ---------------------------------------------------------
def test_a_call_of_an_earlier_run_holds_a_channel_of_its_trunk_until_its_end() -> None:
    bench = Bench(leads=0, trunks=TRUNKS)
    bench.tell(ev.LinkDropped, reason="not yet connected")
    lead = lead_of("L7")
    bench.tell(ev.LeadsAdded, leads=(lead,), progress=(LeadProgress(lead_id="L7"),), last=False)
    claim = act.Claim(
        attempt_id=9, lead_id="L7", number=lead.numbers[0].e164, at=bench.now, stop_keys=(), fact_keys=(), caps=()
    )
    bench.tell(ev.AttemptsInherited, claims=(claim,))
    bench.log_in("ana")
    bench.tell(ev.AttemptSurvived, attempt_id=9, agent_id="ana", try_no=2, trunk="b")
    bench.tell(ev.LinkUp)
    assert in_use(bench) == [0, 1, 0]
    bench.tell(ev.AttemptEnded, attempt_id=9, try_no=2, cause=16)
    assert in_use(bench) == [0, 0, 0]
    bench.wait(60.0)
    assert [(s.trunk, s.tries) for s in bench.settled] == [("b", 2)]


def test_a_run_that_follows_another_takes_the_limits_to_be_used_up() -> None:
    bench = bench_of(trunks=[{"name": "a", "max_channels": 9, "max_cps": 5}])
    assert bench.engine._state.desk.room(bench.now) == 5
    later = Bench(leads=3, run=2, trunks=[{"name": "a", "max_channels": 9, "max_cps": 5}])
    assert later.engine._state.desk.room(later.now) == 0
    assert later.engine._state.desk.room(later.now + 1.0) == 5


def test_a_snapshot_stays_what_it_was() -> None:
    bench = bench_of()
    (attempt,) = bench.dial()
    snapshot = bench.engine.snapshot()
    before = msgspec.json.encode(snapshot)
    end(bench, attempt, 38, 500)
    assert msgspec.json.encode(snapshot) == before


def test_nothing_outside_ends_a_try_that_is_not_placed() -> None:
    bench, attempt = waiting_for_a_set_up()
    bench.tell(ev.AttemptEnded, attempt_id=attempt, try_no=2, cause=38)
    assert bench.engine._state.attempts[attempt].state is AttemptState.REROUTING
    bench.wait(11.0)
    assert len(tries(bench, attempt)) == 2


def test_a_try_that_never_came_about_is_settled_on_the_trunk_that_failed() -> None:
    bench, attempt = waiting_for_a_set_up()
    began = bench.engine.counters.line_s
    bench.wait(3.0)
    bench.tell(ev.StopOrdered, by="eva")
    (settled,) = [s for s in bench.settled if s.attempt_id == attempt]
    assert settled.trunk == "a"
    assert bench.engine.counters.line_s - began <= 3.0 + 1e-6, "its seconds count once"
    assert not bench.engine._state.attempts, "nothing waits for a set-up once the campaign is stopped"


# ---- nobody stands before everybody else --------------------------------------------------------------------------
def pace(bench: Bench, seconds: float) -> None:
    """Ask for lines all the time; each ends as busy at once."""
    bench.engine._state.policies["predictive"] = Greedy()
    until = bench.now + seconds
    while bench.now < until:
        claims = [c.attempt_id for a in bench.wait(0.1) if isinstance(a, act.Reserve) for c in a.claims]
        if claims:
            for action in bench.tell(ev.Reserved, attempt_ids=tuple(claims)):
                if isinstance(action, act.Originate):
                    bench.tell(ev.AttemptEnded, attempt_id=action.attempt_id, cause=17, sip_code=486)


def test_leads_for_whom_there_is_no_room_do_not_hold_up_the_others() -> None:
    narrow = {"name": "a", "max_channels": 9, "max_cps": 0.2, "regions": ["PE", "r0"]}
    wide = {"name": "b", "max_channels": 50, "max_cps": 50, "regions": ["r1"]}
    bench = Bench(leads=0, trunks=[narrow, wide], retry=NO_RETRY)
    names = [f"L{index}" for index in range(200)]
    leads = tuple(
        msgspec.structs.replace(lead_of(name), region="r0" if int(name[1:]) < 100 else "r1") for name in names
    )
    bench.tell(ev.LeadsAdded, leads=leads, progress=tuple(LeadProgress(lead_id=name) for name in names))
    bench.wait(61.0)  # the empty list that the bench began with has a slow tick
    bench.log_in("ana", "bruno")
    pace(bench, 60.0)
    placed = Counter(o.trunk for o in bench.of(act.Originate) if isinstance(o, act.Originate))
    assert placed["b"] == 100, "the second half of the list has a wide trunk"
    assert 9 <= placed["a"] <= 13, "and the first goes on about as its own allows"


def test_a_lead_whose_numbers_nothing_carries_is_finished_and_it_is_told_once() -> None:
    bench = Bench(leads=0, trunks=[{"name": "a", "regions": ["r1"]}], retry=NO_RETRY)
    leads = tuple(msgspec.structs.replace(lead_of(name, 2), region="r0") for name in ("L1", "L2"))
    bench.tell(ev.LeadsAdded, leads=leads, progress=tuple(LeadProgress(lead_id=lead.lead_id) for lead in leads))
    assert bench.engine.queue.queued == 0
    assert len(bench.of(act.Alert)) == 1 and bench.engine.counters.refusals[NO_TRUNK] == 4
    bench.log_in("ana")
    bench.wait(120.0)
    assert bench.engine.ended, "a list that nothing can carry is finished"


def test_a_number_that_nothing_carries_gives_way_to_the_next() -> None:
    deck = [["511", 0.1, 60.0, 60.0, 0.0, 0.0]]
    bench = Bench(leads=0, trunks=[{"name": "a", "deck": deck}], retry=NO_RETRY)
    lead = lead_of("L1", 2)
    numbers = (lead.numbers[0], msgspec.structs.replace(lead.numbers[1], e164="+5117000001"))
    lead = msgspec.structs.replace(lead, numbers=numbers)
    bench.tell(ev.LeadsAdded, leads=(lead,), progress=(LeadProgress(lead_id="L1"),))
    bench.log_in("ana")
    (attempt,) = bench.dial()
    assert tries(bench, attempt)[0].number == "+5117000001"


def test_a_call_without_a_caller_id_spends_no_attempt() -> None:
    bench = bench_of()
    bench.engine._state.desk.caller_ids.choose = lambda **_: None  # type: ignore[method-assign,assignment]
    before = bench.engine._state.launched
    assert bench.dial(3) == []
    assert bench.engine._state.launched == before and in_use(bench) == [0, 0, 0]
