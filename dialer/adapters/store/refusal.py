"""What a store answers to a claim that it does not grant, and how long it remembers facts. Shared by all stores."""

from __future__ import annotations

from compliance.frequency import CapSlot
from dialer.core.actions import Claim
from dialer.core.events import Refusal

PENDING = "PENDING"  # the disposition of a fact that is not settled yet

# Longer than any cap looks back (366 days), and no longer than needed: facts are personal data.
KEEP_FACTS_S = 400 * 86400

# Another attempt holds the lead: it surely ends sometime, most within a minute.
HELD_RETRY_S = 60.0

# A cap's `since` is inclusive, so exactly a window after a fact the fact still counts. A claim retried at that instant
# would be refused again with the same `retry_at`, for ever.
PAST_WINDOW_S = 0.001


def stopped(claim: Claim, reason: str) -> Refusal:
    """Refuse for ever: the lead, its number or its person was stopped."""
    return Refusal(attempt_id=claim.attempt_id, rule=f"stop:{reason}", retry_at=None)


def held(claim: Claim) -> Refusal:
    """Refuse for a while: another attempt holds the lead."""
    return Refusal(attempt_id=claim.attempt_id, rule="lead.claimed", retry_at=claim.at + HELD_RETRY_S)


def finished(claim: Claim) -> Refusal:
    """Refuse for ever: the lead is finished or stopped in this campaign."""
    return Refusal(attempt_id=claim.attempt_id, rule="lead.claimed", retry_at=None)


def capped(claim: Claim, cap: CapSlot, fact_at: float) -> Refusal:
    """Refuse until the cap has room: a window after `fact_at`, the fact whose leaving frees a slot, or at its reset."""
    retry_at = cap.resets_at if cap.window_s is None else fact_at + cap.window_s + PAST_WINDOW_S
    return Refusal(attempt_id=claim.attempt_id, rule=cap.rule, retry_at=retry_at)
