"""The stack of rules of a place: the profiles of its countries and subdivisions, with the policy and a campaign's own.

How it works: what applies depends on the candidate jurisdictions alone, so places that differ only in their zones share
a stack. On which dates each of its rules holds is left to the rules: hours ask by the local date of each zone, the rest
by any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from compliance.calendars import has_calendar, regional_calendars
from compliance.frequency import Limit, limit_of
from compliance.rule import VERIFIED, CapRule, HolidayRule, InForce, Profile, WindowRule
from compliance.window import CallingHours, Hours, week_of

Dates = tuple[date | None, date | None]  # first and last, both included; None: without end


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRules:
    """What a campaign adds. All of it tightens."""

    windows: tuple[WindowRule, ...] = ()
    caps: tuple[CapRule, ...] = ()
    closed_dates: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """All that holds in some candidate jurisdictions. `unknown` names countries without any profile: not to be called.

    `profiles` are those that apply, of whatever date, with the policy last; `limits` the law's first, then the policy's
    and the campaign's.
    """

    unknown: tuple[str, ...]
    profiles: tuple[Profile, ...]
    hours: Hours
    limits: tuple[Limit, ...]


def stack_of(
    jurisdictions: Sequence[str],
    profiles: Mapping[str, Sequence[Profile]],
    *,
    policy: Profile,
    scope: str,
    own: OwnRules,
) -> Stack:
    """Return what holds where the person may be in any of these jurisdictions. `profiles` are by country."""
    regions = subdivisions_of(jurisdictions)
    applying: list[Profile] = []
    rules: list[CallingHours] = []
    for country, subdivisions in regions.items():
        found = [profile for profile in profiles.get(country, ()) if _applies(profile, subdivisions, scope)]
        applying += found
        rules += _hours_of(country, subdivisions, found, policy)
    limits = [*_limits_of((*applying, policy)), *(limit_of(cap) for cap in own.caps)]
    return Stack(
        # A country whose profiles are all of other places is known, and the policy holds in it.
        unknown=tuple(country for country in regions if not _covered(profiles.get(country, ()), scope)),
        profiles=(*applying, policy),
        hours=Hours([*rules, *_own_hours(own)]),
        limits=tuple(limits),
    )


def subdivisions_of(jurisdictions: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the candidate countries with the subdivisions known of each; what these are part of is known too."""
    found: dict[str, dict[str, None]] = {}
    for jurisdiction in jurisdictions:
        parts = jurisdiction.split("-")
        known = found.setdefault(parts[0], {})
        known.update(dict.fromkeys("-".join(parts[:end]) for end in range(2, len(parts) + 1)))
    return {country: tuple(known) for country, known in found.items()}


def last_day(in_force: InForce) -> date | None:
    """Return the last local date on which it is in force: none where that is not verified."""
    return in_force.last if in_force.confidence in VERIFIED else None


def holds_on(in_force: InForce, day: date) -> bool:
    """Say whether it is in force on a local date."""
    last = last_day(in_force)
    return (in_force.first is None or in_force.first <= day) and (last is None or day <= last)


def _covered(profiles: Sequence[Profile], scope: str) -> bool:
    return any(scope in profile.scope for profile in profiles)


def _applies(profile: Profile, subdivisions: tuple[str, ...], scope: str) -> bool:
    """A country's profiles apply in all of it; a subdivision's there, and wherever no subdivision is known."""
    if scope not in profile.scope:
        return False
    return "-" not in profile.jurisdiction or not subdivisions or profile.jurisdiction in subdivisions


def _limits_of(profiles: Iterable[Profile]) -> Iterable[Limit]:
    for profile in profiles:
        for cap in profile.caps:
            yield limit_of(cap, profile)
        for cooldown in profile.cooldowns:
            yield limit_of(cooldown, profile)


# ---- hours --------------------------------------------------------------------------------------------------
def _hours_of(
    country: str, subdivisions: tuple[str, ...], profiles: Sequence[Profile], policy: Profile
) -> list[CallingHours]:
    """Return the hours of the law, and the policy's for the dates on which no verified hours hold."""
    hours = [
        CallingHours(
            rule=profile.id,
            week=week_of(profile.windows),
            calendars=() if profile.holidays is None else calendars_of(profile.holidays, country, subdivisions),
            zones=profile.zones,
            first=profile.in_force.first,
            last=last_day(profile.in_force),
            profile=profile,
        )
        for profile in profiles
        if profile.windows or profile.holidays is not None
    ]
    covered = _stand_ins(country, subdivisions, profiles)
    if (None, None) not in covered:
        holidays = policy.holidays or HolidayRule(calendar="*", regions="known")
        hours.append(
            CallingHours(
                rule=policy.id,
                week=week_of(policy.windows),
                calendars=calendars_of(holidays, country, subdivisions),
                covered=covered,
                profile=policy,
            )
        )
    return hours


def _stand_ins(country: str, subdivisions: tuple[str, ...], profiles: Sequence[Profile]) -> tuple[Dates, ...]:
    """Return the dates on which hours that somebody read in the law hold wherever in the country the person may be.

    Those of a pack of one's own are none, unless it puts others aside and says why.
    """
    spans: list[Dates] = [(None, None)]
    for place in subdivisions or (country,):
        verified = [
            (profile.in_force.first, last_day(profile.in_force))
            for profile in profiles
            if not profile.own
            and f"{place}-".startswith(f"{profile.jurisdiction}-")
            and any(window.confidence in VERIFIED for window in profile.windows)
        ]
        spans = [common for span in spans for dates in verified if (common := _common(span, dates)) is not None]
    return tuple(dict.fromkeys(spans))


def _common(left: Dates, right: Dates) -> Dates | None:
    """Return the dates that are in both; None where there are none."""
    first = max((day for day in (left[0], right[0]) if day is not None), default=None)
    last = min((day for day in (left[1], right[1]) if day is not None), default=None)
    return None if first is not None and last is not None and first > last else (first, last)


def calendars_of(rule: HolidayRule, country: str, subdivisions: tuple[str, ...]) -> tuple[str, ...]:
    """Return the calendars whose days a rule closes. A subdivision of which the library knows nothing adds none."""
    calendar = country if rule.calendar == "*" else rule.calendar
    if rule.regions == "none":
        return (calendar,)
    regional = subdivisions
    if rule.regions == "any" and not subdivisions:
        regional = regional_calendars(country)
    return tuple(dict.fromkeys((calendar, *(code for code in regional if has_calendar(code)))))


def _own_hours(own: OwnRules) -> list[CallingHours]:
    hours = []
    if own.windows:
        hours.append(CallingHours(rule="campaign.windows", week=week_of(own.windows)))
    if own.closed_dates:
        dates = frozenset(own.closed_dates)
        hours.append(CallingHours(rule="campaign.closed_dates", week=week_of(()), closed_dates=dates))
    return hours
