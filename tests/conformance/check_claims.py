"""What every store must do with claims, caps and stops. Each check takes a maker of stores that share their data."""

from __future__ import annotations

import asyncio

import pytest
from specimens import (
    DAY,
    EVERYTHING,
    HOUR,
    NOW,
    AnyStore,
    Check,
    Make,
    claim,
    lead,
    opened,
    refused,
    settlement,
    slot,
    weekly,
)

from dialer.core.events import Refusal
from dialer.core.lead import LeadProgress
from dialer.errors import ConfigError


# ---- claims -------------------------------------------------------------------------------------------------
async def check_a_lead_is_held_by_one_attempt(make: Make) -> None:
    store = await opened(make)
    first = claim(1, "L1")
    answer = (await store.reserve("mora", [first, claim(2, "L1", at=NOW + 5), claim(3, "L2")])).refusals
    assert answer == [Refusal(attempt_id=2, rule="lead.claimed", retry_at=NOW + 65)]
    await store.settle("mora", [settlement(first)])
    assert (await store.reserve("mora", [claim(4, "L1")])).refusals == []


async def check_a_claim_repeated_is_still_held(make: Make) -> None:
    store = await opened(make)
    first = claim(1, "L1", weekly("person:P"))
    assert (await store.reserve("mora", [first])).refusals == []
    assert (await store.reserve("mora", [first])).refusals == []
    assert refused(await store.reserve("mora", [claim(2, "L2", weekly("person:P"))])) == {2: "weekly"}


async def check_a_finished_lead_is_refused_for_ever(make: Make) -> None:
    store = await opened(make)
    for attempt_id, status in ((1, "finished"), (2, "stopped")):
        done = claim(attempt_id, status)
        await store.reserve("mora", [done])
        await store.settle("mora", [settlement(done, progress=LeadProgress(lead_id=status, status=status))])
        answer = (await store.reserve("mora", [claim(attempt_id + 10, status)])).refusals
        assert answer == [Refusal(attempt_id=attempt_id + 10, rule="lead.claimed", retry_at=None)]


async def check_a_refused_claim_holds_nothing(make: Make) -> None:
    store = await opened(make)
    await store.reserve("mora", [claim(1, "L1", weekly("person:P"))])
    both = claim(2, "L2", weekly("person:Q"), weekly("person:P"))
    assert refused(await store.reserve("mora", [both])) == {2: "weekly"}
    assert (await store.reserve("mora", [claim(3, "L2", weekly("person:Q"))])).refusals == []


async def check_empty_batches(make: Make) -> None:
    store = await opened(make)
    assert (await store.reserve("mora", [])).refusals == []
    await store.settle("mora", [])


async def check_odd_names_are_only_text(make: Make) -> None:
    store = await opened(make)
    odd = 'a|b:"c"\n\\ñ'
    first = claim(1, odd, weekly(f"person:{odd}"), stops=(f"person:{odd}",))
    assert (await store.reserve("mora", [first])).refusals == []
    assert refused(await store.reserve("mora", [claim(2, "L2", weekly(f"person:{odd}"))])) == {2: "weekly"}
    await store.settle("mora", [settlement(first, stops=(f"person:{odd}",), reason="dis|puted ñ")])
    assert refused(await store.reserve("mora", [first])) == {1: "stop:dis|puted ñ"}


# ---- caps ---------------------------------------------------------------------------------------------------
async def check_caps_hold_across_campaigns_and_within_a_batch(make: Make) -> None:
    store = await opened(make, "mora")
    await store.open_campaign("otra", owner="here:1")
    cap = weekly("person:P", most=3)
    first = await store.reserve("mora", [claim(1, "L1", cap), claim(2, "L2", cap)])
    second = await store.reserve("otra", [claim(1, "L1", cap), claim(2, "L2", cap)])  # the same ids, another campaign
    assert (refused(first), refused(second)) == ({}, {2: "weekly"})


async def check_a_cap_looks_back_inclusively(make: Make) -> None:
    store = await opened(make)
    await store.reserve("mora", [claim(1, "L1", facts=("person:P",), at=NOW - 7 * DAY)])
    assert refused(await store.reserve("mora", [claim(2, "L2", weekly("person:P"))])) == {2: "weekly"}
    later = NOW + 0.001
    assert (await store.reserve("mora", [claim(3, "L3", weekly("person:P", at=later), at=later)])).refusals == []


async def check_what_a_cap_ignores_frees_its_slot(make: Make) -> None:
    store = await opened(make)
    contacts = weekly("person:P", ignores=("BUSY", "NO_ANSWER"))
    first = claim(1, "L1", contacts)
    await store.reserve("mora", [first])
    assert refused(await store.reserve("mora", [claim(2, "L2", contacts)])) == {2: "weekly"}  # pending counts
    await store.settle("mora", [settlement(first, "BUSY")])
    second = claim(3, "L2", contacts)
    assert (await store.reserve("mora", [second])).refusals == []
    await store.settle("mora", [settlement(second, "RPC")])
    assert refused(await store.reserve("mora", [claim(4, "L1", contacts)])) == {4: "weekly"}
    everything = weekly("person:P", most=2)
    assert refused(await store.reserve("mora", [claim(5, "L1", everything)])) == {5: "weekly"}


async def check_settling_moves_the_facts_of_the_claim(make: Make) -> None:
    store = await opened(make)
    first = claim(1, "L1", facts=("person:P", "number:+1"))
    await store.reserve("mora", [first])
    await store.settle("mora", [settlement(claim(1, "L1", facts=("person:else",)), "BUSY")])
    for attempt_id, key in ((2, "person:P"), (3, "number:+1")):
        caps = (weekly(key, ignores=("BUSY",)), weekly(key, most=2))
        assert (await store.reserve("mora", [claim(attempt_id, f"M{attempt_id}", *caps)])).refusals == []


async def check_retry_is_when_a_slot_frees(make: Make) -> None:
    store = await opened(make)
    ages = (6 * DAY, 5 * DAY, 4.1 * DAY, 3 * DAY)
    for number, age in enumerate(ages):
        await store.reserve("mora", [claim(number, f"L{number}", facts=("person:P",), at=NOW - age)])
    [answer] = (await store.reserve("mora", [claim(9, "L9", weekly("person:P", most=2))])).refusals
    assert answer.retry_at == pytest.approx(NOW - 4.1 * DAY + 7 * DAY, abs=0.01)
    again = answer.retry_at
    assert again is not None
    assert (
        await store.reserve("mora", [claim(9, "L9", weekly("person:P", most=2, at=again), at=again)])
    ).refusals == []


async def check_a_calendar_cap_says_when_it_resets(make: Make) -> None:
    store = await opened(make)
    await store.reserve("mora", [claim(1, "L1", facts=("person:P",))])
    day = slot("person:P", rule="daily", max=1, since=NOW - HOUR, resets_at=NOW + 5 * HOUR)
    never = slot("person:P", rule="once", max=1, since=NOW - HOUR)
    answer = (await store.reserve("mora", [claim(2, "L2", day), claim(3, "L3", never)])).refusals
    assert [(entry.rule, entry.retry_at) for entry in answer] == [("daily", NOW + 5 * HOUR), ("once", None)]


async def check_facts_out_of_order_count(make: Make) -> None:
    store = await opened(make)
    for number, at in enumerate((NOW, NOW - 2 * DAY, NOW - DAY)):
        await store.reserve("mora", [claim(number, f"L{number}", facts=("person:P",), at=at)])
    recent = slot("person:P", rule="recent", max=2, since=NOW - 1.5 * DAY, window_s=1.5 * DAY)
    [answer] = (await store.reserve("mora", [claim(9, "L9", recent)])).refusals
    assert answer.retry_at == pytest.approx(NOW + 0.5 * DAY, abs=0.01)


async def check_eight_writers_never_exceed_a_cap(make: Make) -> None:
    """Eight campaigns race for one person who may be called five times; the ids of their attempts are the same."""
    stores = [await opened(make, f"c{number}", owner=f"host:{number}") for number in range(8)]
    cap = weekly("person:P", most=5)

    async def race(number: int, store: AnyStore) -> int:
        granted = 0
        for attempt_id in range(10):
            batch = [claim(attempt_id * 2 + step, f"L{attempt_id}-{step}", cap) for step in range(2)]
            granted += 2 - len((await store.reserve(f"c{number}", batch)).refusals)
        return granted

    granted = await asyncio.gather(*(race(number, store) for number, store in enumerate(stores)))
    assert sum(granted) == 5


# ---- stops --------------------------------------------------------------------------------------------------
async def check_a_stop_forbids_lead_number_and_person(make: Make) -> None:
    store, other = await opened(make), make()
    for key, reason in (("lead:L1", "paid"), ("number:+51", "wrong"), ("person:P", "disputed")):
        await other.stop(key, reason)
    await other.stop("lead:L1", "another reason")  # the first one is told
    batch = [
        claim(1, "L1"),
        claim(2, "L2", stops=("number:+51",)),
        claim(3, "L3", stops=("number:+52", "person:P")),
        claim(4, "L4", stops=("number:+52", "person:Q")),
    ]
    answer = (await store.reserve("mora", batch)).refusals
    assert refused(answer) == {1: "stop:paid", 2: "stop:wrong", 3: "stop:disputed"}
    assert all(entry.retry_at is None for entry in answer)


async def check_a_request_in_a_call_holds_for_calls_that_are_queued(make: Make) -> None:
    """What a person says in one campaign's call: every later claim of any campaign is refused, those of one batch too,
    and campaigns that run are told, so that lines which ring can be ended."""
    one, two = await opened(make, "mora"), await opened(make, "otra", owner="there:2")
    talking = claim(1, "L1", stops=("number:+51", "person:P"))
    ringing = claim(2, "M1", stops=("number:+51", "person:P"))
    await one.reserve("mora", [talking])
    assert (await two.reserve("otra", [ringing])).refusals == []
    request = settlement(talking, "DNC_REQUEST", stops=("number:+51", "person:P"), reason="do_not_call")
    await one.settle("mora", [request])
    batch = [
        claim(3, "M2", stops=("number:+51", "person:Q")),
        claim(4, "M3", stops=("number:+52", "person:P")),
        claim(5, "M4", stops=("number:+52", "person:Q")),
    ]
    for store, campaign in ((one, "mora"), (two, "otra")):
        assert refused(await store.reserve(campaign, batch)) == {3: "stop:do_not_call", 4: "stop:do_not_call"}
    expected = [("number:+51", "do_not_call"), ("person:P", "do_not_call")]
    assert [await asyncio.wait_for(two.next_stop(), 5) for _ in expected] == expected
    await two.settle("otra", [settlement(ringing, "CANCELLED")])
    assert refused(await two.reserve("otra", [claim(6, "M1", stops=("person:P",))])) == {6: "stop:do_not_call"}


async def check_every_kind_of_stop_is_looked_at(make: Make) -> None:
    store = await opened(make)
    kinds = ("debt:D", "account:A", "work:P", EVERYTHING)
    for number, key in enumerate(kinds):
        await store.stop(key, f"reason {number}")
        free, hit = claim(100 + number, f"F{number}"), claim(number, f"L{number}", stops=("number:+1", key))
        assert refused(await store.reserve("mora", [free, hit])) == {number: f"stop:reason {number}"}


async def check_a_refusal_names_the_first_key_that_is_stopped(make: Make) -> None:
    store = await opened(make)
    for key in ("number:+1", "person:P", "debt:D"):
        await store.stop(key, "paid")
    batch = [
        claim(1, "L1", stops=("number:+1", "person:P")),
        claim(2, "L2"),
        claim(3, "L3", stops=("number:+2", "person:Q", "debt:D", EVERYTHING)),
        claim(4, "L4", stops=("number:+2", "person:P", "debt:D")),
    ]
    answer = await store.reserve("mora", batch)
    assert [(entry.attempt_id, entry.key) for entry in answer.refusals] == [
        (1, "number:+1"), (3, "debt:D"), (4, "person:P")
    ]  # fmt: skip


async def check_a_stop_of_everything_forbids_all_and_touches_no_lead(make: Make) -> None:
    """Every claim names this key; the leads that it keeps from being dialled are as they were once it is lifted."""
    one, two = await opened(make, "mora"), await opened(make, "otra")
    await one.add_leads("mora", [lead("L1")])
    await make().stop(EVERYTHING, "emergency")
    for store, campaign in ((one, "mora"), (two, "otra")):
        answer = (await store.reserve(campaign, [claim(1, "L1", weekly("person:P"), stops=(EVERYTHING,))])).refusals
        assert answer == [Refusal(attempt_id=1, rule="stop:emergency", retry_at=None, key=EVERYTHING)]
    assert await asyncio.wait_for(two.next_stop(), 5) == (EVERYTHING, "emergency")
    await one.close_campaign("mora")
    opening = await one.open_campaign("mora", owner="here:1")
    assert (opening.progress, opening.in_flight) == ((LeadProgress(lead_id="L1"),), ())
    assert await make().lift(EVERYTHING)
    assert (await one.reserve("mora", [claim(2, "L1", weekly("person:P"), stops=(EVERYTHING,))])).refusals == []


async def check_a_stop_can_be_lifted(make: Make) -> None:
    store, other = await opened(make), make()
    await store.stop("person:P", "paid")
    await store.stop("person:Q", "paid")
    assert await other.lift("person:P") == ("paid",)
    assert await other.lift("person:P") == ()
    answer = (
        await store.reserve("mora", [claim(1, "L1", stops=("person:P",)), claim(2, "L2", stops=("person:Q",))])
    ).refusals
    assert refused(answer) == {2: "stop:paid"}
    await store.stop("person:P", "disputed")
    expected = [("person:P", "paid"), ("person:Q", "paid"), ("person:P", "disputed")]  # lifting is not told
    assert [await asyncio.wait_for(store.next_stop(), 5) for _ in expected] == expected


async def check_a_stop_keeps_every_reason_until_it_is_taken_back(make: Make) -> None:
    """A request not to be called that comes after a payment must not go with the payment."""
    store, other = await opened(make), make()
    await store.stop("person:P", "paid")
    held = claim(1, "L1")
    await store.reserve("mora", [held])
    await store.settle("mora", [settlement(held, stops=("person:P", "lead:L1"), reason="do_not_call")])
    await other.stop("person:P", "paid")  # it has that one, which a part of it is not
    await other.stop("person:P", "pai")
    assert await other.stopped("person:P") == ("paid", "do_not_call", "pai")
    answer = (await store.reserve("mora", [claim(2, "L2", stops=("person:P",)), claim(3, "L1")])).refusals
    assert refused(answer) == {2: "stop:paid", 3: "stop:do_not_call"}
    told = [("person:P", "paid"), ("person:P", "do_not_call"), ("lead:L1", "do_not_call"), ("person:P", "pai")]
    assert [await asyncio.wait_for(store.next_stop(), 5) for _ in told] == told

    for number, (reason, left) in enumerate((("paid", "do_not_call"), ("do_not_call", "pai"), ("pai", "")), 4):
        assert await other.lift("person:P", reason) == (reason,)
        assert await other.lift("person:P", reason) == ()
        answer = (await store.reserve("mora", [claim(number, f"L{number}", stops=("person:P",))])).refusals
        assert refused(answer) == ({number: f"stop:{left}"} if left else {})
    assert await other.stopped("person:P") == ()
    await other.stop("person:P", "paid")
    await other.stop("person:P", "fraud")
    assert await other.lift("person:P") == ("paid", "fraud")
    assert await other.all_stops() == {"lead:L1": ("do_not_call",)}


async def check_a_reason_is_one_line(make: Make) -> None:
    store = make()
    for reason in ("", "paid\ndo_not_call"):
        with pytest.raises(ConfigError, match="one line"):
            await store.stop("person:P", reason)
    assert await store.all_stops() == {}


async def check_stops_are_heard_by_everybody_from_the_opening_on(make: Make) -> None:
    before = make()
    await before.stop("lead:L0", "before")
    one, two = await opened(make, "mora"), await opened(make, "otra")
    await before.stop("lead:L1", "dnc ñ")
    held = claim(1, "L2")
    await one.reserve("mora", [held])
    await one.settle("mora", [settlement(held, "DNC_REQUEST", stops=("lead:L2", "person:P"), reason="do_not_call")])
    expected = [("lead:L1", "dnc ñ"), ("lead:L2", "do_not_call"), ("person:P", "do_not_call")]
    for store in (one, two):
        assert [await asyncio.wait_for(store.next_stop(), 5) for _ in expected] == expected


async def check_a_waiting_reader_is_woken(make: Make) -> None:
    store, other = await opened(make), make()
    waiting = asyncio.create_task(store.next_stop())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    await other.stop("person:P", "paid")
    assert await asyncio.wait_for(waiting, 5) == ("person:P", "paid")
    cancelled = asyncio.create_task(store.next_stop())
    await asyncio.sleep(0.01)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    await other.stop("person:Q", "paid")
    assert await asyncio.wait_for(store.next_stop(), 5) == ("person:Q", "paid")


CHECKS: dict[str, Check] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
