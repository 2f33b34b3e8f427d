"""What routers without prices check when they are given some, or a snapshot."""

from __future__ import annotations

from typing import Any

from carriers.capacity import CapacityPrices
from carriers.market import Market


def check_trunks(prices: CapacityPrices, market: Market) -> None:
    """Raise `ValueError` for prices of another number of trunks."""
    if len(prices.set_up) != market.trunks or len(prices.channel_s) != market.trunks:
        raise ValueError(f"expected prices of {market.trunks} trunks, were of {len(prices.set_up)}")


def check_snapshot(state: dict[str, Any], router_id: str, market: Market) -> None:
    """Raise `ValueError` for a snapshot of another router or number of trunks."""
    if state.get("router") != router_id:
        raise ValueError(f"expected a snapshot of {router_id}, was of {state.get('router')!r}")
    if state.get("trunks") != market.trunks:
        raise ValueError(f"expected a snapshot of {market.trunks} trunks, was of {state.get('trunks')!r}")
