"""A recorded day's people, met again: by the same policy, and by another."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.adapters.call_logs import read_call_log
from dialer.adapters.journal import read_journal
from dialer.bootstrap import SimulatedDay, simulate
from dialer.core import events as ev
from dialer.core.lead import Lead, PhoneNumber
from dialer.core.placed_calls import PlacedCall, placed_calls
from sim.calibration import calibrate
from sim.outcome import Outcome
from sim.people import People
from sim.recorded import AgentChange, Record, RecordedFates, agent_days_of, read_record, recorded_agents
from sim.scenario import Scenario


@pytest.fixture(scope="module")
def record(journal: Path) -> Record:
    return read_record(read_journal(journal)[1])


def rerun(scenario: Scenario, journal: Path, record: Record, policy: str | None, to: Path) -> SimulatedDay:
    """Run the day's world again. Beyond the record it is that of other people: another seed, and fitted."""
    fitted = calibrate(read_call_log(journal).calls, scenario).scenario
    others = scenario.model_copy(update={"population": fitted.population, "carriers": fitted.carriers})
    people = People(others, record.leads, seed=scenario.seed + 1)
    fates = RecordedFates(record, people, seed=scenario.seed, patience_s=others.population.patience_s)
    return simulate(
        scenario, policy=policy, leads=record.leads, fates=fates, days=agent_days_of(record), journal_dir=to
    )


def test_the_same_policy_meets_nearly_the_same_day(
    scenario: Scenario, day: SimulatedDay, journal: Path, record: Record, tmp_path: Path
) -> None:
    again = rerun(scenario, journal, record, None, tmp_path).result
    assert again.attempts == pytest.approx(day.result.attempts, rel=0.02)
    assert again.live_answers == pytest.approx(day.result.live_answers, rel=0.02)
    assert again.promises == pytest.approx(day.result.promises, abs=2)
    assert again.occupancy == pytest.approx(day.result.occupancy, abs=0.01)


def test_another_policy_meets_the_same_people(
    scenario: Scenario, day: SimulatedDay, journal: Path, record: Record, tmp_path: Path
) -> None:
    other = rerun(scenario, journal, record, "progressive-v1", tmp_path)
    assert other.journal is not None
    assert other.result.attempts != day.result.attempts
    before, after = by_lead(record.calls), by_lead(tuple(placed_calls(read_journal(other.journal)[1])))
    compared = 0
    for lead, calls in after.items():
        for then, now in zip(before.get(lead, []), calls, strict=False):
            if then.number != now.number or then.trunk != now.trunk or then.ended_at is None or now.ended_at is None:
                continue
            if then.answered_at is not None and now.hung_up_at is None:
                assert now.answered_at is not None
                assert now.answered_at - now.placed_at == pytest.approx(then.answered_at - then.placed_at, abs=1e-6)
                compared += 1
            unasked = then.hung_up_at is None and now.hung_up_at is None  # neither was cut short for want of an agent
            if unasked and then.answered_at is None and then.ended_at - then.placed_at < then.ring_timeout_s - 1:
                assert now.answered_at is None and now.cause == then.cause
                compared += 1
    assert compared > 60


def by_lead(calls: tuple[PlacedCall, ...]) -> dict[str, list[PlacedCall]]:
    found: dict[str, list[PlacedCall]] = {}
    for call in calls:
        found.setdefault(call.lead_id, []).append(call)
    return found


# ---- call by call -------------------------------------------------------------------------------------------
_NUMBERS = tuple(PhoneNumber(e164=f"+5190000000{digit}", zones=("America/Lima",), country="PE") for digit in range(2))
LEAD = Lead(lead_id="L", numbers=_NUMBERS, person="P", debt="D")
LATE = Outcome(end="answered", set_up_s=2.0, rings_s=30.0, human=True, patience_s=9.0, talk_s=77.0, disposition="PTP")


class Always:
    """Fates that never change."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def outcome(self, **_: object) -> Outcome:
        return self._outcome


def placed(**fields: object) -> PlacedCall:
    known: dict[str, object] = {
        "attempt_id": 1, "try_no": 1, "lead_id": "L", "number": _NUMBERS[0].e164, "trunk": "andina",
        "ring_timeout_s": 22.0, "placed_at": 100.0, **fields,
    }  # fmt: skip
    return PlacedCall(**known)  # type: ignore[arg-type]


def fate(
    *calls: PlacedCall, fallback: Outcome = LATE, draw: int = 0, number: int = 0, trunk: str = "andina"
) -> Outcome:
    record = Record(leads=(LEAD,), calls=calls, agents=(), began_at=0.0, ended_at=1000.0)
    return RecordedFates(record, Always(fallback), seed=1).outcome(
        subject=0, draw=draw, number_index=number, trunk=trunk, at=50.0
    )


def test_a_ringing_that_we_ended_may_have_been_answered_later_but_not_sooner() -> None:
    cut = placed(rang_at=103.0, ended_at=122.0, cause=19, sip_code=480)
    later = fate(cut)
    assert (later.end, later.set_up_s, later.rings_s) == ("answered", 3.0, 29.0)
    sooner = Outcome(end="answered", set_up_s=2.0, rings_s=5.0, human=True)
    assert fate(cut, fallback=sooner).end == "no_answer"
    assert fate(cut, fallback=sooner).rings_s is None  # it rings as long as the dialer now wants


def test_a_network_that_gave_up_gives_up_again() -> None:
    ended = fate(placed(rang_at=103.0, ended_at=115.0, cause=19, sip_code=480))
    assert (ended.end, ended.set_up_s, ended.rings_s, ended.cause) == ("no_answer", 3.0, 12.0, 19)
    busy = fate(placed(ended_at=102.5, cause=17, sip_code=486))
    assert (busy.end, busy.set_up_s, busy.cause) == ("busy", 2.5, 17)


def test_a_person_without_an_agent_gets_a_conversation_of_the_day() -> None:
    alone = placed(rang_at=103.0, answered_at=110.0, abandoned_at=112.0, ended_at=121.0, disposition="ABANDONED")
    talk = placed(
        attempt_id=2, lead_id="M", rang_at=1.0, answered_at=5.0, bridged_at=5.0, ended_at=55.0, disposed_at=65.0,
        disposition="REFUSED",
    )  # fmt: skip
    outcome = fate(alone, talk)
    assert (outcome.human, outcome.talk_s, outcome.disposition, outcome.wrap_up_s) == (True, 50.0, "REFUSED", 10.0)
    assert outcome.patience_s == 11.0  # hung up by themselves
    lone = fate(alone)
    assert (lone.talk_s, lone.disposition) == (77.0, "PTP")  # nobody talked that day: the fallback's


def test_a_wrap_up_that_the_limit_ended_is_longer_than_it() -> None:
    call = placed(answered_at=110.0, bridged_at=110.0, ended_at=150.0, disposed_at=210.0, disposition="UNDISPOSED")
    outcome = fate(call)
    assert outcome.talk_s == 40.0 and outcome.wrap_up_s > 60.0 and outcome.disposition == "PTP"


def test_a_fault_is_the_trunks_and_a_dead_number_the_numbers() -> None:
    failed = placed(ended_at=101.0, cause=34, sip_code=503)
    assert fate(failed).end == "failed"
    assert fate(failed, trunk="barata") == LATE
    dead = placed(ended_at=101.0, cause=1, sip_code=404)
    assert fate(dead).end == "invalid"
    assert fate(dead, number=1) == LATE
    assert fate(dead, draw=1).end == "invalid"  # beyond the record, and still dead
    assert fate(placed()) == LATE  # the record ends before the call did


def test_agents_come_go_and_pause_as_they_did() -> None:
    steps = [
        (ev.AgentLoggedIn(at=10.0, agent_id="ana"), ()),
        (ev.AgentReadied(at=20.0, agent_id="ana"), ()),  # ends a wrap-up: no change
        (ev.AgentPaused(at=100.0, agent_id="ana", reason="lunch"), ()),
        (ev.AgentReadied(at=160.0, agent_id="ana"), ()),
        (ev.AgentLoggedOut(at=200.0, agent_id="ana"), ()),
        (ev.AgentLoggedIn(at=230.0, agent_id="ana"), ()),
        (ev.AgentLoggedOut(at=900.0, agent_id="ana"), ()),
    ]
    changes = recorded_agents(steps)
    assert [change.kind for change in changes] == ["log_in", "pause", "ready", "log_out", "log_in", "log_out"]
    assert changes[1] == AgentChange(at=100.0, agent_id="ana", kind="pause", reason="lunch")
    (day,) = agent_days_of(read_record(steps))
    assert (day.log_in_at, day.log_out_at) == (10.0, 900.0)
    assert [(taken.at, taken.length_s, taken.reason) for taken in day.breaks] == [
        (100.0, 60.0, "lunch"),
        (200.0, 30.0, "break"),
    ]


def test_a_run_without_events_is_no_record() -> None:
    with pytest.raises(ValueError, match="expected a run with events"):
        read_record([])


def test_an_announced_leave_is_a_break_from_its_time_though_no_event_begins_it() -> None:
    def announced(at: float, leaves_at: float | None, reason: str) -> ev.AgentLeaveAnnounced:
        return ev.AgentLeaveAnnounced(at=at, agent_id="ana", leaves_at=leaves_at, reason=reason)

    facts: list[ev.Event] = [
        ev.AgentLoggedIn(at=10.0, agent_id="ana"),
        announced(20.0, 40.0, "coffee"),
        announced(30.0, None, ""),
        announced(50.0, 100.0, "lunch"),
        ev.TimePassed(at=120.0),
        ev.AgentReadied(at=160.0, agent_id="ana"),
    ]
    record = read_record((fact, ()) for fact in facts)
    (day,) = agent_days_of(record)
    assert [(taken.at, taken.length_s, taken.reason) for taken in day.breaks] == [(100.0, 60.0, "lunch")]
