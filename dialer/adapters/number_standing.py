"""Why a number is called or not: the rules and all records on it, looked at together. Nothing is claimed or written.

How it works: hours are asked of the rules; all else is held against what the store has, by the very checks that a claim
at that moment would bring with it. When the call may be made is found by leaps: to the moment at which what forbids it
now lets go, to the next opening of the hours, until both agree.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from compliance.clearance import CapSlot, Clearance, DialCandidate
from compliance.frequency import PAST_WINDOW_S
from compliance.reason import Reason, reason_of_limit
from compliance.ruleset import EVERYTHING, RuleSet
from compliance.streams import Record, counted, facts_under
from compliance.verdict import judge
from compliance.zones import load_zone
from dialer.core.actions import Claim
from dialer.core.lead import LeadProgress
from dialer.ports import ComplianceRecords, Consent, LeadStore, PersonHours, RegistryInfo, standing

HORIZON_S = 400 * 86400.0
LAST = 10  # attempts and other facts that are told
_MINUTE_S = 60.0
_DAY_MINUTES = 1440

Checks = Clearance | Claim  # what an attempt must pass; both name it alike


class PeopleStore(LeadStore, ComplianceRecords, Protocol):
    """The store as it is asked about people."""


class CapState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a cap or a cool-down is used up. `free_at` (UTC seconds) is when it has room, None where it has."""

    rule: str
    key: str
    seen: int
    max: int
    free_at: float | None = None


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of the person: an attempt's disposition, or `KIND/CHANNEL` of one from outside."""

    at: str
    outcome: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A number of one lead at a moment. Times are ISO 8601, by the first clock where the person may be.

    `reasons` is empty where it would be called; `checks` is what was looked at and passed.
    """

    number: str
    campaign: str
    lead_id: str
    person: str
    debt: str
    allowed: bool
    reasons: tuple[Reason, ...]
    next_allowed_at: str | None
    caps: tuple[CapState, ...] = ()
    checks: tuple[str, ...] = ()
    last: tuple[Happened, ...] = ()
    zones: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    mends: tuple[str, ...] = ()  # commands that take away a reason of which no time does
    status: str = ""  # ready | finished | stopped; empty: on no list
    attempts: int = 0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Whom it is asked about, and by which rules. `progress` is None for a number on no list."""

    candidate: DialCandidate
    rules: RuleSet
    checks_at: Callable[[float], Checks]
    campaign: str = ""
    number_index: int = 0
    progress: LeadProgress | None = None


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """What the store has on them."""

    stops: dict[str, tuple[str, ...]]  # of those that would forbid the attempt: all their reasons
    registries: dict[str, RegistryInfo]
    on: frozenset[str]  # registries that the number is on
    consents: dict[str, Consent]  # the newest, revoked or not
    revoked: dict[str, float]  # by the same keys: when the newest revocation came, UTC seconds
    hours: PersonHours
    person: str
    facts: Mapping[str, Sequence[Record]]  # by stream, none later than the moment asked about


async def standing_of(store: PeopleStore, asked: Asked, now: float) -> Standing:
    """Return how a number stands at `now` (UTC seconds). Raises `StoreError`."""
    candidate, place = asked.candidate, asked.candidate.place
    verdict = judge(asked.rules, candidate, now, ())
    if asked.rules.fault(place):
        return _told(asked, reasons=verdict.reasons)
    checks = asked.checks_at(now)
    records = await _records_of(store, candidate.person, candidate.number, checks, now)
    reasons = (
        *_stopped(records),
        *_progress_reasons(asked, now),
        *_listed(checks, records),
        *_consent_reasons(checks, records, now),
        *verdict.reasons,
        *_inconvenient(checks, records),
        *_capped(asked, checks, records, now),
    )
    return _told(
        asked,
        reasons=reasons,
        next_at=now if not reasons else _next_at(asked, records, now),
        caps=tuple(_cap_state(cap, records, now) for cap in checks.caps),
        checks=tuple(_passed(checks, records)),
        last=tuple(_last(asked, records)),
        mends=tuple(_mends(checks, records, now)),
        profiles=checks.profiles,
    )


def _told(
    asked: Asked,
    *,
    reasons: tuple[Reason, ...],
    next_at: float | None = None,
    caps: tuple[CapState, ...] = (),
    checks: tuple[str, ...] = (),
    last: tuple[Happened, ...] = (),
    mends: tuple[str, ...] = (),
    profiles: tuple[str, ...] = (),
) -> Standing:
    candidate, progress = asked.candidate, asked.progress
    return Standing(
        number=candidate.number,
        campaign=asked.campaign,
        lead_id=candidate.lead_id,
        person=candidate.person,
        debt=candidate.debt,
        allowed=not reasons,
        reasons=reasons,
        next_allowed_at=None if next_at is None else _written(next_at, candidate),
        caps=caps,
        checks=checks,
        last=last,
        mends=mends,
        zones=candidate.place.zones,
        jurisdictions=candidate.place.jurisdictions,
        profiles=profiles,
        status="" if progress is None else progress.status,
        attempts=0 if progress is None else progress.attempts,
    )


async def _records_of(store: PeopleStore, person: str, number: str, checks: Checks, now: float) -> Records:
    keys = dict.fromkeys((*checks.stop_keys, EVERYTHING))
    facts = await store.facts_of(checks.fact_keys)
    wanted = () if checks.consent is None else checks.consent.keys
    return Records(
        stops={key: reasons for key in keys if (reasons := await store.stopped(key))},
        registries={info.name: info for info in await store.registries()},
        on=frozenset(await store.registries_of(number)),
        consents=await store.consents_of(wanted),
        revoked=await store.revocations_of(wanted),
        hours=await store.hours_of(person),
        person=person,
        facts={key: [fact for fact in stream if fact.at <= now] for key, stream in facts.items()},
    )


# ---- for ever, or until somebody does something -----------------------------------------------------------------
def _stopped(records: Records) -> Iterator[Reason]:
    for key, reasons in records.stops.items():
        for reason in reasons:
            if key == EVERYTHING:
                yield Reason(rule="stop:everything", text=f"Every call is forbidden ({reason}): `dialer resume --all`.")
            else:
                yield Reason(rule=f"stop:{reason}", text=f"{key} is stopped ({reason}).")


def _progress_reasons(asked: Asked, now: float) -> Iterator[Reason]:
    """What the campaign itself has decided about the lead."""
    progress = asked.progress
    if progress is None:
        return
    so_far = ", ".join(f"{count} {name}" for name, count in sorted(progress.by_disposition.items())) or "no attempt"
    if progress.status == "finished":
        yield Reason(rule="lead.finished", text=f"The campaign is done with the lead after {so_far}.")
    elif progress.status == "stopped":
        yield Reason(rule="lead.stopped", text=f"The campaign gave the lead up when it was stopped, after {so_far}.")
    elif progress.next_at > now:
        yield Reason(rule="lead.rest", text=f"The lead rests until {_utc(progress.next_at)}, after {so_far}.")
    ready_at = _number_ready_at(asked)
    if ready_at is None:
        yield Reason(rule="number.given_up", text="The campaign dials this number of the lead no more.")
    elif ready_at > now:
        yield Reason(rule="number.rest", text=f"The number rests until {_utc(ready_at)}.")


def _number_ready_at(asked: Asked) -> float | None:
    """When the campaign may dial the number again; None: never."""
    ready = asked.progress.number_ready_at if asked.progress is not None else ()
    return ready[asked.number_index] if asked.number_index < len(ready) else 0.0


def _listed(checks: Checks, records: Records) -> Iterator[Reason]:
    for check in checks.lists:
        info = records.registries.get(check.registry)
        if check.registry in records.on:
            yield Reason(rule=f"dnc:{check.registry}", text=f"The number is on {check.registry} ({check.rule}).")
        elif info is None:
            text = f"{check.rule} asks for {check.registry}: none was imported."
            yield Reason(rule=f"dnc:{check.registry}:missing", text=text)
        elif check.when_stale == "block" and info.as_of < check.fresh_since:
            wanted = f"a copy of {check.registry} as of {_utc(check.fresh_since)} or later"
            text = f"{check.rule} asks for {wanted}: it is as of {_utc(info.as_of)}."
            yield Reason(rule=f"dnc:{check.registry}:stale", text=text)


def _consent_reasons(checks: Checks, records: Records, now: float) -> Iterator[Reason]:
    check = checks.consent
    if check is None or _has_consent(checks, records, now):
        return
    found = "; ".join(_consents_found(records)) or "none"
    since = "" if check.since <= 0 else f", given since {_utc(check.since)}"
    yield Reason(rule=f"consent:{check.rule}", text=f"Expected a consent that holds{since}, found {found}.")


def _has_consent(checks: Checks, records: Records, now: float) -> bool:
    check = checks.consent
    return check is None or any(
        check.since <= consent.at and consent.holds(now)
        for consent in standing(records.consents, records.revoked).values()
    )


def _consents_found(records: Records) -> Iterator[str]:
    for key, consent in records.consents.items():
        until = "" if consent.expires_at is None else f" until {_utc(consent.expires_at)}"
        yield f"{key} since {_utc(consent.at)}{until}"
    for key, at in records.revoked.items():
        yield f"{key} revoked {_utc(at)}"


def _mends(checks: Checks, records: Records, now: float) -> Iterator[str]:
    """What would take away a reason that no time takes away."""
    for check in checks.lists:
        info = records.registries.get(check.registry)
        if info is None or (check.when_stale == "block" and info.as_of < check.fresh_since):
            yield f"dialer dnc import FILE --registry {check.registry} --as-of DATE"
    consent = checks.consent
    if consent is not None and consent.keys and not _has_consent(checks, records, now):
        scope, _, key = consent.keys[0].partition("|")
        yield f"dialer consent give {shlex.quote(key.removeprefix('number:'))} --scope {scope} --source WHERE"


# ---- for a while ------------------------------------------------------------------------------------------------
def _inconvenient(checks: Checks, records: Records) -> Iterator[Reason]:
    if _inconvenient_minutes(checks, records.hours):
        text = "The person asked not to be called at this hour, by a clock where they may be."
        yield Reason(rule="person.hours", text=text)


def _inconvenient_minutes(checks: Checks, hours: PersonHours) -> int:
    """How many minutes the person's own hours go on yet, by the clock by which they end last; 0: none now."""
    return max(
        (
            end - minute
            for weekday, minute in checks.local_times
            for day, begin, end in hours
            if day == weekday and begin <= minute < end
        ),
        default=0,
    )


def _counted(cap: CapSlot, records: Records) -> list[float]:
    under = facts_under(cap, records.facts.get(cap.key, ()), records.facts.get(f"person:{records.person}", ()))
    return [fact.at for fact in counted(cap, under)]


def _cap_state(cap: CapSlot, records: Records, now: float) -> CapState:
    counted = _counted(cap, records)
    free_at = _free_at(cap, counted)
    return CapState(
        rule=cap.rule, key=cap.key, seen=len(counted), max=cap.max, free_at=free_at if free_at > now else None
    )


def _free_at(cap: CapSlot, counted: Sequence[float]) -> float:
    """When the cap has room again; minus infinity where it has."""
    if len(counted) < cap.max:
        return -math.inf
    if cap.window_s is None:
        return math.inf if cap.resets_at is None else cap.resets_at
    return counted[-cap.max] + cap.window_s + PAST_WINDOW_S if cap.max else math.inf


def _capped(asked: Asked, checks: Checks, records: Records, now: float) -> Iterator[Reason]:
    limits = {limit.rule: limit for limit in asked.rules.stack(asked.candidate.place).limits}
    for cap in checks.caps:
        counted = _counted(cap, records)
        if len(counted) >= cap.max:
            last_at = counted[-1] if counted else now
            yield reason_of_limit(limits[cap.rule], len(counted), last_at, asked.candidate.place.zones[0])


def _next_at(asked: Asked, records: Records, now: float) -> float | None:
    """Return the first moment from `now` on at which all would pass if nothing else happens; None: none is known."""
    at = now
    progress = asked.progress
    if records.stops or (progress is not None and progress.status != "ready") or _number_ready_at(asked) is None:
        return None
    while at <= now + HORIZON_S:
        checks = asked.checks_at(at)
        if any(_listed(checks, records)) or not _has_consent(checks, records, at):
            return None
        free = max(
            (_free_at(cap, _counted(cap, records)) for cap in checks.caps),
            default=-math.inf,
        )
        free = max(free, _number_ready_at(asked) or 0.0, 0.0 if progress is None else progress.next_at)
        if minutes := _inconvenient_minutes(checks, records.hours):
            free = max(free, at - at % _MINUTE_S + minutes * _MINUTE_S)
        state = asked.rules.window_afresh(asked.candidate.place, max(at, free))
        if free <= at and state.open:
            return at
        at = max(at, free) if state.open else state.changes_at
    return None


# ---- what else is told --------------------------------------------------------------------------------------
def _passed(checks: Checks, records: Records) -> Iterator[str]:
    for check in checks.lists:
        info = records.registries.get(check.registry)
        if check.registry not in records.on and info is not None:
            late = ", older than the rule wants" if info.as_of < check.fresh_since else ""
            yield f"not on {check.registry}, as of {_utc(info.as_of)}{late} ({check.rule})"
    for key, consent in standing(records.consents, records.revoked).items():
        until = "" if consent.expires_at is None else f" until {_utc(consent.expires_at)}"
        yield f"consent {key} since {_utc(consent.at)}{until}, from {consent.source}"
    for name in sorted(records.on.difference(check.registry for check in checks.lists)):
        yield f"on {name}, which no rule in force here asks for"


def _last(asked: Asked, records: Records) -> Iterator[Happened]:
    facts = {
        (fact.at, fact.outcome)
        for key in (f"person:{asked.candidate.person}", f"number:{asked.candidate.number}")
        for fact in records.facts.get(key, ())
    }
    for at, outcome in sorted(facts, reverse=True)[:LAST]:
        yield Happened(at=_written(at, asked.candidate), outcome=outcome)


def _written(at: float, candidate: DialCandidate) -> str:
    """A time by the first clock of the place, in whole seconds and never too early."""
    zones = candidate.place.zones
    return datetime.fromtimestamp(math.ceil(at), load_zone(zones[0]) if zones else UTC).isoformat()


def _utc(at: float) -> str:
    return datetime.fromtimestamp(max(at, 0.0), UTC).strftime("%Y-%m-%d %H:%M UTC")
