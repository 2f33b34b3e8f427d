"""The rules as data: calling windows, frequency caps, and the profiles of law that hold them with their citations."""

from __future__ import annotations

from typing import Literal

import msgspec

PeriodKind = Literal["rolling_hours", "rolling_calendar_days", "calendar_day", "calendar_week_mon", "calendar_month"]
KeyKind = Literal["person", "debt", "number"]
# V1: the law's text was read; V2: a regulator's page or a source that quotes it; R: recalled; U: sources conflict;
# POLICY: not law, our own caution.
Confidence = Literal["V1", "V2", "R", "U", "POLICY"]

KEY_KINDS: tuple[KeyKind, ...] = ("person", "debt", "number")


class WindowRule(msgspec.Struct, frozen=True, kw_only=True):
    """Local hours on some weekdays (0: Monday), half-open, in minutes after local midnight."""

    days: tuple[int, ...]
    begin_minute: int  # in [0, 1440)
    end_minute: int  # in (begin_minute, 1440]


class CapRule(msgspec.Struct, frozen=True, kw_only=True):
    """At most `max` attempts or contacts in a period under a key, all numbers and campaigns together.

    `key` is in the order person, debt, number, so that equal keys are one stream whoever wrote the rule.
    `exclude` names the dispositions that do not count; a cap on contacts never counts those that reached nobody.
    """

    rule: str
    count: Literal["attempt", "contact"]
    max: int
    kind: PeriodKind
    n: int
    key: tuple[KeyKind, ...]
    exclude: tuple[str, ...] = ()
    cite: str = ""
    sources: tuple[str, ...] = ()
    confidence: Confidence = "POLICY"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One law's (or the policy's) rules for a jurisdiction and scope.

    `tz_basis` says which zones the hours hold in: `number`, all zones the number may be in; `fixed`, those and
    `zones` too. `holidays` is a calendar code on whose days nothing is open; None: holidays are days like others.
    """

    id: str
    jurisdiction: str
    scope: tuple[str, ...]
    windows: tuple[WindowRule, ...] = ()
    holidays: str | None = None
    caps: tuple[CapRule, ...] = ()
    tz_basis: Literal["number", "fixed"] = "number"
    zones: tuple[str, ...] = ()
    cite: str = ""
    sources: tuple[str, ...] = ()
    confidence: Confidence = "POLICY"
    note: str = ""
