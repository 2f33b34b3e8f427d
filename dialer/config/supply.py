"""The supply of a campaign, as routing takes it."""

from __future__ import annotations

from math import floor

from carriers.rates import Rate
from carriers.supply import Carrier, Hours, SetUpLimit, Supply, Surcharge, Trunk
from dialer.config import carriers as file
from dialer.config.campaign import Campaign
from dialer.config.section import Day
from dialer.errors import ConfigError

WEEKDAYS: dict[Day, int] = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}


def supply_of(campaign: Campaign) -> Supply:
    """Return the campaign's carriers, those that it lists first, and its trunks in their order.

    A trunk without a carrier has an account of its own name. Raises `ConfigError` for a trunk whose rate deck has not
    been read (`rate_deck_file.with_decks`): it would cost nothing.
    """
    listed = {carrier.name: _carrier(carrier) for carrier in campaign.carriers}
    trunks = tuple(_trunk(trunk) for trunk in campaign.trunks)
    own = {trunk.carrier: Carrier(name=trunk.carrier) for trunk in trunks if trunk.carrier not in listed}
    return Supply(carriers=(*listed.values(), *own.values()), trunks=trunks)


def cps_limit(max_cps: float) -> SetUpLimit:
    """Return what `max_cps` means: so many set-ups in every second, in every 1 / max_cps seconds below 1."""
    window_s = max(1.0, 1.0 / max_cps)
    return SetUpLimit(calls=max(1, floor(max_cps * window_s)), per_s=window_s)


def _carrier(carrier: file.CarrierAccount) -> Carrier:
    short, cancelled = carrier.short_calls, carrier.cancelled_calls
    return Carrier(
        name=carrier.name,
        limits=tuple(map(_limit, carrier.limits)),
        max_channels=carrier.max_channels,
        short_calls=None if short is None else Surcharge(above=short.above, fee=short.fee, up_to_s=short.up_to_s),
        cancelled_calls=None if cancelled is None else Surcharge(above=cancelled.above, fee=cancelled.fee),
    )


def _trunk(trunk: file.Trunk) -> Trunk:
    return Trunk(
        name=trunk.name,
        carrier=trunk.carrier or trunk.name,
        max_channels=trunk.max_channels,
        limits=(cps_limit(trunk.max_cps), *map(_limit, trunk.limits)),
        rates=_rates(trunk),
        regions=trunk.regions,
        hours=tuple(hours for entry in trunk.hours for hours in _hours(entry)),
        caller_ids=trunk.caller_ids,
        attestation=trunk.attestation,
    )


def _limit(limit: file.SetUpLimit) -> SetUpLimit:
    return SetUpLimit(calls=limit.calls, per_s=limit.per_s, kind=limit.kind)


def _rates(trunk: file.Trunk) -> tuple[Rate, ...]:
    if trunk.rates and not trunk.deck:
        raise ConfigError(f"trunk {trunk.name}: expected the rows of {trunk.rates}, which have not been read")
    if trunk.price is not None:
        price = trunk.price
        first_s, step_s = file.read_billing(price.billing)
        return (_rate(("", price.per_minute, first_s, step_s, price.connection_fee, price.attempt_fee)),)
    return tuple(map(_rate, sorted(trunk.deck))) or (Rate(prefix=""),)


def _rate(row: file.RateRow) -> Rate:
    prefix, per_minute, first_s, step_s, connection_fee, attempt_fee = row
    return Rate(
        prefix=prefix,
        per_minute=per_minute,
        first_s=first_s,
        step_s=step_s,
        connection_fee=connection_fee,
        attempt_fee=attempt_fee,
    )


def _hours(entry: file.TrunkHours) -> list[Hours]:
    weekdays = tuple(sorted({WEEKDAYS[day] for day in entry.days}))
    return [
        Hours(zone=entry.zone, weekdays=weekdays, begin_minute=_minute(begin), end_minute=_minute(end))
        for begin, end in entry.allow
    ]


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
