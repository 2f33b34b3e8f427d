"""A peer as a pacing policy, for simulated campaigns."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import Any

import numpy as np

from pacing.consistency import check_clock, check_view
from pacing.peers import compiled
from pacing.peers.names import PEER_IDS
from pacing.policy import Pace
from pacing.view import PacingView

__all__ = ["PEER_IDS", "Peer", "make_peer"]


class Peer:
    """One peer with its constants. A view tells of no agents on a break, so agents logged in are those idle or busy.

    It heeds the constants of its law only, not the campaign's bounds: its own product would not know of them.
    """

    def __init__(self, peer_id: str, constants: Mapping[str, float] = MappingProxyType({})) -> None:
        self.policy_id = peer_id
        self._state = compiled.new_peer(peer_id, constants)

    def lines(self, view: PacingView, rng: np.random.Generator) -> Pace:  # noqa: ARG002
        """Return the lines of its law; none between the passes of a law that has a clock of its own."""
        check_view(view)
        books = self._state["books"][0]
        check_clock(view.now, float(books["looked_at"]) if books["started"] else None)
        agents = view.idle + len(view.handling_since)
        lines = compiled.peer_lines(
            self._state,
            view.now,
            view.idle,
            view.talking,
            view.waiting,
            agents,
            view.handling_since,
            view.ringing_since,
        )
        return Pace(lines=lines, guard="none" if agents else "no_agents")

    def answered(self, *, after_s: float, probability: float, rang_after_s: float = inf, segment: int = 0) -> None:  # noqa: ARG002
        """Learn that a line was answered live."""
        compiled.peer_answered(self._state, after_s, probability)

    def not_answered(self, *, after_s: float, probability: float, rang_after_s: float = inf, segment: int = 0) -> None:  # noqa: ARG002
        """Learn that a line ended without a live answer."""
        compiled.peer_not_answered(self._state, after_s, probability)

    def handled(self, *, handle_s: float, segment: int = 0) -> None:  # noqa: ARG002
        """Learn how long a call took its agent."""
        compiled.peer_handled(self._state, handle_s)

    def abandoned(self) -> None:
        """Learn that a live answer found no agent in time."""
        compiled.peer_abandoned(self._state)

    def lost(self, *, answers: float) -> None:
        """Learn that live answers were taken for machines."""
        compiled.peer_lost(self._state, answers)

    def snapshot(self) -> dict[str, object]:
        """Return constants and learned state as plain JSON values."""
        return {"policy": self.policy_id, "state": _plain(self._state[0])}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises ValueError for one of another policy or of another make, and changes nothing."""
        if state.get("policy") != self.policy_id:
            raise ValueError(f"expected a snapshot of {self.policy_id}, was of {state.get('policy')!r}")
        filled = self._state.copy()
        _fill(filled[0], state.get("state", {}))
        self._state[:] = filled


def make_peer(peer_id: str, constants: Mapping[str, float] = MappingProxyType({})) -> Peer:
    """Return a peer that has learned nothing. Raises `UnknownPeer` for an id, a constant or a value that is none."""
    return Peer(peer_id, constants)


def _plain(record: Any) -> dict[str, Any]:
    plain = {}
    for name in record.dtype.names:
        value = record[name]
        plain[name] = _plain(value) if value.dtype.names else value.tolist()
    return plain


def _fill(record: Any, plain: dict[str, Any]) -> None:
    if plain.keys() != set(record.dtype.names):
        raise ValueError(f"expected a snapshot of {', '.join(record.dtype.names)}, was of {', '.join(plain)}")
    for name in record.dtype.names:
        if record.dtype[name].names:
            _fill(record[name], plain[name])
        else:
            record[name] = plain[name]
