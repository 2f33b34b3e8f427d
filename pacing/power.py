"""`power-v1`: so many lines for each idle agent, and one while the abandon budget is used up.

It keeps a count of its own beside the campaign's accounts: at the target in force, the live answers so far must allow
one abandon more, or a single unlucky call would put it above. So it begins progressively (at 3 % for the first 34
answers). A pause of `NEW_COUNT_AFTER_S`, such as a night, starts the count afresh: a good day buys no abandons for the
next one.
"""

from __future__ import annotations

from math import floor, inf
from typing import Any

import numpy as np

from pacing.policy import Pace
from pacing.progressive import progressive_lines
from pacing.untaught import Untaught
from pacing.view import PacingView

NEW_COUNT_AFTER_S = 4 * 3600.0
_SLACK = 1e-9  # 1.15 lines for each of 20 agents are 23, though their product in floating point is less


class Power(Untaught):
    """A fixed number of lines per idle agent. Learns nothing but its count of answers and abandons."""

    policy_id = "power-v1"

    def __init__(self) -> None:
        super().__init__()
        self.answers = 0.0  # live ones, those lost to detection included
        self.abandons = 0.0

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:  # noqa: ARG002
        """Return the lines that bring those in flight up to `lines_per_idle_agent` for each agent whom no waiting call
        is meant for. Raises `InconsistentView`."""
        before = self.decided_at
        self.take(view)
        if before is not None and view.now - before >= NEW_COUNT_AFTER_S:
            self.answers = self.abandons = 0.0
        per_agent = min(view.lines_per_idle_agent, view.max_lines_per_idle_agent)
        budget = min(view.budget_left, view.target_abandon_rate * self.answers - self.abandons)
        lines, guard = _guarded(view, _lines_of(view, per_agent), budget)
        return Pace(lines=lines, guard=guard, figures={"lines_per_idle_agent": per_agent, "budget_left": budget})

    def answered(self, *, after_s: float, probability: float, rang_after_s: float = inf, segment: int = 0) -> None:  # noqa: ARG002
        """Count a live answer."""
        self.answers += 1.0

    def abandoned(self) -> None:
        """Count an abandon; its answer was counted before."""
        self.abandons += 1.0

    def lost(self, *, answers: float) -> None:
        """Count answers that were taken for machines, and so abandoned."""
        self.answers += answers
        self.abandons += answers

    def snapshot(self) -> dict[str, object]:
        """Return the counts as plain JSON values."""
        return {**super().snapshot(), "answers": self.answers, "abandons": self.abandons}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises ValueError for one of another policy."""
        super().restore(state)
        self.answers, self.abandons = state["answers"], state["abandons"]


def _lines_of(view: PacingView, per_agent: float) -> int:
    return max(0, floor(per_agent * max(0, view.idle - view.waiting) + _SLACK) - len(view.ringing_since))


def _guarded(view: PacingView, lines: int, budget: float) -> tuple[int, str]:
    """Return the lines that the guards leave, and the guard that bound."""
    if not view.idle and not len(view.handling_since):
        return 0, "no_agents"
    safe = progressive_lines(view)
    if budget < 1.0 and lines > safe:
        return safe, "abandon_budget"
    bound = view.max_lines_per_idle_agent < view.lines_per_idle_agent
    if bound and lines < _lines_of(view, view.lines_per_idle_agent):
        return lines, "lines_per_idle_agent"
    return lines, "none"
