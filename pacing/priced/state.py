"""All that `priced-v1` knows, in one array: compiled code reads and writes it, wherever it is called from.

How it works: the state is an array of shape (1,) of the dtype `PRICED`. Passing one array is what makes a compiled
function cheap to call, and a state is copied, kept and compared as plain memory. Tables are by segment (see
`pacing.view`); the row of segment 0 learns of every lead, and the others lean on it.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from pacing.view import SEGMENTS

TAUS = 8
# Widths and lengths of the tables. Lines end within 80 s; handle times beyond the table are rare.
HANDLE_WIDTH_S = 4.0
HANDLE_BINS = 300
DELAY_WIDTH_S = 0.5
DELAY_BINS = 160
# Busy agents are looked up by time in call, in rows that leave room for the longest tau.
FINISH_ROWS = HANDLE_BINS - int(DELAY_BINS * DELAY_WIDTH_S / HANDLE_WIDTH_S)

# The histograms of what becomes of a line. A sign is the first ringing or, where none came, the end itself.
CLOCKS = 5
RANG_BEFORE_ANSWER = 0  # answered lines that rang: when the sign came
ANSWERED_UNRUNG = 1  # answered lines that never rang: when the answer came
SIGN_OF_OTHERS = 2  # lines that were not answered: when the sign came
RING_TO_ANSWER = 3  # answered lines that rang: from the sign to the answer
RING_TO_OTHER_END = 4  # other lines that rang: from the sign to the end
# Answered lines fade with each other, the others likewise.
ANSWERED, OTHERS = 0, 1

# How the rule behaves. Studies may give other values; a campaign has these.
SETTINGS: Mapping[str, float] = {
    "slope": 0.12,  # of the log price in the budget,
    "scarcity": 0.6,  # and on top where the budget is scarce:
    "scarce_share": 0.4,  # below this share of the reserve
    "reserve": 7.0,  # abandons that an account keeps back
    "grown": 27.0,  # allowance at which it keeps back half of them
    "caution": 0.02,  # share of the allowance that is kept back beside
    "burst": 3.0,  # at least so many times the square root of the answers in flight are kept back
    "offset_rate": 0.0006,  # learned of the settled price by one answer at a budget that is off by one abandon
    "dither": 0.2,  # the threshold's log is dithered by so much, up or down
    "unsure": 1.5,  # over the square root of the answers seen: how far forecasts raise the answer rate
    "hang_up_above": 0.35,  # chance to find no agent from which a line that may be hung up is
    "frozen_answers": 0.0,  # 1: the answer rate is not learned, for measuring what learning it is worth
}

# What else is learned, beside the tables; see `price`, `answers` and `clocks` for what they mean.
LEARNED = (
    "target_abandon_rate", "price_offset", "allowance", "abandons",
    "slow_seen", "slow_promised", "fast_seen", "fast_promised", "fast_variance", "multiplier",
    "due_in_flight", "due_hung_up", "in_flight", "unused", "refreshed_at_count", "draw", "decided_at",
)  # fmt: skip
# Histograms, and what their newest observation weighs.
COUNTED = ("handled", "handled_total", "handled_weight", "answered", "clocks", "clock_weights")
# As of the last refresh.
DERIVED = (
    "survival", "answered_by", "rang_before_answer", "answered_unrung", "sign_of_others", "ring_to_answer",
    "ring_to_other_end", "rang_share",
)  # fmt: skip

PRICED = np.dtype(
    [
        *((name, np.float64) for name in (*SETTINGS, *LEARNED)),
        ("code", np.int64),  # of the sources that were compiled
        # Counted
        ("handled", np.float64, (SEGMENTS, HANDLE_BINS)),
        ("handled_total", np.float64, (SEGMENTS,)),
        ("handled_weight", np.float64, (SEGMENTS,)),
        ("answered", np.float64, (DELAY_BINS,)),  # answer delays of all segments, fading with clocks of segment 0
        ("clocks", np.float64, (SEGMENTS, CLOCKS, DELAY_BINS)),
        ("clock_weights", np.float64, (SEGMENTS, 2)),
        # Derived
        ("survival", np.float64, (SEGMENTS, HANDLE_BINS + 1)),
        ("answered_by", np.float64, (DELAY_BINS + 1,)),
        ("rang_before_answer", np.float64, (SEGMENTS, DELAY_BINS)),
        ("answered_unrung", np.float64, (SEGMENTS, DELAY_BINS)),
        ("sign_of_others", np.float64, (SEGMENTS, DELAY_BINS + 1)),
        ("ring_to_answer", np.float64, (SEGMENTS, DELAY_BINS + 1)),
        ("ring_to_other_end", np.float64, (SEGMENTS, DELAY_BINS + 1)),
        ("rang_share", np.float64, (SEGMENTS, 2)),
        # Looked up by decisions, from what is derived
        ("taus", np.float64, (TAUS,)),
        ("handled_row", np.int64, (SEGMENTS,)),  # the segment whose tables stand for this one: itself, or 0
        ("line_row", np.int64, (SEGMENTS,)),
        ("finish", np.float64, (SEGMENTS, FINISH_ROWS, TAUS)),
        ("answer", np.float64, (SEGMENTS, 2, DELAY_BINS, TAUS)),  # before the sign, after it
        ("alive", np.float64, (SEGMENTS, 2, DELAY_BINS, 2)),  # likewise; answered ones, others
    ],
    align=True,
)


def new_state(settings: Mapping[str, float] | None = None) -> Any:
    """Return a state that has learned nothing, shape (1,). Raises ValueError for a setting that there is not."""
    unknown = sorted(set(settings or {}) - set(SETTINGS))
    if unknown:
        raise ValueError(f"expected settings of {', '.join(SETTINGS)}, was {', '.join(unknown)}")
    state = np.zeros(1, dtype=PRICED)
    for name, value in {**SETTINGS, **(settings or {})}.items():
        state[name] = value
    state["target_abandon_rate"] = 0.03  # until the first view says otherwise
    state["slow_seen"] = state["slow_promised"] = 5.0  # as if so many answers had come as promised
    state["multiplier"] = 1.0
    state["refreshed_at_count"] = -1.0
    state["draw"] = 0.5
    state["decided_at"] = -np.inf
    state["handled_weight"] = 1.0
    state["clock_weights"] = 1.0
    return state


def snapshot_of(state: Any) -> dict[str, Any]:
    """Return a state as plain JSON values, 10 to 40 KB as text; its tables are packed."""
    learned: dict[str, Any] = {name: float(state[name][0]) for name in LEARNED}
    if not math.isfinite(learned["decided_at"]):
        learned["decided_at"] = None
    tables = b"".join(state[name][0].tobytes() for name in (*COUNTED, *DERIVED))
    return {**learned, "tables": base64.b64encode(zlib.compress(tables, 1)).decode()}


def fill_state(state: Any, snapshot: Mapping[str, Any]) -> None:
    """Take up a snapshot; what is looked up by decisions is to be filled anew. Raises ValueError for one that does not
    fit, which changes nothing."""
    filled = state.copy()
    try:
        for name in LEARNED:
            value = snapshot[name]
            filled[name] = -np.inf if value is None else float(value)
        tables = zlib.decompress(base64.b64decode(snapshot["tables"], validate=True))
        at = 0
        for name in (*COUNTED, *DERIVED):
            table = filled[name][0]
            table[...] = np.frombuffer(tables, np.float64, table.size, at).reshape(table.shape)
            at += table.nbytes
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise ValueError(f"expected a snapshot of this version, found another: {error!r}") from None
    state[:] = filled
