"""What a pacing policy may see. The core keeps these arrays up to date; nothing is converted for a decision."""

from __future__ import annotations

from math import inf

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SEGMENTS = 8  # kinds of leads that are learned apart; 0 is for all that are not told apart

NOTHING_KNOWN: Floats = np.zeros(0)
NOTHING_KNOWN.flags.writeable = False


class InconsistentView(ValueError):
    """A view that cannot be true (negative counts, a probability outside [0, 1], time running backwards): the
    caller's bug. The policy has learned nothing from it."""


class PacingView(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One campaign at one instant. Times are UTC seconds. The arrays are views into live state: read, never keep.

    An array about agents or lines has one value a row, in the same order as `handling_since` or `ringing_since`; one
    that is left empty says nothing of any of them.
    """

    now: float
    # Agents
    idle: int  # ready, neither reserved nor promised to a waiting call; >= 0
    idle_leaves_at: Floats = NOTHING_KNOWN  # when idle agents are known to leave; one value for each that is known
    handling_since: Floats  # shape (busy agents,): when each one was given its present call; wrap-up included
    handling_segment: Floats = NOTHING_KNOWN  # of its lead, a whole number in [0, SEGMENTS)
    leaves_at: Floats = NOTHING_KNOWN  # when each is known to leave, after its call: any time past if right then;
    # infinity if nothing is known
    talking: int = 0  # of the busy agents, those in a call; the others are in wrap-up
    requested: int = 0  # calls that idle agents have asked for and not been given (preview and manual)
    # Lines
    ringing_since: Floats  # shape (lines in flight,): when each was launched, its reservation included
    answer_probability: Floats  # the probability of a live answer given at its launch
    rung_since: Floats = NOTHING_KNOWN  # when the first sign of ringing came; infinity if none has yet
    line_segment: Floats = NOTHING_KNOWN  # of its lead
    launched: int = -1  # lines that the campaign ever launched; -1 where nobody counts
    waiting: int  # answered calls that wait for an agent now
    next_answer_probability: float  # of the leads that would be dialled next, in [0, 1]
    next_segment: int = 0
    # Bounds: a supervisor's, and the law's
    target_abandon_rate: float  # abandoned / live answers, in [0, 1]
    max_lines_per_idle_agent: float
    lines_per_idle_agent: float = 1.0  # of power dialling
    calls_per_hour: float = inf  # of agentless dialling
    capacity: int = 0  # calls at a time of agentless dialling: what channels and the IVR take
    budget_left: float = inf  # abandons that the tightest account still allows
    hang_up_after_ring_s: float = inf  # a line that has rung so long may be hung up unanswered
