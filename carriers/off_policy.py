"""What another policy would have come to, from calls that were placed with known propensities.

Sources: self-normalised inverse propensity scoring, Swaminathan & Joachims, "The self-normalized estimator for
counterfactual learning" (NIPS 2015); doubly robust, Dudík, Langford & Li, "Doubly robust policy evaluation and
learning" (ICML 2011); effective sample size, Kish 1965: (sum of weights)² / sum of squared weights.

Both need that whatever the other policy might choose could have been chosen: where a trunk had no room, the policy that
is asked about must be one over the trunks that had.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from carriers.market import Floats


class Estimate(NamedTuple):
    """The mean reward of a call under the other policy."""

    value: float
    standard_error: float
    effective_sample_size: float  # of the n calls, how many speak about the other policy


def snips(rewards: npt.ArrayLike, propensities: npt.ArrayLike, target_probabilities: npt.ArrayLike) -> Estimate:
    """Estimate a policy's mean reward by the weighted mean of the rewards that were seen.

    All (n,): the reward of the route chosen, the probability with which it was chosen, and the one with which the other
    policy would have chosen it. The standard error is that of a ratio (delta method). Raises `ValueError` for a
    propensity that is not in (0, 1], a probability that is not in [0, 1], a reward that is not finite, lengths that
    differ, and calls none of which the other policy could have placed so.
    """
    reward, weight = _weights(rewards, propensities, target_probabilities)
    total = float(weight.sum())
    if total <= 0.0:
        raise ValueError(f"expected calls that the policy could have placed so, were none of {len(weight)}")
    value = float(weight @ reward) / total
    error = float(np.sqrt(np.sum((weight * (reward - value)) ** 2))) / total
    return Estimate(value, error, _effective(weight))


def doubly_robust(
    rewards: npt.ArrayLike,
    propensities: npt.ArrayLike,
    target_probabilities: npt.ArrayLike,
    *,
    predicted: npt.ArrayLike,
    predicted_under_target: npt.ArrayLike,
) -> Estimate:
    """Estimate a policy's mean reward by a model's, corrected where calls were seen to differ from it.

    `predicted` (n,): the model's reward of the route chosen; `predicted_under_target` (n,): its mean over what the
    other policy would have chosen. Unbiased where the propensities are right, whatever the model, if that has not seen
    the call's own reward. Raises `ValueError` as `snips` does, but for calls that the policy could not have placed so.
    """
    reward, weight = _weights(rewards, propensities, target_probabilities)
    model = _finite("prediction", predicted, len(reward))
    scores = _finite("prediction under the policy", predicted_under_target, len(reward)) + weight * (reward - model)
    count = len(scores)
    error = float(np.std(scores, ddof=1)) / float(np.sqrt(count)) if count > 1 else float("inf")
    return Estimate(float(np.mean(scores)), error, _effective(weight))


def _weights(
    rewards: npt.ArrayLike, propensities: npt.ArrayLike, target_probabilities: npt.ArrayLike
) -> tuple[Floats, Floats]:
    reward = _finite("reward", rewards, None)
    if not len(reward):
        raise ValueError("expected at least one call, were none")
    propensity = np.asarray(propensities, dtype=np.float64)
    target = np.asarray(target_probabilities, dtype=np.float64)
    for name, values in (("propensities", propensity), ("target probabilities", target)):
        if values.shape != reward.shape:
            raise ValueError(f"expected {len(reward)} {name}, one for each reward, was shape {values.shape}")
    _refuse("propensity in (0, 1]", propensity, ~((propensity > 0.0) & (propensity <= 1.0)))
    _refuse("target probability in [0, 1]", target, ~((target >= 0.0) & (target <= 1.0)))
    return reward, target / propensity


def _finite(name: str, values: npt.ArrayLike, count: int | None) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or (count is not None and len(found) != count):
        raise ValueError(f"expected one {name} for each call, was shape {found.shape}")
    _refuse(f"finite {name}", found, ~np.isfinite(found))
    return found


def _refuse(expected: str, values: Floats, bad: npt.NDArray[np.bool_]) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"call {row}: expected a {expected}, was {values[row]}")


def _effective(weight: Floats) -> float:
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares > 0.0 else 0.0
