"""Tries: a carrier's fault goes to the next trunk as the next try of the same attempt, and nothing else does."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import pytest

from carriers.capacity import CapacityPrices
from carriers.desk import MOST_SILENT_S
from carriers.router import Room
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.attempt import AttemptState
from dialer.core.engine import Engine
from dialer.core.snapshot import Snapshot
from pacing.policy import Pace
from pacing.view import PacingView
from tests.unit.core.bench_engine import NO_RETRY, START, Bench, OpenRules, ToldPolicy

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


FORBIDDEN = {
    "link": (ev.LinkDropped, {"reason": "test"}),
    "store": (ev.StoreStalled, {"reason": "test"}),
    "pause": (ev.LaunchingPaused, {"by": "eva"}),
    "drain": (ev.DrainOrdered, {"by": "eva"}),
    "stop": (ev.StopOrdered, {"by": "eva"}),
    "lead stopped": (ev.LeadStopped, {"key": "lead:L0", "reason": "paid"}),
    "everything": (ev.LeadStopped, {"key": "everything", "reason": "emergency"}),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_nothing_is_tried_again_once_calls_are_forbidden(name: str) -> None:
    kind, facts = FORBIDDEN[name]
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
    slow = {"name": "b", "max_channels": 9, "max_cps": 0.1}
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


def test_a_next_try_waits_for_a_set_up() -> None:
    bench, attempt = waiting_for_a_set_up()
    assert len(tries(bench, attempt)) == 1
    bench.wait(11.0)
    assert [o.trunk for o in tries(bench, attempt)] == ["a", "b"]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_next_try_that_waits_ends_as_it_failed_once_calls_are_forbidden(name: str) -> None:
    kind, facts = FORBIDDEN[name]
    bench, attempt = waiting_for_a_set_up()
    lead = bench.engine._state.attempts[attempt].claim.lead_id
    bench.tell(kind, **{**facts, **({"key": f"lead:{lead}"} if name == "lead stopped" else {})})
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
    bench = bench_of(trunks=[{"name": "a", "max_channels": 1, "max_cps": 1}, TRUNKS[1], TRUNKS[2]])
    bench.dial()
    for _ in range(4):
        bench.wait(30.0)
    prices = CapacityPrices(
        set_up=(0.5, 0.0, 0.0),
        channel_s=(0.0,) * 3,
        account_set_up=(0.0,) * 3,
        account_channel_s=(0.0,) * 3,
        short=(0.0,) * 3,
        cancelled=(0.0,) * 3,
    )
    bench.tell(ev.CapacityPriced, prices=prices)
    assert bench.engine._state.desk.prices_at == bench.now


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
    assert {s.disposition for s in bench.settled} == {"FAILED"}


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
