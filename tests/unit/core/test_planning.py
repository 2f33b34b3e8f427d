"""Plans: when they are asked for and with what, how they are followed, and what happens without them."""

from __future__ import annotations

from math import nan
from typing import Any

import msgspec
import numpy as np
import pytest

from compliance.clearance import CapSlot, DialCandidate
from dialer.config.campaign import DEFAULT_RETRY
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.lead import Lead, LeadProgress
from dialer.core.planning import Planning
from models.attempts import Result
from models.exploration import Because
from models.plan import HourPlan, PlanRequest, pack, unpack
from tests.unit.core.bench_engine import START, Bench, OpenRules, lead_of

LEADS = 6


def plan_of(number: int, order: list[int], *, until: float = START + 7200.0, **columns: Any) -> HourPlan:
    """A plan; a column that is not given says nothing special."""
    leads = columns.get("leads", LEADS)
    return HourPlan(
        number=number,
        until=until,
        models=columns.get("models", ("m-1",)),
        order=pack(order, "<i4"),
        held=pack(columns.get("held", []), "<i4"),
        held_until=pack(columns.get("held_until", []), "<f8"),
        answer=pack(columns.get("answer", [0.1 * (lead + 1) for lead in range(leads)]), "<f4"),
        right_party=pack(columns.get("right_party", [0.5] * leads), "<f4"),
        because=pack(columns.get("because", [Because.MODEL] * leads), "|u1"),
        propensity=pack(columns.get("propensity", [nan] * leads), "<f4"),
        arm=pack([0] * leads, "|u1"),
        told=columns.get("told", ()),
    )


def bench_of(**changes: Any) -> Bench:
    bench = Bench(leads=LEADS, **changes)
    bench.log_in("ana", "bruno")
    return bench


def requests(bench: Bench) -> list[PlanRequest]:
    return [action.request for action in bench.done if isinstance(action, act.PlanHours)]


def planned(bench: Bench, order: list[int], **columns: Any) -> None:
    """Open a planner, and follow its plan."""
    bench.tell(ev.PlannerOpened, models=("m-1",))
    bench.tell(ev.HoursPlanned, plan=plan_of(requests(bench)[-1].number, order, **columns))


def dialled(bench: Bench, count: int) -> list[act.Originate]:
    before = len(bench.of(act.Originate))
    bench.dial(count)
    return [a for a in bench.of(act.Originate)[before:] if isinstance(a, act.Originate)]


def probabilities(bench: Bench) -> list[float]:
    """Of a live answer, of each line in flight, as pacing sees them."""
    found: list[float] = bench.engine._state.lines.columns[1].tolist()
    return found


def test_nothing_is_asked_before_there_is_a_planner() -> None:
    bench = bench_of()
    bench.wait(7200.0)
    assert requests(bench) == []


def test_it_asks_at_once_then_every_so_often_and_when_an_hour_begins() -> None:
    bench = bench_of(models={"plan_every": "25m"})
    bench.tell(ev.PlannerOpened, models=("m-1",))
    bench.wait(3700.0)
    assert [request.at - START for request in requests(bench)] == [0.0, 60.0, 1560.0, 3060.0, 3600.0]
    assert [request.number for request in requests(bench)] == [1, 2, 3, 4, 5]


def test_the_slots_are_the_hours_to_the_day_s_end_and_the_region_says_when_it_is_open() -> None:
    bench = bench_of()
    bench.wait(600.0)
    bench.tell(ev.PlannerOpened, models=("m-1",))
    (request,) = requests(bench)
    bounds = [(slot.begin_at - START, slot.end_at - START) for slot in request.slots]
    assert bounds[0] == (600.0, 3600.0)  # it is ten past eight, UTC
    assert bounds[-1] == (11 * 3600.0, 12 * 3600.0)
    (region,) = request.regions
    assert (region.zone, region.offset_s) == ("America/Lima", -5 * 3600)
    assert region.open == (0.0,) * 4 + (1.0,) * 8
    assert region.hours == tuple(range(7, 15))
    assert all(slot.attempts > 0.0 and slot.agent_s > 0.0 for slot in request.slots)


def test_the_first_request_has_all_leads_and_the_next_what_has_changed() -> None:
    bench = bench_of(models={"plan_every": "60s"}, retry={"NO_ANSWER": {"after": "2h", "max": 3}})
    bench.tell(ev.PlannerOpened, models=("m-1",))
    (attempt,) = bench.dial(1)
    bench.now += 3.0
    bench.tell(ev.AttemptRinging, attempt_id=attempt)
    bench.now += 20.0
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=19, sip_code=480)
    bench.wait(60.0)
    first, second = requests(bench)
    assert unpack(first.lead, "<i4").tolist() == list(range(LEADS))
    assert set(unpack(first.region, "<i2").tolist()) == {0}
    assert unpack(second.lead, "<i4").tolist() == [0]
    assert unpack(second.ready_at, "<f8").tolist() == [bench.engine.queue[0].progress.next_at]
    assert unpack(first.ended_lead, "<i4").tolist() == []
    assert unpack(second.ended_lead, "<i4").tolist() == [0]
    assert unpack(second.ended_result, "<i1").tolist() == [Result.NO_ANSWER]
    assert unpack(second.ended_ring, "<f4").tolist() == [20.0]
    assert np.isnan(unpack(second.ended_talk, "<f4")).all()
    assert second.carriers[unpack(second.ended_carrier, "<i2")[0]] == "t1"


def test_a_lead_that_is_finished_is_told_as_gone() -> None:
    bench = bench_of(models={"plan_every": "60s"}, retry={"INVALID_NUMBER": {"after": 0, "max": 0}})
    bench.tell(ev.PlannerOpened, models=("m-1",))
    (attempt,) = bench.dial(1)
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=1, sip_code=404)
    bench.wait(60.0)
    second = requests(bench)[1]
    assert (unpack(second.lead, "<i4").tolist(), unpack(second.region, "<i2").tolist()) == ([0], [-1])


def test_what_we_cut_short_teaches_the_planner_nothing() -> None:
    bench = bench_of(models={"plan_every": "60s"})
    bench.tell(ev.PlannerOpened, models=("m-1",))
    (attempt,) = bench.dial(1)
    bench.tell(ev.LeadStopped, key="lead:L0", reason="paid")
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=19, sip_code=487)
    bench.wait(60.0)
    assert unpack(requests(bench)[1].ended_result, "<i1").tolist() == [Result.UNKNOWN]


def test_a_new_planner_in_the_old_one_s_place_is_told_of_all_leads() -> None:
    bench = bench_of(models={"plan_every": "60s"})
    bench.tell(ev.PlannerOpened, models=("m-1",))
    bench.wait(60.0)
    bench.tell(ev.PlannerOpened, models=("m-1",))
    bench.wait(60.0)
    counts = [len(unpack(request.lead, "<i4")) for request in requests(bench)]
    assert counts == [LEADS, 0, LEADS]


def test_leads_are_called_in_the_plan_s_order_with_its_probabilities() -> None:
    bench = bench_of()
    planned(bench, [4, 2, 5])
    calls = dialled(bench, 4)
    assert [call.lead_id for call in calls] == ["L4", "L2", "L5", "L0"]
    assert [round(call.score.answer, 3) for call in calls if call.score is not None] == [0.5, 0.3, 0.6, 0.1]
    assert {call.score.model for call in calls if call.score is not None} == {"m-1"}
    assert pytest.approx(0.5) in [view.next_answer_probability for view in bench.policy.views]
    assert probabilities(bench) == pytest.approx([0.5, 0.3, 0.6, 0.1])


def test_a_lead_of_which_no_model_says_anything_goes_by_the_tables() -> None:
    bench = bench_of()
    planned(bench, [1, 0], answer=[nan, 0.4, 0.4, 0.4, 0.4, 0.4])
    first, second = dialled(bench, 2)
    assert first.score is not None and first.score.answer == pytest.approx(0.4)
    assert second.score is None
    assert probabilities(bench) == pytest.approx([0.4, bench.engine._state.answers.rate])


def test_a_plan_that_has_run_out_is_not_gone_by() -> None:
    bench = bench_of()
    planned(bench, [3], until=START + 60.0)
    bench.wait(61.0)
    (call,) = dialled(bench, 1)
    assert call.score is None


def test_an_older_plan_is_not_followed() -> None:
    bench = bench_of(models={"plan_every": "60s"})
    bench.tell(ev.PlannerOpened, models=("m-1",))
    bench.wait(60.0)
    bench.tell(ev.HoursPlanned, plan=plan_of(2, [3]))
    bench.tell(ev.HoursPlanned, plan=plan_of(1, [5]))
    assert dialled(bench, 1)[0].lead_id == "L3"


def test_a_plan_of_leads_that_are_not_there_is_told_and_not_followed() -> None:
    bench = bench_of()
    planned(bench, [LEADS])
    (alert,) = bench.of(act.Alert)
    assert isinstance(alert, act.Alert) and "is not followed: expected order in [0, 5]" in alert.text
    assert dialled(bench, 1)[0].lead_id == "L0"


def test_what_the_planner_tells_is_told_once() -> None:
    bench = bench_of(models={"plan_every": "60s"})
    bench.tell(ev.PlannerOpened, models=("m-1",))
    for number in (1, 2):
        bench.tell(ev.HoursPlanned, plan=plan_of(number, [0], told=("two leads are unknown",)))
    assert [a.text for a in bench.of(act.Alert) if isinstance(a, act.Alert)] == ["two leads are unknown"]


def test_leads_that_a_lot_holds_back_rest_so_long() -> None:
    bench = bench_of()
    planned(bench, [1, 2], held=[0, 1], held_until=[START + 600.0, START + 30.0])
    assert [call.lead_id for call in dialled(bench, 1)] == ["L2"]
    bench.wait(30.0)
    assert [call.lead_id for call in dialled(bench, 1)] == ["L1"]
    assert bench.engine.queue[0].progress.next_at == START + 600.0


def test_a_drawn_hour_is_noted_with_its_chance_and_told_to_the_planner() -> None:
    because, propensity = [Because.RANDOM_HOUR] + [Because.MODEL] * 5, [0.002] + [nan] * 5
    bench = bench_of(models={"plan_every": "60s"})
    planned(bench, [0], because=because, propensity=propensity)
    (call,) = dialled(bench, 1)
    assert call.score is not None
    assert (call.score.because, call.score.propensity) == ("random_hour", pytest.approx(0.002))
    (attempt,) = bench.engine._state.attempts
    bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=19, sip_code=480)
    bench.wait(60.0)
    assert unpack(requests(bench)[1].ended_propensity, "<f4").tolist() == pytest.approx([0.002])


def test_probabilities_are_mended_by_what_calls_come_to_until_another_model_serves() -> None:
    bench = bench_of(retry={name: {"after": 1, "max": 90} for name in DEFAULT_RETRY}, number_gap=1)
    planned(bench, [0], answer=[0.9] * LEADS)
    for _ in range(40):
        for attempt in bench.dial(2):
            bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=19, sip_code=480)
    view = bench.policy.views[-1]
    assert view.next_answer_probability < 0.8
    bench.tell(ev.HoursPlanned, plan=plan_of(2, [0], models=("m-2",), answer=[0.9] * LEADS))
    bench.dial(1)
    assert bench.policy.views[-1].next_answer_probability == pytest.approx(0.9)


def test_a_list_s_own_probability_gives_way_to_the_plan_s() -> None:
    bench = Bench(leads=0)
    bench.log_in("ana")
    leads = tuple(with_probability(lead_of(f"L{n}"), 0.77) for n in range(2))
    bench.tell(ev.LeadsAdded, leads=leads, progress=tuple(LeadProgress(lead_id=lead.lead_id) for lead in leads))
    bench.dial(1)
    assert probabilities(bench) == pytest.approx([0.77])
    bench.tell(ev.PlannerOpened, models=("m-1",))
    bench.tell(ev.HoursPlanned, plan=plan_of(1, [1], leads=2))
    bench.dial(1)
    assert probabilities(bench) == pytest.approx([0.77, 0.2])


def with_probability(lead: Lead, probability: float) -> Lead:
    return msgspec.structs.replace(lead, answer_probability=probability)


def test_segments_of_propensity_take_effect_with_the_plan() -> None:
    segments = [{"name": "likely", "when": {"propensity": {"at_least": 0.2}}, "priority": 9}]
    bench = bench_of(segments=segments)
    planned(bench, [0, 5])  # as the planner ordered them before it was told of priorities
    bench.wait(0.5)
    assert [entry.priority for entry in map(bench.engine.queue.__getitem__, range(LEADS))] == [0, 0, 0, 9, 9, 9]
    calls = dialled(bench, 4)
    assert [call.lead_id for call in calls] == ["L5", "L3", "L4", "L0"]
    assert [call.score.segment for call in calls if call.score is not None] == ["likely"] * 3 + [""]


def test_a_segment_that_is_not_called_waits_for_what_moves_it() -> None:
    segments = [{"name": "by-message", "when": {"propensity": {"below": 0.12}}, "channels": ["sms"]}]
    bench = bench_of(segments=segments, models={"plan_every": "60s"})
    planned(bench, [0, 1, 2, 3, 4, 5])
    bench.wait(0.5)
    calls = dialled(bench, 9)
    assert [call.lead_id for call in calls] == ["L2", "L3", "L4", "L5"]
    for call in calls:
        bench.tell(ev.AttemptEnded, attempt_id=call.attempt_id, cause=19, sip_code=480)
    bench.wait(60.0)
    bench.tell(ev.HoursPlanned, plan=plan_of(2, [0], answer=[0.9] * LEADS))
    assert [call.lead_id for call in dialled(bench, 9)] == ["L0", "L1"]


def test_the_script_of_a_segment_comes_with_the_bridge_and_the_skill_chooses_the_agent() -> None:
    segments = [{"name": "hard", "when": {"product": ["card"]}, "script": "card-es", "skill": "senior"}]
    agents = [{"id": "ana"}, {"id": "bruno", "skills": ["senior"]}]
    bench = Bench(leads=0, segments=segments, agents=agents)
    bench.log_in("ana", "bruno")
    leads = tuple(lead_of(f"L{n}", product="card") for n in range(3))
    bench.tell(ev.LeadsAdded, leads=leads, progress=tuple(LeadProgress(lead_id=lead.lead_id) for lead in leads))
    first, second = bench.dial(2)
    assert bench.talk(first) == "bruno"
    assert bench.talk(second) == "ana"  # nobody waits for a skill
    assert {a.script for a in bench.of(act.Bridge) if isinstance(a, act.Bridge)} == {"card-es"}


def test_the_status_tells_the_plan_while_it_holds() -> None:
    bench = bench_of()
    assert bench.engine.status().plan is None
    planned(bench, [4, 2], until=START + 60.0)
    plan = bench.engine.status().plan
    assert plan is not None and (plan.models, plan.leads, plan.answer_odds) == (("m-1",), 2, 1.0)
    bench.wait(60.0)
    assert bench.engine.status().plan is None


def test_a_long_list_is_told_in_pieces_that_follow_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.core.planning.LEADS_PER_REQUEST", 4)
    bench = bench_of()
    bench.tell(ev.PlannerOpened, models=("m-1",))
    bench.tell(ev.LeadStopped, key="lead:L0", reason="paid")
    bench.wait(70.0)
    told = [(request.at - START, unpack(request.lead, "<i4").tolist()) for request in requests(bench)]
    assert [(round(at, 2), leads) for at, leads in told] == [(0.0, [0, 1, 2, 3]), (0.05, [4, 5]), (60.05, [])]


BAD = {
    "held outside the list": {"held": [LEADS], "held_until": [START + 60.0]},
    "held below the list": {"held": [-1], "held_until": [START + 60.0]},
    "more leads held than times": {"held": [1, 2], "held_until": [START + 60.0]},
    "held for ever": {"held": [1], "held_until": [float("inf")]},
    "held for a month": {"held": [1], "held_until": [START + 30 * 86400.0]},
    "answers below 0": {"answer": [-1.0] * LEADS},
    "answers without bound": {"answer": [float("inf")] * LEADS},
    "answers of too many leads": {"answer": [0.1] * (LEADS + 1)},
    "fewer right parties than answers": {"right_party": [0.5]},
    "a reason that nobody knows": {"because": [9] * LEADS},
    "no model": {"models": ()},
    "no end": {"until": nan},
}


@pytest.mark.parametrize("columns", BAD.values(), ids=BAD)
def test_a_plan_that_cannot_be_is_told_and_nothing_of_it_is_followed(columns: dict[str, Any]) -> None:
    bench = bench_of()
    planned(bench, [3, 2], **columns)
    (alert,) = bench.of(act.Alert)
    assert isinstance(alert, act.Alert) and "is not followed: expected" in alert.text
    assert [call.lead_id for call in dialled(bench, 2)] == ["L0", "L1"]
    assert bench.engine.status().plan is None


def test_columns_of_half_a_value_are_refused() -> None:
    bench = bench_of()
    bench.tell(ev.PlannerOpened, models=("m-1",))
    bench.tell(ev.HoursPlanned, plan=msgspec.structs.replace(plan_of(1, [3]), answer=b"abc"))
    assert dialled(bench, 1)[0].lead_id == "L0"


def test_the_order_of_a_plan_ends_with_it() -> None:
    bench = bench_of()
    planned(bench, [5, 4, 3], until=START + 60.0)
    assert [call.lead_id for call in dialled(bench, 1)] == ["L5"]
    bench.wait(60.0)
    assert [call.lead_id for call in dialled(bench, 2)] == ["L0", "L1"]


CONTACTED = {"last_contact_days": {"below": 1}}


def contacted_bench(*, days_ago: float, **segment: Any) -> Bench:
    """One lead whose right party was reached so long ago, and a segment of those reached within a day."""
    bench = Bench(leads=0, segments=[{"name": "fresh", "when": CONTACTED, **segment}])
    bench.log_in("ana", "bruno")
    reached_at = START - days_ago * 86400.0
    progress = LeadProgress(lead_id="L0", attempts=1, last_contact_at=reached_at, number_ready_at=(0.0,))
    bench.tell(ev.LeadsAdded, leads=(lead_of("L0"),), progress=(progress,))
    return bench


def test_time_alone_moves_a_lead_out_of_a_segment_that_is_not_called() -> None:
    bench = contacted_bench(days_ago=0.99, channels=["sms"])
    assert dialled(bench, 1) == []
    bench.policy.want = 1
    reserved = [action for action in bench.wait(1800.0) if isinstance(action, act.Reserve)]
    assert not bench.engine.ended
    assert [claim.lead_id for action in reserved for claim in action.claims] == ["L0"]


def test_a_campaign_ends_over_leads_that_other_channels_keep_for_good() -> None:
    bench = Bench(leads=0, segments=[{"name": "cards", "when": {"product": ["card"]}, "channels": ["sms"]}])
    bench.tell(ev.LeadsAdded, leads=(lead_of("L0", product="card"),), progress=(LeadProgress(lead_id="L0"),))
    bench.wait(120.0)
    assert bench.engine.ended


def test_the_caps_of_a_segment_are_those_of_the_moment_of_the_claim() -> None:
    cap = {"id": "one", "count": "attempt", "max": 1, "period": {"kind": "calendar_day"}, "key": ["person"]}
    older = [{"name": "older", "when": {"last_contact_days": {"at_least": 1}}, "caps": [cap]}]
    bench = Bench(leads=0, segments=older)
    bench.log_in("ana")
    progress = LeadProgress(
        lead_id="L0", attempts=1, last_contact_at=START - 86390.0, next_at=START + 60.0, number_ready_at=(0.0,)
    )
    bench.tell(ev.LeadsAdded, leads=(lead_of("L0"),), progress=(progress,))
    assert bench.engine.queue[0].segment == -1
    bench.wait(60.0)
    bench.dial(1)
    assert bench.engine.queue[0].segment == 0


def test_a_lead_in_a_call_is_not_queued_by_a_review() -> None:
    segments = [{"name": "by-message", "when": {"propensity": {"below": 0.12}}, "channels": ["sms"]}]
    bench = bench_of(segments=segments, models={"plan_every": "60s"})
    planned(bench, [0], answer=[0.9] * LEADS)
    (attempt,) = bench.dial(1)
    bench.talk(attempt)
    for number, answer in ((2, 0.1), (3, 0.9)):
        bench.wait(60.0)
        bench.tell(ev.HoursPlanned, plan=plan_of(number, [0], answer=[answer] * LEADS))
    bench.wait(1.0)
    assert bench.engine.queue[0].ticket == 0
    assert "L0" not in [call.lead_id for call in dialled(bench, 9)]


def test_each_model_s_answers_mend_its_own_probabilities() -> None:
    bench = bench_of(retry={name: {"after": 1, "max": 90} for name in DEFAULT_RETRY}, number_gap=1)
    bench.tell(ev.PlannerOpened, models=("m-1", "m-2"))
    plan = msgspec.structs.replace(
        plan_of(1, [0, 1], models=("m-1", "m-2"), answer=[0.9, 0.9] + [0.2] * 4), arm=pack([0, 1, 0, 0, 0, 0], "|u1")
    )
    bench.tell(ev.HoursPlanned, plan=plan)
    for _ in range(30):
        for attempt in bench.dial(1):
            bench.tell(ev.AttemptEnded, attempt_id=attempt, cause=19, sip_code=480)
        bench.engine.queue.drop(1)
    book = bench.engine._state.plans
    assert book.ratio_of("m-1").ratio < 0.8
    assert book.ratio_of("m-2").ratio > book.ratio_of("m-1").ratio


def test_a_lead_whose_claim_is_refused_for_good_is_told_as_gone() -> None:
    bench = bench_of(models={"plan_every": "60s"})
    bench.tell(ev.PlannerOpened, models=("m-1",))
    bench.policy.want = 1
    (claim,) = [claim for a in bench.wait(1.1) if isinstance(a, act.Reserve) for claim in a.claims]
    refusal = ev.Refusal(attempt_id=claim.attempt_id, rule="stop:paid", retry_at=None, key=f"lead:{claim.lead_id}")
    bench.tell(ev.Refused, refusals=(refusal,))
    bench.wait(60.0)
    second = requests(bench)[1]
    assert (unpack(second.lead, "<i4").tolist(), unpack(second.region, "<i2").tolist()) == ([0], [-1])


def test_where_nothing_can_be_asked_it_is_not_tried_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of which the planner knows nothing yet, on a day that is over already."""
    tried = []
    request = Planning._request
    monkeypatch.setattr(Planning, "_request", lambda self: tried.append(self._state.now) or request(self))
    bench = bench_of(rules=OpenRules(until=START), models={"plan_every": "10m"})
    bench.tell(ev.PlannerOpened, models=("m-1",))
    bench.wait(1200.0)
    assert requests(bench) == []
    assert [at - START for at in tried] == [0.0, 60.0, 660.0]


def test_the_caps_of_a_region_are_without_those_of_its_leads_segments() -> None:
    class Capped(OpenRules):
        def caps(self, candidate: DialCandidate, now: float) -> tuple[CapSlot, ...]:
            most = 3 if candidate.segment < 0 else 1
            return (CapSlot(rule="a", key="person:P", max=most, count="attempt", since=now - 3600.0),)

    bench = Bench(leads=0, rules=Capped(), segments=[{"name": "cards", "when": {"product": ["card"]}}])
    bench.tell(ev.LeadsAdded, leads=(lead_of("L0", product="card"),), progress=(LeadProgress(lead_id="L0"),))
    assert bench.engine.queue[0].segment == 0
    bench.tell(ev.PlannerOpened, models=("m-1",))
    assert [region.per_day for region in requests(bench)[0].regions] == [3]
