"""What a store answers to a claim that it does not grant, and how long it remembers facts. Shared by all stores."""

from __future__ import annotations

from compliance.clearance import CapSlot, ListCheck
from dialer.core.actions import Claim
from dialer.core.events import Refusal

PENDING = "PENDING"  # the outcome of a fact that is not settled yet

# Longer than any cap looks back (366 days), and no longer than needed: facts are personal data.
KEEP_FACTS_S = 370 * 86400

# How often a server looks at a stream for facts that are to be forgotten: not at each attempt, for that takes time.
TRIM_EVERY_S = 30 * 86400

# Another attempt holds the lead, or takes a slot that it may yet give back: it surely ends sometime, most within a
# minute.
HELD_RETRY_S = 60.0

# A cap's `since` is inclusive, so exactly a window after a fact the fact still counts. A claim retried at that instant
# would be refused again with the same `retry_at`, for ever.
PAST_WINDOW_S = 0.001

STALE_RETRY_S = 3600.0  # a new file of a registry may come at any time, and nobody tells us
CONSENT_RETRY_S = 86400.0  # a consent may be given later


def stopped(claim: Claim, key: str, reason: str) -> Refusal:
    """Refuse for ever: the lead, its number, its person, its debt or everything was stopped: `key`, first for
    `reason`."""
    return Refusal(attempt_id=claim.attempt_id, rule=f"stop:{reason}", retry_at=None, key=key)


def held(claim: Claim) -> Refusal:
    """Refuse for a while: another attempt holds the lead."""
    return Refusal(attempt_id=claim.attempt_id, rule="lead.claimed", retry_at=claim.at + HELD_RETRY_S)


def finished(claim: Claim) -> Refusal:
    """Refuse for ever: the lead is finished or stopped in this campaign."""
    return Refusal(attempt_id=claim.attempt_id, rule="lead.claimed", retry_at=None)


def listed(claim: Claim, check: ListCheck) -> Refusal:
    """Refuse for ever: the number is on a registry."""
    return Refusal(attempt_id=claim.attempt_id, rule=f"dnc:{check.registry}", retry_at=None)


def stale(claim: Claim, check: ListCheck) -> Refusal:
    """Refuse for a while: our copy of the registry is too old."""
    rule = f"dnc:{check.registry}:stale"
    return Refusal(attempt_id=claim.attempt_id, rule=rule, retry_at=claim.at + STALE_RETRY_S)


def missing(claim: Claim, check: ListCheck) -> Refusal:
    """Refuse for a while: there is no copy of the registry, so nobody knows who is on it, whatever may be done with an
    old one."""
    rule = f"dnc:{check.registry}:missing"
    return Refusal(attempt_id=claim.attempt_id, rule=rule, retry_at=claim.at + STALE_RETRY_S)


def without_consent(claim: Claim) -> Refusal:
    """Refuse for a day: there is no consent, or it is too old, over or revoked."""
    rule = claim.consent.rule if claim.consent is not None else ""
    return Refusal(attempt_id=claim.attempt_id, rule=f"consent:{rule}", retry_at=claim.at + CONSENT_RETRY_S)


def inconvenient(claim: Claim, minutes: int) -> Refusal:
    """Refuse until the person's hours are over, that many whole minutes after the minute of the claim."""
    retry_at = claim.at - claim.at % 60.0 + 60.0 * minutes
    return Refusal(attempt_id=claim.attempt_id, rule="person.hours", retry_at=retry_at)


def capped(claim: Claim, cap: CapSlot, *, seen: int, fact_at: float | None, may_free: bool) -> Refusal:
    """Refuse until the cap has room: a window after `fact_at`, the fact whose leaving frees a slot, or at its reset.

    `fact_at` is None where no leaving would free one. `may_free`: attempts that are not settled yet may turn out not to
    count, so it is worth asking again soon.
    """
    if cap.window_s is None:
        retry_at = cap.resets_at
    else:
        retry_at = None if fact_at is None else fact_at + cap.window_s + PAST_WINDOW_S
    if may_free:
        soon = claim.at + HELD_RETRY_S
        retry_at = soon if retry_at is None else min(retry_at, soon)
    return Refusal(attempt_id=claim.attempt_id, rule=cap.rule, retry_at=retry_at, seen=seen, max=cap.max)


def kept(claim: Claim) -> Claim:
    """Return the claim as the store keeps it until it is settled: without what it had to pass, which the journal
    has."""
    return Claim(
        attempt_id=claim.attempt_id,
        lead_id=claim.lead_id,
        number=claim.number,
        at=claim.at,
        stop_keys=claim.stop_keys,
        fact_keys=claim.fact_keys,
        fact=claim.fact,
        profiles=claim.profiles,
    )
