"""Made-up calls whose success rate drifts, with a truth that is known."""

from __future__ import annotations

import numpy as np

from models.attempts import Floats
from models.call_stream import CallTable


def drifting_calls(rows: int, seed: int = 1) -> tuple[CallTable, Floats]:
    """Calls of two products over days whose level jumps, and each call's true probability of success."""
    rng = np.random.default_rng(seed)
    product = rng.integers(0, 4, rows)
    attempt = rng.geometric(0.5, rows)
    days = np.arange(rows) // 80
    level = np.cumsum(rng.normal(0.0, 0.25, days[-1] + 1))
    slope = np.where(np.arange(rows) < rows // 2, 0.6, -0.6)  # what was the best product becomes the worst
    logit = -1.5 + np.clip(level, -1.0, 1.0)[days] + slope * (product - 1.5) - 0.2 * (attempt - 2)
    truth = 1.0 / (1.0 + np.exp(-logit))
    columns = np.column_stack([product, attempt, rng.normal(size=rows)]).astype(np.float32)
    columns[rng.random(columns.shape) < 0.02] = np.nan
    names = ("product", "attempt", "noise")
    label = rng.random(rows) < truth
    return CallTable(names=names, named=(True, False, False), columns=columns, label=label), truth
