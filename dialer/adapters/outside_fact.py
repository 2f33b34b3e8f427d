"""What happened outside our campaigns (a letter, a visit, a call of theirs), and the streams in which caps find it.

How it works: a fact is recorded under every stream that a claim about the same people would look into, so that a cap
finds it whatever its key is. What the fact does not say agrees with everything: one without a debt goes to each debt
that the person has on a list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from compliance.clearance import DialCandidate, Place
from compliance.facts import FactKind, outside_outcome
from compliance.frequency import fact_key
from compliance.rule import Channel, KeyKind
from compliance.ruleset import RuleSet
from compliance.stack import ACCOUNT_STREAMS, STREAMS, SUBJECT_STREAMS
from dialer.core.lead import Lead
from dialer.ports import OutsideFact

_NOWHERE = Place((), ())
_BASE: tuple[tuple[KeyKind, ...], ...] = (*STREAMS, *ACCOUNT_STREAMS, *SUBJECT_STREAMS)


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """A fact as it is told: at least one of lead, person, number, debt and account is named. `at` is in UTC seconds."""

    at: float
    kind: FactKind
    channel: Channel
    lead: str = ""
    person: str = ""
    numbers: tuple[str, ...] = ()  # one number in E.164, in all forms that a list may have
    debt: str = ""
    account: str = ""
    subject: str = ""
    text: str = ""  # what the person wrote or said


def belongs(happening: Happening, lead: Lead) -> bool:
    """Whether it happened to the lead's person, by the strongest name that it has: lead, person, number, debt,
    account."""
    if happening.lead:
        return lead.lead_id == happening.lead
    if happening.person:
        return lead.person == happening.person
    if happening.numbers:
        return any(number.e164 in happening.numbers for number in lead.numbers)
    if happening.debt:
        return lead.debt == happening.debt
    return lead.account == happening.account


def persons_of(happening: Happening, leads: Iterable[tuple[str, Lead]]) -> tuple[str, ...]:
    """Return whom it happened to: the person named, and those of the leads that it belongs to."""
    named = [happening.person] if happening.person else []
    return tuple(dict.fromkeys([*named, *(lead.person for _, lead in leads if belongs(happening, lead))]))


def fact_of(
    happening: Happening, persons: Sequence[str], leads: Sequence[tuple[str, Lead]], laws: Sequence[RuleSet]
) -> OutsideFact:
    """Return the fact as the store keeps it, under all its streams.

    `persons` are whom it happened to, `leads` (campaign, lead) all that they have; `laws` are the rules whose caps must
    find it.
    """
    keys: dict[str, None] = {}
    for person in persons or ("",):
        keys.update(dict.fromkeys(_base_keys(happening, person)))
    for campaign, lead in leads:
        for candidate in _candidates(happening, campaign, lead):
            keys.update(dict.fromkeys(_streams(candidate, laws, happening.at)))
    outcome = outside_outcome(happening.kind, happening.channel)
    return OutsideFact(keys=tuple(keys), at=happening.at, outcome=outcome, id=_id_of(happening))


def _base_keys(happening: Happening, person: str) -> Iterator[str]:
    """The streams that what is told names by itself."""
    for number in happening.numbers or ("",):
        told = DialCandidate(
            lead_id="",
            person=person,
            debt=happening.debt,
            number=number,
            place=_NOWHERE,
            account=happening.account,
            subject=happening.subject,
        )
        for kinds in _BASE:
            if all(getattr(told, kind) for kind in kinds):
                yield fact_key(kinds, told)


def _candidates(happening: Happening, campaign: str, lead: Lead) -> Iterator[DialCandidate]:
    """The attempts on a lead of the person with which the fact agrees."""
    if happening.debt and lead.debt != happening.debt:
        return
    if happening.account and not happening.debt and (lead.account or lead.debt) != happening.account:
        return
    # A number that the lead has not may be the person's all the same: the fact is about it, not about the lead's.
    for e164 in happening.numbers or tuple(number.e164 for number in lead.numbers):
        for number in lead.numbers:
            if e164 == number.e164 or happening.numbers:
                yield DialCandidate(
                    lead_id=lead.lead_id,
                    person=lead.person,
                    debt=lead.debt,
                    number=e164,
                    place=number.place,
                    account=lead.account,
                    subject=happening.subject or campaign,
                    campaign=campaign,
                    use=number.use if e164 == number.e164 else "",
                )


def _streams(candidate: DialCandidate, laws: Sequence[RuleSet], at: float) -> Iterator[str]:
    for law in laws:
        if not law.fault(candidate.place):
            yield from law.clearance(candidate, at).fact_keys


def _id_of(happening: Happening) -> str:
    """Return an id that is the same where the same is told again, of whatever kind."""
    parts = (
        happening.lead,
        happening.person,
        "|".join(sorted(happening.numbers)),
        happening.debt,
        happening.account,
        happening.subject,
        repr(happening.at),
        happening.channel,
    )
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]
