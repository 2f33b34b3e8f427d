"""`priced-v1`: dial one more line while its chance to find no agent is below the price of an abandon.

How it works: see `kernels` for the rule, `hazards` and `answer_rate` for the forecast, `price` for the price loop and
its hard guard.
Bounds beside the price, by the name of the guard that is reported when they bind:

- `abandon_budget`: less than one abandon is left in the account, so one line per idle agent at the most.
- `lines_per_idle_agent`: lines in flight may not exceed `max_lines_per_idle_agent` times the agents who are idle (less
  waiting calls) or expected to be by the time almost every answer has come (the last tau: 15/16 of the answers).
  Without the second part a small team, whose agents are all busy most of the time, could never dial ahead.
- `no_agents`: nobody is logged in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pacing import kernels
from pacing.answer_rate import AnswerMultiplier
from pacing.hazards import TimeTables
from pacing.policy import Pace
from pacing.price import NEW_ACCOUNT_AFTER_S, AbandonPrice
from pacing.progressive import check_counts, progressive_lines
from pacing.view import Floats, InconsistentView, PacingView

_FAULTS = {
    kernels.BAD_HANDLING: "expected every handling_since to be a time up to now",
    kernels.BAD_RINGING: "expected every ringing_since to be a time up to now",
    kernels.BAD_PROBABILITY: "expected every answer_probability in [0, 1]",
}


class Priced:
    """Predictive pacing by the price of an abandon. Learns everything but the leads' relative answer probabilities."""

    policy_id = "priced-v1"

    def __init__(self) -> None:
        self.tables = TimeTables()
        self.price = AbandonPrice()
        self.answers = AnswerMultiplier()
        self._dither = 1.0  # a fractional last line is launched where its fraction is above; drawn anew at each launch
        self._decided_at: float | None = None
        self._ask: Floats = np.zeros(4)
        self._out: Floats = np.zeros(5)

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:
        """Return the lines to launch now, with the figures that `pacing.explain` reads.

        Raises `InconsistentView`; a refused view changes nothing that was learned. `now` may not run backwards from
        call to call.
        """
        check_counts(view)
        self._check_clock(view.now)
        multiplier = self.answers.value
        price = self.price.price
        threshold = 1.0 / (1.0 + price)
        lines = self._decide(view, multiplier, threshold)
        self._keep_account(view)
        lines, guard = self._guarded(view, lines)
        if lines:
            self._dither = rng.random()
        out = self._out.tolist()
        return Pace(
            lines=lines,
            guard=guard,
            figures={
                "forecast_free": out[kernels.OUT_FREE],
                "forecast_answers": out[kernels.OUT_ANSWERS],
                "marginal_abandon_probability": out[kernels.OUT_SHORTAGE],
                "threshold": threshold,
                "price": price,
                "budget_left": self.price.budget_left,
                "answer_multiplier": multiplier,
            },
        )

    def _check_clock(self, now: float) -> None:
        if self._decided_at is not None and now < self._decided_at:
            raise InconsistentView(f"expected a time from {self._decided_at} on, was {now}")

    def _decide(self, view: PacingView, multiplier: float, threshold: float) -> int:
        tables, ask = self.tables, self._ask
        ask[0] = view.next_answer_probability
        ask[1] = threshold
        ask[2] = self._dither
        ask[3] = view.max_lines_per_idle_agent
        if tables.stale:
            # A refused view may not leave its mark on the tables.
            fault = kernels.find_fault(view.now, view.handling_since, view.ringing_since, view.answer_probability)
            if fault:
                raise InconsistentView(f"{_FAULTS[fault]}, {view.now}")
            tables.refresh(view)
        lines: int = kernels.decide(
            view.now,
            view.idle - view.waiting,
            float(view.leaving),
            multiplier,
            view.handling_since,
            view.ringing_since,
            view.answer_probability,
            ask,
            tables.finish,
            tables.answer,
            tables.answered_by,
            tables.ended_by,
            self._out,
        )
        if lines < 0:
            raise InconsistentView(f"{_FAULTS[lines]}, {view.now}")
        return lines

    def _keep_account(self, view: PacingView) -> None:
        """Note the time and the target; open a new account where dialling has paused for long."""
        account = self.price
        paused_s = 0.0 if self._decided_at is None else view.now - self._decided_at
        if paused_s >= NEW_ACCOUNT_AFTER_S and (account.allowance or account.abandons):
            account.open_account()
        self._decided_at = view.now
        account.target_abandon_rate = view.target_abandon_rate

    def _guarded(self, view: PacingView, lines: int) -> tuple[int, str]:
        """Return the lines that the guards leave, and the guard that bound."""
        if not view.idle and not len(view.handling_since):
            return 0, "no_agents"
        if self.price.budget_left < 1.0:
            safe = progressive_lines(view)
            # The guard bounds what the rule asks for, but never below one line per idle agent.
            return safe, "abandon_budget" if lines > safe else "none"
        if self._out[kernels.OUT_CAPPED]:
            return lines, "lines_per_idle_agent"
        return lines, "none"

    def answered(self, *, after_s: float, probability: float) -> None:
        """Learn that a line was answered live, `after_s` seconds after its originate."""
        self.answers.observe(seen=1.0, probability=probability)
        self.tables.answered.observe(after_s)
        self.tables.unused += 1
        self.price.answered()

    def not_answered(self, *, after_s: float, probability: float) -> None:
        """Learn that a line ended `after_s` seconds after its originate without a live answer."""
        self.answers.observe(seen=0.0, probability=probability)
        self.tables.ended.observe(after_s)
        self.tables.unused += 1

    def handled(self, *, handle_s: float) -> None:
        """Learn how long an agent was taken by one call, from bridge to the end of wrap-up."""
        self.tables.handled.observe(handle_s)
        self.tables.unused += 1

    def abandoned(self) -> None:
        """Learn that a live answer found no agent in time."""
        self.price.abandoned()

    def snapshot(self) -> dict[str, object]:
        """Return the learned state as plain JSON values, about 15 to 20 KB as text."""
        return {
            "policy": self.policy_id,
            "tables": self.tables.snapshot(),
            "price": self.price.snapshot(),
            "answers": self.answers.snapshot(),
            "dither": self._dither,
            "decided_at": self._decided_at,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot; later behaviour equals that of the policy it was taken from."""
        if state.get("policy") != self.policy_id:
            raise ValueError(f"expected a snapshot of {self.policy_id}, was of {state.get('policy')!r}")
        self.tables.restore(state["tables"])
        self.price.restore(state["price"])
        self.answers.restore(state["answers"])
        self._dither = state["dither"]
        self._decided_at = state["decided_at"]
