"""The rules as data: the profiles of law and of our own policy, each value with its citation and how sure we are of it.

`dialer.config.rule_packs` reads them from the packs in `compliance/rules`; what each means is told in
docs/compliance_semantics.md.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

Scope = Literal["debt_collection", "telemarketing"]
PeriodKind = Literal["rolling_hours", "rolling_calendar_days", "calendar_day", "calendar_week_mon", "calendar_month"]
KeyKind = Literal["person", "debt", "account", "number", "subject", "campaign", "use"]
# attempt: a call placed; contact: a live person was reached; conversation: talk with the right party; communication:
# any of these on any channel that the cap names.
Count = Literal["attempt", "contact", "conversation", "communication"]
After = Literal["conversation", "refusal", "abandoned"]
# voice: calls of ours; inbound: calls of theirs.
Channel = Literal["voice", "inbound", "sms", "whatsapp", "email", "letter", "visit"]
# V1: the law's text was read; V2: a regulator's page or a source that quotes it; R: recalled; U: sources conflict;
# POLICY: not law, our own caution.
Confidence = Literal["V1", "V2", "R", "U", "POLICY"]
Force = Literal["binding", "presumption", "regulator_guidance", "network_rule", "self_regulation", "policy"]

# The order of the parts of a key, so that equal keys are one stream of facts whoever wrote the rule.
KEY_KINDS: tuple[KeyKind, ...] = ("person", "debt", "account", "number", "subject", "campaign", "use")
VERIFIED: frozenset[Confidence] = frozenset({"V1", "V2"})


class Cited(msgspec.Struct, frozen=True, kw_only=True):
    """What every value carries: where it is written, the ids of the sources it was read in, how sure we are, a note."""

    cite: str = ""
    sources: tuple[str, ...] = ()
    confidence: Confidence = "POLICY"
    note: str = ""


class InForce(Cited, frozen=True, kw_only=True):
    """The local dates on which a profile is in force: first and last, both included; None: always before or since.

    A last day ends the profile only if its confidence is V1 or V2: nothing lapses on hearsay.
    """

    first: date | None = None
    last: date | None = None


class WindowRule(Cited, frozen=True, kw_only=True):
    """Local hours on some weekdays (0: Monday), half-open, in minutes after local midnight."""

    days: tuple[int, ...]
    begin_minute: int  # in [0, 1440)
    end_minute: int  # in (begin_minute, 1440]


class HolidayRule(Cited, frozen=True, kw_only=True):
    """Days on which nothing is open: a calendar's code (`CO`, `US-AL`, `custom:CA-QC-OPC`).

    `regions` says which subdivisions' calendars are closed too: `none`; `known`, those the person may be in; `any`,
    those, and where no subdivision is known every one of the country.
    """

    calendar: str
    regions: Literal["none", "known", "any"] = "none"


class CapRule(Cited, frozen=True, kw_only=True):
    """At most `max` facts of a kind in a period under a key, all numbers and campaigns together.

    `key` is in the order of `KEY_KINDS`. `exclude` names the dispositions that do not count. With `use` in the key the
    cap is one on numbers of that use alone (`only_use`).
    """

    rule: str
    count: Count
    max: int
    kind: PeriodKind
    n: int
    key: tuple[KeyKind, ...]
    channels: tuple[Channel, ...] = ("voice",)
    exclude: tuple[str, ...] = ()
    only_use: str = ""  # "work": a cap on calls to the person's place of work; empty: on all


class CooldownRule(Cited, frozen=True, kw_only=True):
    """No call for a while after something that happened: `days` of the calendar or `hours`, exactly one of them.

    `first_day`: `event_day`, the day it happened is day 1 (Regulation F); `next_day`, the following one is (France),
    and the day itself is closed too.
    """

    rule: str
    after: After
    key: tuple[KeyKind, ...]
    days: int | None = None
    hours: int | None = None
    first_day: Literal["event_day", "next_day"] = "event_day"
    unless_agent_held: bool = False


class AbandonLimit(Cited, frozen=True, kw_only=True):
    """How a jurisdiction counts abandoned calls. `max_rate` in (0, 1), abandoned / answered; None: no figure in it."""

    max_rate: float | None = None
    window: Literal["rolling_24h", "calendar_month", "30_days", "campaign"] | None = None
    clock_start: Literal["connect", "greeting_start", "greeting_end"] = "greeting_end"
    connect_deadline_s: float = 2.0
    legal_threshold: bool = True  # False: a ceiling of our own beside a rule that names none


class RingRule(Cited, frozen=True, kw_only=True):
    """No unanswered call is ended before it rang so long, seconds."""

    min_s: float


class CallerIdRule(Cited, frozen=True, kw_only=True):
    """Which of our numbers may be presented. Prefixes are E.164 (`+34400`); `since` is the first local date, if any."""

    required_prefixes: tuple[str, ...] = ()
    forbid_mobile: bool = False
    since: date | None = None


class ConsentRule(Cited, frozen=True, kw_only=True):
    """Whether a live call needs the person's consent, and how old it may be."""

    required: bool = True
    max_age_days: int | None = None
    since: date | None = None


class DncRule(Cited, frozen=True, kw_only=True):
    """The registries that a number must not be on, and how old our copy may be; None: the rule names no age."""

    registries: tuple[str, ...]
    max_age_days: int | None = None
    until: date | None = None  # the last day on which the registry is to be asked


class MessageRule(Cited, frozen=True, kw_only=True):
    """Whether an abandoned call must or must not hear a recorded message."""

    abandoned_call: Literal["required", "allowed", "forbidden"]


class Profile(Cited, frozen=True, kw_only=True):
    """One law's (or the policy's) rules for a jurisdiction and some scopes.

    `jurisdiction` is `CO`, `US-MA` or `US-NY-NYC`. The hours hold in every zone the person may be in, and in `zones`.
    `duties` are what the law asks and the dialer cannot see to. `own`: of a pack of one's own that puts nothing aside;
    its hours only narrow, and never stand in for the policy's, however sure it says to be of them.
    """

    id: str
    jurisdiction: str
    scope: tuple[Scope, ...]
    force: Force = "binding"
    applies_to: str = ""
    in_force: InForce = InForce()
    zones: tuple[str, ...] = ()
    windows: tuple[WindowRule, ...] = ()
    holidays: HolidayRule | None = None
    caps: tuple[CapRule, ...] = ()
    cooldowns: tuple[CooldownRule, ...] = ()
    abandon: AbandonLimit | None = None
    ring: RingRule | None = None
    caller_id: CallerIdRule | None = None
    consent: ConsentRule | None = None
    dnc: DncRule | None = None
    message: MessageRule | None = None
    duties: tuple[str, ...] = ()
    own: bool = False

    @property
    def country(self) -> str:
        """ISO 3166 alpha-2."""
        return self.jurisdiction[:2]
