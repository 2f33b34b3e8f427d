"""What is known of leads before any call, as columns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
Words = NDArray[np.str_]

MOST_NUMBERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTable:
    """One row a lead, in the order of their indexes.

    `numeric`: float32, shape (leads,), NaN unknown: `amount`, `days_past_due`, whatever a list adds. `categories`:
    codes int32, shape (leads,), into `vocabularies[name]`, -1 unknown: `product`, `region`, `country`, `source` ...
    `of_numbers`: the same of each number, shape (leads, most numbers of a lead): `line_type`, `network`.
    """

    ids: tuple[str, ...]
    numeric: dict[str, Singles] = field(default_factory=dict)
    categories: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    of_numbers: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    vocabularies: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)
