"""`on-request-v1`, for manual and preview dialling: a line for each idle agent who asked for a call, and no other.

An agent in preview has seen the lead, one in manual mode has chosen it; either way the person called finds them there.
"""

from __future__ import annotations

import numpy as np

from pacing.policy import Pace
from pacing.progressive import progressive_lines
from pacing.untaught import Untaught
from pacing.view import PacingView


class OnRequest(Untaught):
    """One line for each call asked for, never more than one per idle agent."""

    policy_id = "on-request-v1"

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:  # noqa: ARG002
        """Return the calls asked for that an agent is free to take. Raises `InconsistentView`."""
        self.take(view)
        most = progressive_lines(view)
        agents = view.idle + len(view.handling_since)
        guard = "no_agents" if not agents else "not_asked" if view.requested < most else "none"
        return Pace(lines=min(view.requested, most), guard=guard, figures={"requested": float(view.requested)})
