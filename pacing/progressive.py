"""`progressive-v1`: one line for each free agent, and never more. Abandons nothing while agents stay ready."""

from __future__ import annotations

import numpy as np

from pacing.policy import Pace
from pacing.view import InconsistentView, PacingView


def progressive_lines(view: PacingView) -> int:
    """Return the lines that bring calls waiting or in flight up to one per idle agent."""
    return max(0, view.idle - view.waiting - len(view.ringing_since))


def check_counts(view: PacingView) -> None:
    """Raise `InconsistentView` where the view's scalars or shapes cannot be true."""
    if min(view.idle, view.waiting, view.leaving) < 0:
        raise InconsistentView(
            f"expected counts >= 0, were idle {view.idle}, waiting {view.waiting}, leaving {view.leaving}"
        )
    if view.leaving > len(view.handling_since):
        raise InconsistentView(f"expected leaving <= {len(view.handling_since)} busy agents, was {view.leaving}")
    if len(view.ringing_since) != len(view.answer_probability):
        raise InconsistentView(
            f"expected one probability a line, were {len(view.answer_probability)} for {len(view.ringing_since)} lines"
        )
    if not (0.0 <= view.next_answer_probability <= 1.0 and 0.0 <= view.target_abandon_rate <= 1.0):
        raise InconsistentView(
            f"expected fractions in [0, 1], were next_answer_probability {view.next_answer_probability}, "
            f"target_abandon_rate {view.target_abandon_rate}"
        )
    if not (view.max_lines_per_idle_agent >= 0.0 and abs(view.now) < 1e15):
        raise InconsistentView(
            f"expected max_lines_per_idle_agent >= 0 and a finite time, "
            f"were {view.max_lines_per_idle_agent}, {view.now}"
        )


class Progressive:
    """One line per idle agent. Learns nothing, so its snapshot is empty."""

    policy_id = "progressive-v1"

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:  # noqa: ARG002
        """Return one line for each idle agent that no waiting call and no line in flight is meant for."""
        check_counts(view)
        lines = progressive_lines(view)
        agents = view.idle + len(view.handling_since)
        return Pace(
            lines=lines,
            guard="none" if agents else "no_agents",
            figures={"forecast_free": float(view.idle - view.waiting)},
        )

    def answered(self, *, after_s: float, probability: float) -> None:
        """Nothing to learn."""

    def not_answered(self, *, after_s: float, probability: float) -> None:
        """Nothing to learn."""

    def handled(self, *, handle_s: float) -> None:
        """Nothing to learn."""

    def abandoned(self) -> None:
        """Nothing to learn."""

    def snapshot(self) -> dict[str, object]:
        """Return the policy's id alone."""
        return {"policy": self.policy_id}

    def restore(self, state: dict[str, object]) -> None:
        """Check that the snapshot is this policy's."""
        if state.get("policy") != self.policy_id:
            raise ValueError(f"expected a snapshot of {self.policy_id}, was of {state.get('policy')!r}")
