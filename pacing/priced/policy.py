"""`priced-v1`: predictive pacing by the price of an abandon.

How it works: see `decision` for the rule, `clocks` and `answers` for the forecast, `price` for the price loop and its
hard guard. Bounds beside the price, by the name of the guard that is reported when they bind:

- `abandon_budget`: less than one abandon is left in the tightest account, so one line per idle agent at the most.
- `lines_per_idle_agent`: lines in flight may not exceed `max_lines_per_idle_agent` times the agents who are idle (less
  waiting calls) or expected to be by the time almost every answer has come (the last tau: 15/16 of the answers).
  Without the second part a small team, whose agents are all busy most of the time, could never dial ahead.
- `no_agents`: nobody is logged in.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import numpy as np

from pacing.consistency import check_counts
from pacing.policy import Pace
from pacing.priced import compiled, decision
from pacing.priced.state import fill_state, new_state, snapshot_of
from pacing.view import SEGMENTS, Floats, InconsistentView, PacingView

_FAULTS = {
    decision.BAD_HANDLING: "expected every handling_since to be a time up to now",
    decision.BAD_RINGING: "expected every ringing_since and rung_since to be a time up to now, in this order",
    decision.BAD_PROBABILITY: "expected every answer_probability in [0, 1]",
    decision.BAD_SEGMENT: f"expected every segment in [0, {SEGMENTS})",
    decision.BAD_CLOCK: "expected time to go on",
    decision.BAD_LEAVE: "expected every time of leaving to be a number",
}


class Priced:
    """Predictive pacing by the price of an abandon. Learns everything but the leads' relative answer probabilities."""

    policy_id = "priced-v1"

    def __init__(self, settings: Mapping[str, float] | None = None) -> None:
        """`settings` differ from `state.SETTINGS` in studies alone."""
        self.state = new_state(settings)
        self._ask: Floats = np.zeros(decision.ASKED)
        self._out: Floats = np.zeros(decision.ANSWERED_FIGURES)
        self._hang_up: Floats = np.zeros(decision.MOST_HUNG_UP)

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:
        """Return the lines to launch now, with the figures that `pacing.explain` reads.

        Raises `InconsistentView`; a refused view changes nothing that was learned. `now` may not run backwards from
        call to call.
        """
        check_counts(view)
        lines = self._decide(view)
        if lines:
            self.state["draw"] = rng.random()
        out = self._out.tolist()
        return Pace(
            lines=lines,
            hang_up=self._hung_up(int(out[decision.OUT_HUNG_UP])),
            guard=decision.GUARDS[int(out[decision.OUT_GUARD])],
            figures={
                "forecast_free": out[decision.OUT_FREE],
                "forecast_answers": out[decision.OUT_ANSWERS],
                "marginal_abandon_probability": out[decision.OUT_SHORTAGE],
                "threshold": out[decision.OUT_THRESHOLD],
                "price": out[decision.OUT_PRICE],
                "budget_left": out[decision.OUT_BUDGET],
                "answer_multiplier": out[decision.OUT_MULTIPLIER],
            },
        )

    def _decide(self, view: PacingView) -> int:
        ask = self._ask
        ask[decision.ASK_NEXT_PROBABILITY] = view.next_answer_probability
        ask[decision.ASK_NEXT_SEGMENT] = view.next_segment
        ask[decision.ASK_MOST_PER_AGENT] = view.max_lines_per_idle_agent
        ask[decision.ASK_TARGET] = view.target_abandon_rate
        ask[decision.ASK_BUDGET] = view.budget_left
        ask[decision.ASK_HANG_UP_AFTER_S] = view.hang_up_after_ring_s
        lines = compiled.lines(
            self.state,
            view.now,
            view.idle,
            view.waiting,
            view.idle_leaves_at,
            view.handling_since,
            view.handling_segment,
            view.leaves_at,
            view.ringing_since,
            view.answer_probability,
            view.rung_since,
            view.line_segment,
            ask,
            self._out,
            self._hang_up,
        )
        if lines < 0:
            raise InconsistentView(f"{_FAULTS[lines]}, {view.now}")
        return lines

    def _hung_up(self, rows: int) -> tuple[int, ...]:
        return tuple(int(row) for row in self._hang_up[:rows]) if rows else ()

    def answered(self, *, after_s: float, probability: float, rang_after_s: float = inf, segment: int = 0) -> None:
        """Learn that a line was answered live. Raises ValueError for what cannot be."""
        _check_line(after_s, probability, rang_after_s, segment)
        compiled.learn_line(self.state, True, after_s, probability, rang_after_s, segment)

    def not_answered(self, *, after_s: float, probability: float, rang_after_s: float = inf, segment: int = 0) -> None:
        """Learn that a line ended without a live answer. Raises ValueError for what cannot be."""
        _check_line(after_s, probability, rang_after_s, segment)
        compiled.learn_line(self.state, False, after_s, probability, rang_after_s, segment)

    def handled(self, *, handle_s: float, segment: int = 0) -> None:
        """Learn how long an agent was taken by one call. Raises ValueError for what cannot be."""
        if not (0.0 <= handle_s < inf and 0 <= segment < SEGMENTS):
            raise ValueError(f"expected a duration in seconds >= 0 of a segment, was {handle_s} of {segment}")
        compiled.learn_handled(self.state, handle_s, segment)

    def abandoned(self) -> None:
        """Learn that a live answer found no agent in time."""
        compiled.learn_abandoned(self.state, 0.0, 1.0)

    def lost(self, *, answers: float) -> None:
        """Learn that so many live answers were taken for machines. Raises ValueError for what cannot be."""
        if not 0.0 <= answers < inf:
            raise ValueError(f"expected a number of answers >= 0, was {answers}")
        compiled.learn_abandoned(self.state, answers, answers)

    def snapshot(self) -> dict[str, object]:
        """Return the learned state as plain JSON values, 10 to 40 KB as text."""
        return {"policy": self.policy_id, **snapshot_of(self.state)}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot; later behaviour equals that of the policy it was taken from."""
        if state.get("policy") != self.policy_id:
            raise ValueError(f"expected a snapshot of {self.policy_id}, was of {state.get('policy')!r}")
        fill_state(self.state, state)
        if self.state["refreshed_at_count"][0] >= 0.0:
            compiled.look_up_anew(self.state)


def _check_line(after_s: float, probability: float, rang_after_s: float, segment: int) -> None:
    # Written so that NaN fails.
    if not (0.0 <= after_s < inf and rang_after_s >= 0.0 and 0.0 <= probability <= 1.0 and 0 <= segment < SEGMENTS):
        raise ValueError(
            f"expected delays in seconds >= 0, a probability in [0, 1] and a segment below {SEGMENTS}, were "
            f"{after_s}, {rang_after_s}, {probability}, {segment}"
        )
