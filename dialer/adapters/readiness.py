"""Who of a campaign may be called now, who not, and why: asked of the rules, the dial queue and the store's own logic.

How it works: the leads go into a dial queue, all that it gives out now are claimed of a `MemoryStore` that holds the
server's records, and what neither gives is sorted by what holds it back. Nothing here decides by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf

import msgspec
import numpy as np

from compliance.clearance import Place
from compliance.eligibility import Eligibility, places_of
from compliance.ruleset import RuleSet
from dialer.adapters.store.memory import MemoryData, MemoryStore
from dialer.config.campaign import Campaign
from dialer.core.claiming import Claims
from dialer.core.dial_queue import DialQueue
from dialer.core.events import Refusal
from dialer.core.lead import Lead, LeadProgress
from dialer.core.retry import after_refusal, fitted, stops_number_alone, without_number

# What may pass by itself or be mended: a lead held back so is asked for again.
_PASSING = frozenset({"window", "rest", "cap", "held", "dnc", "consent", "hours"})


class LeadState(msgspec.Struct, frozen=True, kw_only=True):
    """One lead now. `why` is empty where it may be called; `at`: when it may be asked again, UTC seconds;
    `next_at`: when it becomes callable, its hours considered as well (None: no time will do it)."""

    lead_id: str
    name: str
    number: str
    why: str  # "" | stopped | finished | window | rest | cap | held | dnc | consent | hours
    rule: str = ""
    at: float | None = None
    next_at: float | None = None


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """All leads of a campaign now."""

    callable_now: int
    next_callable_at: float | None  # None: no time will make one callable
    counts: tuple[tuple[str, str, int], ...]  # (why, rule, leads), most first; callable ones are not among them
    leads: tuple[LeadState, ...]


def streams(campaign: Campaign, leads: Sequence[Lead], rules: RuleSet, now: float) -> Iterator[str]:
    """The streams of facts that the caps of these leads may look into."""
    claims = Claims(campaign, rules)
    for lead in leads:
        for index, number in enumerate(lead.numbers):
            if not rules.fault(number.place):
                yield from rules.clearance(claims.candidate(lead, index), now).fact_keys


def readiness(campaign: Campaign, leads: Sequence[Lead], rules: RuleSet, data: MemoryData, now: float) -> Readiness:
    """Sort the leads, as the lists have them now, by what holds them back at `now`.

    `data` says how far each is; it is used up, for claims are made in it.
    """
    looker = _Looker(campaign, rules, data, now)
    queue, progress = DialQueue(rules), data.campaigns[campaign.campaign].progress
    for lead in leads:
        so_far = progress.get(lead.lead_id) or LeadProgress(lead_id=lead.lead_id)
        index = queue.add(lead, looker.on_callable_number(lead, fitted(so_far, len(lead.numbers))))
        if queue[index].progress.status == "ready":
            queue.put(index)
    taken = [index for index, _ in queue.take(len(queue), now)]
    given = set(taken)
    looked_at = [
        looker.look(index, queue[index].lead, queue[index].progress, in_queue=index not in given)
        for index in (*taken, *(i for i in range(len(queue)) if i not in given))
    ]
    states = _with_next(looked_at, rules, now)
    free = sum(not state.why for state in states)
    counts = Counter((state.why, state.rule) for state in states if state.why)
    return Readiness(
        callable_now=free,
        next_callable_at=min((state.next_at for state in states if state.next_at is not None), default=None),
        counts=tuple((why, rule, count) for (why, rule), count in counts.most_common()),
        leads=tuple(states),
    )


class _Looker:
    """Asks the rules and the store's own logic about one lead after another."""

    def __init__(self, campaign: Campaign, rules: RuleSet, data: MemoryData, now: float) -> None:
        self._campaign = campaign.campaign
        self._claims = Claims(campaign, rules)
        self._rules = rules
        self._store = MemoryStore(data)
        self._store.open_now(self._campaign, owner="readiness")
        self._now = now

    def on_callable_number(self, lead: Lead, progress: LeadProgress) -> LeadProgress:
        """Move past numbers that are stopped or that no rule will ever allow, as the engine does; the last of them
        stays to be told of."""
        while progress.status == "ready" and self._never(lead, progress):
            moved = without_number(progress, progress.number_index, until=None, now=0.0)
            if moved.status != "ready":
                break
            progress = moved
        return progress

    def _never(self, lead: Lead, progress: LeadProgress) -> bool:
        if stops_number_alone(self._stop(lead, progress)[0]):
            return True
        window = self._rules.window(lead.numbers[progress.number_index].place, self._now)
        return not window.open and window.changes_at == inf

    def look(self, index: int, lead: Lead, progress: LeadProgress, *, in_queue: bool) -> tuple[LeadState, Place, float]:
        """Say what holds a lead back, for ever first, then for a while; where its number is; and from when on nothing
        but its hours do (infinity: never)."""
        number = lead.numbers[progress.number_index]

        def held_back(why: str, rule: str = "", at: float | None = None) -> tuple[LeadState, Place, float]:
            state = LeadState(lead_id=lead.lead_id, name=lead.name, number=number.e164, why=why, rule=rule, at=at)
            if not why:
                return state, number.place, self._now
            passes = why in _PASSING and at is not None
            return state, number.place, max(at or 0.0, progress.next_at, self._now) if passes else inf

        if progress.status == "stopped":
            return held_back("stopped", self._stop(lead, progress)[1])
        if fault := self._rules.fault(number.place):
            return held_back("window", fault)
        if reason := self._stop(lead, progress)[1]:
            return held_back("stopped", reason)
        if progress.status == "finished":
            return held_back("finished", _last_disposition(progress))
        window = self._rules.window(number.place, self._now)
        if not window.open:
            return held_back("window", window.rule, None if window.changes_at == inf else window.changes_at)
        if in_queue or progress.next_at > self._now:
            return held_back("rest", _last_disposition(progress), progress.next_at)
        who = self._claims.candidate(lead, progress.number_index)
        claim = self._claims.of(who, attempt_id=index, now=self._now)
        for refusal in self._store.reserve_now(self._campaign, [claim]).refusals:
            after = after_refusal(progress, progress.number_index, claim, refusal, self._now)
            if after.status == "ready" and after.number_index != progress.number_index and after.next_at <= self._now:
                return self.look(index, lead, after, in_queue=False)
            return held_back(*_told(refusal))
        return held_back("")

    def _stop(self, lead: Lead, progress: LeadProgress) -> tuple[str, str]:
        """The first stop of a lead on its present number, by its key and reason; empty where there is none."""
        stops = self._store.data.stops
        if not stops or self._rules.fault(lead.numbers[progress.number_index].place):
            return "", ""
        who = self._claims.candidate(lead, progress.number_index)
        keys = self._rules.clearance(who, self._now).stop_keys
        return next(((key, stops[key][0]) for key in keys if key in stops), ("", ""))


def _told(refusal: Refusal) -> tuple[str, str, float | None]:
    """A refusal as (why, rule, when it may be asked again)."""
    kind, _, rest = refusal.rule.partition(":")
    if refusal.rule == "lead.claimed":
        return "held", "", refusal.retry_at
    if refusal.rule == "person.hours":
        return "hours", refusal.rule, refusal.retry_at
    if kind in ("dnc", "consent") and rest:
        return kind, rest, refusal.retry_at
    return "cap", refusal.rule, refusal.retry_at


def _with_next(looked_at: Sequence[tuple[LeadState, Place, float]], rules: RuleSet, now: float) -> list[LeadState]:
    """Say of each lead when it becomes callable, from the moment on at which nothing but the hours holds it back."""
    places, place_of = places_of(place for _, place, _ in looked_at)
    asked_at = np.array([at for _, _, at in looked_at], dtype=np.float64)
    leads = Eligibility(rules, places, place_of, asked_at, np.isinf(asked_at))
    return [
        state if next_at == inf else msgspec.structs.replace(state, next_at=next_at)
        for (state, _, _), next_at in zip(looked_at, leads.next_callable_at(now).tolist(), strict=True)
    ]


def _last_disposition(progress: LeadProgress) -> str:
    """The disposition that ended or delayed the lead, where only one has come; else all of them."""
    return ", ".join(sorted(progress.by_disposition))
