"""Verdicts: whether a call may be made at a moment, every reason against it in words, and when it may be made next.

How it works: hours are asked of the rule set, caps and cool-downs are counted in the history that is given. The next
time at which all pass is reached by leaps, from the moment at which a limit lets go to the next opening and on until
both agree; nothing is tried minute by minute. The history is fixed, and what is later than a moment does not count at
it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from compliance.clearance import DialCandidate, Place
from compliance.facts import Fact, events_of
from compliance.frequency import HOUR_S, Limit, agrees, left_at
from compliance.reason import (
    Reason as Reason,
)
from compliance.reason import (
    reason_of_closure,
    reason_of_country,
    reason_of_guard,
    reason_of_limit,
    reason_of_zone,
)
from compliance.ruleset import RuleSet
from compliance.stack import holds_on, last_day
from compliance.window import closures, open_times
from compliance.zones import DAY_S, day_begin, known_zones, local_date

# How far ahead a next time is looked for.
HORIZON_DAYS = 400
# A ring guard is shorter than a day, so the end that it runs into is on this day or the next.
RINGS_INTO_DAYS = 2


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a call is allowed, and why not: every rule against it, not only the first.

    `next_allowed_at` (UTC seconds) is the first moment, from the one asked about, at which no rule forbids it: that
    moment itself where it is allowed, None if there is none within 400 days. `profiles` are the rules in force.
    `requires` is what only the moment of dialling can tell: registries and consent.
    """

    allowed: bool
    reasons: tuple[Reason, ...]
    next_allowed_at: float | None
    zones: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()


def denied(fault: str, text: str, *, place: Place | None = None) -> Verdict:
    """Return the verdict on a number that no rule could allow at any time: it is invalid, or its place is unknown."""
    return _impossible((Reason(rule=fault, text=text),), place or Place((), ()))


def judge(rules: RuleSet, candidate: DialCandidate, now: float, history: Sequence[Fact]) -> Verdict:
    """Return the verdict on a call at `now` (UTC seconds), with all that speaks against it.

    `history` is of the candidate's person, in any order; what either does not say of a debt and the like agrees.
    """
    place = candidate.place
    faults = tuple(_faults(rules, place))
    if faults:
        return _impossible(faults, place)
    counters = _counters(rules, candidate, history)
    reasons = (*_closed(rules, place, now), *_used_up(counters, place, now))
    clearance = rules.clearance(candidate, now)
    return Verdict(
        allowed=not reasons,
        reasons=reasons,
        next_allowed_at=_next_allowed_at(rules, place, now, counters) if reasons else now,
        zones=place.zones,
        jurisdictions=place.jurisdictions,
        profiles=clearance.profiles,
        requires=(
            *(() if clearance.consent is None else (f"consent ({clearance.consent.rule})",)),
            *(f"registry {check.registry} ({check.rule})" for check in clearance.lists),
        ),
    )


def _impossible(reasons: tuple[Reason, ...], place: Place) -> Verdict:
    return Verdict(
        allowed=False,
        reasons=reasons,
        next_allowed_at=None,
        zones=place.zones,
        jurisdictions=place.jurisdictions,
    )


def _faults(rules: RuleSet, place: Place) -> Iterator[Reason]:
    for country in rules.stack(place).unknown if place.jurisdictions else ("",):
        yield reason_of_country(country, rules.scope)
    for zone in place.zones or ("",):
        if zone not in known_zones():
            yield reason_of_zone(zone)


# ---- hours --------------------------------------------------------------------------------------------------
def _closed(rules: RuleSet, place: Place, now: float) -> Iterator[Reason]:
    """Every rule whose hours, holidays or closed dates forbid the moment; else those that close while it would ring."""
    hours = rules.stack(place).hours
    reasons = [reason_of_closure(rule, zone, what, now) for rule, zone, what in closures(hours, place.zones, now)]
    if reasons or rules.window_afresh(place, now).open:
        yield from reasons
        return
    # Open at the moment and not to the end of the guard: the next end lies within it.
    _, end = next(open_times(hours, place.zones, now, 0.0, days=RINGS_INTO_DAYS))
    for rule, zone, what in closures(hours, place.zones, end):
        yield reason_of_guard(rule, zone, what, end, rules.ring_guard_s)


# ---- caps and cool-downs ------------------------------------------------------------------------------------
class _Counter:
    """One limit, and when the facts happened that it counts for a candidate, in order."""

    def __init__(self, limit: Limit, zones: tuple[str, ...], times: list[float]) -> None:
        self.limit = limit
        self._zones = zones
        self._times = times

    def seen(self, at: float) -> int:
        """How many facts count at a moment."""
        upto = bisect_right(self._times, at)
        return sum(1 for fact_at in self._times[:upto] if self._lets_go(fact_at, at) > at)

    def last_at(self, at: float) -> float:
        """When the last fact happened that counts at a moment."""
        return self._times[bisect_right(self._times, at) - 1]

    def free_at(self, at: float) -> float:
        """Return the first moment from `at` on at which the limit allows a call as far as the facts until `at` go."""
        if not self._holds(at):
            return at
        binding = bisect_right(self._times, at) - self.limit.max
        if binding < 0:
            return at
        free = self._lets_go(self._times[binding], at) if self.limit.max > 0 else math.inf
        return at if free <= at else min(free, self._lapses_at())

    def _lets_go(self, fact_at: float, at: float) -> float:
        """When a fact counts no more; `at` or before where it does not count at `at`."""
        if self.limit.kind == "rolling_hours" and fact_at < at - self.limit.n * HOUR_S:
            return at
        return left_at(self.limit.kind, self.limit.n, self._zones, fact_at)

    def _holds(self, at: float) -> bool:
        in_force = self.limit.in_force
        if in_force.first is None and in_force.last is None:
            return True
        return any(holds_on(in_force, local_date(zone, at)) for zone in self._zones)

    def _lapses_at(self) -> float:
        last = last_day(self.limit.in_force)
        if last is None:
            return math.inf
        return max(day_begin(zone, date.fromordinal(last.toordinal() + 1)) for zone in self._zones)


def _counters(rules: RuleSet, candidate: DialCandidate, history: Sequence[Fact]) -> list[_Counter]:
    events, zones = events_of(history), candidate.place.zones
    return [
        _Counter(limit, zones, [e.at for e in events if limit.counts(e) and agrees(e, limit.key, candidate)])
        for limit in rules.stack(candidate.place).limits
        if limit.asked_of(candidate.use, candidate.agent_held)
    ]


def _used_up(counters: Sequence[_Counter], place: Place, now: float) -> Iterator[Reason]:
    for counter in counters:
        if counter.free_at(now) > now:
            seen = counter.seen(now)
            yield reason_of_limit(counter.limit, seen, counter.last_at(now) if seen else now, place.zones[0])


def _next_allowed_at(rules: RuleSet, place: Place, now: float, counters: Sequence[_Counter]) -> float | None:
    at, until = now, now + HORIZON_DAYS * DAY_S
    while at <= until:
        free = max((counter.free_at(at) for counter in counters), default=at)
        if free > at:
            at = free
            continue
        state = rules.window_afresh(place, at)
        if state.open:
            return at
        at = state.changes_at
    return None
