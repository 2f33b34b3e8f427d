"""What the policies share that pace by what they see, and learn nothing of how calls went."""

from __future__ import annotations

from math import inf
from typing import Any

from pacing.consistency import check_clock, check_view
from pacing.view import PacingView


class Untaught:
    """Hears of outcomes and leaves them be. Keeps the time of its last decision, so that a clock that runs back is
    noticed."""

    policy_id = ""

    def __init__(self) -> None:
        self.decided_at: float | None = None  # UTC seconds

    def take(self, view: PacingView) -> None:
        """Take in a view that is to be decided on. Raises `InconsistentView`, and then nothing has changed."""
        check_view(view)
        check_clock(view.now, self.decided_at)
        self.decided_at = view.now

    def answered(self, *, after_s: float, probability: float, rang_after_s: float = inf, segment: int = 0) -> None:
        """Nothing to learn."""

    def not_answered(self, *, after_s: float, probability: float, rang_after_s: float = inf, segment: int = 0) -> None:
        """Nothing to learn."""

    def handled(self, *, handle_s: float, segment: int = 0) -> None:
        """Nothing to learn."""

    def abandoned(self) -> None:
        """Nothing to learn."""

    def lost(self, *, answers: float) -> None:
        """Nothing to learn."""

    def snapshot(self) -> dict[str, object]:
        """Return the policy's id and the time of its last decision."""
        return {"policy": self.policy_id, "decided_at": self.decided_at}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises ValueError for one of another policy."""
        if state.get("policy") != self.policy_id:
            raise ValueError(f"expected a snapshot of {self.policy_id}, was of {state.get('policy')!r}")
        self.decided_at = state.get("decided_at")  # older journals have none
