"""The peers by their ids, and whose law each follows. Loads nothing that is compiled."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType


class Law(IntEnum):
    """Whose law a peer follows."""

    VICIDIAL = 0
    OMNIDIALER = 1
    ISSABEL = 2
    IMPACT = 3
    UNICOM = 4
    ERLANG = 5
    IDLE_RATIO = 6


class UnknownPeer(ValueError):
    """A peer id that is none, or a constant that the peer's law does not take."""


LAWS = MappingProxyType(
    {
        "vicidial-ratio": Law.VICIDIAL,
        "vicidial-hard-limit": Law.VICIDIAL,
        "vicidial-average": Law.VICIDIAL,
        "vicidial-tapered": Law.VICIDIAL,
        "omnidialer-gamma": Law.OMNIDIALER,
        "issabel-predictor": Law.ISSABEL,
        "impact-simulated": Law.IMPACT,
        "unicom-pi": Law.UNICOM,
        "erlang-b": Law.ERLANG,
        "idle-ratio": Law.IDLE_RATIO,
    }
)
PEER_IDS = tuple(LAWS)
