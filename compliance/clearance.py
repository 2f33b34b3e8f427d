"""What an attempt is checked against at the moment of dialling: who and where it goes to, and what must hold."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec


class Place(NamedTuple):
    """Where the called person may be: every candidate jurisdiction (`US`, `US-MA`) and every candidate IANA zone.

    Both sorted, without duplicates. Empty zones: nobody knows, and nothing may be dialled.
    """

    jurisdictions: tuple[str, ...]
    zones: tuple[str, ...]


class DialCandidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the rules must know of an attempt before it is made."""

    lead_id: str
    person: str
    debt: str
    number: str  # E.164
    place: Place
    account: str = ""  # empty: the debt is its own account
    subject: str = ""  # what the campaign calls about
    campaign: str = ""
    use: str = ""  # "work": a number of the person's place of work
    agent_held: bool = False  # an agent waits for this very call


class CapSlot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One cap or cool-down made concrete for one attempt: under `key`, fewer than `max` facts since `since` (UTC,
    inclusive).

    Facts are one stream a key (`person:ID`, `number:+E164`, `person+debt:ID|ID`); each is an outcome (see
    `compliance.facts`), `PENDING` until an attempt is settled. `ignores` names the outcomes that do not count.
    Rolling hours have `window_s` (a fact frees its slot that long after it happened), calendar periods have
    `resets_at` (when the window next moves).
    """

    rule: str
    key: str
    max: int
    since: float
    ignores: tuple[str, ...] = ()
    window_s: float | None = None
    resets_at: float | None = None


class ListCheck(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The number must not be on this registry, of which our copy must be as of `fresh_since` (UTC) or later."""

    registry: str
    fresh_since: float
    when_stale: Literal["block", "warn"]
    rule: str  # the profile that asks for it


class ConsentCheck(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One of these records of consent must be there, given since `since` (UTC) and not expired: `SCOPE|person:ID`,
    `SCOPE|number:+E164`."""

    keys: tuple[str, ...]
    since: float
    rule: str


class Clearance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that the store must check, in one step with the claim.

    `local_times` are the distinct (weekday, minute after midnight) of the candidate zones at the time of the claim and at
    the end of the ring guard (0: Monday): what the person said of inconvenient hours is held against each. `profiles` are the rules in force.
    """

    stop_keys: tuple[str, ...]
    fact_keys: tuple[str, ...]
    caps: tuple[CapSlot, ...]
    lists: tuple[ListCheck, ...] = ()
    consent: ConsentCheck | None = None
    local_times: tuple[tuple[int, int], ...] = ()
    profiles: tuple[str, ...] = ()
