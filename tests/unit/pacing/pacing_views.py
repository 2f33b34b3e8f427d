"""Views for tests, with sensible defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pacing.view import PacingView

NOW = 1_900_000_000.0


def make_view(
    *,
    now: float = NOW,
    idle: int = 1,
    handling_s: Sequence[float] = (),
    ringing_s: Sequence[float] = (),
    probability: float | Sequence[float] = 0.3,
    **more: Any,
) -> PacingView:
    """Return a view by elapsed times rather than times since."""
    given: dict[str, Any] = {
        "waiting": 0,
        "next_answer_probability": 0.3,
        "max_lines_per_idle_agent": 8.0,
        "target_abandon_rate": 0.03,
    }
    return PacingView(
        now=now,
        idle=idle,
        handling_since=now - np.asarray(handling_s, dtype=np.float64),
        ringing_since=now - np.asarray(ringing_s, dtype=np.float64),
        answer_probability=np.full(len(ringing_s), 0.0) + np.asarray(probability, dtype=np.float64),
        **(given | more),
    )
