"""`agentless-v1`: calls without agents (a message, a voice response): an even stream, or as many as there is room for.

How it works: time earns credit at `calls_per_hour`, and each call costs one. No more credit is kept than what
`KEPT_S` earn and the one call that is being saved up for, so a pause is not made up for by a burst; nor are calls that
the channels or the leads did not allow. An infinite rate dials whenever there is room.
"""

from __future__ import annotations

from math import floor, inf
from typing import Any

import numpy as np

from pacing.policy import Pace
from pacing.untaught import Untaught
from pacing.view import PacingView

KEPT_S = 2.0  # decisions come once a second at the least, give or take
_SLACK = 1e-9  # ten times a tenth of a call are one


class Agentless(Untaught):
    """So many calls an hour, within `capacity` calls at a time. The first one goes at once."""

    policy_id = "agentless-v1"

    def __init__(self) -> None:
        super().__init__()
        self.credit = 1.0  # calls that may go now

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:  # noqa: ARG002
        """Return the calls that are due, or all that there is room for. Raises `InconsistentView`."""
        before = self.decided_at
        self.take(view)
        room = max(0, view.capacity - len(view.ringing_since) - view.talking - view.waiting)
        figures = {"room": float(room)}
        due = room
        if view.calls_per_hour < inf:
            self._earn(view.calls_per_hour / 3600.0, 0.0 if before is None else view.now - before)
            figures["calls_per_hour"] = view.calls_per_hour
            due = floor(self.credit + _SLACK)
        lines = min(due, room)
        if view.calls_per_hour < inf:
            self.credit = max(0.0, self.credit - lines)
        return Pace(lines=lines, guard="capacity" if lines == room else "none", figures=figures)

    def _earn(self, calls_per_s: float, elapsed_s: float) -> None:
        self.credit = min(self.credit + calls_per_s * elapsed_s, 1.0 + calls_per_s * KEPT_S)

    def snapshot(self) -> dict[str, object]:
        """Return the credit as plain JSON values."""
        return {**super().snapshot(), "credit": self.credit}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises ValueError for one of another policy."""
        super().restore(state)
        self.credit = state["credit"]
