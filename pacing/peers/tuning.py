"""Which constants of each peer move it along its frontier of occupancy and abandon rate, and how far they are worth
turning: what "best-tuned" means in the benchmark.

Every combination of a peer's values is one setting. Issabel's law knows no abandon rate: it is tuned by how much it
overcommits. OmniDialer's gamma only slows how fast lines are filled up to the same number, so it is its bound that has
to be low: the lower, the longer it stays progressive after an abandon.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from types import MappingProxyType

_ADAPTIVE = MappingProxyType(
    {
        "available_only": (0.0, 1.0),
        "max_level": (1.3, 3.0, 6.0),
        "target_abandon_rate": (0.01, 0.03, 0.1),
        "intensity": (-20.0, 20.0),
        "diff_target": (-3.0, 0.0),
    }
)
TUNABLES: Mapping[str, Mapping[str, tuple[float, ...]]] = MappingProxyType(
    {
        "vicidial-ratio": {
            "available_only": (0.0, 1.0),
            "level": (1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.4, 1.6, 1.8, 2.0, 2.3, 2.6, 3.0, 3.5, 4.0),
        },
        "vicidial-hard-limit": _ADAPTIVE,
        "vicidial-average": _ADAPTIVE,
        "vicidial-tapered": _ADAPTIVE,
        "omnidialer-gamma": {
            "max_abandon_rate": (0.0001, 0.001, 0.01, 0.03, 0.3),
            "aggressiveness": (0.25, 0.5, 1.0),
            "hold_ticks": (1.0, 5.0),
            "hit_weight": (0.01, 0.1),
        },
        "issabel-predictor": {
            "qos": (0.5, 0.7, 0.8, 0.9, 0.97),
            "overcommit": (0.0, 1.0),
            "extra_lines": (0.0, 1.0, 2.0),
        },
        "impact-simulated": {
            "max_abandon_rate": (0.01, 0.02, 0.03, 0.05, 0.08),
            "boldness": (0.7, 0.85, 1.0, 1.15, 1.3),
        },
        "unicom-pi": {
            "target_abandon_rate": (0.015, 0.02, 0.025, 0.028, 0.03, 0.035),
            "max_abandon_rate": (0.03, 1.0),
            "proportional_gain": (2.0, 10.0),
            "integral_gain": (0.01, 0.05, 0.2),
        },
        "erlang-b": {"rate_factor": (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1)},
        "idle-ratio": {"lines_per_idle_agent": (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.5, 2.8, 3.2, 3.6, 4.0, 5.0, 6.0)},
    }
)


def settings_of(peer_id: str) -> Iterator[dict[str, float]]:
    """Yield every combination of the peer's tunable constants. Raises KeyError for an id that is none."""
    tunable = TUNABLES[peer_id]
    for values in product(*tunable.values()):
        yield dict(zip(tunable, values, strict=True))
