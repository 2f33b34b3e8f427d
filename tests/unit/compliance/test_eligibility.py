import math

import numpy as np
import pytest

from compliance.eligibility import Eligibility, places_of
from tests.unit.compliance.law import WORKDAYS, at, place, profile, rules, window

LIMA, MADRID, BANGKOK = "America/Lima", "Europe/Madrid", "Asia/Bangkok"
LAW = profile("pe", "PE", windows=(window(8, 20, WORKDAYS),))
PLACES = [place("PE"), place("PE", zones=(MADRID,)), place("PE", zones=(LIMA, BANGKOK)), place("XX")]
NOON = at("2026-07-15T12:00", LIMA)  # a Wednesday; 19:00 in Madrid


def _list(place_of, *, ready_at=0.0, stopped=(), rule_set=None) -> Eligibility:
    indices = np.array(place_of, dtype=np.int32)
    flags = np.zeros(len(indices), dtype=np.bool_)
    flags[list(stopped)] = True
    times = np.broadcast_to(np.asarray(ready_at, dtype=np.float64), indices.shape).copy()
    return Eligibility(rule_set or rules(LAW), PLACES, indices, times, flags)


def test_places_are_numbered_in_the_order_of_the_list():
    lima, madrid = place("PE"), place("PE", zones=(MADRID,))
    distinct, place_of = places_of([madrid, lima, place("PE"), madrid])
    assert distinct == [madrid, lima]
    assert place_of.dtype == np.int32
    assert place_of.tolist() == [0, 1, 1, 0]


def test_an_empty_list_has_nothing_to_call():
    distinct, place_of = places_of([])
    empty = Eligibility(rules(LAW), distinct, place_of, np.empty(0), np.empty(0, dtype=np.bool_))
    assert empty.mask(NOON).shape == (0,)
    assert empty.next_callable_at(NOON).shape == (0,)
    assert empty.next_change_at(NOON) == math.inf


def test_the_mask_is_hours_own_time_and_stops():
    leads = _list([0, 0, 0, 1, 2, 3], ready_at=[0, NOON, NOON + 1, 0, 0, 0], stopped=[])
    assert leads.mask(NOON).tolist() == [True, True, False, True, False, False]
    assert _list([0, 0], stopped=[1]).mask(NOON).tolist() == [True, False]


def test_the_mask_follows_the_clock():
    leads = _list([0, 1])
    seen = {hour: leads.mask(at(f"2026-07-15T{hour:02d}:00", LIMA)).tolist() for hour in (0, 1, 7, 8, 12, 13, 19, 20)}
    assert seen == {
        0: [False, False],
        1: [False, True],
        7: [False, True],
        8: [True, True],
        12: [True, True],
        13: [True, False],
        19: [True, False],
        20: [False, False],
    }


def test_time_may_be_asked_for_backwards():
    leads = _list([0, 1])
    assert leads.mask(NOON).tolist() == [True, True]
    assert leads.mask(at("2026-07-15T01:00", LIMA)).tolist() == [False, True]
    assert leads.mask(NOON).tolist() == [True, True]


def test_only_places_whose_answer_ended_are_asked_again():
    rule_set = rules(LAW)
    asked = []
    plain = rule_set.window
    rule_set.window = lambda where, now: asked.append(where) or plain(where, now)
    leads = _list([0, 1], rule_set=rule_set)
    leads.mask(NOON)
    assert len(asked) == len(PLACES)
    asked.clear()
    leads.mask(NOON + 600)
    assert asked == []
    leads.mask(at("2026-07-15T13:00", LIMA))  # it closes in Madrid
    assert asked == [PLACES[1]]


def test_a_leads_change_shows_at_the_next_question():
    leads = _list([0, 0])
    leads.ready_at[0] = NOON + 600
    leads.stopped[1] = True
    assert leads.mask(NOON).tolist() == [False, False]


def test_when_each_lead_is_callable_next():
    leads = _list([0, 0, 0, 0, 1, 2, 3], ready_at=[0, NOON + 60, NOON + 10 * 3600, NOON + 3 * 86_400, 0, 0, 0])
    leads.stopped[:] = False
    assert leads.next_callable_at(NOON).tolist() == [
        NOON,
        NOON + 60,
        at("2026-07-16T08:00", LIMA),
        at("2026-07-20T08:00", LIMA),  # ready on Saturday
        NOON,
        math.inf,  # the two clocks never agree
        math.inf,
    ]
    assert _list([0], stopped=[0]).next_callable_at(NOON).tolist() == [math.inf]


@pytest.mark.parametrize("days", [13, 14, 15, 16, 17, 30, 200])
def test_a_lead_that_is_ready_late_is_looked_up_all_the_same(days):
    ready = NOON + days * 86_400
    found = _list([0], ready_at=ready).next_callable_at(NOON)[0]
    state = rules(LAW).window(PLACES[0], ready)
    assert found == (ready if state.open else state.changes_at)


def test_the_next_time_and_the_mask_agree():
    rng = np.random.default_rng(7)
    leads = _list(rng.integers(0, 4, 300), ready_at=NOON + rng.uniform(-86_400, 9 * 86_400, 300))
    following = leads.next_callable_at(NOON)
    for index in np.flatnonzero(np.isfinite(following)):
        assert leads.mask(following[index])[index]
        assert (
            following[index] == NOON or not leads.mask(following[index] - 0.5)[index] or following[index] - 0.5 < NOON
        )


def test_what_closes_each_place_is_named():
    assert _list([0]).closed_by(NOON) == ["", "", "pe.hours", "jurisdiction.unknown"]


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="expected one place, time and stop a lead, was 2, 1, 2"):
        Eligibility(rules(LAW), PLACES, np.zeros(2, np.int32), np.zeros(1), np.zeros(2, np.bool_))
    with pytest.raises(ValueError, match="expected indices of 4 places, was 0 to 4"):
        Eligibility(rules(LAW), PLACES, np.array([0, 4], np.int32), np.zeros(2), np.zeros(2, np.bool_))
