"""Which settings of each policy are measured in a world, and which of a peer's are its best there."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.scenario.days import Point, Setting
from benchmarks.scenario.frontier import envelope
from pacing.peers.tuning import TUNABLES, settings_of

OURS, PROGRESSIVE = "priced-v1", "progressive-v1"
# Abandon rates that our policy is asked to hold, for its frontier; None is the world's own.
TARGETS = (0.001, 0.004, 0.015, None, 0.06, 0.1, 0.14, 0.2, 0.3, 0.5)
HOPELESS = 0.03
QUICK_TARGETS = (0.01, None, 0.08, 0.3, 0.5)


def our_settings(targets: Sequence[float | None]) -> tuple[Setting, ...]:
    """Our policy at each of the targets."""
    return tuple(Setting(OURS, target_abandon_rate=target) for target in targets)


def peer_ids() -> tuple[str, ...]:
    """The peers, in the order of their table."""
    return tuple(TUNABLES)


def grid_of(peer: str, one_in: int = 1) -> tuple[Setting, ...]:
    """The settings of a peer that are tried when it is tuned, all or one in so many; its defaults are the first."""
    tried = (Setting.of(peer, constants) for constants in settings_of(peer))
    return tuple(dict.fromkeys((Setting(peer), *tuple(tried)[::one_in])))


def worth_measuring(tried: Sequence[Point], ours: Point) -> tuple[Setting, ...]:
    """Return the settings that could be a peer's best at our abandon rate, judged by a few days of each.

    They are those of its frontier on either side of the rate, or its end where the frontier does not reach that far;
    where the best of them is beaten by HOPELESS, one is enough to show it.
    """
    frontier = envelope(tried)
    above = next(
        (place for place, point in enumerate(frontier) if point.abandon_rate > ours.abandon_rate), len(frontier)
    )
    near = frontier[max(0, above - 1) : above + 1]
    if max(point.occupancy for point in near) < ours.occupancy - HOPELESS:
        near = near[:1]
    return tuple(point.setting for point in near)
