"""The capacity problem of a moment: a linear program whose dual prices say what a trunk's room is worth."""

from __future__ import annotations

import msgspec


class CapacityProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Which rate of calls of each cell each trunk should carry, to be worth most.

    Arrays are bytes of little-endian float32 in C order, so that a problem is small in the journal and quick to send.
    Only cells with demand are in it.
    """

    trunks: int  # K
    cells: int  # C of this problem
    value: bytes  # (K, C) net value of a call, cost taken off; -inf: not usable
    demand: bytes  # (C,) calls a second
    held_s: bytes  # (K, C) mean seconds that a call holds a channel
    set_ups_per_s: bytes  # (K,)
    channels: bytes  # (K,)
    account: tuple[int, ...]  # (K,)
    account_set_ups_per_s: bytes  # (A,)
    account_channels: bytes  # (A,)
    # Of each account's surcharges (A,): fee 0 where there is none. Ratios are kept by slack that costs the fee.
    short: bytes  # (K, C) probability that a call is a short one
    answered: bytes  # (K, C) probability of 200 OK
    cancelled: bytes  # (K, C) probability that we cancel it
    short_above: bytes
    short_fee: bytes
    cancelled_above: bytes
    cancelled_fee: bytes


class CapacityPrices(msgspec.Struct, frozen=True, kw_only=True):
    """Dual prices, in currency: what one more unit would be worth. All are at least 0."""

    set_up: tuple[float, ...]  # (K,) of a call set-up a second
    channel_s: tuple[float, ...]  # (K,) of a channel for a second
    account_set_up: tuple[float, ...]  # (A,)
    account_channel_s: tuple[float, ...]  # (A,)
    short: tuple[float, ...]  # (A,) for each unit of (short - above * answered)
    cancelled: tuple[float, ...]  # (A,) for each unit of (cancelled - above)
