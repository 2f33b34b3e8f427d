"""What every store must do, whatever it is made of. Each check takes a maker of stores that share one set of data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest

from compliance.frequency import CapSlot
from compliance.ruleset import EVERYTHING
from dialer.core.actions import Claim, Settlement
from dialer.core.events import Refusal
from dialer.core.lead import Lead, LeadProgress, PhoneNumber
from dialer.core.learned import Learned
from dialer.errors import CampaignRunning, LeaseLost, StoreError
from dialer.ports import LeadStore, RuntimeStore

NOW = 1_763_672_400.125
HOUR = 3600.0
DAY = 86400.0


class AnyStore(RuntimeStore, LeadStore, Protocol):
    """Both sides of a store."""


Make = Callable[[], AnyStore]


def lead(lead_id: str, person: str = "") -> Lead:
    number = PhoneNumber(e164="+5117000001", zones=("America/Lima",), country="PE")
    return Lead(lead_id=lead_id, numbers=(number,), person=person or lead_id, debt=lead_id, extra={"nota": "señal ñ"})


def weekly(key: str, *, most: int = 1, at: float = NOW, ignores: tuple[str, ...] = ()) -> CapSlot:
    return CapSlot(rule="weekly", key=key, max=most, since=at - 7 * DAY, ignores=ignores, window_s=7 * DAY)


def claim(
    attempt_id: int,
    lead_id: str,
    *caps: CapSlot,
    at: float = NOW,
    facts: tuple[str, ...] = (),
    stops: tuple[str, ...] = (),
) -> Claim:
    return Claim(
        attempt_id=attempt_id,
        lead_id=lead_id,
        number="+5117000001",
        at=at,
        stop_keys=(f"lead:{lead_id}", *stops),
        fact_keys=facts or tuple(dict.fromkeys(cap.key for cap in caps)) or (f"person:{lead_id}",),
        caps=caps,
    )


def settlement(
    of: Claim,
    disposition: str = "NO_ANSWER",
    *,
    progress: LeadProgress | None = None,
    stops: tuple[str, ...] = (),
    reason: str = "",
) -> Settlement:
    return Settlement(
        attempt_id=of.attempt_id,
        lead_id=of.lead_id,
        number=of.number,
        at=of.at + 30,
        disposition=disposition,
        reserved_at=of.at,
        originated_at=of.at,
        answered_at=None,
        bridged_at=None,
        ended_at=of.at + 30,
        agent_id=None,
        trunk=None,
        caller_id=None,
        fact_keys=of.fact_keys,
        progress=progress or LeadProgress(lead_id=of.lead_id, attempts=1),
        stop_keys=stops,
        stop_reason=reason,
    )


def learned(at: float) -> Learned:
    return Learned(
        at=at,
        policies={"priced-v1": {"hazard": [0.1, 1 / 3, 5e-324], "seen": 2**53 + 1, "ñ": None}},
        answers={"rate": {"0": 0.25}, "trials": [1, 2.0]},
        counters={"attempts": 7, "dispositions": {"PTP": 1}},
    )


async def opened(make: Make, campaign: str = "mora", owner: str = "here:1") -> AnyStore:
    store = make()
    await store.open_campaign(campaign, owner=owner)
    return store


def refused(refusals: list[Refusal]) -> dict[int, str]:
    return {entry.attempt_id: entry.rule for entry in refusals}


# ---- leads --------------------------------------------------------------------------------------------------
async def check_leads_are_added_once_and_keep_their_order(make: Make) -> None:
    store = make()
    leads = [lead(f"L{number}") for number in (3, 1, 2)]
    assert await store.add_leads("mora", leads) == []
    assert await store.add_leads("mora", [lead("L1", person="other"), lead("L9"), lead("L9"), leads[0]]) == [
        "L1",
        "L9",
        "L3",
    ]
    opening = await store.open_campaign("mora", owner="here:1")
    assert opening.leads == (*leads, lead("L9"))
    assert [entry.lead_id for entry in opening.progress] == ["L3", "L1", "L2", "L9"]


async def check_many_leads_load_whole(make: Make) -> None:
    store = make()
    leads = [lead(f"L{number}") for number in range(1234)]
    await store.add_leads("mora", leads)
    opening = await store.open_campaign("mora", owner="here:1")
    assert opening.leads == tuple(leads)
    assert len(opening.progress) == 1234


async def check_progress_is_of_the_campaign_s_leads(make: Make) -> None:
    store = await opened(make)
    await store.add_leads("mora", [lead("L1"), lead("L2")])
    await store.add_leads("otra", [lead("L1")])
    first = claim(1, "L1")
    after = LeadProgress(
        lead_id="L1",
        number_index=1,
        attempts=4,
        next_at=NOW + 0.1,
        number_ready_at=(None, NOW / 3),
        by_disposition={"BUSY": 3, "NO_ANSWER": 1},
    )
    await store.reserve("mora", [first])
    await store.settle("mora", [settlement(first, progress=after)])
    assert await store.progress("mora") == {"L1": after, "L2": LeadProgress(lead_id="L2")}
    assert await store.progress("otra") == {"L1": LeadProgress(lead_id="L1")}
    assert await store.progress("none") == {}


# ---- leases -------------------------------------------------------------------------------------------------
async def check_runs_grow_and_one_writer_has_the_lease(make: Make) -> None:
    first, second = make(), make()
    assert (await first.open_campaign("mora", owner="one:1")).run == 1
    with pytest.raises(CampaignRunning, match="one:1") as caught:
        await second.open_campaign("mora", owner="two:2")
    assert caught.value.owner == "one:1"
    assert (await second.open_campaign("otra", owner="two:2")).run == 1
    await first.close_campaign("mora")
    assert (await second.open_campaign("mora", owner="two:2")).run == 2


async def check_a_writer_that_was_overtaken_writes_nothing(make: Make) -> None:
    old = await opened(make, owner="same:1")
    held = claim(1, "L1")
    assert await old.reserve("mora", [held]) == []
    new = make()
    opening = await new.open_campaign("mora", owner="same:1")
    assert opening.in_flight == (held,)
    with pytest.raises(LeaseLost):
        await old.reserve("mora", [claim(2, "L2")])
    with pytest.raises(LeaseLost):
        await old.settle("mora", [settlement(held)])
    with pytest.raises(LeaseLost):
        await old.save_learned("mora", learned(1))
    await old.close_campaign("mora")  # must not give back the new writer's lease
    with pytest.raises(CampaignRunning):
        await make().open_campaign("mora", owner="third:3")
    assert await new.reserve("mora", [claim(2, "L2")]) == []


async def check_a_dead_owner_s_lease_is_taken_at_once(make: Make) -> None:
    dead = await opened(make, owner="here:1")
    held = claim(1, "L1")
    await dead.reserve("mora", [held])
    heir = make()
    with pytest.raises(CampaignRunning, match="here:1"):
        await heir.open_campaign("mora", owner="here:2", dead_owner="here:11")
    opening = await heir.open_campaign("mora", owner="here:2", dead_owner="here:1")
    assert (opening.run, opening.in_flight) == (2, (held,))
    with pytest.raises(LeaseLost):
        await dead.settle("mora", [settlement(held)])  # it was not dead after all: it writes nothing more
    with pytest.raises(CampaignRunning, match="here:2"):
        await make().open_campaign("mora", owner="here:3", dead_owner="here:1")
    await heir.settle("mora", [settlement(held, "UNKNOWN")])


async def check_a_campaign_must_be_open(make: Make) -> None:
    store = make()
    with pytest.raises(StoreError):
        await store.reserve("mora", [claim(1, "L1")])
    with pytest.raises(StoreError):
        await store.settle("mora", [settlement(claim(1, "L1"))])
    with pytest.raises(StoreError):
        await store.save_learned("mora", learned(1))
    await store.close_campaign("mora")


async def check_claims_in_flight_outlive_their_writer(make: Make) -> None:
    store = await opened(make)
    big = 2**60 + 1  # more than a double keeps
    claims = [claim(big, "L2", weekly("person:P"), at=NOW + 1 / 3), claim(7, "L1", at=NOW + 0.1)]
    assert await store.reserve("mora", claims) == []
    await store.close_campaign("mora")
    after = make()
    assert (await after.open_campaign("mora", owner="here:2")).in_flight == (claims[1], claims[0])
    await after.settle("mora", [settlement(entry, "UNKNOWN") for entry in claims])
    await after.close_campaign("mora")
    assert (await make().open_campaign("mora", owner="here:3")).in_flight == ()


# ---- what was learned ---------------------------------------------------------------------------------------
async def check_the_last_snapshot_outlives_its_writer(make: Make) -> None:
    first = await opened(make)
    await first.save_learned("mora", learned(NOW))
    await first.save_learned("mora", learned(NOW + 0.1))
    await first.close_campaign("mora")
    opening = await make().open_campaign("mora", owner="here:2")
    assert opening.learned == learned(NOW + 0.1)
    assert (await make().open_campaign("otra", owner="here:2")).learned is None


# ---- claims -------------------------------------------------------------------------------------------------
async def check_a_lead_is_held_by_one_attempt(make: Make) -> None:
    store = await opened(make)
    first = claim(1, "L1")
    answer = await store.reserve("mora", [first, claim(2, "L1", at=NOW + 5), claim(3, "L2")])
    assert answer == [Refusal(attempt_id=2, rule="lead.claimed", retry_at=NOW + 65)]
    await store.settle("mora", [settlement(first)])
    assert await store.reserve("mora", [claim(4, "L1")]) == []


async def check_a_claim_repeated_is_still_held(make: Make) -> None:
    store = await opened(make)
    first = claim(1, "L1", weekly("person:P"))
    assert await store.reserve("mora", [first]) == []
    assert await store.reserve("mora", [first]) == []
    assert refused(await store.reserve("mora", [claim(2, "L2", weekly("person:P"))])) == {2: "weekly"}


async def check_a_finished_lead_is_refused_for_ever(make: Make) -> None:
    store = await opened(make)
    for attempt_id, status in ((1, "finished"), (2, "stopped")):
        done = claim(attempt_id, status)
        await store.reserve("mora", [done])
        await store.settle("mora", [settlement(done, progress=LeadProgress(lead_id=status, status=status))])
        answer = await store.reserve("mora", [claim(attempt_id + 10, status)])
        assert answer == [Refusal(attempt_id=attempt_id + 10, rule="lead.claimed", retry_at=None)]


async def check_a_refused_claim_holds_nothing(make: Make) -> None:
    store = await opened(make)
    await store.reserve("mora", [claim(1, "L1", weekly("person:P"))])
    both = claim(2, "L2", weekly("person:Q"), weekly("person:P"))
    assert refused(await store.reserve("mora", [both])) == {2: "weekly"}
    assert await store.reserve("mora", [claim(3, "L2", weekly("person:Q"))]) == []


async def check_empty_batches(make: Make) -> None:
    store = await opened(make)
    assert await store.reserve("mora", []) == []
    await store.settle("mora", [])


async def check_odd_names_are_only_text(make: Make) -> None:
    store = await opened(make)
    odd = 'a|b:"c"\n\\ñ'
    first = claim(1, odd, weekly(f"person:{odd}"), stops=(f"person:{odd}",))
    assert await store.reserve("mora", [first]) == []
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
    assert await store.reserve("mora", [claim(3, "L3", weekly("person:P", at=later), at=later)]) == []


async def check_what_a_cap_ignores_frees_its_slot(make: Make) -> None:
    store = await opened(make)
    contacts = weekly("person:P", ignores=("BUSY", "NO_ANSWER"))
    first = claim(1, "L1", contacts)
    await store.reserve("mora", [first])
    assert refused(await store.reserve("mora", [claim(2, "L2", contacts)])) == {2: "weekly"}  # pending counts
    await store.settle("mora", [settlement(first, "BUSY")])
    second = claim(3, "L2", contacts)
    assert await store.reserve("mora", [second]) == []
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
        assert await store.reserve("mora", [claim(attempt_id, f"M{attempt_id}", *caps)]) == []


async def check_retry_is_when_a_slot_frees(make: Make) -> None:
    store = await opened(make)
    ages = (6 * DAY, 5 * DAY, 4.1 * DAY, 3 * DAY)
    for number, age in enumerate(ages):
        await store.reserve("mora", [claim(number, f"L{number}", facts=("person:P",), at=NOW - age)])
    [answer] = await store.reserve("mora", [claim(9, "L9", weekly("person:P", most=2))])
    assert answer.retry_at == pytest.approx(NOW - 4.1 * DAY + 7 * DAY, abs=0.01)
    again = answer.retry_at
    assert again is not None
    assert await store.reserve("mora", [claim(9, "L9", weekly("person:P", most=2, at=again), at=again)]) == []


async def check_a_calendar_cap_says_when_it_resets(make: Make) -> None:
    store = await opened(make)
    await store.reserve("mora", [claim(1, "L1", facts=("person:P",))])
    day = CapSlot(rule="daily", key="person:P", max=1, since=NOW - HOUR, resets_at=NOW + 5 * HOUR)
    never = CapSlot(rule="once", key="person:P", max=1, since=NOW - HOUR)
    answer = await store.reserve("mora", [claim(2, "L2", day), claim(3, "L3", never)])
    assert [(entry.rule, entry.retry_at) for entry in answer] == [("daily", NOW + 5 * HOUR), ("once", None)]


async def check_facts_out_of_order_count(make: Make) -> None:
    store = await opened(make)
    for number, at in enumerate((NOW, NOW - 2 * DAY, NOW - DAY)):
        await store.reserve("mora", [claim(number, f"L{number}", facts=("person:P",), at=at)])
    recent = CapSlot(rule="recent", key="person:P", max=2, since=NOW - 1.5 * DAY, window_s=1.5 * DAY)
    [answer] = await store.reserve("mora", [claim(9, "L9", recent)])
    assert answer.retry_at == pytest.approx(NOW + 0.5 * DAY, abs=0.01)


async def check_old_facts_are_forgotten_on_the_next_write(make: Make) -> None:
    store = await opened(make)
    for number, age in enumerate((401 * DAY, 399 * DAY)):
        await store.reserve("mora", [claim(number, f"L{number}", facts=("person:P",), at=NOW - age)])
    await store.reserve("mora", [claim(5, "L5", facts=("person:P",))])
    two = CapSlot(rule="ever", key="person:P", max=2, since=0.0)
    three = CapSlot(rule="ever", key="person:P", max=3, since=0.0)
    assert refused(await store.reserve("mora", [claim(6, "L6", two)])) == {6: "ever"}
    assert await store.reserve("mora", [claim(7, "L7", three)]) == []


async def check_eight_writers_never_exceed_a_cap(make: Make) -> None:
    """Eight campaigns race for one person who may be called five times; the ids of their attempts are the same."""
    stores = [await opened(make, f"c{number}", owner=f"host:{number}") for number in range(8)]
    cap = weekly("person:P", most=5)

    async def race(number: int, store: AnyStore) -> int:
        granted = 0
        for attempt_id in range(10):
            batch = [claim(attempt_id * 2 + step, f"L{attempt_id}-{step}", cap) for step in range(2)]
            granted += 2 - len(await store.reserve(f"c{number}", batch))
        return granted

    granted = await asyncio.gather(*(race(number, store) for number, store in enumerate(stores)))
    assert sum(granted) == 5


# ---- stops --------------------------------------------------------------------------------------------------
async def check_a_stop_forbids_lead_number_and_person(make: Make) -> None:
    store, other = await opened(make), make()
    for key, reason in (("lead:L1", "paid"), ("number:+51", "wrong"), ("person:P", "disputed")):
        await other.stop(key, reason)
    await other.stop("lead:L1", "another reason")  # the first one stays
    answer = await store.reserve(
        "mora",
        [
            claim(1, "L1"),
            claim(2, "L2", stops=("number:+51",)),
            claim(3, "L3", stops=("number:+52", "person:P")),
            claim(4, "L4", stops=("number:+52", "person:Q")),
        ],
    )
    assert refused(answer) == {1: "stop:paid", 2: "stop:wrong", 3: "stop:disputed"}
    assert all(entry.retry_at is None for entry in answer)


async def check_a_stop_of_everything_forbids_all_and_touches_no_lead(make: Make) -> None:
    """Every claim names this key; the leads that it keeps from being dialled are as they were once it is lifted."""
    one, two = await opened(make, "mora"), await opened(make, "otra")
    await one.add_leads("mora", [lead("L1")])
    await make().stop(EVERYTHING, "emergency")
    for store, campaign in ((one, "mora"), (two, "otra")):
        answer = await store.reserve(campaign, [claim(1, "L1", weekly("person:P"), stops=(EVERYTHING,))])
        assert answer == [Refusal(attempt_id=1, rule="stop:emergency", retry_at=None)]
    assert await asyncio.wait_for(two.next_stop(), 5) == (EVERYTHING, "emergency")
    await one.close_campaign("mora")
    opening = await one.open_campaign("mora", owner="here:1")
    assert (opening.progress, opening.in_flight) == ((LeadProgress(lead_id="L1"),), ())
    assert await make().lift(EVERYTHING)
    assert await one.reserve("mora", [claim(2, "L1", weekly("person:P"), stops=(EVERYTHING,))]) == []


async def check_a_stop_can_be_lifted(make: Make) -> None:
    store, other = await opened(make), make()
    await store.stop("person:P", "paid")
    await store.stop("person:Q", "paid")
    assert await other.lift("person:P") is True
    assert await other.lift("person:P") is False
    answer = await store.reserve("mora", [claim(1, "L1", stops=("person:P",)), claim(2, "L2", stops=("person:Q",))])
    assert refused(answer) == {2: "stop:paid"}
    await store.stop("person:P", "disputed")
    expected = [("person:P", "paid"), ("person:Q", "paid"), ("person:P", "disputed")]  # lifting is not told
    assert [await asyncio.wait_for(store.next_stop(), 5) for _ in expected] == expected


async def check_the_first_reason_of_a_stop_stays(make: Make) -> None:
    store = await opened(make)
    await store.stop("person:P", "paid")
    held = claim(1, "L1")
    await store.reserve("mora", [held])
    await store.settle("mora", [settlement(held, stops=("person:P", "lead:L1"), reason="disputed")])
    answer = await store.reserve("mora", [claim(2, "L2", stops=("person:P",)), claim(3, "L1")])
    assert refused(answer) == {2: "stop:paid", 3: "stop:disputed"}


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


# ---- settlements --------------------------------------------------------------------------------------------
async def check_settling_twice_changes_nothing(make: Make) -> None:
    store = await opened(make)
    await store.add_leads("mora", [lead("L1")])
    contacts = weekly("person:P", ignores=("BUSY",))
    first = claim(1, "L1", contacts)
    await store.reserve("mora", [first])
    await store.settle("mora", [settlement(first, "RPC"), settlement(first, "BUSY", stops=("lead:L1",), reason="no")])
    second = claim(2, "L1")
    await store.reserve("mora", [second])
    late = settlement(first, "BUSY", progress=LeadProgress(lead_id="L1", attempts=99), stops=("lead:L1",), reason="no")
    await store.settle("mora", [late])
    assert (await store.progress("mora"))["L1"].attempts == 1
    assert refused(await store.reserve("mora", [claim(3, "L1")])) == {3: "lead.claimed"}  # the second still holds it
    assert refused(await store.reserve("mora", [claim(4, "L4", contacts)])) == {4: "weekly"}  # RPC stayed RPC


async def check_settling_what_was_never_claimed_changes_nothing(make: Make) -> None:
    store = await opened(make)
    await store.add_leads("mora", [lead("L1")])
    stray = claim(1, "L1", weekly("person:P"))
    await store.settle("mora", [settlement(stray, "RPC", stops=("lead:L1",), reason="paid")])
    assert (await store.progress("mora"))["L1"] == LeadProgress(lead_id="L1")
    assert await store.reserve("mora", [stray]) == []


CHECKS: dict[str, Callable[[Make], Awaitable[None]]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
