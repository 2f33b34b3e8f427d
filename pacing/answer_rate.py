"""How a campaign's leads answer, against what their probabilities promised.

How it works: a slow ratio of answers seen to answers promised is what forecasts use; it is steady, and an unsteady one
costs occupancy. A fast ratio stands beside it. When the two differ by more than SURPRISE standard deviations, the day
has changed, and the slow one starts again from the fast one.
"""

from __future__ import annotations

from typing import Any

SLOW_HALF_LIFE = 500.0  # outcomes
FAST_HALF_LIFE = 60.0
SURPRISE = 3.0
PRIOR_ANSWERS = 5.0  # the ratio begins as if so many answers had come as promised
MULTIPLIER_MIN, MULTIPLIER_MAX = 0.1, 10.0

_SLOW_FADE = 0.5 ** (1.0 / SLOW_HALF_LIFE)
_FAST_FADE = 0.5 ** (1.0 / FAST_HALF_LIFE)


class AnswerMultiplier:
    """Learns the factor to put on every lead's answer probability; `value` is 1 when nothing is known."""

    __slots__ = ("fast_promised", "fast_seen", "fast_variance", "slow_promised", "slow_seen", "value")

    def __init__(self) -> None:
        self.slow_seen = PRIOR_ANSWERS
        self.slow_promised = PRIOR_ANSWERS
        self.fast_seen = 0.0
        self.fast_promised = 0.0
        self.fast_variance = 0.0  # of fast_seen, if the slow ratio is right
        self.value = 1.0

    def observe(self, *, seen: float, probability: float) -> None:
        """Learn of one outcome: `seen` is 1 for a live answer, else 0; `probability` is what was promised at launch.

        Raises ValueError unless the probability is in [0, 1].
        """
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"expected a probability in [0, 1], was {probability}")
        expected = min(probability * self.value, 1.0)
        self.slow_seen = self.slow_seen * _SLOW_FADE + seen
        self.slow_promised = self.slow_promised * _SLOW_FADE + probability
        self.fast_seen = self.fast_seen * _FAST_FADE + seen
        self.fast_promised = self.fast_promised * _FAST_FADE + probability
        # The floor keeps outcomes that were held for certain from making any surprise infinite.
        self.fast_variance = self.fast_variance * _FAST_FADE * _FAST_FADE + max(expected * (1.0 - expected), 0.01)
        ratio = self.slow_seen / self.slow_promised if self.slow_promised > 0.0 else 1.0
        difference = self.fast_seen - ratio * self.fast_promised
        if difference * difference > SURPRISE * SURPRISE * self.fast_variance and self.fast_promised >= PRIOR_ANSWERS:
            self.slow_seen = self.fast_seen
            self.slow_promised = self.fast_promised
            ratio = self.slow_seen / self.slow_promised
        self.value = MULTIPLIER_MIN if ratio < MULTIPLIER_MIN else MULTIPLIER_MAX if ratio > MULTIPLIER_MAX else ratio

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot."""
        for name in self.__slots__:
            setattr(self, name, state[name])
