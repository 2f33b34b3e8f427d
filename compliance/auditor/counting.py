"""Caps and cool-downs: count a plain list of what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from compliance.auditor.clocks import local_time
from compliance.auditor.question import Finding, Happening, Question
from compliance.rule import CapRule, CooldownRule, KeyKind

HOUR_S = 3600.0
_CALLS_OF_THEIRS = ("contact", "conversation")  # what an inbound call can be: it is no attempt of ours


def over_cap(cap: CapRule, question: Question, past: Iterable[Happening], zones: Iterable[str]) -> Finding | None:
    """Say what forbids the call, if as many facts as the cap allows have happened in its period."""
    if cap.only_use and question.use != cap.only_use:
        return None
    ours = [fact for fact in past if _counts(cap, fact) and _agrees(fact, question, cap.key, cap.only_use)]
    seen = sum(1 for fact in ours if _in_period(cap.kind, cap.n, fact.at, question.at, zones))
    if seen < cap.max:
        return None
    return Finding(rule=cap.rule, text=f"{seen} of at most {cap.max} ({cap.count}, {cap.kind} {cap.n})", cite=cap.cite)


def cooling_down(
    rule: CooldownRule, question: Question, past: Iterable[Happening], zones: Iterable[str]
) -> Finding | None:
    """Say what forbids the call, if a fact of the rule's kind is still too young."""
    if rule.unless_agent_held and question.agent_held:
        return None
    if rule.hours is not None:
        kind, n = "rolling_hours", rule.hours
    else:
        assert rule.days is not None, f"{rule.rule}: days or hours"
        kind, n = "rolling_calendar_days", rule.days + (rule.first_day == "next_day")
    for fact in past:
        if (
            rule.after in fact.kinds
            and fact.channel in ("voice", "inbound")
            and _agrees(fact, question, rule.key, "")
            and _in_period(kind, n, fact.at, question.at, zones)
        ):
            return Finding(rule=rule.rule, text=f"too soon after a fact of kind {rule.after}", cite=rule.cite)
    return None


def _counts(cap: CapRule, fact: Happening) -> bool:
    if fact.disposition and fact.disposition in cap.exclude:
        return False
    if cap.count == "communication":
        return fact.channel in cap.channels
    if cap.count not in fact.kinds:
        return False
    channels = {"voice", *cap.channels}
    if cap.count in _CALLS_OF_THEIRS:
        channels.add("inbound")
    return fact.channel in channels


def _agrees(fact: Happening, question: Question, key: tuple[KeyKind, ...], only_use: str) -> bool:
    """Say whether a fact is of the same person, debt, ... as the call; what either does not say counts for all.

    Without an account the debt is the account; what is about the same debt is on the same account.
    """
    theirs: dict[str, tuple[str, str]] = {
        "person": (fact.person, question.person),
        "debt": (fact.debt, question.debt),
        "account": (fact.account or fact.debt, question.account or question.debt),
        "number": (fact.number, question.number),
        "subject": (fact.subject, question.subject),
        "campaign": (fact.campaign, question.campaign),
    }
    if fact.debt and fact.debt == question.debt:
        del theirs["account"]
    if "use" in key and fact.use is not None and fact.use != only_use:
        return False
    return all(_same(*theirs[part]) for part in key if part in theirs)


def _same(one: str, other: str) -> bool:
    return not one or not other or one == other


def _in_period(kind: str, n: int, at: float, now: float, zones: Iterable[str]) -> bool:
    """Say whether a moment lies in the period that ends now, in any of the zones."""
    if at > now:
        return False
    if kind == "rolling_hours":
        return now - at <= n * HOUR_S
    return any(local_time(at, zone).date() >= first_day(kind, n, local_time(now, zone).date()) for zone in zones)


def first_day(kind: str, n: int, today: date) -> date:
    """Return the first local date of a period of the calendar that ends today."""
    return _FIRST_DAYS[kind](today, n)


def _week_begin(today: date, n: int) -> date:
    return today - timedelta(days=today.weekday() + 7 * (n - 1))


def _month_begin(today: date, n: int) -> date:
    first = today.replace(day=1)
    for _ in range(n - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def _days_back(today: date, n: int) -> date:
    return today - timedelta(days=n - 1)


_FIRST_DAYS: dict[str, Callable[[date, int], date]] = {
    "rolling_calendar_days": _days_back,
    "calendar_day": _days_back,
    "calendar_week_mon": _week_begin,
    "calendar_month": _month_begin,
}
