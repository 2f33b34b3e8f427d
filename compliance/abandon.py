"""How the law counts abandoned calls: the accounts that a campaign's jurisdictions ask for, beside its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from compliance.rule import VERIFIED, AbandonLimit, Profile

# The strictest figure that stands: 16 CFR 310.4(b)(4)(i), 47 CFR 64.1200(a)(7). No law's larger figure loosens it.
MAX_RATE = 0.03


class AbandonCount(msgspec.Struct, frozen=True, kw_only=True):
    """One account of abandons as a law has it. `rate` is abandoned / answered in (0, `MAX_RATE`]; `zone` is whose
    calendar month it is, empty where the window is another."""

    rule: str  # the profile that asks for it
    rate: float
    window: Literal["rolling_24h", "calendar_month", "30_days", "campaign"]
    clock_start: Literal["connect", "greeting_start", "greeting_end"]
    threshold_s: float
    zone: str = ""


def strictest_rate(profiles: Iterable[Profile]) -> float:
    """Return the least rate that any of the profiles names, and `MAX_RATE` at most. An unverified one may tighten."""
    named = [profile.abandon.max_rate for profile in profiles if profile.abandon is not None]
    return min((MAX_RATE, *(rate for rate in named if rate is not None)))


def abandon_limits(profiles: Sequence[Profile]) -> tuple[AbandonCount, ...]:
    """Return the accounts that these profiles ask for, each named after its profile. Pure.

    The lowest rate of all holds in every window. A limit without a window adds no account: the campaign's own hold.
    Profiles that count in the same way share an account, which has the name of the first one. A clock that starts
    later, or a later deadline, loosens, so an unverified one is taken as the connection and 2 s at most.
    """
    rate = strictest_rate(profiles)
    counts: dict[tuple[object, ...], AbandonCount] = {}
    for profile in profiles:
        limit = profile.abandon
        if limit is None or limit.window is None:
            continue
        zone = _zone(profile) if limit.window == "calendar_month" else ""
        count = AbandonCount(
            rule=profile.id,
            rate=rate,
            window=limit.window,
            clock_start=_clock(profile, limit),
            threshold_s=min(limit.connect_deadline_s, 2.0),
            zone=zone,
        )
        counts.setdefault((count.window, count.clock_start, count.threshold_s, zone), count)
    return tuple(counts.values())


def _clock(profile: Profile, limit: AbandonLimit) -> Literal["connect", "greeting_start", "greeting_end"]:
    verified = profile.confidence in VERIFIED and limit.confidence in (*VERIFIED, "POLICY")
    return limit.clock_start if verified else "connect"


def _zone(profile: Profile) -> str:
    """Whose months: the profile's own first zone. One account cannot follow all zones of a country; where the profile
    names none it is UTC, and the other accounts bind on the days about the turn of a month."""
    return profile.zones[0] if profile.zones else "UTC"
