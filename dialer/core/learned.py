"""What a campaign has learned and counted: kept every minute, recalled at the next start."""

from __future__ import annotations

from typing import Any

import msgspec

from dialer import __version__


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """Plain values, so that they can stand in the store and in the journal."""

    at: float  # UTC seconds: when this was so
    version: str = __version__  # of the program: another one's may have another shape
    policies: dict[str, dict[str, Any]]  # policy id: its snapshot
    answers: dict[str, Any]  # `models.answer.AnswerTable.snapshot`
    counters: dict[str, Any]  # `Counters.snapshot`
    accounts: dict[str, Any] = {}  # `AbandonAccounts.snapshot`: of any version, for they are the law's counts
    routing: dict[str, Any] = {}  # `carriers.desk.Desk.learned`
    plans: dict[str, Any] = {}  # `dialer.core.plan_book.PlanBook.learned`
    segments: dict[str, int] = {}  # the products that are learned apart, each with its number
