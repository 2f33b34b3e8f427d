"""What the engine knows of plans: what it asked, what came, and what it has to tell the planner next."""

from __future__ import annotations

from math import isnan, nan
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.plan import HourPlan, pack, unpack
from models.recalibration import OnlineRatio

# A ratio is learned in an hour or two and forgotten in a day, at a few hundred live answers an hour.
RATIO_PRIOR, RATIO_HALF_LIFE = 30.0, 1000.0


class Ended(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an attempt came to, as the planner is told."""

    lead: int
    at: float  # UTC seconds, when it was placed
    number: int
    result: int  # `models.attempts.Result`
    ring_s: float | None
    talk_s: float | None
    carrier: int  # of the campaign's trunks
    propensity: float | None


class Score(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the plan says of a lead."""

    answer: float
    right_party: float | None
    because: int  # `models.exploration.Because`
    propensity: float | None
    arm: int  # of the plan's models


class PlanBook:
    """The plan that is followed and the requests behind it. Mutable, private to the engine."""

    def __init__(self) -> None:
        self.open = False  # whether there is a planner
        self.told_leads = 0  # how many of the list the planner has been told, from the first on
        self.looked_again = False  # a request was made soon after the first, when agents had come in
        self.asked = 0  # the number of the last request
        self.tickets_asked: dict[str, int] = {}  # by the number of a request: the queue's last ticket before it
        self.ended: list[Ended] = []  # since the last request
        self.told: list[str] = []
        self.ratios: dict[str, OnlineRatio] = {}  # by model: how its probabilities are off
        self.plan: HourPlan | None = None
        self._answer: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._right_party = self._propensity = self._answer
        self._because: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)
        self._arm = self._because

    def follow(self, plan: HourPlan) -> None:
        """Take up a plan."""
        self.plan = plan
        self._answer, self._right_party = unpack(plan.answer, "<f4"), unpack(plan.right_party, "<f4")
        self._propensity = unpack(plan.propensity, "<f4")
        self._because, self._arm = unpack(plan.because, "|u1"), unpack(plan.arm, "|u1")
        self.ratios = {model: self.ratio_of(model) for model in plan.models}
        self.tickets_asked = {n: ticket for n, ticket in self.tickets_asked.items() if int(n) >= plan.number}

    @property
    def followed(self) -> int:
        """The number of the plan that is followed; 0: none yet."""
        return 0 if self.plan is None else self.plan.number

    def score(self, index: int, now: float) -> Score | None:
        """What the plan says of a lead now; None where it says nothing, or holds no longer."""
        plan = self.plan
        if plan is None or now >= plan.until or index >= len(self._answer):
            return None
        answer = float(self._answer[index])
        if isnan(answer):
            return None
        return Score(
            answer=answer,
            right_party=_known(self._right_party[index]),
            because=int(self._because[index]),
            propensity=_known(self._propensity[index]),
            arm=int(self._arm[index]),
        )

    def answer(self, index: int, now: float) -> float | None:
        """The probability of a live answer by the plan, mended by what calls have come to; None as `score`."""
        plan = self.plan
        if plan is None or now >= plan.until or index >= len(self._answer):
            return None
        answer = float(self._answer[index])
        return None if isnan(answer) else self.ratio_of(plan.models[self._arm[index]]).apply(answer)

    def ratio_of(self, model: str) -> OnlineRatio:
        """How a model's probabilities are off; of one that is new nothing is known."""
        return self.ratios.get(model) or OnlineRatio(RATIO_PRIOR, RATIO_HALF_LIFE)

    def columns_of_ended(self) -> dict[str, bytes]:
        """Give the outcomes since the last request as its columns, and forget them."""
        ended, self.ended = self.ended, []
        return {
            "ended_lead": pack([e.lead for e in ended], "<i4"),
            "ended_at": pack([e.at for e in ended], "<f8"),
            "ended_number": pack([e.number for e in ended], "<i1"),
            "ended_result": pack([e.result for e in ended], "<i1"),
            "ended_ring": pack([nan if e.ring_s is None else e.ring_s for e in ended], "<f4"),
            "ended_talk": pack([nan if e.talk_s is None else e.talk_s for e in ended], "<f4"),
            "ended_carrier": pack([e.carrier for e in ended], "<i2"),
            "ended_propensity": pack([nan if e.propensity is None else e.propensity for e in ended], "<f4"),
        }

    # ---- kept -------------------------------------------------------------------------------------------------
    def learned(self) -> dict[str, Any]:
        """What outlives the run: how the model's probabilities were off."""
        return {model: ratio.snapshot() for model, ratio in self.ratios.items()}

    def recall(self, learned: dict[str, Any]) -> None:
        """Take up what an earlier run has learned. Raises `ValueError` where it is none."""
        ratios = {}
        for model, sums in learned.items():
            ratios[model] = OnlineRatio(RATIO_PRIOR, RATIO_HALF_LIFE)
            ratios[model].restore(sums)
        self.ratios = ratios

    def snapshot(self) -> dict[str, Any]:
        """All but the plan and what `learned` has."""
        return {
            "open": self.open,
            "told_leads": self.told_leads,
            "looked_again": self.looked_again,
            "asked": self.asked,
            "tickets_asked": dict(self.tickets_asked),
            "ended": [msgspec.to_builtins(e) for e in self.ended],
            "told": list(self.told),
        }

    def restore(self, state: dict[str, Any], plan: HourPlan | None) -> None:
        """Take up a snapshot, after `recall`."""
        self.open, self.told_leads, self.looked_again = state["open"], state["told_leads"], state["looked_again"]
        self.asked, self.told = state["asked"], list(state["told"])
        self.ended = [msgspec.convert(e, Ended) for e in state["ended"]]
        if plan is not None:
            self.follow(plan)
        self.tickets_asked = dict(state["tickets_asked"])


def _known(value: np.float32) -> float | None:
    return None if isnan(value) else float(value)
