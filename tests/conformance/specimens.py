"""Leads, claims and settlements for the store's checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from compliance.clearance import CapSlot
from compliance.facts import CHANNELS
from compliance.streams import Record
from dialer.core.actions import Claim, Settlement
from dialer.core.events import Refusal
from dialer.core.lead import Lead, LeadProgress, PhoneNumber
from dialer.core.learned import Learned
from dialer.ports import ComplianceRecords, LeadStore, Reservation, RuntimeStore

NOW = 1_763_672_400.125
HOUR = 3600.0
DAY = 86400.0
EVERYTHING = "everything"  # the stop key that every claim names


class AnyStore(RuntimeStore, LeadStore, ComplianceRecords, Protocol):
    """All sides of a store."""


Make = Callable[[], AnyStore]
Check = Callable[[Make], Awaitable[None]]


def lead(lead_id: str, person: str = "") -> Lead:
    number = PhoneNumber(e164="+5117000001", zones=("America/Lima",), country="PE")
    return Lead(lead_id=lead_id, numbers=(number,), person=person or lead_id, debt=lead_id, extra={"nota": "señal ñ"})


def slot(key: str, *, ignores: tuple[str, ...] = (), **more: Any) -> CapSlot:
    """A cap that counts all but what it names."""
    return CapSlot(key=key, count="communication", channels=CHANNELS, exclude=ignores, **more)


def weekly(key: str, *, most: int = 1, at: float = NOW, **more: Any) -> CapSlot:
    return slot(key, rule="weekly", max=most, since=at - 7 * DAY, window_s=7 * DAY, **more)


def brief(records: dict[str, list[Record]]) -> dict[str, list[tuple[float, str]]]:
    """Streams of facts as what is told of them first."""
    return {key: [(record.at, record.outcome) for record in stream] for key, stream in records.items()}


def claim(
    attempt_id: int,
    lead_id: str,
    *caps: CapSlot,
    at: float = NOW,
    facts: tuple[str, ...] = (),
    stops: tuple[str, ...] = (),
    **more: Any,
) -> Claim:
    return Claim(
        attempt_id=attempt_id,
        lead_id=lead_id,
        number=more.pop("number", "+5117000001"),
        at=at,
        stop_keys=(f"lead:{lead_id}", *stops),
        fact_keys=facts or tuple(dict.fromkeys(cap.key for cap in caps)) or (f"person:{lead_id}",),
        caps=caps,
        **more,
    )


def settlement(
    of: Claim,
    disposition: str = "NO_ANSWER",
    *,
    progress: LeadProgress | None = None,
    stops: tuple[str, ...] = (),
    reason: str = "",
) -> Settlement:
    return Settlement(
        attempt_id=of.attempt_id,
        lead_id=of.lead_id,
        number=of.number,
        at=of.at + 30,
        disposition=disposition,
        reserved_at=of.at,
        originated_at=of.at,
        answered_at=None,
        bridged_at=None,
        ended_at=of.at + 30,
        agent_id=None,
        trunk=None,
        caller_id=None,
        fact_keys=of.fact_keys,
        progress=progress or LeadProgress(lead_id=of.lead_id, attempts=1),
        stop_keys=stops,
        stop_reason=reason,
    )


def learned(at: float) -> Learned:
    return Learned(
        at=at,
        policies={"priced-v1": {"hazard": [0.1, 1 / 3, 5e-324], "seen": 2**53 + 1, "ñ": None}},
        answers={"rate": {"0": 0.25}, "trials": [1, 2.0]},
        counters={"attempts": 7, "dispositions": {"PTP": 1}},
    )


async def opened(make: Make, campaign: str = "mora", owner: str = "here:1") -> AnyStore:
    store = make()
    await store.open_campaign(campaign, owner=owner)
    return store


def refused(answer: Reservation | list[Refusal]) -> dict[int, str]:
    refusals = answer.refusals if isinstance(answer, Reservation) else answer
    return {entry.attempt_id: entry.rule for entry in refusals}
