"""Frequency caps: how often a person, debt or number may be called in a period."""

from __future__ import annotations

import msgspec


class CapSlot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One cap made concrete for one attempt: under `key`, fewer than `max` facts since `since` (UTC, inclusive).

    Facts are one stream a key (`person:ID`, `debt:ID`, `number:+E164`, `person+debt:ID|ID`); each fact is an attempt
    with its disposition, `PENDING` until it is settled. `ignores` names the dispositions that the cap does not count.
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
