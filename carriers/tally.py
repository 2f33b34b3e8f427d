"""What a trunk's calls have come to so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass


@dataclass(slots=True)
class TrunkTally:
    """Counts of one trunk in one run. Ratios are made when somebody reads them."""

    attempts: int = 0  # originated
    rang: int = 0
    answers: int = 0  # machines included
    live_answers: int = 0
    failed: int = 0  # ended by the network: congestion, failure
    set_up_s: float = 0.0  # post-dial delay, summed over `rang`

    def values(self) -> tuple[float, ...]:
        """All counts, in the order of the fields."""
        return astuple(self)


def tally_of(values: Sequence[float]) -> TrunkTally:
    """The tally of which `values` were taken; counts come back as whole numbers."""
    attempts, rang, answers, live_answers, failed, set_up_s = values
    return TrunkTally(int(attempts), int(rang), int(answers), int(live_answers), int(failed), set_up_s)
