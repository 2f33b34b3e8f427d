"""Who carries our calls, as the campaign says it: carriers, their trunks, limits, surcharges and prices."""

from __future__ import annotations

from typing import Literal

import msgspec

from carriers.rates import Rate

LimitKind = Literal["rolling", "bucket", "clock"]
Attestation = Literal["A", "B", "C", "none"]


class SetUpLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How many call set-ups a provider takes, counted as the provider counts them.

    `rolling`: at most `calls` in every window of `per_s` seconds, half-open: one at t has left the window at t + per_s.
    `bucket`: a bucket of `calls` tokens that refills at calls / per_s a second, full at the start.
    `clock`: at most `calls` in each period of `per_s` seconds counted from midnight UTC.
    """

    calls: int  # at least 1
    per_s: float  # above 0
    kind: LimitKind = "rolling"


class Surcharge(msgspec.Struct, frozen=True, kw_only=True):
    """A fee on each call of a kind, where their share of a day's calls (UTC) is above `above`.

    Short calls: those answered for at most `up_to_s`, out of the answered ones. Cancelled calls: those that we ended
    before an answer, out of all.
    """

    above: float  # in [0, 1)
    fee: float  # currency, for each call of the kind
    up_to_s: float = 6.0  # of short calls


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """A supplier and what holds for our whole account there, over all its trunks."""

    name: str
    limits: tuple[SetUpLimit, ...] = ()
    max_channels: int | None = None
    short_calls: Surcharge | None = None
    cancelled_calls: Surcharge | None = None


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """When a trunk may be used: local half-open minutes of the day in one zone, on some weekdays (0: Monday)."""

    zone: str  # IANA
    weekdays: tuple[int, ...]
    begin_minute: int
    end_minute: int


class Trunk(msgspec.Struct, frozen=True, kw_only=True):
    """One SIP peer of a carrier on one Asterisk."""

    name: str
    carrier: str  # a `Carrier.name`; a trunk without one is its own carrier
    # Which Asterisk; empty: the campaign's only one. A campaign has one so far: the model has room for several.
    switch: str = ""
    max_channels: int
    limits: tuple[SetUpLimit, ...]
    rates: tuple[Rate, ...] = (Rate(prefix=""),)  # no prefix twice; a number that none begins is not carried
    regions: tuple[str, ...] = ()  # the only regions it serves; empty: all
    hours: tuple[Hours, ...] = ()  # empty: always
    caller_ids: tuple[str, ...] = ()  # the only ones it takes; empty: any
    attestation: Attestation = "none"  # how it signs our numbers (STIR/SHAKEN), recorded with each call


class Supply(msgspec.Struct, frozen=True, kw_only=True):
    """All carriers of a campaign, and its trunks in their order: a trunk's place is its index everywhere."""

    carriers: tuple[Carrier, ...]
    trunks: tuple[Trunk, ...]
