"""Who of a campaign may be called now, who not, and why: asked of the rules, the dial queue and the store's own logic.

How it works: the leads go into a dial queue, all that it gives out now are claimed of a `MemoryStore` that holds the
server's records, and what neither gives is sorted by what holds it back. Nothing here decides by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf

import msgspec

from compliance.frequency import DialCandidate
from compliance.ruleset import EVERYTHING, RuleSet
from dialer.adapters.store.memory import MemoryData, MemoryStore
from dialer.core.actions import Claim
from dialer.core.dial_queue import DialQueue
from dialer.core.lead import Lead, LeadProgress


class LeadState(msgspec.Struct, frozen=True, kw_only=True):
    """One lead now. `why` is empty where it may be called; `at`: when it may be asked again, UTC seconds."""

    lead_id: str
    name: str
    number: str
    why: str  # "" | stopped | finished | window | rest | cap | held
    rule: str = ""
    at: float | None = None


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """All leads of a campaign now."""

    callable_now: int
    next_callable_at: float | None  # None: no time will make one callable
    counts: tuple[tuple[str, str, int], ...]  # (why, rule, leads), most first; callable ones are not among them
    leads: tuple[LeadState, ...]


def candidate(lead: Lead, number_index: int) -> DialCandidate:
    """What the rules must know of a lead's number."""
    number = lead.numbers[number_index]
    return DialCandidate(
        lead_id=lead.lead_id,
        person=lead.person,
        debt=lead.debt,
        number=number.e164,
        country=number.country,
        zones=number.zones,
    )


def streams(leads: Sequence[Lead], rules: RuleSet) -> Iterator[str]:
    """The streams of facts that the caps of these leads may look into."""
    for lead in leads:
        for index in range(len(lead.numbers)):
            yield from rules.fact_keys(candidate(lead, index))


def readiness(campaign: str, leads: Sequence[Lead], rules: RuleSet, data: MemoryData, now: float) -> Readiness:
    """Sort the leads, as the lists have them now, by what holds them back at `now`.

    `data` says how far each is; it is used up, for claims are made in it.
    """
    store = MemoryStore(data)
    store.open_now(campaign, owner="readiness")
    progress = data.campaigns[campaign].progress
    queue = DialQueue(rules)
    for lead in leads:
        index = queue.add(lead, _clamped(progress.get(lead.lead_id) or LeadProgress(lead_id=lead.lead_id), lead))
        if queue[index].progress.status == "ready":
            queue.put(index)
    taken = [index for index, _ in queue.take(len(queue), now)]
    given = set(taken)
    states: list[LeadState] = []
    earliest: dict[tuple[str, tuple[str, ...]], float] = {}  # by window: when its first lead may be asked again
    for index in (*taken, *(i for i in range(len(queue)) if i not in given)):
        entry = queue[index]
        state = _state(store, campaign, index, entry.lead, entry.progress, rules, now, in_queue=index not in given)
        states.append(state)
        if state.why in ("window", "rest", "cap", "held") and state.at is not None:
            number = entry.lead.numbers[entry.progress.number_index]
            place, at = (number.country, number.zones), max(state.at, entry.progress.next_at, now)
            earliest[place] = min(at, earliest.get(place, inf))
    free = sum(not state.why for state in states)
    counts = Counter((state.why, state.rule) for state in states if state.why)
    opens = min((_opens_at(*place, rules, at) for place, at in earliest.items()), default=inf)
    return Readiness(
        callable_now=free,
        next_callable_at=now if free else None if opens == inf else opens,
        counts=tuple((why, rule, count) for (why, rule), count in counts.most_common()),
        leads=tuple(states),
    )


def _state(
    store: MemoryStore,
    campaign: str,
    index: int,
    lead: Lead,
    progress: LeadProgress,
    rules: RuleSet,
    now: float,
    *,
    in_queue: bool,
) -> LeadState:
    """Say what holds a lead back: for ever first, then for a while."""
    who = candidate(lead, progress.number_index)

    def held_back(why: str, rule: str = "", at: float | None = None) -> LeadState:
        return LeadState(lead_id=lead.lead_id, name=lead.name, number=who.number, why=why, rule=rule, at=at)

    stop_keys = (*rules.stop_keys(who), EVERYTHING)
    stops = [store.data.stops[key] for key in stop_keys if key in store.data.stops]
    if stops or progress.status == "stopped":
        return held_back("stopped", stops[0] if stops else "")
    if progress.status == "finished":
        return held_back("finished", _last_disposition(progress))
    if in_queue:
        window = rules.window(who.country, who.zones, now)
        if not window.open:
            return held_back("window", window.rule, None if window.changes_at == inf else window.changes_at)
        return held_back("rest", _last_disposition(progress), progress.next_at)
    fact_keys, caps = rules.claim(who, now)
    claim = Claim(
        attempt_id=index,
        lead_id=lead.lead_id,
        number=who.number,
        at=now,
        stop_keys=stop_keys,
        fact_keys=fact_keys,
        caps=caps,
    )
    for refusal in store.reserve_now(campaign, [claim]):
        why = "held" if refusal.rule == "lead.claimed" else "cap"
        return held_back(why, "" if why == "held" else refusal.rule, refusal.retry_at)
    return held_back("")


def _opens_at(country: str, zones: tuple[str, ...], rules: RuleSet, at: float) -> float:
    """When these numbers' window is open, from `at` on; infinity: never."""
    window = rules.window(country, zones, at)
    return at if window.open else window.changes_at


def _last_disposition(progress: LeadProgress) -> str:
    """The disposition that ended or delayed the lead, where only one has come; else all of them."""
    return ", ".join(sorted(progress.by_disposition))


def _clamped(progress: LeadProgress, lead: Lead) -> LeadProgress:
    """The progress with a number that the lead has: a list may have lost one since."""
    last = len(lead.numbers) - 1
    return progress if progress.number_index <= last else msgspec.structs.replace(progress, number_index=last)
