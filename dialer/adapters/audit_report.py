"""What an audit of journals found."""

from __future__ import annotations

import msgspec


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that a placed call broke. `at` is UTC seconds; `line` is the journal's.

    Where the journal itself is damaged there is no time, attempt or number: what follows the line was not checked.
    """

    journal: str
    line: int
    at: float | None
    campaign: str
    attempt_id: int | None
    number: str | None
    rule: str
    text: str
    cite: str = ""


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found. `attempts` were placed and checked; `looked_back` are attempts of other journals.

    `versions` are those that each audited journal names, of all that verdicts depend on; `versions_now` those that they
    were checked with.
    """

    journals: tuple[str, ...]
    attempts: int
    looked_back: int
    violations: tuple[Violation, ...]
    notes: tuple[str, ...] = ()
    versions: dict[str, dict[str, str]] = {}
    versions_now: dict[str, str] = {}
