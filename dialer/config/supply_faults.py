"""What does not fit together between carriers, trunks and caller IDs of one campaign file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dialer.config.carriers import CarrierAccount, Trunk
from dialer.config.misfits import Fault, Loc, twice
from dialer.config.names import meant
from dialer.config.routing import CallerIdPool


def supply_faults(
    carriers: Sequence[CarrierAccount],
    trunks: Sequence[Trunk],
    owned: Sequence[str],
    pools: Sequence[CallerIdPool],
    jurisdictions: Sequence[str],
) -> Iterator[Fault]:
    """Yield what does not fit together, each fault at its place in the campaign."""
    yield from twice("carriers", [carrier.name for carrier in carriers])
    yield from twice("caller_id_pools", [pool.name for pool in pools])
    yield from _accounts(carriers, trunks)
    yield from _trunk_numbers(trunks, owned)
    yield from _pool_numbers(pools, owned)
    yield from _pool_places(pools, jurisdictions)


def _accounts(carriers: Sequence[CarrierAccount], trunks: Sequence[Trunk]) -> Iterator[Fault]:
    """A trunk without a carrier is an account of its own: nobody else may bear its name."""
    taken = {carrier.name for carrier in carriers} | {trunk.carrier for trunk in trunks}
    for place, trunk in enumerate(trunks):
        if not trunk.carrier and trunk.name in taken:
            mend = f"write `carrier: {trunk.name}` beside it, or give it another name"
            yield ("trunks", place, "name"), f"{trunk.name!r} is a carrier's name too, and the trunk has none: {mend}"


def _trunk_numbers(trunks: Sequence[Trunk], owned: Sequence[str]) -> Iterator[Fault]:
    for place, trunk in enumerate(trunks):
        for index, number in enumerate(trunk.caller_ids):
            if number not in owned:
                yield ("trunks", place, "caller_ids", index), _not_owned(number, owned)


def _pool_numbers(pools: Sequence[CallerIdPool], owned: Sequence[str]) -> Iterator[Fault]:
    pool_of: dict[str, str] = {}
    for place, pool in enumerate(pools):
        for index, number in enumerate(pool.numbers):
            loc: Loc = ("caller_id_pools", place, "numbers", index)
            if number not in owned:
                yield loc, _not_owned(number, owned)
            elif number in pool_of:
                yield loc, f"{number!r} is in the pool {pool_of[number]!r} already: keep one"
            else:
                pool_of[number] = pool.name


def _pool_places(pools: Sequence[CallerIdPool], jurisdictions: Sequence[str]) -> Iterator[Fault]:
    for place, pool in enumerate(pools):
        for index, code in enumerate(pool.jurisdictions):
            if code.partition("-")[0] not in jurisdictions:
                told = f"expected a place in {', '.join(jurisdictions)}, which the campaign calls, was {code!r}"
                yield ("caller_id_pools", place, "jurisdictions", index), told


def _not_owned(number: str, owned: Sequence[str]) -> str:
    near = meant(number, owned, likeness=0.8)
    return f"expected one of caller_ids, was {number!r}{f': {near}' if near.startswith('did') else ''}"
