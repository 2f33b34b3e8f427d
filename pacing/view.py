"""What a pacing policy may see. The core keeps these arrays up to date; nothing is converted for a decision."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class InconsistentView(ValueError):
    """A view that cannot be true (negative counts, a probability outside [0, 1], time running backwards): the
    caller's bug. The policy has learned nothing from it."""


class PacingView(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One campaign at one instant. Times are UTC seconds. The arrays are views into live state: read, never keep."""

    now: float
    idle: int  # agents ready, neither reserved nor promised to a waiting call; >= 0
    handling_since: Floats  # shape (busy agents,): when each one was given its present call; wrap-up included
    leaving: int  # of the busy agents, those who will not be ready after their call (pause or log-out asked for)
    ringing_since: Floats  # shape (lines in flight,): when each was launched, its reservation included
    answer_probability: Floats  # shape (lines in flight,): the probability of a live answer given at its launch
    waiting: int  # answered calls that wait for an agent now
    next_answer_probability: float  # of the leads that would be dialled next, in [0, 1]
    max_lines_per_idle_agent: float  # a supervisor's bound
    target_abandon_rate: float  # abandoned / live answers, in [0, 1]
