"""What every store must do with campaigns, whatever it is made of. Each check takes a maker of stores that share their
data; claims and stops, and the records beside the campaigns, have checks of their own."""

from __future__ import annotations

import pytest
from specimens import NOW, Check, Make, claim, lead, learned, opened, refused, settlement, weekly

from dialer.adapters.store.refusal import kept
from dialer.core.lead import LeadProgress
from dialer.errors import CampaignRunning, LeaseLost, StoreError


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
    assert (await old.reserve("mora", [held])).refusals == []
    new = make()
    opening = await new.open_campaign("mora", owner="same:1")
    assert opening.in_flight == (kept(held),)
    with pytest.raises(LeaseLost):
        await old.reserve("mora", [claim(2, "L2")])
    with pytest.raises(LeaseLost):
        await old.settle("mora", [settlement(held)])
    with pytest.raises(LeaseLost):
        await old.save_learned("mora", learned(1))
    await old.close_campaign("mora")  # must not give back the new writer's lease
    with pytest.raises(CampaignRunning):
        await make().open_campaign("mora", owner="third:3")
    assert (await new.reserve("mora", [claim(2, "L2")])).refusals == []


async def check_a_dead_owner_s_lease_is_taken_at_once(make: Make) -> None:
    dead = await opened(make, owner="here:1")
    held = claim(1, "L1")
    await dead.reserve("mora", [held])
    heir = make()
    with pytest.raises(CampaignRunning, match="here:1"):
        await heir.open_campaign("mora", owner="here:2", dead_owner="here:11")
    opening = await heir.open_campaign("mora", owner="here:2", dead_owner="here:1")
    assert (opening.run, opening.in_flight) == (2, (kept(held),))
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
    assert (await store.reserve("mora", claims)).refusals == []
    await store.close_campaign("mora")
    after = make()
    assert (await after.open_campaign("mora", owner="here:2")).in_flight == (kept(claims[1]), kept(claims[0]))
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
    assert (await store.reserve("mora", [stray])).refusals == []


CHECKS: dict[str, Check] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}
