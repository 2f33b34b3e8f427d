"""What becomes of a lead after an attempt: when it may be tried again, on which of its numbers, or never."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dialer.config.campaign import Retry
from dialer.core.actions import Claim
from dialer.core.disposition import RIGHT_PARTY, STOPPING, Disposition
from dialer.core.events import Refusal
from dialer.core.lead import LeadProgress

# These say that the number itself is no good, whatever the rule says about the lead.
_DEAD_NUMBER = frozenset({Disposition.INVALID_NUMBER, Disposition.WRONG_PARTY})


def after_attempt(
    progress: LeadProgress, number_index: int, disposition: str, *, now: float, rules: Mapping[str, Retry], gap_s: float
) -> LeadProgress:
    """Return the lead's progress after an attempt on `number_index` that ended in `disposition`. Pure.

    A number rests for the rule's `after`; a dead number is never tried again. With `next_number` the lead may go on
    with its next number after `gap_s`; without, it waits for this number's own rest.
    """
    seen = dict(progress.by_disposition)
    seen[disposition] = seen.get(disposition, 0) + 1
    reached_at = now if disposition in RIGHT_PARTY else progress.last_contact_at
    rule = rules.get(disposition)
    ready = list(progress.number_ready_at)
    status = "ready"
    if disposition in STOPPING:
        status = "stopped"
    elif rule is None or seen[disposition] > rule.max:
        status = "finished"
    else:
        dead = disposition in _DEAD_NUMBER
        ready[number_index] = None if dead else now + rule.after
    if status != "ready":
        return _advanced(progress, status, progress.number_index, tuple(ready), now, seen, reached_at)
    assert rule is not None
    chosen = _next_number(ready, number_index, prefer_next=rule.next_number)
    if chosen is None:
        return _advanced(progress, "finished", number_index, tuple(ready), now, seen, reached_at)
    rest = ready[chosen]
    assert rest is not None
    return _advanced(progress, "ready", chosen, tuple(ready), max(rest, now + gap_s), seen, reached_at)


def without_number(progress: LeadProgress, number_index: int, *, until: float | None, now: float) -> LeadProgress:
    """Return the progress of a lead one of whose numbers cannot be dialled before `until` (None: ever). Pure."""
    ready = list(progress.number_ready_at)
    ready[number_index] = until
    chosen = _next_number(ready, number_index, prefer_next=True)
    rest = None if chosen is None else ready[chosen]
    if chosen is None or rest is None:
        return msgspec.structs.replace(progress, status="finished", number_ready_at=tuple(ready))
    return msgspec.structs.replace(
        progress, number_index=chosen, number_ready_at=tuple(ready), next_at=max(progress.next_at, rest, now)
    )


def after_refusal(
    progress: LeadProgress, number_index: int, claim: Claim, refusal: Refusal, now: float
) -> LeadProgress:
    """Return how a lead goes on after the store refused a claim: on its next number where only this one was refused,
    later, or never. Not before `now`. Pure."""
    if _is_of_number(claim, refusal):
        moved = without_number(progress, number_index, until=refusal.retry_at, now=now)
        if moved.status == "ready" or not refusal.rule.startswith("stop:"):
            return moved
        return msgspec.structs.replace(moved, status="stopped")
    if refusal.retry_at is None:
        status = "stopped" if refusal.rule.startswith("stop:") else "finished"
        return msgspec.structs.replace(progress, status=status)
    return msgspec.structs.replace(progress, next_at=max(refusal.retry_at, now))


def stops_number_alone(key: str) -> bool:
    """Whether a stop is one of a number or of the place of work it belongs to: the lead's others are free of it."""
    return key.startswith(("number:", "work:"))


def _is_of_number(claim: Claim, refusal: Refusal) -> bool:
    """Whether what refused is about the number: another number of the lead may still be dialled. So are registries,
    stops of a number, and consents, which may be given for a number, and caps that count by the number or its use."""
    if refusal.rule.startswith("stop:"):
        return stops_number_alone(refusal.key)
    if refusal.rule.startswith(("dnc:", "consent:")):
        return True
    caps = [cap for cap in claim.caps if cap.rule == refusal.rule]
    return any(
        cap.key.startswith("number:") or any(part.startswith(("n=", "u=")) for part in cap.where) for cap in caps
    )


def fitted(progress: LeadProgress, numbers: int) -> LeadProgress:
    """Return the progress of a lead that has so many numbers now: one that is new has rested, and the next to be tried
    is one that it has. Pure."""
    if len(progress.number_ready_at) == numbers and progress.number_index < numbers:
        return progress
    return msgspec.structs.replace(
        progress,
        number_index=min(progress.number_index, numbers - 1),
        number_ready_at=(progress.number_ready_at + (0.0,) * numbers)[:numbers],
    )


def _next_number(ready: list[float | None], index: int, *, prefer_next: bool) -> int | None:
    """Pick the number with the earliest end of rest, in the list's order after `index`; None if all are dead."""
    count = len(ready)
    if not prefer_next and ready[index] is not None:
        return index
    order = [(index + step) % count for step in range(1, count + 1)]
    alive = [i for i in order if ready[i] is not None]
    return min(alive, key=lambda i: ready[i] or 0.0) if alive else None


def _advanced(
    progress: LeadProgress,
    status: str,
    number_index: int,
    ready: tuple[float | None, ...],
    next_at: float,
    seen: dict[str, int],
    reached_at: float | None,
) -> LeadProgress:
    return LeadProgress(
        lead_id=progress.lead_id,
        status=status,
        number_index=number_index,
        attempts=progress.attempts + 1,
        next_at=next_at,
        number_ready_at=ready,
        by_disposition=seen,
        last_contact_at=reached_at,
    )
