"""Which numbers each trunk carries, by its rates and regions, at any time."""

from __future__ import annotations

from collections.abc import Sequence

import phonenumbers

from carriers.rates import Deck
from carriers.supply import Supply
from dialer.core.lead import Lead


class Coverage:
    """The numbers of the campaign's countries and lists, and the trunks that carry them. Trunks are places in order."""

    def __init__(self, supply: Supply, countries: Sequence[str], leads: Sequence[Lead]) -> None:
        self._supply = supply
        self._decks = [Deck(trunk.rates) for trunk in supply.trunks]
        codes = {country: phonenumbers.country_code_for_region(country) for country in countries}
        self.codes = {country: str(code) if code else "" for country, code in codes.items()}
        self.numbers = 0  # of the lists
        self.uncarried: list[tuple[str, str]] = []  # lead and number
        self.numbers_alone = [0] * len(supply.trunks)  # numbers that this trunk alone carries
        self._count(leads)

    def trunks_of_code(self, code: str) -> list[int]:
        """Return the trunks that carry some numbers of a calling code."""
        return [
            place
            for place, trunk in enumerate(self._supply.trunks)
            if any(rate.prefix.startswith(code) or code.startswith(rate.prefix) for rate in trunk.rates)
        ]

    def alone(self) -> list[list[str]]:
        """Return for each trunk the prefixes of the countries, the shortest of each, that no other trunk carries as a
        whole."""
        found: list[list[str]] = [[] for _ in self._decks]
        above = ""  # the last prefix told, and whose it is
        whose = -1
        codes = tuple(self.codes.values())
        named = {rate.prefix for trunk in self._supply.trunks for rate in trunk.rates if rate.prefix.startswith(codes)}
        for prefix in sorted({*codes, *named}):
            carrying = [place for place, deck in enumerate(self._decks) if deck.rate_of(prefix) is not None]
            if len(carrying) != 1:
                continue
            if whose == carrying[0] and prefix.startswith(above):
                continue
            above, whose = prefix, carrying[0]
            found[whose].append(prefix)
        return found

    def _count(self, leads: Sequence[Lead]) -> None:
        longest = max(len(rate.prefix) for trunk in self._supply.trunks for rate in trunk.rates)
        known: dict[tuple[str, str], list[int]] = {}
        for lead in leads:
            for number in lead.numbers:
                self.numbers += 1
                key = (number.e164[: longest + 1], lead.region)
                carrying = known.get(key)
                if carrying is None:
                    carrying = known[key] = self._carrying(number.e164, lead.region)
                if not carrying:
                    self.uncarried.append((lead.lead_id, number.e164))
                elif len(carrying) == 1:
                    self.numbers_alone[carrying[0]] += 1

    def _carrying(self, number: str, region: str) -> list[int]:
        return [
            place
            for place, (trunk, deck) in enumerate(zip(self._supply.trunks, self._decks, strict=True))
            if (not trunk.regions or region in trunk.regions) and deck.rate_of(number) is not None
        ]
