"""What an attempt is checked against at the moment of dialling: who and where it goes to, and what must hold."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from compliance.facts import Counted
from compliance.rule import Channel

VOICE: tuple[Channel, ...] = ("voice",)


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
    segment: int = -1  # of the campaign's, whose caps come on top; -1: of none


class CapSlot(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One cap or cool-down made concrete for one attempt: fewer than `max` facts since `since` (UTC, inclusive).

    Looked for in the stream `key` (`person:ID`, `number:+E164`, `debt:ID`, `account:ID`) are facts that agree with each
    part in `where` (`d=ID`, a debt): they name the same, or nothing of the kind. With `also` (`n=+E164`, what the
    stream is named by) so are facts of the person's stream that agree with it without naming it. `count`, `channels`
    and `exclude` are the rule's: which outcomes count is told in `compliance.facts`. Rolling hours have `window_s` (a
    fact frees its slot that long after it happened), calendar periods have `resets_at` (when the window next moves).
    """

    rule: str
    key: str
    max: int
    since: float
    where: tuple[str, ...] = ()
    also: str = ""
    count: Counted = "attempt"
    channels: tuple[Channel, ...] = VOICE
    exclude: tuple[str, ...] = ()
    window_s: float | None = None
    resets_at: float | None = None


class ListCheck(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The number must not be on this registry, of which our copy must be as of `fresh_since` (UTC) or later."""

    registry: str
    fresh_since: float = 0.0
    when_stale: Literal["block", "warn"] = "block"
    rule: str  # the profile that asks for it


class ConsentCheck(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One of these records of consent must be there, given since `since` (UTC) and not expired: `SCOPE|person:ID`,
    `SCOPE|number:+E164`."""

    keys: tuple[str, ...]
    since: float
    rule: str


class Clearance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that the store must check, in one step with the claim.

    `local_times` are the distinct (weekday, minute after midnight) of the candidate zones at the time of the claim and
    at the end of the ring guard (0: Monday): what the person said of inconvenient hours is held against each.
    `profiles` are the rules in force.
    """

    stop_keys: tuple[str, ...]
    fact_keys: tuple[str, ...]  # the streams in which the attempt is recorded, capped or not
    caps: tuple[CapSlot, ...]
    fact: str = ""  # the parts of its record there (`compliance.streams`)
    lists: tuple[ListCheck, ...] = ()
    consent: ConsentCheck | None = None
    local_times: tuple[tuple[int, int], ...] = ()
    profiles: tuple[str, ...] = ()
