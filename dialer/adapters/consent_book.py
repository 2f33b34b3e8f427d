"""Consents as calls find them: by person and number together, each under any scope."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

import msgspec

from compliance.rule import Scope
from dialer.adapters.lead_search import Sought, find_leads
from dialer.ports import Consent, PersonRecords, standing

SCOPES: tuple[str, ...] = get_args(Scope)


class ConsentBook(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded under keys of people and numbers, and under those that calls to them name as well.

    `calls`: the keys that a call names, `(person:ID, number:+E164)`, or one where no lead has the other.
    """

    calls: tuple[tuple[str, ...], ...]
    consents: dict[str, Consent]  # by `SCOPE|KEY`: the newest, revoked or not
    revocations: dict[str, float]  # by the same: when the newest came, UTC seconds

    def holding(self, now: float, key: str = "") -> dict[str, Consent]:
        """Return the consents that hold at `now` for a call, one that names `key` if it is given."""
        found: dict[str, Consent] = {}
        for call in self.calls:
            if key and key not in call:
                continue
            for scope in SCOPES:
                fields = [f"{scope}|{each}" for each in call]
                given = {field: self.consents[field] for field in fields if field in self.consents}
                revoked = {field: self.revocations[field] for field in fields if field in self.revocations}
                stand = standing(given, revoked)
                found.update((field, consent) for field, consent in stand.items() if consent.holds(now))
        return found

    def revoked_after(self, field: str) -> tuple[str, float] | None:
        """Return the newest revocation that takes a consent back in every call that it is for; None where it counts in
        one."""
        scope, _, key = field.partition("|")
        latest: tuple[str, float] | None = None
        for call in self.calls:
            if key not in call:
                continue
            fields = [f"{scope}|{each}" for each in call]
            revoked = {each: self.revocations[each] for each in fields if each in self.revocations}
            if standing({field: self.consents[field]}, revoked):
                return None
            newest = max(revoked.items(), key=lambda entry: entry[1])
            latest = newest if latest is None or newest[1] > latest[1] else latest
        return latest


async def read_book(store: PersonRecords, where: str | Path, keys: Sequence[str]) -> ConsentBook:
    """Read all there is on these keys, `person:ID` or `number:+E164`. `where`: the store. Raises `StoreError`."""
    calls = await _calls(where, keys)
    every = dict.fromkeys((*keys, *(key for call in calls for key in call)))
    fields = [f"{scope}|{key}" for key in every for scope in SCOPES]
    return ConsentBook(
        calls=calls, consents=await store.consents_of(fields), revocations=await store.revocations_of(fields)
    )


async def _calls(where: str | Path, keys: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return what calls to them name; each person is there alone too, for numbers that no list has yet."""
    wanted = dict.fromkeys(keys)
    persons = {key.removeprefix("person:") for key in wanted if key.startswith("person:")}
    numbers = {key.removeprefix("number:") for key in wanted if key.startswith("number:")}
    calls: dict[tuple[str, ...], None] = {}
    for _, lead in await find_leads(where, Sought(persons=persons, numbers=numbers)):
        calls[(f"person:{lead.person}",)] = None
        for number in lead.numbers:
            if lead.person in persons or number.e164 in numbers:
                calls[f"person:{lead.person}", f"number:{number.e164}"] = None
    named = {key for call in calls for key in call}
    return (*calls, *((key,) for key in wanted if key not in named))
