"""What routers may know of the trunks and of the places called: arrays, updated in place by `carriers.desk`.

K trunks, C cells, A accounts (carriers). A cell is a region, a destination carrier and a set of rates: calls of one
cell cost the same on each trunk. Cells are only ever added, so an index stays what it is; routers look at `cells`
first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(slots=True, kw_only=True)
class Market:
    """One campaign's supply. Shapes are (K, C), (K,), (C,) or (A,); prices in the campaign's currency."""

    region: Ints  # (C,) the region's index
    destination: Ints  # (C,) the destination carrier's index
    attempt_fee: Floats  # (K, C) of each attempt
    connection_fee: Floats  # (K, C) of each answered call
    per_s: Floats  # (K, C) of each billed second
    first_s: Floats  # (K, C) an answered call is billed for at least this
    step_s: Floats  # (K, C)
    usable: Bools  # (K, C) serves the cell now: rate, region, hours, circuit and caller ID allow it
    set_ups_per_s: Floats  # (K,) sustained, by the trunk's own limits
    channels: Floats  # (K,)
    account: Ints  # (K,) the carrier's index
    account_set_ups_per_s: Floats  # (A,) infinity: no limit
    account_channels: Floats  # (A,) infinity: no limit
    short_above: Floats  # (A,) 1: no surcharge
    short_fee: Floats  # (A,)
    cancelled_above: Floats  # (A,) 1: no surcharge
    cancelled_fee: Floats  # (A,)
    cells: int = field(default=0)  # C now; the arrays over cells have exactly this length

    @property
    def trunks(self) -> int:
        """K."""
        return len(self.account)
