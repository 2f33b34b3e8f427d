"""A batch of claims as `reserve.lua` reads it, and its answer as a `Reservation`.

What many claims share (stop keys, the outcomes that a cap ignores, registries) is sent once a batch and named by its
place; the streams of a claim are named once, each with the earliest `since` of the caps that look into it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, TypeVar

import msgspec

from compliance.clearance import ListCheck
from dialer.adapters.store import refusal
from dialer.adapters.store.keys import FACTS
from dialer.core.actions import Claim
from dialer.core.events import Refusal
from dialer.errors import StoreError
from dialer.ports import Reservation

_T = TypeVar("_T", bound=Hashable)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.json.Decoder(list[list[Any]]).decode


class _Places(dict[_T, int]):
    """Values in the order in which they were first seen; places begin at 1, as Lua's do."""

    def __missing__(self, value: _T) -> int:
        place = self[value] = len(self) + 1
        return place


class _Batch:
    """What the claims of a batch share."""

    def __init__(self) -> None:
        self.stop_keys: _Places[str] = _Places()
        self.times: _Places[float] = _Places()
        self.ignored: _Places[tuple[str, ...]] = _Places()
        self.caps: _Places[tuple[int, float, int]] = _Places()
        self.lists: _Places[ListCheck] = _Places()
        self._by_id: dict[int, int] = {}  # the rules share these among claims, and hashing a long one takes time

    def record(self, claim: Claim) -> tuple[Any, ...]:
        """A claim, with the places of what it shares."""
        streams = {key: place for place, key in enumerate(claim.fact_keys, 1)}
        since: dict[int, float] = {}
        caps: list[int] = []
        for cap in claim.caps:
            stream = streams.setdefault(cap.key, len(streams) + 1)
            begin = since.get(stream)
            if begin is None or cap.since < begin:
                since[stream] = cap.since
            ignored = self._by_id.get(id(cap.ignores))
            if ignored is None:
                ignored = self._by_id[id(cap.ignores)] = self.ignored[cap.ignores]
            caps += (stream, self.caps[cap.max, cap.since, ignored])
        consent, times = claim.consent, self.times
        return (
            str(claim.attempt_id),
            claim.lead_id,
            claim.number.removeprefix("+"),
            claim.person,
            times[claim.at],
            [self.stop_keys[key] for key in claim.stop_keys],
            [FACTS + key for key in streams],
            len(claim.fact_keys),
            [place for stream, begin in since.items() for place in (stream, times[begin])],
            caps,
            [self.lists[check] for check in claim.lists],
            () if consent is None else (consent.since, *consent.keys),
            claim.local_times,
        )


def batch_of(claims: Sequence[Claim]) -> bytes:
    """Return a batch as MessagePack; what it holds is told in `reserve.lua`."""
    batch = _Batch()
    records = [batch.record(claim) for claim in claims]
    return _encode(
        (
            list(batch.stop_keys),
            [f"{time:.17g}" for time in batch.times],
            list(batch.ignored),
            list(batch.caps),
            [(check.registry, check.fresh_since, check.when_stale == "block") for check in batch.lists],
            records,
        )
    )


def reservation_of(claims: Sequence[Claim], answer: bytes) -> Reservation:
    """Read the script's answer, one entry a claim. Raises `StoreError` for one that no script gives."""
    reservation = Reservation()
    for claim, (kind, *rest) in zip(claims, _decode(answer), strict=True):
        if kind == "granted":
            seen, stale = rest
            reservation.seen[claim.attempt_id] = tuple(seen)
            reservation.warnings.extend((claim.attempt_id, claim.lists[place - 1].registry) for place in stale)
        elif kind != "known":
            reservation.refusals.append(_refusal(claim, kind, rest))
    return reservation


def _refusal(claim: Claim, kind: str, rest: list[Any]) -> Refusal:
    match kind, rest:
        case "stopped", [str(reason)]:
            return refusal.stopped(claim, reason)
        case "finished", []:
            return refusal.finished(claim)
        case "held", []:
            return refusal.held(claim)
        case "listed", [int(place)]:
            return refusal.listed(claim, claim.lists[place - 1])
        case "stale", [int(place)]:
            return refusal.stale(claim, claim.lists[place - 1])
        case "consent", []:
            return refusal.without_consent(claim)
        case "hours", [int(minutes)]:
            return refusal.inconvenient(claim, minutes)
        case "capped", [int(place), int(seen), fact_at, bool(may_free)]:
            at = float(fact_at) if fact_at else None
            return refusal.capped(claim, claim.caps[place - 1], seen=seen, fact_at=at, may_free=may_free)
    raise StoreError(f"expected a refusal of attempt {claim.attempt_id}, was {kind} {rest!r}")
