"""The pacing policies of all modes: one is asked, all of them learn, and a fault in one never stops the campaign.

How it works: where the policy in force raises, or answers what cannot be, that decision is taken progressively: one
line for each free agent at most, which needs no forecast. Each kind of fault is told once. After `FAULTS_IN_ROW` faults
in a row the policy is asked no more, until a supervisor sets a mode again.
"""

from __future__ import annotations

import re
from math import inf

from dialer.core import actions as act
from dialer.core.abandon_book import expected_lost
from dialer.core.attempt import Attempt
from dialer.core.state import CampaignState
from pacing.policy import Pace, Policy
from pacing.progressive import progressive_lines
from pacing.view import PacingView

FAULTS_IN_ROW = 3
FAULT_GUARD = "policy_fault"
# Modes in which a line for a free agent is less than was asked for, or as much. In any other, a fault launches nothing.
_PACED = frozenset({"progressive", "power", "predictive"})
_DIGITS = re.compile(r"\d[\d.e+-]*")


class Pacers:
    """Asks and teaches the policies. Shares the campaign's state with the other parts of the engine."""

    def __init__(self, state: CampaignState) -> None:
        self._state = state
        self._lost_each = expected_lost(state.campaign)

    # ---- asking -----------------------------------------------------------------------------------------------
    def pace(self, view: PacingView) -> Pace:
        """Ask the policy of the present mode; where it is at fault, answer progressively. Never raises."""
        state = self._state
        if state.pacing_fault:
            return self._fall_back(view)
        try:
            pace = state.policy.lines(view, state.rng)
            _check_pace(pace, len(view.ringing_since))
        except Exception as fault:
            state.faults_in_row += 1
            self._tell(state.policy, fault)
            if state.faults_in_row >= FAULTS_IN_ROW:
                self._distrust(fault)
            return self._fall_back(view)
        state.faults_in_row = 0
        return pace

    def mode_set(self) -> None:
        """A supervisor set a mode: its policy is trusted again."""
        self._state.faults_in_row = 0
        self._state.pacing_fault = ""
        self._state.told_faults = []

    def _fall_back(self, view: PacingView) -> Pace:
        # Also none where the counts themselves cannot be true.
        possible = view.idle >= 0 and view.waiting >= 0 and view.launched >= len(view.ringing_since)
        lines = progressive_lines(view) if possible and self._state.mode in _PACED else 0
        return Pace(lines=lines, guard=FAULT_GUARD)

    def _distrust(self, fault: Exception) -> None:
        state = self._state
        state.pacing_fault = f"{type(fault).__name__}: {fault}"
        instead = "one line for each free agent at most" if state.mode in _PACED else "no lines"
        state.out.append(
            act.Alert(
                text=f"{state.policy.policy_id} failed {FAULTS_IN_ROW} times in a row: mode {state.mode} launches "
                f"{instead} until a supervisor sets a mode again"
            )
        )

    def _tell(self, policy: Policy, fault: Exception) -> None:
        """Alert, once for each kind of fault: the figures in its words may differ."""
        state = self._state
        kind = f"{policy.policy_id}: {type(fault).__name__}: {_DIGITS.sub('#', str(fault))}"
        if kind not in state.told_faults:
            state.told_faults = [*state.told_faults, kind]  # a new list: snapshots may hold the old one
            state.out.append(act.Alert(text=f"pacing policy {policy.policy_id}: {type(fault).__name__}: {fault}"))

    # ---- teaching ---------------------------------------------------------------------------------------------
    def answered(self, attempt: Attempt, after_s: float) -> None:
        """A line was answered live, `after_s` seconds after its launch; with detection on, so were those it lost."""
        lost = self._lost_each
        rang_after_s = _rang_after_s(attempt)
        for policy in self._state.policies.values():
            try:
                policy.answered(
                    after_s=after_s,
                    probability=attempt.probability,
                    rang_after_s=rang_after_s,
                    segment=attempt.segment,
                )
                if lost:
                    policy.lost(answers=lost)
            except Exception as fault:
                self._tell(policy, fault)

    def not_answered(self, attempt: Attempt, after_s: float) -> None:
        """A line came to nothing, `after_s` seconds after its launch."""
        rang_after_s = _rang_after_s(attempt)
        for policy in self._state.policies.values():
            try:
                policy.not_answered(
                    after_s=after_s,
                    probability=attempt.probability,
                    rang_after_s=rang_after_s,
                    segment=attempt.segment,
                )
            except Exception as fault:
                self._tell(policy, fault)

    def handled(self, *, handle_s: float, segment: int) -> None:
        """An agent was taken by one call for so long."""
        for policy in self._state.policies.values():
            try:
                policy.handled(handle_s=handle_s, segment=segment)
            except Exception as fault:
                self._tell(policy, fault)

    def abandoned(self) -> None:
        """A live answer found no agent in time."""
        for policy in self._state.policies.values():
            try:
                policy.abandoned()
            except Exception as fault:
                self._tell(policy, fault)


def _rang_after_s(attempt: Attempt) -> float:
    """Seconds from the launch to the first sign of ringing; infinity if none came."""
    if attempt.rang_at is None:
        return inf
    return attempt.rang_at - (attempt.originated_at or attempt.reserved_at)


def _check_pace(pace: Pace, lines: int) -> None:
    """Raise `ValueError` where a policy's answer cannot be meant."""
    if not (pace.lines >= 0 and pace.lines == int(pace.lines)):  # written so that NaN is refused too
        raise ValueError(f"expected whole lines to launch, >= 0, were {pace.lines}")
    if pace.hang_up and not (min(pace.hang_up) >= 0 and max(pace.hang_up) < lines):
        raise ValueError(f"expected rows to hang up of {lines} lines, were {pace.hang_up}")
