"""The dial queue: order, rests, windows, and its oracle under random use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.clearance import Place
from dialer.core.dial_queue import DialQueue
from dialer.core.lead import Lead, LeadProgress, PhoneNumber


@dataclass(frozen=True)
class State:
    open: bool
    changes_at: float
    rule: str = "hours"


class Hours:
    """Zone `Z<a>-<b>` is open from a to b, once."""

    def window(self, place: Place, now: float) -> State:
        begin, end = map(float, place.zones[0][1:].split("-"))
        if now < begin:
            return State(False, begin)
        return State(True, end) if now < end else State(False, float("inf"))


def lead(name: str, zone: str = "Z0-100", priority: int = 0) -> Lead:
    number = PhoneNumber(e164=f"+51{name}", zones=(zone,), country="PE")
    return Lead(lead_id=name, numbers=(number,), person=name, debt=name, priority=priority)


def progress(name: str, next_at: float = 0.0, attempts: int = 0) -> LeadProgress:
    return LeadProgress(lead_id=name, next_at=next_at, attempts=attempts, number_ready_at=(0.0,))


def queue_of(*entries: tuple[Lead, LeadProgress]) -> DialQueue:
    queue = DialQueue(Hours())
    for entry in entries:
        queue.put(queue.add(*entry))
    return queue


def names(queue: DialQueue, taken: list[tuple[int, float]]) -> list[str]:
    return [queue[index].lead.lead_id for index, _ in taken]


def test_priority_then_fewest_attempts_then_first_come() -> None:
    queue = queue_of(
        (lead("a"), progress("a", attempts=2)),
        (lead("b"), progress("b")),
        (lead("c", priority=5), progress("c", attempts=9)),
        (lead("d"), progress("d")),
    )
    assert names(queue, queue.take(9, 1.0)) == ["c", "b", "d", "a"]


def test_a_resting_lead_is_not_given_and_is_announced() -> None:
    queue = queue_of((lead("a"), progress("a", next_at=50.0)))
    assert queue.take(1, 49.9) == []
    assert queue.next_change_at(10.0) == 50.0
    assert names(queue, queue.take(1, 50.0)) == ["a"]


def test_windows_gate_their_own_leads_and_say_until_when() -> None:
    queue = queue_of((lead("early", "Z0-10"), progress("early")), (lead("late", "Z20-30"), progress("late")))
    assert queue.take(5, 5.0) == [(0, 10.0)]
    assert queue.next_change_at(15.0) == 20.0
    assert queue.closed_rule() == "hours"
    assert names(queue, queue.take(5, 20.0)) == ["late"]
    assert queue.next_change_at(20.0) is None


def test_a_window_s_end_is_outside() -> None:
    queue = queue_of((lead("a", "Z0-10"), progress("a")))
    assert queue.take(1, 10.0) == []
    assert queue.next_change_at(10.0) is None


def test_a_dropped_lead_is_never_given() -> None:
    queue = queue_of((lead("a"), progress("a")), (lead("b"), progress("b")))
    assert queue.peek(1.0) == 0
    queue.drop(0)
    assert (queue.queued, names(queue, queue.take(5, 1.0))) == (1, ["b"])


def test_a_lead_that_was_only_added_is_not_given() -> None:
    queue = DialQueue(Hours())
    queue.add(lead("a"), progress("a"))
    assert (len(queue), queue.queued, queue.take(1, 1.0)) == (1, 0, [])


steps = st.lists(
    st.tuples(st.sampled_from(["take", "put", "drop", "plan"]), st.integers(0, 7), st.floats(0, 8), st.integers(0, 3)),
    max_size=40,
)
orders = st.permutations(range(8)).flatmap(lambda order: st.integers(0, 8).map(lambda length: order[:length]))


def restored(queue: DialQueue, order: list[int]) -> DialQueue:
    """The same queue, from what a snapshot keeps."""
    entries = [queue[i] for i in range(len(queue))]
    copy = DialQueue(Hours())
    copy.restore(
        [entry.lead for entry in entries],
        [entry.progress for entry in entries],
        [entry.ticket for entry in entries],
        places=queue.places,
        group_of=queue.group_of.tolist(),
        priorities=[entry.priority for entry in entries],
        segments=[entry.segment for entry in entries],
    )
    copy.follow(np.array(order, dtype=np.int32), queue.planned_to)
    return copy


def test_a_plan_ranks_leads_below_their_priority_and_before_those_that_it_does_not_name() -> None:
    queue = queue_of(*((lead(name, priority=name == "c"), progress(name)) for name in "abcd"))
    queue.follow(np.array([3, 1], dtype=np.int32), queue.tickets)
    assert names(queue, queue.take(9, 1.0)) == ["c", "d", "b", "a"]


def test_a_lead_that_rests_comes_back_with_its_rank() -> None:
    queue = queue_of((lead("a"), progress("a", next_at=50.0)), (lead("b"), progress("b")), (lead("c"), progress("c")))
    queue.follow(np.array([0, 1, 2], dtype=np.int32), queue.tickets)
    assert names(queue, queue.take(1, 1.0)) == ["b"]
    assert names(queue, queue.take(2, 50.0)) == ["a", "c"]


def test_a_plan_outlasts_a_window() -> None:
    queue = queue_of((lead("a", "Z20-30"), progress("a")), (lead("b", "Z20-30"), progress("b")))
    queue.follow(np.array([1, 0], dtype=np.int32), queue.tickets)
    assert (queue.take(2, 5.0), queue.closed_rule(), queue.next_change_at(5.0)) == ([], "hours", 20.0)
    assert names(queue, queue.take(2, 20.0)) == ["b", "a"]


def test_tickets_go_on_where_they_were_after_a_restore() -> None:
    """The last one may be of a lead that is in a call: it must not be given again, as one from before a plan."""
    queue = queue_of((lead("a"), progress("a")), (lead("b"), progress("b")))
    queue.drop(1)
    restored = DialQueue(Hours())
    entries = [queue[index] for index in range(2)]
    restored.restore(
        [e.lead for e in entries],
        [e.progress for e in entries],
        [e.ticket for e in entries],
        places=queue.places,
        group_of=queue.group_of.tolist(),
        last_ticket=queue.tickets,
    )
    assert (restored.tickets, restored[0].ticket, restored[1].ticket) == (2, 1, 0)
    restored.put(1)
    assert restored[1].ticket == 3


def test_a_plan_of_other_leads_is_refused() -> None:
    queue = queue_of((lead("a"), progress("a")))
    with pytest.raises(ValueError, match="expected leads in"):
        queue.follow(np.array([1], dtype=np.int32), queue.tickets)
    assert names(queue, queue.take(1, 1.0)) == ["a"]


@settings(max_examples=200, deadline=None)
@given(steps, st.lists(st.integers(0, 2), min_size=8, max_size=8), st.lists(orders, min_size=1, max_size=4))
def test_against_a_list_that_is_sorted_each_time(
    moves: list[tuple[str, int, float, int]], priorities: list[int], plans: list[list[int]]
) -> None:
    """The oracle keeps every lead in a plain list and looks at all of them for each take. A plan may come late: it was
    asked for some queueings ago."""
    zones = ["Z0-60", "Z10-40"]
    queue = DialQueue(Hours())
    oracle: dict[int, tuple[int, int]] = {}  # lead: (order of queueing, attempts)
    order, now = 0, 0.0
    plan: list[int] = []
    for index in range(8):
        name = str(index)
        queue.put(queue.add(lead(name, zones[index % 2], priorities[index]), progress(name)))
        oracle[index] = (order := order + 1, 0)
    for kind, index, step, count in moves:
        now += step
        if kind == "drop":
            queue.drop(index)
            oracle.pop(index, None)
        elif kind == "put" and index not in oracle:
            entry = queue[index]
            entry.progress = progress(str(index), next_at=now + count, attempts=entry.progress.attempts + 1)
            queue.put(index)
            oracle[index] = (order := order + 1, entry.progress.attempts)
        elif kind == "plan":
            plan = sorted(plans[count % len(plans)], key=lambda i: -priorities[i])
            queue.follow(np.array(plan, dtype=np.int32), max(0, queue.tickets - count))
            queue = restored(queue, plan) if index == 0 else queue
        elif kind == "take":
            hours = Hours()
            places = [Place(("PE",), (zone,)) for zone in zones]
            ready = [i for i in oracle if queue[i].progress.next_at <= now and hours.window(places[i % 2], now).open]
            rank = {lead: place for place, lead in enumerate(plan)}
            ready.sort(key=lambda i: (-priorities[i], rank.get(i, 99), oracle[i][1], oracle[i][0]))
            assert [i for i, _ in queue.take(count, now)] == ready[:count]
            for i in ready[:count]:
                del oracle[i]
        assert queue.queued == len(oracle)
