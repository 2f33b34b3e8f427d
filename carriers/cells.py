"""Cells: the kinds of calls that routing tells apart, made as they first come, and the market's arrays over them."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from carriers.loads import Loads
from carriers.market import Market
from carriers.rates import Deck, Rate
from carriers.supply import Carrier, Supply, Surcharge

# Region, destination carrier, the prefix that holds on each trunk (None: it does not carry the number), and the prefix
# or country by which circuits tell the numbers apart.
Key = tuple[str, str, tuple[str | None, ...], str]


class Cells:
    """The cells of a campaign. An index never changes its meaning; `restore` makes the same cells in the same order."""

    def __init__(self, supply: Supply, loads: Loads) -> None:
        self._supply = supply
        self._decks = [Deck(trunk.rates) for trunk in supply.trunks]
        self._longest = max(len(rate.prefix) for trunk in supply.trunks for rate in trunk.rates)
        self._by_key: dict[Key, int] = {}
        self._by_call: dict[tuple[str, str, str, str], int] = {}
        self._regions: dict[str, int] = {}
        self._networks: dict[str, int] = {}
        self.keys: list[Key] = []
        self.rates: list[list[Rate | None]] = []  # of each cell: each trunk's; None: it does not carry the number
        self.served = np.zeros((len(supply.trunks), 0), dtype=np.bool_)  # (K, C) by rates and regions, at any time
        self.market = _market(supply, loads)

    def of(self, number: str, *, region: str, network: str, country: str) -> int:
        """Return the cell of calls to a number (E.164); `country` tells circuits apart where no prefix does."""
        seen = (number[: self._longest + 1], region, network, country)
        cell = self._by_call.get(seen)
        if cell is None:
            cell = self._by_call[seen] = self._make(number, region, network, country)
        return cell

    def prefix(self, cell: int) -> str:
        """The prefix, or the country, under which circuits know the cell."""
        return self.keys[cell][3]

    def snapshot(self) -> list[Any]:
        """The keys of all cells, in their order."""
        return [[region, network, list(prefixes), prefix] for region, network, prefixes, prefix in self.keys]

    def restore(self, keys: list[Any]) -> None:
        """Make the cells of a snapshot. Raises `ValueError` where there are cells already, or of other trunks."""
        if self.keys:
            raise ValueError(f"expected no cells yet, were {len(self.keys)}")
        if any(len(prefixes) != len(self._decks) for _, _, prefixes, _ in keys):
            raise ValueError(f"expected cells of {len(self._decks)} trunks, were of others")
        for region, network, prefixes, prefix in keys:
            self._add((region, network, tuple(prefixes), prefix))

    def _make(self, number: str, region: str, network: str, country: str) -> int:
        rates = [deck.rate_of(number) for deck in self._decks]
        prefixes = tuple(None if rate is None else rate.prefix for rate in rates)
        longest = max((prefix for prefix in prefixes if prefix is not None), key=len, default="")
        key = (region, network, prefixes, longest or country)
        cell = self._by_key.get(key)
        return self._add(key) if cell is None else cell

    def _add(self, key: Key) -> int:
        region, network, prefixes, _ = key
        cell = self._by_key[key] = len(self.keys)
        self.keys.append(key)
        rates = [
            None if prefix is None else deck.exactly(prefix) for prefix, deck in zip(prefixes, self._decks, strict=True)
        ]
        self.rates.append(rates)
        served = [
            rate is not None and (not trunk.regions or region in trunk.regions)
            for rate, trunk in zip(rates, self._supply.trunks, strict=True)
        ]
        self._extend(region, network, [rate or Rate(prefix="") for rate in rates], served)
        return cell

    def _extend(self, region: str, network: str, rates: list[Rate], served: list[bool]) -> None:
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


def _market(supply: Supply, loads: Loads) -> Market:
    """A market without any cell yet."""
    names = [carrier.name for carrier in supply.carriers]
    count = len(supply.trunks)

    def empty() -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.zeros((count, 0))

    short = [_terms(carrier.short_calls) for carrier in supply.carriers]
    cancelled = [_terms(carrier.cancelled_calls) for carrier in supply.carriers]
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


def _terms(surcharge: Surcharge | None) -> tuple[float, float]:
    return (1.0, 0.0) if surcharge is None else (surcharge.above, surcharge.fee)
