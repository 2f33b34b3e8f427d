"""A floor for peers to look at, by elapsed times and with sensible defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pacing.peers.compiled import peer_abandoned, peer_answered, peer_handled, peer_lines, peer_not_answered


def look(
    state: Any,
    now: float,
    *,
    idle: int = 0,
    talking: int = 0,
    waiting: int = 0,
    agents: int | None = None,
    handling_s: Sequence[float] = (),
    ringing: int = 0,
) -> int:
    """Return the lines that the peer wants to launch."""
    return peer_lines(
        state,
        now,
        idle,
        talking,
        waiting,
        idle + max(talking, len(handling_s)) if agents is None else agents,
        now - np.array(handling_s, dtype=np.float64),
        np.full(ringing, now - 1.0),
    )


def tell(
    state: Any, *, answered: int = 0, failed: int = 0, abandoned: int = 0, handled: int = 0, handle_s: float = 180.0
) -> None:
    """Tell the peer of outcomes: answers after 15 s, failures after 20 s."""
    for _ in range(answered):
        peer_answered(state, 15.0, 0.3)
    for _ in range(failed):
        peer_not_answered(state, 20.0, 0.3)
    for _ in range(abandoned):
        peer_abandoned(state)
    for _ in range(handled):
        peer_handled(state, handle_s)
