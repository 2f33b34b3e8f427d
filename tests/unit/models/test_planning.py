"""Plans of hours: who is in them and in what order, caps and lots, what is recomputed, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import nan
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.allocation import DayCalls, HourPrices, advantage
from models.attempts import Result
from models.bundle import ModelBundle
from models.exploration import Because
from models.plan import HourPlan, Slot, pack, unpack
from models.planning import Planning, PlanSettings
from models.wear import WearEffect
from tests.unit.models.plan_bench import (
    DAY_S,
    HOUR_S,
    MONDAY,
    PLACE,
    PlainModel,
    Told,
    Zone,
    answers_of,
    because_of,
    held_of,
    order_of,
    planning_of,
    request_of,
    table_of,
)

AT_TEN = MONDAY + 10 * HOUR_S


def bundle(model: object) -> ModelBundle:
    return cast(ModelBundle, model)


# ---- order ------------------------------------------------------------------------------------------------------
@dataclass
class Seen:
    """What a plan reckoned with."""

    calls: DayCalls
    prices: HourPrices
    gain: NDArray[np.float32]


@contextmanager
def watched() -> Iterator[list[Seen]]:
    """Watch the advantages that plans go by."""
    seen: list[Seen] = []

    def spied(calls: DayCalls, prices: HourPrices) -> NDArray[np.float32]:
        seen.append(Seen(calls, prices, advantage(calls, prices)))
        return seen[-1].gain.copy()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.planning.advantage", spied)
        yield seen


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-1, 1), min_size=1, max_size=40), st.sampled_from([0.5, 3.0, 1e6]))
def test_the_order_is_by_priority_then_by_whose_hour_it_is_then_by_advantage(
    priority: list[int], attempts: float
) -> None:
    n = len(priority)
    with watched() as seen:
        plan = planning_of(n).plan(request_of(AT_TEN, n, priority=priority, attempts=attempts))
    gain, least = seen[0].gain, -seen[0].prices.blur
    order = order_of(plan)
    assert sorted(order) == list(range(n))

    def key(lead: int) -> tuple[int, bool, float]:
        later = bool(gain[lead] < least)
        return -priority[lead], later, -float(gain[lead]) if later else 0.0  # among the former the lot decides

    assert [key(lead) for lead in order] == sorted(map(key, range(n)))


def test_those_whose_hour_it_is_are_mixed_and_stay_so_within_the_hour() -> None:
    planning = planning_of(200, wear_price=0.0)
    first, soon = (planning.plan(request_of(AT_TEN + after_s, 200)) for after_s in (0.0, 600.0))
    assert order_of(first) == order_of(soon)
    places = np.argsort(order_of(first))
    assert abs(np.corrcoef(places, answers_of(first))[0, 1]) < 0.3
    assert order_of(planning.plan(request_of(AT_TEN + HOUR_S, 200))) != order_of(first)


class Late(PlainModel):
    """The upper half by amount answers well from three o'clock on."""

    def answer(self, X: np.ndarray) -> np.ndarray:
        better = (X[:, PLACE["amount"]] >= 0.5) & (X[:, PLACE["hour"]] >= 15)
        return np.where(better, 0.5, 0.1).astype(np.float32)


def test_who_answers_better_later_comes_after_who_does_not() -> None:
    plan = planning_of(10, Late(), wear_price=0.0).plan(request_of(AT_TEN, 10, zones=(Zone(per_day=1),), attempts=2.0))
    assert {table_of(10).numeric["amount"][lead] < 0.5 for lead in order_of(plan)[:5]} == {True}


def test_leads_that_may_not_be_called_now_are_not_in_it() -> None:
    n, zones = 6, (Zone(), Zone(opens=14.0))
    ready = [0.0, AT_TEN + 2 * HOUR_S, AT_TEN + 600.0, 0.0, 0.0, AT_TEN + 30 * HOUR_S]
    plan = planning_of(n).plan(request_of(AT_TEN, n, zones=zones, region=[0, 0, 0, 1, -1, 0], ready_at=ready))
    assert set(order_of(plan)) == {0, 2}  # the one that rests for ten minutes only may be called in this hour
    assert np.isnan(answers_of(plan)).tolist() == [False] * 4 + [True] * 2  # gone, and not today


def test_a_lead_that_is_gone_may_come_back() -> None:
    planning = planning_of(2)
    plan = planning.plan(request_of(AT_TEN, 2))
    gone = planning.plan(request_of(AT_TEN, 2, lead=[1], region=[-1]))
    back = planning.plan(request_of(AT_TEN, 2, lead=[1], region=[0]))
    assert (sorted(order_of(plan)), order_of(gone), sorted(order_of(back))) == ([0, 1], [0], [0, 1])
    assert answers_of(plan).tolist() == answers_of(back).tolist()


# ---- caps -------------------------------------------------------------------------------------------------------
def in_order(planning: Planning, at: float, zone: Zone, ended: Sequence[Told] = ()) -> list[int]:
    return sorted(order_of(planning.plan(request_of(at, 2, zones=(zone,), ended=ended))))


def test_caps_of_a_day_and_of_a_week_count_what_has_happened() -> None:
    zone, planning = Zone(per_day=2, per_week=3), planning_of(2)
    first = [Told(0, AT_TEN - 60.0), Told(0, AT_TEN - 30.0)]
    assert in_order(planning, AT_TEN, zone, first[:1]) == [0, 1]
    assert in_order(planning, AT_TEN, zone, first[1:]) == [1]
    assert in_order(planning, AT_TEN + DAY_S, zone) == [0, 1]
    assert in_order(planning, AT_TEN + DAY_S, zone, [Told(0, AT_TEN + DAY_S - 9.0)]) == [1]  # the third of the week
    assert in_order(planning, AT_TEN + 6 * DAY_S, zone) == [1]
    assert in_order(planning, AT_TEN + 7 * DAY_S, zone) == [0, 1]


def test_a_day_begins_at_the_midnight_of_the_place() -> None:
    zone, planning = Zone(offset_h=-5.0, opens=0.0, closes=24.0, per_day=1), planning_of(2)
    midnight = MONDAY + DAY_S + 5 * HOUR_S
    assert in_order(planning, midnight - 1800.0, zone, [Told(0, midnight - 5.5 * HOUR_S)]) == [1]
    assert in_order(planning, midnight, zone) == [0, 1]


def test_nobody_is_called_where_the_caps_allow_none() -> None:
    assert in_order(planning_of(2), AT_TEN, Zone(per_day=0)) == []


# ---- lots -------------------------------------------------------------------------------------------------------
N, UTC = 400, Zone()


def day_of(planning: Planning, *, calls: bool, zone: Zone = UTC, day: int = 0) -> dict[int, HourPlan]:
    """A plan for each local hour of a day; with `calls` all leads of the order are called, in vain."""
    plans: dict[int, HourPlan] = {}
    ended: list[Told] = []
    for hour in range(int(zone.opens), int(zone.closes)):
        at = MONDAY + day * DAY_S + (hour - zone.offset_h) * HOUR_S
        plan = plans[hour] = planning.plan(request_of(at, N, zones=(zone,), ended=ended))
        ended = [Told(lead, at + 60.0) for lead in order_of(plan)] if calls else []
    return plans


@pytest.mark.parametrize("offset_h", [0.0, -5.0, 5.5])
@pytest.mark.parametrize("calls", [False, True])
def test_a_lead_drawn_to_an_hour_is_called_in_it_alone_and_once(calls: bool, offset_h: float) -> None:
    zone = Zone(offset_h=offset_h)
    plans = day_of(planning_of(N, explore=0.4), calls=calls, zone=zone)
    drawn = np.flatnonzero(because_of(plans[8]) == Because.RANDOM_HOUR)
    assert 50 < len(drawn) < 110  # a fifth of them
    hours = {lead: [hour for hour, plan in plans.items() if lead in order_of(plan)] for lead in drawn.tolist()}
    assert {len(in_it) for in_it in hours.values()} == {1}
    assert {in_it[0] for in_it in hours.values()} == set(plans), "some hours were never drawn"
    for lead, (chosen,) in hours.items():
        for hour, plan in plans.items():
            assert unpack(plan.propensity, "<f4")[lead] == pytest.approx(0.2 / 12.0)
            if hour == chosen:
                assert lead not in held_of(plan)
                # First comes whom the lot has drawn.
                ahead = order_of(plan)[: order_of(plan).index(lead)]
                assert set(ahead) <= set(drawn.tolist())
            else:
                later = MONDAY + (chosen - offset_h) * HOUR_S if hour < chosen else MONDAY + DAY_S - offset_h * HOUR_S
                begins = later // HOUR_S * HOUR_S if hour < chosen else later
                assert held_of(plan)[lead] == begins
    others = np.flatnonzero(because_of(plans[8]) == Because.MODEL)
    assert np.isnan(unpack(plans[8].propensity, "<f4")[others]).all()


def test_one_that_was_called_in_its_drawn_hour_is_held_for_the_rest_of_the_day() -> None:
    planning = planning_of(N, explore=0.4)
    plan = planning.plan(request_of(AT_TEN, N))
    (lead, *_) = [lead for lead in order_of(plan) if because_of(plan)[lead] == Because.RANDOM_HOUR]
    later = planning.plan(request_of(AT_TEN + 600.0, N, lead=[], ended=[Told(lead, AT_TEN + 5.0)]))
    assert lead not in order_of(later) and held_of(later)[lead] == MONDAY + DAY_S


def test_drawn_rests_are_kept_to_and_those_due_are_called_that_day() -> None:
    planning = planning_of(N, explore=1.0)
    plan = planning.plan(request_of(AT_TEN, N, ended=[Told(lead, AT_TEN - 60.0) for lead in range(N)]))
    first = held_of(plan)
    rests = {lead: until for lead, until in first.items() if because_of(plan)[lead] != Because.RANDOM_HOUR}
    assert 150 < len(rests) < 250  # half of them
    assert {(until - MONDAY) / DAY_S for until in rests.values()} == set(range(1, 8))
    assert not set(rests) & set(order_of(plan))
    for day in range(1, 8):
        plans = day_of(planning, calls=False, day=day)
        due = {lead for lead, until in rests.items() if until == MONDAY + day * DAY_S}
        assert {*np.flatnonzero(because_of(plans[8]) == Because.RANDOM_GAP).tolist()} == due
        for plan in plans.values():
            assert {lead for lead, until in rests.items() if until > MONDAY + day * DAY_S} <= set(held_of(plan))
            assert not due & set(held_of(plan)) and due <= set(order_of(plan))
            assert unpack(plan.propensity, "<f4")[list(due)] == pytest.approx(1.0 / 14.0)
        # The model answers best in the last hour: whoever was not called before comes first in it.
        order = order_of(plans[19])
        drawn = set(np.flatnonzero(because_of(plans[19]) != Because.MODEL).tolist())
        assert set(order[: len(due)]) <= drawn


@pytest.mark.parametrize("result", [Result.WRONG_PARTY, Result.RIGHT_PARTY, Result.PROMISE, Result.ANSWERED])
def test_no_lot_keeps_back_whoever_talked_to_us_last(result: Result) -> None:
    """A right party may have asked to be called at five: neither an hour nor a rest is drawn for them."""
    planning = planning_of(N, explore=1.0)
    ended = [Told(lead, AT_TEN - 60.0, result if lead % 2 else Result.NO_ANSWER) for lead in range(N)]
    talked = set(range(1, N, 2))
    plans = [planning.plan(request_of(AT_TEN, N, ended=ended))]
    plans += [plan for day in range(1, 8) for plan in day_of(planning, calls=False, day=day).values()]
    for plan in plans:
        assert not talked & set(held_of(plan)) and talked <= set(order_of(plan))
        assert {*because_of(plan)[list(talked)].tolist()} == {Because.MODEL}
        assert np.isnan(unpack(plan.propensity, "<f4")[list(talked)]).all()
    assert held_of(plans[0]), "the others are drawn"


def test_no_lot_keeps_back_whoever_promised_whatever_came_after() -> None:
    planning = planning_of(N, explore=1.0)
    ended = [Told(lead, AT_TEN - 900.0, Result.PROMISE) for lead in range(N)]
    ended += [Told(lead, AT_TEN - 60.0) for lead in range(N)]
    plan = planning.plan(request_of(AT_TEN, N, ended=ended))
    assert held_of(plan) == {} and len(order_of(plan)) == N


def test_lots_go_by_the_day_of_each_place() -> None:
    """Half of the people have Tuesday already: the same lots as if they were asked alone."""
    zones = (Zone(offset_h=-5.0, opens=0.0, closes=24.0), Zone(offset_h=9.0, opens=0.0, closes=24.0))
    at, region = MONDAY + 18 * HOUR_S, [lead % 2 for lead in range(N)]
    both = planning_of(N, explore=0.4).plan(request_of(at, N, zones=zones, region=region))
    for place in (0, 1):
        mine = [lead for lead in range(N) if region[lead] == place]
        alone = planning_of(N, explore=0.4).plan(
            request_of(at, N, zones=zones, region=[place if r == place else -1 for r in region])
        )
        assert because_of(both)[mine].tolist() == because_of(alone)[mine].tolist()
        assert {lead: until for lead, until in held_of(both).items() if region[lead] == place} == held_of(alone)


# ---- places -----------------------------------------------------------------------------------------------------
class Clock(PlainModel):
    """Answers with the local hour / 100."""

    def answer(self, X: np.ndarray) -> np.ndarray:
        return (X[:, PLACE["hour"]] / 100.0).astype(np.float32)


def test_every_place_goes_by_its_own_clock_at_the_middle_of_the_hour() -> None:
    offsets = [0.0, -5.0, 5.5, 5.75, -3.5, 9.0]
    zones = [Zone(offset_h=offset_h, opens=0.0, closes=24.0) for offset_h in offsets]
    plan = planning_of(6, Clock()).plan(request_of(AT_TEN, 6, zones=zones, region=range(6)))
    assert answers_of(plan) * 100.0 == pytest.approx([10, 5, 16, 16, 7, 19])


def test_a_holiday_and_a_clock_that_is_put_forward_are_seen() -> None:
    planning = planning_of(3, Clock())
    planning.plan(request_of(AT_TEN, 3))
    moved = planning.plan(request_of(AT_TEN, 3, lead=[], zones=(Zone(offset_h=1.0),)))
    assert answers_of(moved) * 100.0 == pytest.approx([11] * 3)
    feast, plain = planning_of(3), planning_of(3)
    before = feast.plan(request_of(AT_TEN, 3))
    after = feast.plan(request_of(AT_TEN, 3, lead=[], zones=(Zone(holiday=True),)))
    assert (answers_of(after) > answers_of(before)).all()
    assert (
        answers_of(after).tolist()
        == answers_of(plain.plan(request_of(AT_TEN, 3, zones=(Zone(holiday=True),)))).tolist()
    )


def test_hours_in_which_nobody_is_called_cost_nothing() -> None:
    model = PlainModel()
    planning_of(5, model).plan(request_of(MONDAY, 5))
    assert model.told == 5 * 13  # the present hour, and the twelve open ones


# ---- what is recomputed -----------------------------------------------------------------------------------------
@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    steps = []
    for _ in range(draw(st.integers(1, 7))):
        leads = draw(st.lists(st.integers(0, 7), max_size=6, unique=True))
        steps.append(
            {
                "after_s": draw(st.sampled_from([60.0, 900.0, 3000.0, 4000.0, 40_000.0, 90_000.0])),
                "lead": leads,
                "region": [draw(st.sampled_from([0, 0, 1, -1])) for _ in leads],
                "on_number": [draw(st.integers(0, 1)) for _ in leads],
                "ready_h": [draw(st.sampled_from([0.0, 0.0, 2.0, 30.0])) for _ in leads],
                "called": draw(st.lists(st.tuples(st.integers(0, 7), st.sampled_from(list(Result))), max_size=4)),
                "holiday": draw(st.booleans()),
            }
        )
    return steps


@settings(max_examples=60, deadline=None)
@given(histories())
def test_what_is_kept_equals_what_is_told_afresh(steps: list[dict[str, Any]]) -> None:
    n, at = 8, AT_TEN
    grown, fresh = planning_of(n, explore=0.5), planning_of(n, explore=0.5)
    state: dict[str, Any] = {"region": [0, 1] * 4, "on_number": [0] * n, "ready_at": [0.0] * n}
    zones = (Zone(closes=22.0), Zone(offset_h=3.5, closes=22.0))
    grown.plan(request_of(at, n, zones=zones, **state))
    for number, step in enumerate(steps, start=2):
        ended = [Told(lead, at + 1.0 + turn, result) for turn, (lead, result) in enumerate(step["called"])]
        at += step["after_s"]
        if at % DAY_S // HOUR_S >= 22.0:
            at = at // DAY_S * DAY_S + DAY_S + 2 * HOUR_S
        for place, lead in enumerate(step["lead"]):
            state["region"][lead] = step["region"][place]
            state["on_number"][lead] = step["on_number"][place]
            state["ready_at"][lead] = at + step["ready_h"][place] * HOUR_S
        zones = (Zone(closes=22.0, holiday=step["holiday"]), Zone(offset_h=3.5, closes=22.0))
        changed: dict[str, Any] = {name: [values[lead] for lead in step["lead"]] for name, values in state.items()}
        plan = grown.plan(request_of(at, n, lead=step["lead"], zones=zones, ended=ended, number=number, **changed))
    # Attempts are told with the zone and the holiday of their time: so the history is the other's.
    fresh.history.records[:] = grown.history.records
    anew = fresh.plan(request_of(at, n, zones=zones, number=number, **state))
    for name in ("answer", "right_party", "because", "propensity", "arm", "held", "held_until"):
        assert getattr(plan, name) == getattr(anew, name), name
    assert set(order_of(plan)) == set(order_of(anew))
    assert plan.hour_prices == pytest.approx(anew.hour_prices, abs=0.02)


def test_only_leads_to_whom_something_happened_are_told_again() -> None:
    model = PlainModel()
    planning = planning_of(50, model)
    planning.plan(request_of(AT_TEN, 50))
    model.told = 0
    planning.plan(request_of(AT_TEN + 60.0, 50, lead=[], ended=[Told(3, AT_TEN), Told(7, AT_TEN)]))
    assert model.told == 2 * 10
    model.told = 0
    planning.plan(request_of(AT_TEN + HOUR_S, 50, lead=[]))
    assert model.told == 0


def test_what_the_journal_told_already_is_not_counted_twice() -> None:
    zone, planning = Zone(per_day=2), planning_of(2)
    calls = [Told(0, AT_TEN - 60.0)]
    planning.plan(request_of(AT_TEN, 2, zones=(zone,), ended=calls))
    again = planning.plan(request_of(AT_TEN, 2, lead=[], zones=(zone,), ended=[*calls, Told(1, AT_TEN - 59.0)]))
    assert planning.history.attempts.tolist() == [1, 1] and sorted(order_of(again)) == [0, 1]


def test_another_model_from_the_next_plan_on() -> None:
    planning, calls = planning_of(20), [Told(4, AT_TEN - 5.0)]
    planning.plan(request_of(AT_TEN, 20, ended=calls))
    planning.adopt(bundle(PlainModel(id="m-2", by_hour=-0.1)))
    plan = planning.plan(request_of(AT_TEN, 20, lead=[]))
    anew = planning_of(20, PlainModel(id="m-2", by_hour=-0.1)).plan(request_of(AT_TEN, 20, ended=calls))
    assert plan.models == ("m-2",) and plan.answer == anew.answer and plan.right_party == anew.right_party


def test_a_challenger_serves_its_share_and_the_same_leads_every_day() -> None:
    both = planning_of(N, challenger=PlainModel(id="m-2", by_hour=-0.1), challenger_share=0.25)
    plans = [both.plan(request_of(AT_TEN + day * DAY_S, N)) for day in range(2)]
    arms = unpack(plans[0].arm, "|u1")
    assert plans[0].models == ("m-1", "m-2") and plans[0].arm == plans[1].arm and 60 < arms.sum() < 140
    for arm, model in enumerate((PlainModel(), PlainModel(by_hour=-0.1))):
        alone = answers_of(planning_of(N, model).plan(request_of(AT_TEN, N)))
        assert answers_of(plans[0])[arms == arm].tolist() == alone[arms == arm].tolist()
    assert set(because_of(plans[0])[arms == 1].tolist()) == {Because.CHALLENGER}
    both.adopt(bundle(PlainModel()))
    assert not unpack(both.plan(request_of(AT_TEN, N, lead=[])).arm, "|u1").any()


def test_equal_requests_give_equal_plans() -> None:
    one, other = (planning_of(N, explore=0.1) for _ in range(2))
    for day in range(3):
        ended = [Told(lead, AT_TEN + (day - 1) * DAY_S + lead) for lead in range(0, N, 3)]
        request = request_of(AT_TEN + day * DAY_S, N, ended=ended, attempts=30.0)
        assert one.plan(request) == other.plan(request)


# ---- what it says -----------------------------------------------------------------------------------------------
def test_a_value_that_the_model_has_never_seen_goes_by_the_tables_and_is_told() -> None:
    table = table_of(6, product=("card", "\x1b[31mboat", "loan"))
    plan = planning_of(table).plan(request_of(AT_TEN, 6))
    strange = [1, 4]
    assert because_of(plan).tolist() == [Because.TABLES if lead in strange else Because.MODEL for lead in range(6)]
    assert answers_of(plan)[strange] == pytest.approx(0.25)
    assert unpack(plan.right_party, "<f4")[strange] == pytest.approx(0.75)
    assert set(order_of(plan)) == set(range(6))
    (line,) = plan.told
    assert "product" in line and "leads: 2" in line and "by the tables" in line
    assert "\n" not in line and "\x1b" not in line


def test_a_model_whose_columns_the_list_has_not_is_refused_and_nothing_changes() -> None:
    table = table_of(4)
    bare = msgspec.structs.replace(PlainModel().feature_set, numeric=("amount", "score"))
    with pytest.raises(ValueError, match=r"m-9 does not fit the list: .*score"):
        planning_of(table, PlainModel(id="m-9", feature_set=bare))
    planning = planning_of(table)
    before = planning.plan(request_of(AT_TEN, 4))
    with pytest.raises(ValueError, match="m-9"):
        planning.adopt(bundle(PlainModel(id="m-9", feature_set=bare)))
    with pytest.raises(ValueError, match="expected the same 4 leads"):
        planning.adopt(bundle(PlainModel(id="m-9")), leads=table_of(5))
    assert planning.plan(request_of(AT_TEN, 4, lead=[])) == before


def test_an_answer_keeps_an_agent_as_long_as_answers_have_on_the_whole() -> None:
    with watched() as seen:
        planning_of(30).plan(request_of(AT_TEN, 30))
    calls = seen[0].calls
    weights = calls.answer[:, 0]
    assert float(weights @ calls.handle_s) / float(weights.sum()) == pytest.approx(120.0, rel=1e-5)
    amounts = table_of(30).numeric["amount"]
    assert calls.handle_s / calls.handle_s[0] == pytest.approx((60 + 10 * amounts) / (60 + 10 * amounts[0]), rel=1e-5)


def test_with_promises_as_the_goal_an_answer_is_worth_its_promise() -> None:
    with watched() as seen:
        plans = [planning_of(9, goal=goal).plan(request_of(AT_TEN, 9)) for goal in ("right_party", "promise")]
    contacts, promises = (each.calls.value for each in seen)
    assert plans[0].right_party == plans[1].right_party == contacts.tobytes()
    amounts = table_of(9).numeric["amount"]
    assert promises == pytest.approx(contacts / (1.0 + np.exp(1.0 - amounts)), rel=1e-5)


def test_prices_rise_where_lines_and_agents_are_short() -> None:
    free = planning_of(N).plan(request_of(AT_TEN, N))
    lines = planning_of(N).plan(request_of(AT_TEN, N, attempts=5.0))
    agents = planning_of(N).plan(request_of(AT_TEN, N, agent_s=300.0))
    assert max(free.hour_prices) == max(free.agent_prices) == 0.0
    assert min(lines.hour_prices) > 0.0 and max(lines.agent_prices) == 0.0
    assert min(agents.agent_prices) > 0.0 and max(agents.hour_prices) == 0.0


def test_the_wear_index_begins_at_one_and_falls_with_those_who_are_gone() -> None:
    planning = planning_of(N)
    first = planning.plan(request_of(AT_TEN, N))
    later = planning.plan(request_of(AT_TEN, N, lead=range(N // 2), region=[-1] * (N // 2)))
    assert first.wear_index == 1.0 and later.wear_index is not None and 0.3 < later.wear_index < 0.7


class Evening(Late):
    """Everybody answers five times as well from three o'clock on."""

    def answer(self, X: np.ndarray) -> np.ndarray:
        return np.where(X[:, PLACE["hour"]] >= 15, 0.5, 0.1).astype(np.float32)

    def right_party(self, X: np.ndarray) -> np.ndarray:
        return np.full(len(X), 0.5, dtype=np.float32)


def test_the_wear_index_compares_an_hour_with_the_same_hour() -> None:
    planning = planning_of(N, Evening())
    ready = [0.0] * N
    assert planning.plan(request_of(AT_TEN, N)).wear_index == 1.0
    # In the evening, and on the next morning at an hour that this planner has not seen: neither recovery nor loss.
    for at in (AT_TEN + 6 * HOUR_S, AT_TEN + 22 * HOUR_S, AT_TEN + DAY_S):
        assert planning.plan(request_of(at, N, lead=[])).wear_index == pytest.approx(1.0)
    # One that rests until another day is not gone.
    ready[: N // 2] = [AT_TEN + 3 * DAY_S] * (N // 2)
    assert planning.plan(request_of(AT_TEN + DAY_S, N, ready_at=ready)).wear_index == pytest.approx(1.0)
    gone = planning.plan(request_of(AT_TEN + DAY_S, N, lead=range(N // 4), region=[-1] * (N // 4)))
    assert gone.wear_index == pytest.approx(0.75)


def test_the_wear_index_falls_with_calls_in_vain_and_is_of_leads_told_later_too() -> None:
    planning = planning_of(N)
    half = range(N // 2)
    assert planning.plan(request_of(AT_TEN, N, lead=half)).wear_index == 1.0
    both = planning.plan(request_of(AT_TEN + 60.0, N, lead=range(N // 2, N)))
    assert both.wear_index == pytest.approx(1.0)
    called = [Told(lead, AT_TEN + 120.0) for lead in range(N)]
    worn = planning.plan(request_of(AT_TEN + 600.0, N, lead=[], ended=called)).wear_index
    assert worn is not None and 0.3 < worn < 0.9


def test_noisy_lots_hardly_change_what_a_call_costs() -> None:
    def wear(found: WearEffect | None) -> float:
        with watched() as seen:
            planning = Planning(table_of(N), bundle(PlainModel()), settings=PlanSettings(explore=0.0), wear=found)
            planning.plan(request_of(AT_TEN, N, attempts=50.0))
        return float(seen[0].calls.wear.mean())

    def effect(drop: float, error: float) -> WearEffect:
        return WearEffect(drop=drop, error=error, half_life_days=4.0, rows=200, effective_rows=200.0)

    usual = wear(None)
    assert wear(effect(0.9, 1.0)) == pytest.approx(usual, rel=0.1)
    assert wear(effect(0.4, 0.01)) > 4.0 * usual
    assert wear(effect(-0.9, 0.02)) == 0.0


def test_a_plan_holds_until_soon_after_its_hour() -> None:
    plan = planning_of(2).plan(request_of(AT_TEN + 600.0, 2))
    assert AT_TEN + HOUR_S < plan.until <= AT_TEN + HOUR_S + 600.0


# ---- nothing, and nonsense --------------------------------------------------------------------------------------
def test_nobody_and_nowhere_make_an_empty_plan() -> None:
    for n, zones in ((0, (Zone(),)), (0, ()), (3, ())):
        planning = planning_of(n)
        plan = planning.plan(request_of(AT_TEN, n, zones=zones, region=[-1] * n))
        assert (order_of(plan), held_of(plan), plan.wear_index) == ([], {}, None)
        assert len(answers_of(plan)) == n


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a lead that is none": ({"lead": pack([0, 9, 2], "<i4")}, r"expected leads in \[0, 2\], were 0 to 9"),
    "a lead below none": ({"lead": pack([0, -1, 2], "<i4")}, "were -1 to 2"),
    "a region that is none": ({"region": pack([0, 1, 0], "<i2")}, r"expected regions in \[-1, 0\]"),
    "a number below none": ({"on_number": pack([0, -1, 0], "<i1")}, "expected numbers"),
    "no time": ({"ready_at": pack([0.0, nan, 0.0], "<f8")}, "expected a time from which each lead is ready"),
    "columns of other lengths": ({"priority": pack([0], "<i4")}, "expected columns of equal length.* 1 priority"),
    "half a number": ({"priority": b"\0\0\0"}, "multiple of"),
    "a result that is none": ({"ended_result": pack([8], "<i1")}, "expected results"),
    "an attempt of nobody": ({"ended_lead": pack([3], "<i4")}, "expected leads"),
    "an attempt to come": ({"ended_at": pack([AT_TEN + DAY_S], "<f8")}, "expected attempts before"),
    "an attempt at no time": ({"ended_at": pack([nan], "<f8")}, "expected attempts before"),
    "no slots": ({"slots": ()}, "expected 1 to 32 slots, were 0"),
    "a slot that ends before it begins": (
        {"slots": (Slot(begin_at=AT_TEN, end_at=AT_TEN, attempts=1.0, agent_s=1.0),)},
        "that begin before they end",
    ),
    "no handle time": ({"handle_s": nan}, "expected a handle time"),
    "an endless gap": ({"gap_s": float("inf")}, "expected a gap"),
    "fewer regions than before": ({"regions": ()}, "regions told before|expected regions"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_in_one_line_and_not_taken_in(case: str) -> None:
    changes, message = REFUSED[case]
    planning, twin = planning_of(3), planning_of(3)
    for each in (planning, twin):
        each.plan(request_of(AT_TEN, 3))
    bad = msgspec.structs.replace(request_of(AT_TEN, 3, priority=[3, 2, 1], ended=[Told(1, AT_TEN - 1.0)]), **changes)
    with pytest.raises(ValueError, match=message) as raised:
        planning.plan(bad)
    assert "\n" not in str(raised.value)
    after = request_of(AT_TEN + 60.0, 3, lead=[])
    assert planning.plan(after) == twin.plan(after)
