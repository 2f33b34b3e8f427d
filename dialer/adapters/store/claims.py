"""A batch of claims as `reserve.lua` reads it, and its answer as a `Reservation`.

Tables take time to make in Lua, so a batch goes by columns, and what many claims share (how caps are counted, the
outcomes that they ignore, registries) is sent once and named by its place. The streams of a claim are named once, each
with the earliest `since` of the caps that look into it, and so is what the facts of several caps must agree with.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, TypeVar

import msgspec

from compliance.clearance import ListCheck
from compliance.facts import Counted, ignored_outcomes
from compliance.rule import Channel
from compliance.streams import text_of
from dialer.adapters.store import refusal
from dialer.adapters.store.keys import FACTS
from dialer.adapters.store.records import reasons_of
from dialer.core.actions import Claim
from dialer.core.events import Refusal
from dialer.errors import StoreError
from dialer.ports import Reservation

_T = TypeVar("_T", bound=Hashable)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[list[Any]]).decode


class _Places(dict[_T, int]):
    """Values in the order in which they were first seen; places begin at 1, as Lua's do."""

    def __missing__(self, value: _T) -> int:
        place = self[value] = len(self) + 1
        return place


class _Batch:
    """What the claims of a batch share, by its place."""

    def __init__(self, campaign: str) -> None:
        self._campaign = campaign
        self.times: _Places[float] = _Places()
        self.counted: _Places[tuple[Counted, tuple[Channel, ...], tuple[str, ...]]] = _Places()
        self.lists: _Places[ListCheck] = _Places()
        self.plans: _Places[tuple[Any, ...]] = _Places()

    def column(self, claim: Claim) -> tuple[Any, ...]:
        """What is the claim's alone: streams, texts, record, places of its plan and of its time, and its consent."""
        streams = {key: place for place, key in enumerate(claim.fact_keys, 1)}
        texts: list[str] = []
        since: dict[int, float] = {}  # of a stream: from when on it is read
        ways: list[tuple[Any, ...]] = []
        known: dict[tuple[str, tuple[str, ...], str], int] = {}
        caps: list[float] = []
        for cap in claim.caps:
            where, also = cap.where, cap.also
            stream = way = _read(streams, since, cap.key, cap.since)
            if where or also:
                person = _read(streams, since, f"person:{claim.person}", cap.since) if also else 0
                way = known.get((cap.key, where, also), 0)
                if not way:
                    of_person = _agreement(also, texts) if also else 0
                    ways.append((stream, person, of_person, tuple([_agreement(part, texts) for part in where])))
                    way = known[cap.key, where, also] = -len(ways)
            caps += (way, cap.max, cap.since, self.counted[cap.count, cap.channels, cap.exclude])
        times, consent = self.times, claim.consent
        reads = [place for stream, begin in since.items() for place in (stream, times[begin])]
        lists = tuple([self.lists[check] for check in claim.lists])
        return (
            [FACTS + key for key in streams],
            texts,
            text_of(self._campaign, claim.attempt_id, claim.fact),
            self.plans[len(claim.fact_keys), tuple(reads), tuple(caps), tuple(ways), lists, claim.local_times],
            times[claim.at],
            0 if consent is None else (consent.since, *consent.keys),
        )


def _read(streams: dict[str, int], since: dict[int, float], key: str, begin: float) -> int:
    """Have a stream read from `begin` on at least; return its place."""
    stream = streams.get(key)
    if stream is None:
        stream = streams[key] = len(streams) + 1
    known = since.get(stream)
    if known is None or begin < known:
        since[stream] = begin
    return stream


def _agreement(part: str, texts: list[str]) -> tuple[int | str, ...]:
    """Return what facts must agree with: the place of a text among those of the claim, the begin of its part, ..."""
    found: list[int | str] = []
    for alternative in part.split("|"):
        texts.append(f"|{alternative}|")
        found += (len(texts), f"|{alternative.partition('=')[0]}=")
    return tuple(found)


def batch_of(campaign: str, claims: Sequence[Claim]) -> bytes:
    """Return a batch as MessagePack; what it holds is told in `reserve.lua`."""
    batch = _Batch(campaign)
    columns = zip(*[batch.column(claim) for claim in claims], strict=True)
    return _encode(
        (
            [str(claim.attempt_id) for claim in claims],
            [claim.lead_id for claim in claims],
            [claim.number.removeprefix("+") for claim in claims],
            [claim.person for claim in claims],
            [key for claim in claims for key in claim.stop_keys],
            [len(claim.stop_keys) for claim in claims],
            *columns,
            list(batch.plans),
            [f"{time:.17g}" for time in batch.times],
            [tuple(ignored_outcomes(*counted)) for counted in batch.counted],
            [(check.registry, check.fresh_since, check.when_stale == "block") for check in batch.lists],
        )
    )


def reservation_of(claims: Sequence[Claim], answer: bytes) -> Reservation:
    """Read the script's answer, one entry a claim. Raises `StoreError` for one that no script gives."""
    reservation = Reservation()
    for claim, (kind, *rest) in zip(claims, _decode(answer), strict=True):
        if kind == "granted":
            stale, *seen = rest
            reservation.seen[claim.attempt_id] = tuple(seen)
            reservation.warnings.extend((claim.attempt_id, claim.lists[place - 1].registry) for place in stale)
        elif kind != "known":
            reservation.refusals.append(_refusal(claim, kind, rest))
    return reservation


def _refusal(claim: Claim, kind: str, rest: list[Any]) -> Refusal:
    match kind, rest:
        case "stopped", [int(place), str(reasons)]:
            return refusal.stopped(claim, claim.stop_keys[place - 1], reasons_of(reasons)[0])
        case "finished", []:
            return refusal.finished(claim)
        case "held", []:
            return refusal.held(claim)
        case "listed", [int(place)]:
            return refusal.listed(claim, claim.lists[place - 1])
        case "stale", [int(place)]:
            return refusal.stale(claim, claim.lists[place - 1])
        case "missing", [int(place)]:
            return refusal.missing(claim, claim.lists[place - 1])
        case "consent", []:
            return refusal.without_consent(claim)
        case "hours", [int(minutes)]:
            return refusal.inconvenient(claim, minutes)
        case "capped", [int(place), int(seen), fact_at, bool(may_free)]:
            at = float(fact_at) if fact_at else None
            return refusal.capped(claim, claim.caps[place - 1], seen=seen, fact_at=at, may_free=may_free)
    raise StoreError(f"expected a refusal of attempt {claim.attempt_id}, was {kind} {rest!r}")
