"""A store in memory: for the simulator, for tests, and as the model that the store on Redis is compared with.

How it works: the `*_now` methods are the store, plain and synchronous; the asyncio methods only call them. A fact is
one small list `[at, outcome, text, event]` that stands in every stream of its attempt, so that settling changes it in
one place. Streams are kept in order of `at`, so a cap is counted from the end.
"""

from __future__ import annotations

import asyncio
import math
import time
from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import msgspec

from compliance.clearance import CapSlot, ConsentCheck, ListCheck
from compliance.facts import ignored_outcomes
from compliance.streams import Record, agrees, record_of, text_of
from dialer.adapters.store import refusal
from dialer.adapters.store.records import check_facts, check_hours, check_reason, digits, member_of, pieces
from dialer.core.actions import Claim, Settlement
from dialer.core.events import Refusal
from dialer.core.lead import Lead, LeadProgress
from dialer.core.learned import Learned
from dialer.errors import CampaignRunning, LeaseLost, StoreError
from dialer.ports import Consent, Opening, OutsideFact, PersonHours, RegistryInfo, Reservation, standing

Fact = list[Any]  # the fields of a `Record`: a list, for it is changed in place and made once an attempt
_at = itemgetter(0)
PIECE = 5000


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
    stops: dict[str, tuple[str, ...]] = field(default_factory=dict)  # all reasons, the first first
    stop_log: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    registries: dict[str, tuple[RegistryInfo, set[int]]] = field(default_factory=dict)
    hours: dict[str, PersonHours] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    revocations: dict[str, float] = field(default_factory=dict)  # by the keys of consents: when the last one came
    outside: set[tuple[str, str]] = field(default_factory=set)  # (key, member) of facts from outside


class MemoryStore:
    """`RuntimeStore`, `LeadStore` and `ComplianceRecords` in memory.

    A lease holds until it is given back: memory dies with its writer.
    """

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
            in_flight=tuple(refusal.kept(record.in_flight[attempt_id][0]) for attempt_id in sorted(record.in_flight)),
            learned=None if record.learned is None else msgspec.json.decode(record.learned, type=Learned),
        )

    def reserve_now(self, campaign: str, claims: Sequence[Claim]) -> Reservation:
        """Claim a batch in order, each by itself; one sees what those before it took."""
        record = self._fenced(campaign)
        reservation = Reservation()
        for claim in claims:
            if claim.attempt_id in record.in_flight:
                continue  # claimed by a call whose answer was lost: it stays held
            refused = self._refusal(record, claim, reservation)
            if refused is None:
                self._hold(campaign, record, claim)
            else:
                reservation.refusals.append(refused)
        return reservation

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
        """Forbid a key for ever, for one more reason."""
        data = self.data
        reasons = data.stops.get(key, ())
        if reason in reasons:
            return
        data.stops[key] = (*reasons, reason)
        data.stop_log.append((key, reason))
        for future in data.waiting:
            if not future.done():
                future.set_result(None)
        data.waiting.clear()

    def lift_now(self, key: str, reason: str | None = None) -> tuple[str, ...]:
        """Take a stop back, or one reason of it; returns those taken back. The stop log is left as it is."""
        reasons = self.data.stops.pop(key, ())
        lifted = reasons if reason is None else tuple(each for each in reasons if each == reason)
        if left := tuple(each for each in reasons if each not in lifted):
            self.data.stops[key] = left
        return lifted

    def progress_now(self, campaign: str) -> dict[str, LeadProgress]:
        """How far each lead of the campaign is, in the order in which they were added."""
        record = self.data.campaigns.get(campaign, CampaignRecord())
        return {lead_id: record.progress.get(lead_id) or LeadProgress(lead_id=lead_id) for lead_id in record.leads}

    # ---- the ports ------------------------------------------------------------------------------------------
    async def open_campaign(self, campaign: str, *, owner: str, dead_owner: str | None = None) -> Opening:
        return self.open_now(campaign, owner=owner, dead_owner=dead_owner)

    async def reserve(self, campaign: str, claims: Sequence[Claim]) -> Reservation:
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
        check_reason(reason)
        self.stop_now(key, reason)

    async def stopped(self, key: str) -> tuple[str, ...]:
        return self.data.stops.get(key, ())

    async def lift(self, key: str, reason: str | None = None) -> tuple[str, ...]:
        return self.lift_now(key, reason)

    async def progress(self, campaign: str) -> dict[str, LeadProgress]:
        return self.progress_now(campaign)

    async def replace_registry(self, name: str, numbers: Iterable[str], *, as_of: float, source: str) -> int:
        loaded = {number for piece in pieces(numbers, PIECE) for number in piece}
        info = RegistryInfo(name=name, as_of=as_of, imported_at=time.time(), count=len(loaded), source=source)
        self.data.registries[name] = (info, loaded)
        return len(loaded)

    async def registries(self) -> list[RegistryInfo]:
        return [info for _, (info, _) in sorted(self.data.registries.items())]

    async def registries_of(self, number: str) -> list[str]:
        wanted = digits(number)
        return [name for name, (_, numbers) in sorted(self.data.registries.items()) if wanted in numbers]

    async def drop_registry(self, name: str) -> bool:
        return self.data.registries.pop(name, None) is not None

    async def set_hours(self, person: str, hours: PersonHours) -> None:
        check_hours(hours)
        self.data.hours.pop(person, None)
        if hours:
            self.data.hours[person] = hours

    async def hours_of(self, person: str) -> PersonHours:
        return self.data.hours.get(person, ())

    async def give_consent(self, key: str, consent: Consent) -> bool:
        before = self.data.consents.get(key)
        if before is not None and before.at > consent.at:
            return False
        self.data.consents[key] = consent
        return True

    async def revoke_consent(self, key: str, at: float) -> bool:
        before = self.data.revocations.get(key, -math.inf)
        self.data.revocations[key] = max(before, at)
        given = self.data.consents.get(key)
        return given is not None and before < given.at <= at

    async def consents_of(self, keys: Sequence[str]) -> dict[str, Consent]:
        return {key: self.data.consents[key] for key in keys if key in self.data.consents}

    async def revocations_of(self, keys: Sequence[str]) -> dict[str, float]:
        return {key: self.data.revocations[key] for key in keys if key in self.data.revocations}

    async def record_facts(self, facts: Sequence[OutsideFact]) -> None:
        check_facts(facts)
        for fact in facts:
            member = member_of(fact)
            for key in fact.keys:
                if (key, member) not in self.data.outside:
                    self.data.outside.add((key, member))
                    told = list(record_of(fact.at, member))
                    insort(self.data.facts.setdefault(key, []), told, key=_at)

    async def facts_of(self, keys: Sequence[str]) -> dict[str, list[Record]]:
        return {key: sorted(Record(*fact) for fact in self.data.facts.get(key, ())) for key in keys}

    async def all_stops(self) -> dict[str, tuple[str, ...]]:
        return dict(self.data.stops)

    async def find_number(self, number: str) -> list[tuple[str, Lead, LeadProgress]]:
        return [
            (campaign, lead, record.progress.get(lead.lead_id) or LeadProgress(lead_id=lead.lead_id))
            for campaign, record in sorted(self.data.campaigns.items())
            for lead in record.leads.values()
            if any(entry.e164 == number for entry in lead.numbers)
        ]

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

    def _refusal(self, record: CampaignRecord, claim: Claim, reservation: Reservation) -> Refusal | None:
        """Return why the claim is not granted; for one that is, note what was seen and warned of."""
        data = self.data
        if data.stops:
            for key in claim.stop_keys:
                if key in data.stops:
                    return refusal.stopped(claim, key, data.stops[key][0])
        progress = record.progress.get(claim.lead_id)
        if progress is not None and progress.status != "ready":
            return refusal.finished(claim)
        if claim.lead_id in record.held:
            return refusal.held(claim)
        old: list[tuple[int, str]] = []
        for check in claim.lists:
            refused = self._listed(claim, check, old)
            if refused is not None:
                return refused
        if claim.consent is not None and not self._consented(claim.consent, claim.at):
            return refusal.without_consent(claim)
        hours = data.hours.get(claim.person)
        minutes = inconvenient(hours, claim.local_times) if hours else None
        if minutes is not None:
            return refusal.inconvenient(claim, minutes)
        seen: list[int] = []
        for cap in claim.caps:
            count, fact_at, pending = self._count(cap, claim.person)
            if count >= cap.max:
                ignored = ignored_outcomes(cap.count, cap.channels, cap.exclude)
                may_free = bool(ignored) and pending > 0 and count - pending < cap.max
                return refusal.capped(claim, cap, seen=count, fact_at=fact_at, may_free=may_free)
            seen.append(count)
        reservation.seen[claim.attempt_id] = tuple(seen)
        reservation.warnings.extend(old)
        return None

    def _listed(self, claim: Claim, check: ListCheck, old: list[tuple[int, str]]) -> Refusal | None:
        known = self.data.registries.get(check.registry)
        if known is not None and int(claim.number) in known[1]:
            return refusal.listed(claim, check)
        if known is None:
            return refusal.missing(claim, check)
        if known[0].as_of < check.fresh_since:
            if check.when_stale == "block":
                return refusal.stale(claim, check)
            old.append((claim.attempt_id, check.registry))
        return None

    def _consented(self, check: ConsentCheck, at: float) -> bool:
        data = self.data
        given = {key: data.consents[key] for key in check.keys if key in data.consents}
        revoked = {key: data.revocations[key] for key in check.keys if key in data.revocations}
        return any(check.since <= consent.at and consent.holds(at) for consent in standing(given, revoked).values())

    def _count(self, cap: CapSlot, person: str) -> tuple[int, float | None, int]:
        """Count a cap's facts: how many, `at` of the one whose leaving frees a slot, and how many are unsettled."""
        stream: Sequence[Fact] = self.data.facts.get(cap.key, ())
        if cap.also and (of_person := self.data.facts.get(f"person:{person}")):
            stream = _with_unnamed(stream, of_person, cap.also)
        if not stream:
            return 0, None, 0
        since, where, count, pending = cap.since, cap.where, 0, 0
        ignored = ignored_outcomes(cap.count, cap.channels, cap.exclude)
        fact_at: float | None = None
        events: set[tuple[float, str]] | None = None  # made where there is one
        for at, outcome, text, event in reversed(stream):
            if at < since:
                break
            if outcome not in ignored and (not where or all(agrees(text, part) for part in where)):
                if event:
                    events = set() if events is None else events
                    if (at, event) in events:
                        continue
                    events.add((at, event))
                count += 1
                if count == cap.max:
                    fact_at = float(at)
                if outcome == refusal.PENDING:
                    pending += 1
        return count, fact_at, pending

    def _hold(self, campaign: str, record: CampaignRecord, claim: Claim) -> None:
        at = claim.at
        fact: Fact = [at, refusal.PENDING, text_of(campaign, claim.attempt_id, claim.fact), ""]
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


def _with_unnamed(stream: Sequence[Fact], of_person: Sequence[Fact], also: str) -> Sequence[Fact]:
    """A stream, and those of the person's facts that agree with what it is named by without naming it."""
    mine = f"|{also.partition('|')[0]}|"
    more = [fact for fact in of_person if mine not in fact[2] and agrees(fact[2], also)]
    return sorted((*stream, *more), key=_at) if more else stream


def inconvenient(hours: PersonHours, local_times: Iterable[tuple[int, int]]) -> int | None:
    """Return for how many minutes yet, from that of the claim on, nobody may call; None where it is none of the
    hours."""
    left = [
        end - minute
        for weekday, begin, end in hours
        for today, minute in local_times
        if today == weekday and begin <= minute < end
    ]
    return max(left, default=None)
