"""Reasons against a call, in words: which rule, what it found, where it is written and how sure we are of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from compliance.facts import Counted
from compliance.frequency import Limit
from compliance.rule import Cited, Confidence, CooldownRule, KeyKind
from compliance.window import ALL_DAY, CallingHours, Span
from compliance.zones import load_zone

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_NOUNS: dict[Counted, tuple[str, str]] = {
    "attempt": ("attempt", "attempts"),
    "contact": ("contact", "contacts"),
    "conversation": ("conversation", "conversations"),
    "refusal": ("refusal", "refusals"),
    "abandoned": ("abandoned call", "abandoned calls"),
    "communication": ("communication", "communications"),
}
_WITH = frozenset(("contact", "conversation", "refusal"))  # with a person; the others are to one
_ABOUT: dict[KeyKind, str] = {
    "debt": "about this debt",
    "account": "about this account",
    "subject": "about this subject",
    "campaign": "in this campaign",
    "use": "at this kind of number",
}
_PERIODS = {
    "rolling_hours": ("in the last hour", "in the last {n} hours"),
    "rolling_calendar_days": ("today", "in the last {n} days"),
    "calendar_day": ("today", "in the last {n} days"),
    "calendar_week_mon": ("this week", "in the last {n} weeks"),
    "calendar_month": ("this month", "in the last {n} months"),
}


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that forbids a call. `text` is a sentence for people, `cite` where the rule is written.

    A rule of ours, and a fault of the number or its place, has confidence POLICY.
    """

    rule: str
    text: str
    cite: str = ""
    confidence: Confidence = "POLICY"


def reason_of_limit(limit: Limit, seen: int, last_at: float, zone: str) -> Reason:
    """Say that a limit is used up: `seen` facts are counted, the last one at `last_at`; told by the clock of `zone`."""
    cited = limit.cited
    source = limit.source
    if isinstance(source, CooldownRule):
        text = _cooling(limit, source, datetime.fromtimestamp(last_at, load_zone(zone)))
    else:
        text = (
            f"{seen} {_noun(limit.count, seen)} {_whose(limit)} {_period(limit)}, "
            f"at most {limit.max} {'is' if limit.max == 1 else 'are'} allowed"
        )
    return Reason(rule=limit.rule, text=f"{text}{_cite(cited)}.", cite=cited.cite, confidence=cited.confidence)


def _cooling(limit: Limit, rule: CooldownRule, last: datetime) -> str:
    noun = _noun(limit.count, 1)
    article = "An" if noun[0] in "aeiou" else "A"
    what = f"{article} {noun} on {last:%Y-%m-%d}"
    held = " unless an agent is held for it" if rule.unless_agent_held else ""
    if rule.days is None:
        return f"{what} at {last:%H:%M} ({last.tzinfo}): no call for {rule.hours} hours after it{held}"
    first = "that day is the first" if rule.first_day == "event_day" else "the day after it is the first"
    return f"{what} ({last.tzinfo}): no call for {rule.days} days, {first}{held}"


def _noun(count: Counted, number: int) -> str:
    return _NOUNS[count][number != 1]


def _whose(limit: Limit) -> str:
    preposition = "with" if limit.count in _WITH else "to"
    words = [_ABOUT.get(kind, f"{preposition} this {kind}") for kind in limit.key]
    return " ".join(words)


def _period(limit: Limit) -> str:
    return _PERIODS[limit.kind][limit.n != 1].format(n=limit.n)


def _cite(cited: Cited) -> str:
    return f" ({cited.cite})" if cited.cite else ""


# ---- hours --------------------------------------------------------------------------------------------------
def reason_of_closure(hours: CallingHours, zone: str, closed_by: str, at: float) -> Reason:
    """Say by which clock a rule is closed at `at`, and when it is open."""
    wall = datetime.fromtimestamp(at, load_zone(zone))
    cited = _cited(hours, closed_by, wall)
    if closed_by.endswith(".hours"):
        text = f"It is {DAYS[wall.weekday()]} {wall:%H:%M} in {zone}: calls are allowed {week_in_words(hours.week)}"
    elif closed_by.endswith(".holiday"):
        text = f"{DAYS[wall.weekday()]} {wall:%Y-%m-%d} is a holiday there ({zone}): no calls"
    else:
        text = f"{wall:%Y-%m-%d} is a closed date of the campaign ({zone})"
    return Reason(rule=closed_by, text=f"{text}{_cite(cited)}.", cite=cited.cite, confidence=cited.confidence)


def reason_of_guard(hours: CallingHours, zone: str, closed_by: str, closes_at: float, ring_guard_s: float) -> Reason:
    """Say that a call would still ring when a rule closes."""
    wall = datetime.fromtimestamp(closes_at, load_zone(zone))
    cited = _cited(hours, closed_by, wall)
    text = (
        f"{hours.rule} closes at {wall:%H:%M:%S} in {zone}, and a call may ring for {ring_guard_s:g} s: "
        f"it would ring after the end"
    )
    return Reason(rule="ring_guard", text=f"{text}{_cite(cited)}.", cite=cited.cite, confidence=cited.confidence)


def _cited(hours: CallingHours, closed_by: str, wall: datetime) -> Cited:
    """What to cite of a profile: its holidays, or the window of the day (any where the day has none)."""
    profile = hours.profile
    if profile is None:
        return Cited()
    values: list[Cited] = []
    if closed_by.endswith(".holiday"):
        values = [] if profile.holidays is None else [profile.holidays]
    else:
        values = [window for window in profile.windows if wall.weekday() in window.days] or list(profile.windows)
    return next((value for value in values if value.cite), profile)


def week_in_words(week: Sequence[Sequence[Span]]) -> str:
    """Return a week's open hours: `Monday to Friday 07:00-19:00, Saturday 08:00-15:00`."""
    runs: list[tuple[int, int]] = []
    for day in range(7):
        if runs and week[runs[-1][0]] == week[day]:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    parts = [f"{_days(*run)} {_spans(week[run[0]])}" for run in runs if week[run[0]]]
    return ", ".join(parts) or "at no time"


def _days(first: int, last: int) -> str:
    if first == last:
        return DAYS[first]
    return "every day" if (first, last) == (0, 6) else f"{DAYS[first]} to {DAYS[last]}"


def _spans(spans: Sequence[Span]) -> str:
    if tuple(spans) == ALL_DAY:
        return "at any time"
    return " and ".join(f"{_clock(begin)}-{_clock(end)}" for begin, end in spans)


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"


# ---- faults -------------------------------------------------------------------------------------------------
def reason_of_country(country: str, scope: str) -> Reason:
    """Say that there are no rules for a country."""
    text = f"There are no rules for {country} and {scope}." if country else "The country is not known."
    return Reason(rule="jurisdiction.unknown", text=text)


def reason_of_zone(zone: str) -> Reason:
    """Say that a zone is not known, or that none is."""
    text = f"{zone!r} is no time zone." if zone else "No time zone is known: what the clock shows there cannot be told."
    return Reason(rule="zone.unknown", text=text)
