"""The pacing policies by their versioned ids. The behaviour behind an id never changes; a better one gets a new id."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pacing.peers.names import PEER_IDS
from pacing.policy import Policy
from pacing.view import PacingView


class UnknownPolicy(ValueError):
    """A policy id that no factory answers to."""


def _progressive_v1() -> Policy:
    from pacing.progressive import Progressive

    return Progressive()


def _power_v1() -> Policy:
    from pacing.power import Power

    return Power()


def _on_request_v1() -> Policy:
    from pacing.on_request import OnRequest

    return OnRequest()


def _agentless_v1() -> Policy:
    from pacing.agentless import Agentless

    return Agentless()


def _priced_v1() -> Policy:
    # Imported on use: it loads compiled kernels, which commands that do not dial need not wait for.
    from pacing.priced import Priced

    return Priced()


def _peer(peer_id: str) -> Policy:
    from pacing.peers.policy import make_peer

    return make_peer(peer_id)


_FACTORIES: dict[str, Callable[[], Policy]] = {
    "agentless-v1": _agentless_v1,
    "on-request-v1": _on_request_v1,
    "power-v1": _power_v1,
    "priced-v1": _priced_v1,
    "progressive-v1": _progressive_v1,
}
POLICY_IDS = tuple(sorted(_FACTORIES))


def make_policy(policy_id: str) -> Policy:
    """Return a fresh policy that has learned nothing; a peer of other dialers too, which no campaign can choose.

    Raises `UnknownPolicy`, naming the known ids.
    """
    if policy_id in PEER_IDS:
        return _peer(policy_id)
    factory = _FACTORIES.get(policy_id)
    if factory is None:
        raise UnknownPolicy(f"expected a pacing policy of {', '.join(POLICY_IDS)}, was {policy_id!r}")
    return factory()


def warm_up() -> None:
    """Compile every kernel, or load it from numba's cache. Call before saying ready: a first compilation takes
    seconds, and a decision must not."""
    policy = make_policy("priced-v1")
    policy.answered(after_s=8.0, probability=0.3)
    busy = np.array([0.0])
    view = PacingView(
        now=60.0,
        idle=1,
        handling_since=busy,
        ringing_since=busy,
        answer_probability=busy,
        waiting=0,
        next_answer_probability=0.3,
        max_lines_per_idle_agent=8.0,
        target_abandon_rate=0.03,
    )
    policy.lines(view, np.random.default_rng(0))
