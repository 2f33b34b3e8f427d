"""What fixed policies would have come to, estimated from a run's logged propensities, against the world's truth.

The policies choose among the trunks that had room when a call's turn came, for only these could have been chosen. The
reward is a contact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.carriers.trial import Log
from benchmarks.carriers.world import REGION, REGIONS, TRUNKS, World
from carriers.market import Bools, Floats, Ints
from carriers.off_policy import Estimate, doubly_robust, snips

_PRIOR = 25.0  # expected contacts, towards what the model says


@dataclass(frozen=True, slots=True)
class Checked:
    """An estimate of one fixed policy's contacts a call, and the truth."""

    policy: str
    method: str
    estimate: Estimate
    truth: float
    calls: int

    @property
    def kind(self) -> tuple[str, str]:
        """What was estimated, and how."""
        return self.policy, self.method

    @property
    def off_by(self) -> float:
        """The error as a share of the truth."""
        return abs(self.estimate.value / self.truth - 1.0)

    @property
    def agrees(self) -> bool:
        """Within two standard errors, or 5 %."""
        return abs(self.estimate.value - self.truth) <= 2.0 * self.estimate.standard_error or self.off_by <= 0.05


def checked(world: World, log: Log) -> list[Checked]:
    """Estimate each fixed policy in both ways. Calls that were never placed, or had no choice logged, are left out."""
    rows = np.flatnonzero((log.trunk >= 0) & (log.propensity > 0.0) & log.room.any(axis=1))
    cell, trunk, room, minute = world.cell[rows], log.trunk[rows], log.room[rows], log.placed[rows] // 60
    chance = world.contact[:, cell, minute].T.astype(np.float64)  # (n, K)
    model = world.model[cell, minute].astype(np.float64)
    predicted = _predicted(log.contact[rows], model, trunk, cell, minute)
    each = np.arange(len(rows))
    found: list[Checked] = []
    for name, policy in _POLICIES.items():
        shares = policy(world, cell, room)
        truth = float((shares * chance).sum(axis=1).mean())
        told = log.contact[rows], log.propensity[rows], shares[each, trunk]
        found.append(Checked(name, "snips", snips(*told), truth, len(rows)))
        robust = doubly_robust(
            *told, predicted=predicted[each, trunk], predicted_under_target=(shares * predicted).sum(axis=1)
        )
        found.append(Checked(name, "doubly robust", robust, truth, len(rows)))
    return found


def together(each: Sequence[Checked]) -> Checked:
    """The mean of independent estimates of one kind, and that of their truths; sizes add up."""
    first, count = each[0], len(each)
    mean = Estimate(
        value=sum(one.estimate.value for one in each) / count,
        standard_error=math.hypot(*(one.estimate.standard_error for one in each)) / count,
        effective_sample_size=sum(one.estimate.effective_sample_size for one in each),
    )
    truth = sum(one.truth for one in each) / count
    return Checked(first.policy, first.method, mean, truth, sum(one.calls for one in each))


def _uniform(world: World, cell: Ints, room: Bools) -> Floats:
    """Any trunk with room, all alike."""
    del world, cell
    shares: Floats = room / room.sum(axis=1, keepdims=True)
    return shares


def _best_by_region(world: World, cell: Ints, room: Bools) -> Floats:
    """The trunk with room that is best for the call's region over the day, by the truth."""
    by_cell = world.contact.mean(axis=2, dtype=np.float64)
    by_region = by_cell.reshape(TRUNKS, REGIONS, -1).mean(axis=2)
    score = np.where(room, by_region[:, REGION[cell]].T, -1.0)
    return np.asarray(np.eye(TRUNKS)[np.argmax(score, axis=1)])


def _cheapest(world: World, cell: Ints, room: Bools) -> Floats:
    """The trunk with room whose answered minute costs least."""
    del cell
    score = np.where(room, -world.per_s[None, :], -np.inf)
    return np.asarray(np.eye(TRUNKS)[np.argmax(score, axis=1)])


_POLICIES: dict[str, Callable[[World, Ints, Bools], Floats]] = {
    "uniform": _uniform,
    "best by region": _best_by_region,
    "cheapest": _cheapest,
}


def _predicted(contact: Floats, model: Floats, trunk: Ints, cell: Ints, minute: Ints) -> Floats:
    """(n, K): observed over expected of trunk and region, on the model's probability. Each half of the minutes is
    predicted from the other, so that no call's own contact is in its prediction."""
    region, half = REGION[cell], minute % 2
    predicted = np.zeros((len(model), TRUNKS))
    for part in (0, 1):
        seen = half != part
        observed, expected = np.zeros((TRUNKS, REGIONS)), np.zeros((TRUNKS, REGIONS))
        np.add.at(observed, (trunk[seen], region[seen]), contact[seen])
        np.add.at(expected, (trunk[seen], region[seen]), model[seen])
        ratio = (observed + _PRIOR) / (expected + _PRIOR)
        asked = half == part
        predicted[asked] = np.minimum(ratio[:, region[asked]].T * model[asked, None], 1.0)
    return predicted
