"""How long to wait before connecting again: longer each time, and never two dialers in step."""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST_S = 0.2
LONGEST_S = 5.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling waits with jitter: between half the step and all of it."""

    rng: random.Random

    def wait_s(self, attempt: int) -> float:
        """The wait before attempt 0, 1, 2, ..., s."""
        step_s = min(LONGEST_S, FIRST_S * 2.0 ** min(attempt, 16))
        return step_s * self.rng.uniform(0.5, 1.0)
