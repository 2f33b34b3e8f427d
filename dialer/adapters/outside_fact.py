"""What happened outside our campaigns (a letter, a visit, a call of theirs), and the streams in which caps find it.

How it works: a fact is recorded under everybody and everything that it names, and under the person whom the lists know
by what it names. What it does not say agrees with everything: one without a debt counts for each debt of the person,
those that are listed later too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from compliance.facts import FactKind, outside_outcome
from compliance.rule import Channel
from compliance.streams import safe
from dialer.core.lead import Lead
from dialer.ports import OutsideFact


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


def fact_of(happening: Happening, persons: Sequence[str], leads: Iterable[Lead]) -> OutsideFact:
    """Return the fact as the store keeps it, in the stream of everybody and everything that it names.

    `persons` are whom it happened to, `leads` those that it belongs to: they say more of the debt or number told.
    """
    account, use = happening.account, ""
    for lead in leads:
        if happening.debt and lead.debt == happening.debt:
            account = account or lead.account
        use = use or next((number.use for number in lead.numbers if number.e164 in happening.numbers), "")
    told = [("n", number) for number in happening.numbers]
    told += [("d", happening.debt), ("a", account), ("s", happening.subject), ("u", use)]
    keys = [f"person:{person}" for person in persons] + [f"number:{number}" for number in happening.numbers]
    keys += [f"{kind}:{value}" for kind, value in (("debt", happening.debt), ("account", account)) if value]
    return OutsideFact(
        keys=tuple(dict.fromkeys(keys)),
        at=happening.at,
        outcome=outside_outcome(happening.kind, happening.channel),
        id=_id_of(happening),
        parts="".join(f"|{letter}={safe(value)}" for letter, value in told if value),
    )


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
