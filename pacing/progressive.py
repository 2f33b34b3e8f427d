"""`progressive-v1`: one line for each free agent, and never more. Abandons nothing while agents stay ready."""

from __future__ import annotations

import numpy as np

from pacing.policy import Pace
from pacing.untaught import Untaught
from pacing.view import PacingView


def progressive_lines(view: PacingView) -> int:
    """Return the lines that bring calls waiting or in flight up to one per idle agent; >= 0, whatever the view says."""
    return max(0, view.idle - max(0, view.waiting) - len(view.ringing_since))


class Progressive(Untaught):
    """One line per idle agent."""

    policy_id = "progressive-v1"

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:  # noqa: ARG002
        """Return one line for each idle agent that no waiting call and no line in flight is meant for."""
        self.take(view)
        return Pace(
            lines=progressive_lines(view),
            guard="none" if view.idle or len(view.handling_since) else "no_agents",
            figures={"forecast_free": float(view.idle - view.waiting)},
        )
