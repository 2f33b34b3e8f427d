# mypy: allow-untyped-decorators
"""A fixed number of lines for each idle agent: power dialling, and the predictive laws that come down to it.

Generous: every line in flight is known, and every change of the floor is acted on at once.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from pacing.peers.books import half_up
from pacing.peers.constants import Constant, record_of

CONSTANTS = (
    Constant("lines_per_idle_agent", 2.0, "lines", "the usual advice for power dialling is 1.5 to 3", 0.0, 100.0),
)
RECORD = record_of(CONSTANTS)


@njit()
def lines(c: Any, idle: int, waiting: int, ringing: int) -> int:
    """Return the lines to launch now."""
    return half_up(c.idle_ratio.lines_per_idle_agent * max(idle - waiting, 0)) - ringing
