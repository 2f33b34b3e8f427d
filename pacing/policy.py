"""The contract of a pacing policy. A policy learns from outcomes and says how many lines to launch now."""

from __future__ import annotations

from math import inf
from typing import Protocol

import msgspec
import numpy as np

from pacing.view import PacingView


class Pace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A policy's answer: `lines` more to launch now (>= 0), the guard that bound it, and the figures behind it."""

    lines: int
    hang_up: tuple[int, ...] = ()  # rows of lines that should stop ringing: nobody will be there for their answer
    guard: str = "none"
    figures: dict[str, float] = {}


class Policy(Protocol):
    """Versioned: the behaviour behind an id never changes. Equal histories, views and generators give equal answers.

    Durations are seconds >= 0; probabilities are those given at the launch. A lead's `segment` is as in the view.
    """

    policy_id: str

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:
        """Say how many more lines to launch now."""
        ...

    def answered(self, *, after_s: float, probability: float, rang_after_s: float = inf, segment: int = 0) -> None:
        """Learn that a line was answered live, `after_s` seconds after its launch; the first sign of ringing had come
        after `rang_after_s` (infinity: never)."""
        ...

    def not_answered(self, *, after_s: float, probability: float, rang_after_s: float = inf, segment: int = 0) -> None:
        """Learn that a line ended without a live answer (no answer, busy, failed, a machine that was screened out)."""
        ...

    def handled(self, *, handle_s: float, segment: int = 0) -> None:
        """Learn how long an agent was taken by one call, from being given it to the end of wrap-up."""
        ...

    def abandoned(self) -> None:
        """Learn that a live answer found no agent in time."""
        ...

    def lost(self, *, answers: float) -> None:
        """Learn that so many live answers (a known number, or an expected one) were taken for machines and hung up:
        they are answers, and abandoned ones."""
        ...

    def snapshot(self) -> dict[str, object]:
        """Return the learned state as plain JSON values."""
        ...

    def restore(self, state: dict[str, object]) -> None:
        """Take up a snapshot of the same policy id. Raises ValueError for one that does not fit; then nothing has
        changed."""
        ...
