"""A rule's values in words, for tables and pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compliance.rule import (
    AbandonLimit,
    CallerIdRule,
    CapRule,
    Cited,
    ConsentRule,
    CooldownRule,
    DncRule,
    HolidayRule,
    InForce,
    Profile,
    WindowRule,
)
from dialer.config.rule_pack_file import ANYWHERE, DAYS

_PERIODS = {
    "calendar_day": "day",
    "calendar_week_mon": "week",
    "calendar_month": "month",
    "rolling_calendar_days": "day",
    "rolling_hours": "hour",
}
_WINDOWS = {
    "rolling_24h": "over 24 hours",
    "calendar_month": "over a calendar month",
    "30_days": "over successive 30 days",
    "campaign": "over the campaign",
}
_REGIONS = {"none": "", "known": ", and those of the known subdivision", "any": ", and those of every subdivision"}


def hours(windows: Sequence[WindowRule], *, otherwise: str = "policy") -> str:
    """Return a week's hours, as in `Mon–Fri 09:00–20:00, Sat 10:00–14:00`."""
    if not windows:
        return otherwise
    by_days: dict[str, list[str]] = {}
    for span, days in _same_hours(windows).items():
        by_days.setdefault(_days(sorted(days)), []).append(span)
    return ", ".join(f"{days} {' and '.join(spans)}" for days, spans in by_days.items())


def _same_hours(windows: Sequence[WindowRule]) -> dict[str, list[int]]:
    by_hours: dict[str, list[int]] = {}
    for window in windows:
        span = f"{_clock(window.begin_minute)}–{_clock(window.end_minute)}"
        by_hours.setdefault(span, []).extend(window.days)
    return by_hours


def cap(rule: CapRule) -> str:
    """Return a cap, as in `7 attempts in 7 days, by person and debt`."""
    count = f"{rule.max} {rule.count}{'s' if rule.max > 1 else ''}"
    channels = f", on {_list(rule.channels)}" if rule.channels != ("voice",) else ""
    at_work = ", on numbers at work" if rule.only_use else ""
    return f"{count} {_span(_PERIODS[rule.kind], rule.n)}, by {_list(_key(rule.key))}{channels}{at_work}"


def cooldown(rule: CooldownRule) -> str:
    """Return a cool-down, as in `none for 7 days after a conversation (that day is day 1), by person and debt`."""
    if rule.hours is not None:
        length, begins = f"{rule.hours} hours", ""
    else:
        length = f"{rule.days} days"
        begins = " (that day is day 1)" if rule.first_day == "event_day" else " (the next day is day 1)"
    after = {"conversation": "a conversation", "refusal": "a refusal", "abandoned": "an abandoned call"}[rule.after]
    unless = ", unless an agent is held" if rule.unless_agent_held else ""
    return f"none for {length} after {after}{begins}, by {_list(_key(rule.key))}{unless}"


def limits(profile: Profile) -> str:
    """Return all caps and cool-downs; a dash where there is none."""
    return "; ".join((*map(cap, profile.caps), *map(cooldown, profile.cooldowns))) or "–"


def further(profile: Profile) -> str:
    """Return what else a profile asks for, by name; a dash where there is nothing."""
    asked = {
        "consent": profile.consent is not None and profile.consent.required,
        "registries": profile.dnc is not None,
        "caller ID": profile.caller_id is not None,
        "message": profile.message is not None,
        "abandons": profile.abandon is not None and profile.abandon.max_rate is not None,
        "ring": profile.ring is not None,
        "duties": bool(profile.duties),
    }
    return ", ".join(name for name, is_asked in asked.items() if is_asked) or "–"


def values(profile: Profile) -> Iterator[tuple[str, str, Cited]]:
    """Yield every value of a profile: what it is of, the value in words, and what it is cited by."""
    if (dates := _dates(profile.in_force)) is not None:
        yield "in force", dates, profile.in_force
    for rule in _alike(profile.windows):
        yield "hours", hours(rule), rule[0]
    if not profile.windows:
        yield "hours", "none named", profile
    if profile.zones:
        yield "zones", f"asked in any case: {_list(profile.zones)}", profile
    if profile.holidays is not None:
        yield "holidays", _holidays(profile.holidays), profile.holidays
    for limit in profile.caps:
        yield "cap", f"{limit.rule}: {cap(limit)}{_excluded(limit)}", limit
    for rest in profile.cooldowns:
        yield "rest", f"{rest.rule}: {cooldown(rest)}", rest
    if profile.abandon is not None:
        yield "abandoned calls", _abandon(profile.abandon), profile.abandon
    if profile.ring is not None:
        yield "ring", f"at least {profile.ring.min_s:g} s", profile.ring
    if profile.message is not None:
        yield "recorded message", f"{profile.message.abandoned_call} on an abandoned call", profile.message
    if profile.caller_id is not None:
        yield "caller ID", _caller_id(profile.caller_id), profile.caller_id
    if profile.consent is not None:
        yield "consent", _consent(profile.consent), profile.consent
    if profile.dnc is not None:
        yield "registries", _registries(profile.dnc), profile.dnc


def _alike(windows: Sequence[WindowRule]) -> list[list[WindowRule]]:
    """Put windows with the same citation together."""
    groups: dict[tuple[object, ...], list[WindowRule]] = {}
    for window in windows:
        groups.setdefault((window.cite, window.sources, window.confidence, window.note), []).append(window)
    return list(groups.values())


def _dates(rule: InForce) -> str | None:
    if rule.first is None and rule.last is None:
        return None
    since = f"since {rule.first}" if rule.first is not None else ""
    until = f"until {rule.last}" if rule.last is not None else ""
    return f"{since} {until}".strip()


def _holidays(rule: HolidayRule) -> str:
    calendar = "the country's" if rule.calendar == ANYWHERE else f"calendar {rule.calendar}"
    return f"closed: {calendar}{_REGIONS[rule.regions]}"


def _excluded(rule: CapRule) -> str:
    return f"; not counted: {_list(rule.exclude)}" if rule.exclude else ""


def _abandon(rule: AbandonLimit) -> str:
    if rule.max_rate is None or rule.window is None:
        period = f", counted {_WINDOWS[rule.window]}" if rule.window is not None else ""
        return f"no figure named{period}"
    law = "" if rule.legal_threshold else " (our ceiling, no figure of law)"
    clock = rule.clock_start.replace("_", " ")
    late = f"late {rule.connect_deadline_s:g} s after {clock}"
    return f"at most {100 * rule.max_rate:g} % {_WINDOWS[rule.window]}, {late}{law}"


def _caller_id(rule: CallerIdRule) -> str:
    parts = [f"must begin with {' or '.join(rule.required_prefixes)}"] if rule.required_prefixes else []
    parts += ["no mobile number"] if rule.forbid_mobile else []
    return ", ".join(parts) + (f", since {rule.since}" if rule.since is not None else "")


def _consent(rule: ConsentRule) -> str:
    if not rule.required:
        return "not required"
    age = f", at most {rule.max_age_days} days old" if rule.max_age_days is not None else ""
    return f"required{age}" + (f", since {rule.since}" if rule.since is not None else "")


def _registries(rule: DncRule) -> str:
    age = f", a copy of at most {rule.max_age_days} days" if rule.max_age_days is not None else ""
    return f"not on {_list(rule.registries)}{age}" + (f", until {rule.until}" if rule.until is not None else "")


def _key(key: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for part in key if part != "use")


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _span(period: str, n: int) -> str:
    return f"a {period}" if n == 1 else f"in {n} {period}s"


def _days(days: Sequence[int]) -> str:
    first, last = DAYS[days[0]].capitalize(), DAYS[days[-1]].capitalize()
    if list(days) != list(range(days[0], days[-1] + 1)):
        return ", ".join(DAYS[day].capitalize() for day in days)
    return first if first == last else f"{first}–{last}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
