"""Which trunk carries a call. `spread-v1`: the one with the smallest share of its channels in use."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from carriers.trunk import TrunkLoad


class SpreadRouter:
    """Spreads calls over trunks by free share, within each trunk's channel and set-up limits. Deterministic."""

    router_id = "spread-v1"

    def __init__(self, trunks: Sequence[TrunkLoad]) -> None:
        self.trunks = {trunk.name: trunk for trunk in trunks}
        self._unknown = TrunkLoad("", max_channels=1, max_cps=1.0)

    def trunk(self, name: str) -> TrunkLoad:
        """The trunk of that name; for a call of an earlier run, whose trunk is not known, one that nobody looks at."""
        return self.trunks.get(name, self._unknown)

    def room(self, now: float) -> int:
        """How many calls may be set up at `now`, over all trunks."""
        return sum(trunk.room(now) for trunk in self.trunks.values())

    @property
    def free_channels(self) -> int:
        """How many channels are free, over all trunks."""
        return sum(trunk.free_channels for trunk in self.trunks.values())

    def take(self, now: float) -> str | None:
        """Choose a trunk for a planned call and use a channel of it; None where none has room."""
        chosen: TrunkLoad | None = None
        least = inf
        for trunk in self.trunks.values():
            burden = _burden(trunk)
            if burden < least and trunk.room(now) > 0:
                chosen, least = trunk, burden
        if chosen is None:
            return None
        chosen.take()
        return chosen.name


def _burden(trunk: TrunkLoad) -> float:
    """The share of the channels in use. Planned calls count twice: they wait for a set-up too."""
    return (trunk.in_use + trunk.planned) / trunk.max_channels
