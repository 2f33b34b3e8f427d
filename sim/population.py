"""The people on a simulated list."""

from __future__ import annotations

from dialer.core.lead import Lead, PhoneNumber
from dialer.errors import ConfigError
from sim.destinations import draw_destinations
from sim.leanings import PRODUCTS
from sim.scenario import Population, Region
from sim.shares import Shares
from sim.streams import Stream

_NAMES = ("Ana", "Luis", "Rosa", "Juan", "Carmen", "José", "Pilar", "Hugo", "Inés", "Raúl", "Marta", "Iván")
_MOST_NUMBERS = 3
_SURNAMES = ("Quispe", "Rojas", "Mamani", "Díaz", "Soto", "Vega", "Núñez", "Paz", "Ríos", "Luna", "Peña", "Vidal")


def make_leads(population: Population, seed: int) -> list[Lead]:
    """Make the list: the same people for the same seed, whatever else changes. No two share a number."""
    if not population.regions:
        raise ConfigError("population.regions: expected at least one region to generate leads in")
    count, shares = population.leads, Shares(region.share for region in population.regions)
    regions = shares.all_at(Stream(seed, "region").column(count)).tolist()
    late = (5 + 175 * Stream(seed, "late").column(count)).astype(int).tolist()
    amounts = (20.0 + 3000.0 * Stream(seed, "amount").column(count) ** 3).tolist()
    products = _picked(PRODUCTS, seed, "product", count)
    names, surnames = _picked(_NAMES, seed, "name", count), _picked(_SURNAMES, seed, "surname", count)
    numbers = _Numbers(population, seed)
    return [
        Lead(
            lead_id=f"L{index:06d}",
            numbers=numbers.of(index, population.regions[regions[index]]),
            person=f"P{index:06d}",
            debt=f"D{index:06d}",
            name=f"{names[index]} {surnames[index]}",
            priority=2 if late[index] > 90 else 1 if late[index] > 30 else 0,
            product=products[index],
            region=population.regions[regions[index]].name,
            amount=round(amounts[index], 2),
            days_past_due=late[index],
        )
        for index in range(count)
    ]


def _picked(values: tuple[str, ...], seed: int, purpose: str, count: int) -> list[str]:
    places = (Stream(seed, purpose).column(count) * len(values)).astype(int).tolist()
    return [values[place] for place in places]


class _Numbers:
    """Makes up numbers that nobody else has."""

    def __init__(self, population: Population, seed: int) -> None:
        count = population.leads
        self._seed = seed
        self._draws = [Stream(seed, f"number{which}").column(count).tolist() for which in range(_MOST_NUMBERS)]
        second = Stream(seed, "second").column(count) < population.second_number_rate
        third = second & (Stream(seed, "third").column(count) < population.third_number_rate)
        self._counts = (1 + second.astype(int) + third).tolist()
        self._taken: set[str] = set()
        names = [destination.name for destination in population.destinations]
        self._networks = [
            [names[place] for place in draw_destinations(population, count, which, seed).tolist()] if names else []
            for which in range(_MOST_NUMBERS)
        ]

    def of(self, index: int, region: Region) -> tuple[PhoneNumber, ...]:
        """The numbers of one lead."""
        zones = (region.zone,)
        return tuple(
            PhoneNumber(
                e164=self._free(region, index, which),
                zones=zones,
                country=region.country,
                line_type="mobile",
                network=self._networks[which][index] if self._networks[which] else "",
            )
            for which in range(self._counts[index])
        )

    def _free(self, region: Region, index: int, which: int) -> str:
        e164 = _number(region, self._draws[which][index])
        draw = 0
        while e164 in self._taken:
            draw += 1
            if draw == 1000:
                raise ConfigError(
                    f"population.regions: {region.name}: too few digits for so many leads: raise `digits`"
                )
            e164 = _number(region, Stream(self._seed, f"number{which}").uniform(index, draw))
        self._taken.add(e164)
        return e164


def _number(region: Region, u: float) -> str:
    return f"{region.prefix}{int(u * 10**region.digits):0{region.digits}d}"
