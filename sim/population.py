"""The people on a simulated list."""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate

from dialer.core.lead import Lead, PhoneNumber
from dialer.errors import ConfigError
from sim.scenario import Population, Region
from sim.streams import Stream

PRODUCTS = ("card", "loan", "mortgage", "telephone")
_NAMES = ("Ana", "Luis", "Rosa", "Juan", "Carmen", "José", "Pilar", "Hugo", "Inés", "Raúl", "Marta", "Iván")
_SURNAMES = ("Quispe", "Rojas", "Mamani", "Díaz", "Soto", "Vega", "Núñez", "Paz", "Ríos", "Luna", "Peña", "Vidal")


def make_leads(population: Population, seed: int) -> list[Lead]:
    """Make the list: the same people for the same seed, whatever else changes. No two share a number."""
    if not population.regions:
        raise ConfigError("population.regions: expected at least one region to generate leads in")
    share = Stream(seed, "region")
    bounds = list(accumulate(region.share for region in population.regions))
    draws = {name: Stream(seed, name) for name in ("second", "amount", "late", "product", "name", "surname")}
    taken: set[str] = set()
    leads = []
    for index in range(population.leads):
        region = population.regions[bisect(bounds, share.uniform(index) * bounds[-1])]
        numbers = [_number(region, seed, index, 0, taken)]
        if draws["second"].uniform(index) < population.second_number_rate:
            numbers.append(_number(region, seed, index, 1, taken))
        late = int(5 + 175 * draws["late"].uniform(index))
        leads.append(
            Lead(
                lead_id=f"L{index:06d}",
                numbers=tuple(numbers),
                person=f"P{index:06d}",
                debt=f"D{index:06d}",
                name=f"{_pick(_NAMES, draws['name'], index)} {_pick(_SURNAMES, draws['surname'], index)}",
                priority=2 if late > 90 else 1 if late > 30 else 0,
                product=_pick(PRODUCTS, draws["product"], index),
                region=region.name,
                amount=round(20.0 + 3000.0 * draws["amount"].uniform(index) ** 3, 2),
                days_past_due=late,
            )
        )
    return leads


def _pick(values: tuple[str, ...], stream: Stream, index: int) -> str:
    return values[int(stream.uniform(index) * len(values))]


def _number(region: Region, seed: int, index: int, which: int, taken: set[str]) -> PhoneNumber:
    stream = Stream(seed, f"number{which}")
    for draw in range(1000):
        digits = int(stream.uniform(index, draw) * 10**region.digits)
        e164 = f"{region.prefix}{digits:0{region.digits}d}"
        if e164 not in taken:
            taken.add(e164)
            return PhoneNumber(e164=e164, zones=(region.zone,), country=region.country, line_type="mobile")
    raise ValueError(f"region {region.name}: too few digits for so many leads")
