"""The engine and the auditor asked the same: where may this person be, may the call begin, and if not, when?"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import msgspec

from benchmarks.compliance.questions import Questions
from compliance.auditor import Auditor, Happening, Question
from compliance.clearance import DialCandidate, Place
from compliance.facts import Fact
from compliance.resolve import resolve
from compliance.rule import Scope
from compliance.ruleset import RuleSet
from compliance.verdict import Verdict, judge
from dialer.adapters.audited_rules import book_of, law_book
from dialer.config.campaign import Campaign
from dialer.config.rule_packs import law, rule_set

SCOPES: tuple[Scope, ...] = ("debt_collection", "telemarketing")
CAMPAIGN_EVERY = 4  # of so many questions one is about a campaign's additions to the law
DAY_S = 86400.0
STEPPED_S = DAY_S  # before what the engine calls the next time, and after the question, every minute is asked
JUST_BEFORE_S = 0.002


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """One question that the two answer differently."""

    scope: str
    question: Question
    engine: tuple[str, ...]
    auditor: tuple[str, ...]
    about: str  # verdict | place | next_allowed_at


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """The two that are asked, with the same rules."""

    name: str
    auditor: Auditor
    rules: RuleSet


@cache
def sides_of(scope: Scope, *, tightened: bool = False) -> Sides:
    """Return engine and auditor with all known law of a scope, and `tightened`, with a campaign's additions."""
    if not tightened:
        return Sides(name=scope, auditor=Auditor(law_book(scope)), rules=law(scope))
    campaign = Campaign.model_validate(
        _ADDED | {"scope": scope, "jurisdictions": sorted(law(scope).profiles_by_country)}
    )
    return Sides(name=f"{scope}, a campaign's", auditor=Auditor(book_of(campaign)), rules=rule_set(campaign))


# Periods, kinds and keys that no law has; hours, days and a guard of its own.
_ADDED: dict[str, Any] = {
    "campaign": "added",
    "trunks": [{"name": "t1"}],
    "caller_ids": ["+5117000000"],
    "agents": [{"id": "ana"}],
    "ring_guard_s": 150,
    "windows": [
        {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "allow": [["00:00", "12:59"], ["13:01", "24:00"]]}
    ],
    "closed_dates": ["2026-03-29", "2026-11-01", "2027-02-28"],
    "caps": [
        {"max": 5, "period": {"kind": "calendar_month", "n": 2}, "key": ["person", "subject"]},
        {"max": 4, "period": {"kind": "calendar_week_mon", "n": 2}, "key": ["number"], "count": "contact"},
        {"max": 2, "period": {"kind": "calendar_day", "n": 3}, "key": ["person", "campaign"], "count": "conversation"},
        {"max": 3, "period": {"kind": "rolling_hours", "n": 36}, "key": ["account"], "exclude": ["BUSY", "MACHINE"]},
        {
            "max": 3,
            "period": {"kind": "rolling_calendar_days", "n": 2},
            "key": ["person"],
            "count": "communication",
            "channels": ["sms", "letter"],
        },
    ],
}


def compare(sides: Sides, question: Question, *, next_too: bool = False) -> Disagreement | None:
    """Ask both; `next_too`: and when the call may begin, minute by minute."""
    auditor = sides.auditor
    place, faults = auditor.place(question)
    resolved = resolve(
        question.number,
        country=question.country,
        subdivision=question.subdivision,
        postal=question.postal,
        zone=question.zone,
    )
    if resolved.fault:
        theirs = tuple(finding.rule for finding in faults)
        if resolved.fault in theirs:
            return None
        return _differ(sides, question, (resolved.fault,), theirs, "place")
    if place != resolved.place and not faults:
        return _differ(sides, question, tuple(map(repr, resolved.place)), tuple(map(repr, place)), "place")
    verdict = judge(
        sides.rules, _candidate(question, resolved.place), question.at, [_fact(f) for f in question.history]
    )
    allowed, found = auditor.verdict(question)
    ours = tuple(sorted({reason.rule for reason in verdict.reasons}))
    theirs = tuple(sorted({finding.rule for finding in found}))
    if (verdict.allowed, ours) != (allowed, theirs):
        return _differ(sides, question, ours, theirs, "verdict")
    if next_too and not faults:
        wrong = _wrong_next(auditor, question, verdict)
        if wrong:
            return _differ(sides, question, (repr(verdict.next_allowed_at),), (wrong,), "next_allowed_at")
    return None


def _wrong_next(auditor: Auditor, question: Question, verdict: Verdict) -> str:
    """Say what is wrong with the engine's next time; empty: nothing."""
    then = verdict.next_allowed_at
    if verdict.allowed:
        return "" if then == question.at else f"it is allowed now, {question.at}"
    if then is None:
        sooner = auditor.next_allowed_at(question, until=question.at + STEPPED_S)
        return "" if sooner is None else f"it is allowed at {sooner}"
    if then <= question.at:
        return "it is not later"
    at_then = msgspec.structs.replace(question, at=then)
    if not auditor.verdict(at_then)[0]:
        return f"then {auditor.verdict(at_then)[1][0].rule} forbids it"
    just_before = msgspec.structs.replace(question, at=then - JUST_BEFORE_S)
    for begin, end in _stretches(question.at, then):
        sooner = auditor.next_allowed_at(msgspec.structs.replace(question, at=begin), until=end)
        if sooner is not None and sooner < then - JUST_BEFORE_S:
            return f"it is allowed at {sooner}"
    return "it is allowed just before" if auditor.verdict(just_before)[0] else ""


def _stretches(at: float, then: float) -> list[tuple[float, float]]:
    """The time from a question to the next call, or the first and the last day of it."""
    if then - at <= 2 * STEPPED_S:
        return [(at, then)]
    return [(at, at + STEPPED_S), (then - STEPPED_S, then)]


def _candidate(question: Question, place: Place) -> DialCandidate:
    return DialCandidate(
        lead_id="L1",
        person=question.person,
        debt=question.debt,
        number=question.number,
        place=place,
        account=question.account,
        subject=question.subject,
        campaign=question.campaign,
        use=question.use,
        agent_held=question.agent_held,
    )


def _fact(fact: Happening) -> Fact:
    return Fact(
        at=fact.at,
        kinds=tuple(sorted(fact.kinds)),  # type: ignore[arg-type]
        channel=fact.channel,  # type: ignore[arg-type]
        debt=fact.debt,
        account=fact.account,
        number=fact.number,
        subject=fact.subject,
        campaign=fact.campaign,
        use=fact.use or "",
        outcome=fact.disposition,
    )


def _differ(
    sides: Sides, question: Question, engine: tuple[str, ...], auditor: tuple[str, ...], about: str
) -> Disagreement:
    return Disagreement(scope=sides.name, question=question, engine=engine, auditor=auditor, about=about)


def disagreements(questions: int, *, seed: int, next_every: int = 0) -> list[Disagreement]:
    """Ask so many questions, of both scopes in turn; with `next_every`, each so-many-th also for the next time."""
    rng = Random(seed)
    found = []
    for number in range(questions):
        tightened = rng.randrange(CAMPAIGN_EVERY) == 0
        sides = sides_of(SCOPES[number % len(SCOPES)], tightened=tightened)
        question = Questions(sides.auditor, rng).one()
        differs = compare(sides, question, next_too=bool(next_every) and rng.randrange(next_every) == 0)
        if differs is not None:
            found.append(differs)
    return found
