"""Caps and cool-downs: how often, and how soon after something, a person may be called.

How it works: a cool-down is a cap of one, on facts of the kind that it follows. Each is planned for the zones that the
person may be in: within a local day its period does not move. Facts are counted under keys; where several zones differ,
the period that began first holds, so a limit is kept by every clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from sys import intern
from typing import cast

import msgspec

from compliance.clearance import VOICE, CapSlot, DialCandidate
from compliance.facts import Counted, Fact, counted_channels, counts
from compliance.rule import KEY_KINDS, CapRule, Channel, Cited, CooldownRule, InForce, KeyKind, PeriodKind, Profile
from compliance.zones import day_begin, local_date

HOUR_S = 3600.0
# A period of rolling hours includes its begin, so exactly that long after a fact the fact still counts.
PAST_WINDOW_S = 0.001


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A cap or a cool-down as it is counted: fewer than `max` facts in a period under a key.

    `use`: only for numbers of that use (`*`: of any use); empty: for all. `profile` is whose it is; None: the
    campaign's.
    """

    rule: str
    count: Counted
    max: int
    kind: PeriodKind
    n: int
    key: tuple[KeyKind, ...]
    named: tuple[Channel, ...]  # by the rule
    channels: frozenset[Channel]  # on which facts count
    exclude: tuple[str, ...]
    use: str
    unless_agent_held: bool
    source: CapRule | CooldownRule
    profile: Profile | None = None

    @property
    def cited(self) -> Cited:
        """What to cite: the rule itself, or the profile that it stands in where it has no words of its own."""
        return self.source if self.source.cite or self.profile is None else self.profile

    @property
    def in_force(self) -> InForce:
        """On which local dates it holds."""
        return InForce() if self.profile is None else self.profile.in_force

    def asked_of(self, use: str, agent_held: bool) -> bool:
        """Say whether it is asked of numbers of this use, where an agent is held for the call or is not."""
        if self.use and self.use != use and not (self.use == "*" and use):
            return False
        return not (self.unless_agent_held and agent_held)

    def counts(self, fact: Fact) -> bool:
        """Say whether it counts the fact, whoever it is about."""
        return counts(fact, self.count, self.channels, self.exclude)


def limit_of(rule: CapRule | CooldownRule, profile: Profile | None = None) -> Limit:
    """Return a cap, or a cool-down as a cap of one fact of the kind that it follows."""
    if isinstance(rule, CapRule):
        kind, n, held = rule.kind, rule.n, False
        count, most, named, exclude, use = (
            cast(Counted, rule.count),
            rule.max,
            rule.channels,
            rule.exclude,
            rule.only_use,
        )
    else:
        kind, n = _cooling(rule)
        count, most, named, exclude, use = cast(Counted, rule.after), 1, ("voice",), (), ""
        held = rule.unless_agent_held
    return Limit(
        rule=rule.rule,
        count=cast(Counted, intern(count)),  # so that a default is known as one, and left out of the journal
        max=most,
        kind=kind,
        n=n,
        key=tuple(part for part in KEY_KINDS if part in rule.key),
        named=VOICE if named == VOICE else named,
        channels=counted_channels(count, named),
        exclude=exclude,
        use=use or ("*" if "use" in rule.key else ""),
        unless_agent_held=held,
        source=rule,
        profile=profile,
    )


def _cooling(rule: CooldownRule) -> tuple[PeriodKind, int]:
    """The period in which one fact forbids a call: where the next day is the first, the day itself is one more."""
    if rule.days is not None:
        return "rolling_calendar_days", rule.days + (rule.first_day == "next_day")
    if rule.hours is None:
        raise ValueError(f"{rule.rule}: expected days or hours, found neither")
    return "rolling_hours", rule.hours


# ---- keys ---------------------------------------------------------------------------------------------------
def agrees(fact: Fact, kinds: tuple[KeyKind, ...], candidate: DialCandidate) -> bool:
    """Say whether a fact about the candidate's person is one under this key. What either does not say agrees."""
    for kind in kinds:
        if kind == "person":
            continue
        if kind == "account":
            theirs, ours = fact.account or fact.debt, candidate.account or candidate.debt
            if fact.debt and fact.debt == candidate.debt:
                continue
        else:
            theirs, ours = getattr(fact, kind), getattr(candidate, kind)
        if theirs and ours and theirs != ours:
            return False
    return True


# ---- periods ------------------------------------------------------------------------------------------------
def period_bounds(kind: PeriodKind, n: int, zones: Sequence[str], now: float) -> tuple[float, float]:
    """Return where a calendar period of the called party's zone begins and when it next moves, UTC seconds.

    `n` periods, the present one included. With several zones the earliest begin and the latest move: safe in each.
    """
    bounds = [_bounds_in(kind, n, zone, now) for zone in zones]
    return min(begin for begin, _ in bounds), max(move for _, move in bounds)


def _bounds_in(kind: PeriodKind, n: int, zone: str, now: float) -> tuple[float, float]:
    today = local_date(zone, now)
    return day_begin(zone, _period_begin(kind, today, 1 - n)), day_begin(zone, _period_begin(kind, today, 1))


def left_at(kind: PeriodKind, n: int, zones: Sequence[str], fact_at: float) -> float:
    """Return the first time at which a fact is in the period no more, UTC seconds. Inverse of `period_bounds`."""
    if kind == "rolling_hours":
        return fact_at + n * HOUR_S + PAST_WINDOW_S
    return max(day_begin(zone, _period_begin(kind, local_date(zone, fact_at), n)) for zone in zones)


def _period_begin(kind: PeriodKind, day: date, later: int) -> date:
    """Return the first day of the period that is `later` periods after the one that the day is in."""
    if kind == "calendar_week_mon":
        return day - timedelta(days=day.weekday()) + timedelta(weeks=later)
    if kind == "calendar_month":
        months = day.year * 12 + day.month - 1 + later
        return date(months // 12, months % 12 + 1, 1)
    return day + timedelta(days=later)


class PlannedLimit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A limit whose period is worked out for some zones: the same for every candidate in them until it moves."""

    rule: str
    max: int
    since: float  # rolling hours: unused
    window_s: float | None  # rolling hours alone
    resets_at: float | None  # calendar periods alone
    limit: Limit

    def slot(self, place: tuple[str, tuple[str, ...], str], now: float) -> CapSlot:
        """Return the limit made concrete for one attempt at `now`; `place` is (key, where, also) of the slot."""
        limit, (key, where, also) = self.limit, place
        return CapSlot(
            rule=self.rule,
            key=key,
            max=self.max,
            since=self.since if self.window_s is None else now - self.window_s,
            where=where,
            also=also,
            count=limit.count,
            channels=limit.named,
            exclude=limit.exclude,
            window_s=self.window_s,
            resets_at=self.resets_at,
        )


def plan(limit: Limit, zones: Sequence[str], now: float) -> PlannedLimit:
    """Work out a limit's period at `now` in these zones (at least one, all known)."""
    since, window_s, resets_at = 0.0, None, None
    if limit.kind == "rolling_hours":
        window_s = limit.n * HOUR_S
    else:
        since, resets_at = period_bounds(limit.kind, limit.n, zones, now)
    return PlannedLimit(
        rule=limit.rule,
        max=limit.max,
        since=since,
        window_s=window_s,
        resets_at=resets_at,
        limit=limit,
    )


def plan_cap(rule: CapRule | CooldownRule, zones: Sequence[str], now: float) -> PlannedLimit:
    """Work out a cap's or a cool-down's period at `now` in these zones (at least one, all known)."""
    return plan(limit_of(rule), zones, now)
