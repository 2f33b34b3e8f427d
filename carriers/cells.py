"""Cells: the kinds of calls that routing tells apart, made as they first come, and the market's arrays over them."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from carriers.loads import Loads
from carriers.market import Floats, Market
from carriers.rates import Deck, Rate
from carriers.supply import Carrier, Supply, Surcharge

# What a trunk asks for: price of a minute, first seconds, step, connection fee, attempt fee; None: it carries no such
# number.
Terms = tuple[float, float, float, float, float] | None
# Region, destination carrier, each trunk's terms, and the prefix or country by which circuits tell the numbers apart.
Key = tuple[str, str, tuple[Terms, ...], str]

# Circuits tell numbers apart by so many digits: a country and a network or an area. A deck may have 100,000 prefixes.
PREFIX_DIGITS = 4
# Beyond these, new regions and networks are one other, and prices do not make new cells: so few calls teach nothing,
# and every cell costs a column.
MOST_CELLS, MOST_REGIONS, MOST_NETWORKS = 2_000, 250, 60
OTHER = "other"


class Cells:
    """The cells of a campaign. An index never changes its meaning; `restore` makes the same cells in the same order."""

    def __init__(self, supply: Supply, loads: Loads) -> None:
        self._supply = supply
        self._decks = [Deck(trunk.rates) for trunk in supply.trunks]
        self._digits = max(PREFIX_DIGITS, *(len(rate.prefix) for trunk in supply.trunks for rate in trunk.rates))
        self._by_key: dict[Key, int] = {}
        self._alike: dict[tuple[str, str, tuple[bool, ...]], int] = {}  # the first cell with a prefix that is served so
        self._named = {region for trunk in supply.trunks for region in trunk.regions}
        self._by_call: dict[tuple[str, str, str, str], int] = {}
        self._regions: dict[str, int] = {}
        self._networks: dict[str, int] = {}
        self.keys: list[Key] = []
        self.rates: list[list[Rate | None]] = []  # of each cell: each trunk's; None: it does not carry the number
        self.served = np.zeros((len(supply.trunks), 0), dtype=np.bool_)  # (K, C) by rates and regions, at any time
        self.market = _market(supply, loads)

    def of(self, number: str, *, region: str, network: str, country: str) -> int:
        """Return the cell of calls to a number (E.164); `country` tells circuits apart where no prefix does."""
        seen = (number[: self._digits + 1], region, network, country)
        cell = self._by_call.get(seen)
        if cell is None:
            cell = self._by_call[seen] = self._make(number, region, network, country)
        return cell

    def prefix(self, cell: int) -> str:
        """The prefix, or the country, under which circuits know the cell."""
        return self.keys[cell][3]

    def snapshot(self) -> list[Any]:
        """The keys of all cells, in their order."""
        return [[region, network, list(map(_plain, terms)), prefix] for region, network, terms, prefix in self.keys]

    def restore(self, keys: list[Any]) -> None:
        """Make the cells of a snapshot. Raises `ValueError` where there are cells already, or of other trunks, or where
        old prices take more than half of the room for cells."""
        if self.keys:
            raise ValueError(f"expected no cells yet, were {len(self.keys)}")
        if any(len(terms) != len(self._decks) for _, _, terms, _ in keys):
            raise ValueError(f"expected cells of {len(self._decks)} trunks, were of others")
        made = [
            (region, network, tuple(None if term is None else _terms(*term) for term in terms), prefix)
            for region, network, terms, prefix in keys
        ]
        asked = [{_terms_of(rate) for rate in trunk.rates} | {None} for trunk in self._supply.trunks]
        stale = sum(any(term not in own for term, own in zip(key[2], asked, strict=True)) for key in made)
        if stale > MOST_CELLS // 2:
            raise ValueError(
                f"expected at most {MOST_CELLS // 2} cells of prices that no deck has any more, were {stale}"
            )
        for key in made:
            self._add(key)

    def _make(self, number: str, region: str, network: str, country: str) -> int:
        rates = [deck.rate_of(number) for deck in self._decks]
        longest = max((rate.prefix for rate in rates if rate is not None), key=len, default="")
        if len(self._regions) >= MOST_REGIONS and region not in self._regions and region not in self._named:
            region = OTHER
        if len(self._networks) >= MOST_NETWORKS and network not in self._networks:
            network = OTHER
        key = (region, network, tuple(None if r is None else _terms_of(r) for r in rates), longest[:PREFIX_DIGITS])
        key = (*key[:3], key[3] or country)
        cell = self._by_key.get(key)
        if cell is None and len(self.keys) >= MOST_CELLS:
            cell = self._alike.get((network, key[3], self._served(region, key[2])))
        return self._add(key) if cell is None else cell

    def _add(self, key: Key) -> int:
        region, network, terms, prefix = key
        cell = self._by_key[key] = len(self.keys)
        served = self._served(region, terms)
        self._alike.setdefault((network, prefix, served), cell)
        self.keys.append(key)
        self.rates.append([None if term is None else _rate(term) for term in terms])
        self._extend(region, network, [rate or Rate(prefix="") for rate in self.rates[-1]], served)
        return cell

    def _served(self, region: str, terms: tuple[Terms, ...]) -> tuple[bool, ...]:
        """Which trunks have a rate, and serve the region."""
        return tuple(
            term is not None and (not trunk.regions or region in trunk.regions)
            for term, trunk in zip(terms, self._supply.trunks, strict=True)
        )

    def _extend(self, region: str, network: str, rates: list[Rate], served: tuple[bool, ...]) -> None:
        market = self.market
        market.region = np.append(market.region, self._regions.setdefault(region, len(self._regions)))
        market.destination = np.append(market.destination, self._networks.setdefault(network, len(self._networks)))
        columns = {
            "attempt_fee": [rate.attempt_fee for rate in rates],
            "connection_fee": [rate.connection_fee for rate in rates],
            "per_s": [rate.per_minute / 60.0 for rate in rates],
            "first_s": [rate.first_s for rate in rates],
            "step_s": [rate.step_s for rate in rates],
        }
        for name, values in columns.items():
            setattr(market, name, np.column_stack([getattr(market, name), np.array(values)]))
        now = np.array(served, dtype=np.bool_)
        self.served = np.column_stack([self.served, now])
        market.usable = np.column_stack([market.usable, now])
        market.cells += 1


def _terms(per_minute: float, first_s: float, step_s: float, connection_fee: float, attempt_fee: float) -> Terms:
    return (float(per_minute), float(first_s), float(step_s), float(connection_fee), float(attempt_fee))


def _terms_of(rate: Rate) -> Terms:
    return _terms(rate.per_minute, rate.first_s, rate.step_s, rate.connection_fee, rate.attempt_fee)


def _rate(terms: tuple[float, float, float, float, float]) -> Rate:
    per_minute, first_s, step_s, connection_fee, attempt_fee = terms
    return Rate(
        prefix="",
        per_minute=per_minute,
        first_s=first_s,
        step_s=step_s,
        connection_fee=connection_fee,
        attempt_fee=attempt_fee,
    )


def _plain(terms: Terms) -> list[float] | None:
    return None if terms is None else list(terms)


def _market(supply: Supply, loads: Loads) -> Market:
    """A market without any cell yet."""
    names = [carrier.name for carrier in supply.carriers]
    count = len(supply.trunks)

    def empty() -> Floats:
        return np.zeros((count, 0))

    short = [_surcharge(carrier.short_calls) for carrier in supply.carriers]
    cancelled = [_surcharge(carrier.cancelled_calls) for carrier in supply.carriers]
    return Market(
        region=np.zeros(0, dtype=np.int64),
        destination=np.zeros(0, dtype=np.int64),
        attempt_fee=empty(),
        connection_fee=empty(),
        per_s=empty(),
        first_s=empty(),
        step_s=empty(),
        usable=np.zeros((count, 0), dtype=np.bool_),
        set_ups_per_s=loads.set_ups_per_s,
        channels=np.array([float(trunk.max_channels) for trunk in supply.trunks]),
        account=np.array([names.index(trunk.carrier) for trunk in supply.trunks], dtype=np.int64),
        account_set_ups_per_s=loads.account_set_ups_per_s,
        account_channels=np.array([_channels(carrier) for carrier in supply.carriers]),
        short_above=np.array([above for above, _ in short]),
        short_fee=np.array([fee for _, fee in short]),
        cancelled_above=np.array([above for above, _ in cancelled]),
        cancelled_fee=np.array([fee for _, fee in cancelled]),
    )


def _channels(carrier: Carrier) -> float:
    return inf if carrier.max_channels is None else float(carrier.max_channels)


def _surcharge(surcharge: Surcharge | None) -> tuple[float, float]:
    return (1.0, 0.0) if surcharge is None else (surcharge.above, surcharge.fee)
