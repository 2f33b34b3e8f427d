"""A store in memory: for the simulator, for tests, and as the model that the store on Redis is compared with.

How it works: the `*_now` methods are the store, plain and synchronous; the asyncio methods only call them. A fact is
one small list `[at, disposition]` that stands in every stream of its attempt, so that settling changes it in one place.
Streams are kept in order of `at`, so a cap is counted from the end.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import msgspec

from compliance.frequency import CapSlot
from dialer.adapters.store import refusal
from dialer.core.actions import Claim, Settlement
from dialer.core.events import Refusal
from dialer.core.lead import Lead, LeadProgress
from dialer.core.learned import Learned
from dialer.errors import CampaignRunning, LeaseLost, StoreError
from dialer.ports import Opening

Fact = list[Any]  # [at, disposition]: a list, for it is changed in place and made once an attempt
_at = itemgetter(0)


@dataclass(slots=True)
class CampaignRecord:
    """What the store knows of one campaign."""

    run: int = 0
    owner: str | None = None
    leads: dict[str, Lead] = field(default_factory=dict)
    progress: dict[str, LeadProgress] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)  # lead_id: the attempt that holds it
    in_flight: dict[int, tuple[Claim, Fact]] = field(default_factory=dict)
    learned: bytes | None = None  # encoded, so that it comes back as it would from a server


@dataclass(slots=True)
class MemoryData:
    """What stores share that stand for several connections to one server."""

    campaigns: dict[str, CampaignRecord] = field(default_factory=dict)
    facts: dict[str, list[Fact]] = field(default_factory=dict)
    stops: dict[str, str] = field(default_factory=dict)
    stop_log: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)


class MemoryStore:
    """`RuntimeStore` and `LeadStore` in memory. A lease holds until it is given back: memory dies with its writer."""

    def __init__(self, data: MemoryData | None = None) -> None:
        self.data = MemoryData() if data is None else data
        self._runs: dict[str, int] = {}  # the fences of the campaigns that this store opened
        self._seen = 0  # how far this store read the stop log
        self._listening = False

    # ---- the synchronous core -------------------------------------------------------------------------------
    def open_now(self, campaign: str, *, owner: str, dead_owner: str | None = None) -> Opening:
        """Take the campaign's lease and load it. Raises `CampaignRunning` where another owner holds it."""
        record = self.data.campaigns.setdefault(campaign, CampaignRecord())
        if record.owner is not None and record.owner not in (owner, dead_owner):
            raise CampaignRunning(
                f"campaign {campaign}: expected no other writer, found {record.owner}", owner=record.owner
            )
        record.owner = owner
        record.run += 1
        self._runs[campaign] = record.run
        self._listen()
        return Opening(
            run=record.run,
            leads=tuple(record.leads.values()),
            progress=tuple(self.progress_now(campaign).values()),
            in_flight=tuple(record.in_flight[attempt_id][0] for attempt_id in sorted(record.in_flight)),
            learned=None if record.learned is None else msgspec.json.decode(record.learned, type=Learned),
        )

    def reserve_now(self, campaign: str, claims: Sequence[Claim]) -> list[Refusal]:
        """Claim a batch in order, each by itself; one sees what those before it took. Returns the refusals."""
        record = self._fenced(campaign)
        stops = self.data.stops
        refusals = []
        for claim in claims:
            if claim.attempt_id in record.in_flight:
                continue  # claimed by a call whose answer was lost: it stays held
            refused = self._refusal(record, claim, stops)
            if refused is None:
                self._hold(record, claim)
            else:
                refusals.append(refused)
        return refusals

    def settle_now(self, campaign: str, settlements: Sequence[Settlement]) -> None:
        """Record ends. An attempt that is not in flight was settled before: it changes nothing."""
        record = self._fenced(campaign)
        for settlement in settlements:
            entry = record.in_flight.pop(settlement.attempt_id, None)
            if entry is None:
                continue
            entry[1][1] = settlement.disposition
            lead_id = settlement.lead_id
            record.progress[lead_id] = settlement.progress
            record.held.pop(lead_id, None)
            for key in settlement.stop_keys:
                self.stop_now(key, settlement.stop_reason)

    def save_learned_now(self, campaign: str, learned: Learned) -> None:
        """Replace the campaign's snapshot."""
        self._fenced(campaign).learned = msgspec.json.encode(learned)

    def close_now(self, campaign: str) -> None:
        """Give the lease back, unless a later run has it by now."""
        run = self._runs.pop(campaign, None)
        record = self.data.campaigns.get(campaign)
        if record is not None and record.run == run:
            record.owner = None

    def add_leads_now(self, campaign: str, leads: Sequence[Lead]) -> list[str]:
        """Add leads that are not there yet; returns the ids that were there already."""
        known = []
        record = self.data.campaigns.setdefault(campaign, CampaignRecord())
        for lead in leads:
            if lead.lead_id in record.leads:
                known.append(lead.lead_id)
            else:
                record.leads[lead.lead_id] = lead
        return known

    def stop_now(self, key: str, reason: str) -> None:
        """Forbid a key for ever. The first reason stays."""
        data = self.data
        if key in data.stops:
            return
        data.stops[key] = reason
        data.stop_log.append((key, reason))
        for future in data.waiting:
            if not future.done():
                future.set_result(None)
        data.waiting.clear()

    def lift_now(self, key: str) -> bool:
        """Take a stop back; returns whether there was one. The stop log is left as it is."""
        return self.data.stops.pop(key, None) is not None

    def progress_now(self, campaign: str) -> dict[str, LeadProgress]:
        """How far each lead of the campaign is, in the order in which they were added."""
        record = self.data.campaigns.get(campaign, CampaignRecord())
        return {lead_id: record.progress.get(lead_id) or LeadProgress(lead_id=lead_id) for lead_id in record.leads}

    # ---- the ports ------------------------------------------------------------------------------------------
    async def open_campaign(self, campaign: str, *, owner: str, dead_owner: str | None = None) -> Opening:
        return self.open_now(campaign, owner=owner, dead_owner=dead_owner)

    async def reserve(self, campaign: str, claims: Sequence[Claim]) -> list[Refusal]:
        return self.reserve_now(campaign, claims)

    async def settle(self, campaign: str, settlements: Sequence[Settlement]) -> None:
        self.settle_now(campaign, settlements)

    async def save_learned(self, campaign: str, learned: Learned) -> None:
        self.save_learned_now(campaign, learned)

    async def next_stop(self) -> tuple[str, str]:
        self._listen()
        while self._seen >= len(self.data.stop_log):
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.data.waiting.append(future)
            await future
        self._seen += 1
        return self.data.stop_log[self._seen - 1]

    async def close_campaign(self, campaign: str) -> None:
        self.close_now(campaign)

    async def add_leads(self, campaign: str, leads: Sequence[Lead]) -> list[str]:
        return self.add_leads_now(campaign, leads)

    async def stop(self, key: str, reason: str) -> None:
        self.stop_now(key, reason)

    async def stopped(self, key: str) -> str | None:
        return self.data.stops.get(key)

    async def lift(self, key: str) -> bool:
        return self.lift_now(key)

    async def progress(self, campaign: str) -> dict[str, LeadProgress]:
        return self.progress_now(campaign)

    # ---- inside ---------------------------------------------------------------------------------------------
    def _listen(self) -> None:
        """Hear every stop from now on; those from before are the claims' to run into."""
        if not self._listening:
            self._listening = True
            self._seen = len(self.data.stop_log)

    def _fenced(self, campaign: str) -> CampaignRecord:
        run = self._runs.get(campaign)
        if run is None:
            raise StoreError(f"campaign {campaign}: expected it to be open, was not")
        record = self.data.campaigns[campaign]
        if record.run != run:
            raise LeaseLost(f"campaign {campaign}: expected run {run} to be the last, found a later one")
        return record

    def _refusal(self, record: CampaignRecord, claim: Claim, stops: dict[str, str]) -> Refusal | None:
        if stops:
            for key in claim.stop_keys:
                if key in stops:
                    return refusal.stopped(claim, stops[key])
        progress = record.progress.get(claim.lead_id)
        if progress is not None and progress.status != "ready":
            return refusal.finished(claim)
        if claim.lead_id in record.held:
            return refusal.held(claim)
        for cap in claim.caps:
            fact_at = self._binding_fact(cap)
            if fact_at is not None:
                return refusal.capped(claim, cap, fact_at)
        return None

    def _binding_fact(self, cap: CapSlot) -> float | None:
        """Return `at` of the fact whose leaving frees a slot; None where the cap has room."""
        since, ignores, count = cap.since, cap.ignores, 0
        for at, disposition in reversed(self.data.facts.get(cap.key, ())):
            if at < since:
                break
            if disposition not in ignores:
                count += 1
                if count == cap.max:
                    return float(at)
        return None

    def _hold(self, record: CampaignRecord, claim: Claim) -> None:
        at = claim.at
        fact: Fact = [at, refusal.PENDING]
        facts = self.data.facts
        for key in claim.fact_keys:
            stream = facts.setdefault(key, [])
            while stream and stream[0][0] < at - refusal.KEEP_FACTS_S:
                del stream[0]
            if stream and stream[-1][0] > at:
                insort(stream, fact, key=_at)
            else:
                stream.append(fact)
        record.held[claim.lead_id] = claim.attempt_id
        record.in_flight[claim.attempt_id] = (claim, fact)
