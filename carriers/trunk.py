"""A trunk's limits: channels in use, and call set-ups in a rolling window."""

from __future__ import annotations

from collections import deque
from math import floor


class TrunkLoad:
    """What one trunk carries now. `max_cps` holds in every window of one second (of 1/max_cps seconds below 1)."""

    def __init__(self, name: str, *, max_channels: int, max_cps: float) -> None:
        self.name = name
        self.max_channels = max_channels
        self.in_use = 0
        self._window_s = max(1.0, 1.0 / max_cps)
        self._per_window = max(1, floor(max_cps * self._window_s))
        self.set_ups: deque[float] = deque(maxlen=self._per_window)  # recent ones, oldest first

    @property
    def free_channels(self) -> int:
        """How many channels are not in use."""
        return self.max_channels - self.in_use

    def room(self, now: float) -> int:
        """How many calls may be set up at `now`."""
        set_ups = self.set_ups
        while set_ups and now - set_ups[0] >= self._window_s:
            set_ups.popleft()
        return max(0, min(self.free_channels, self._per_window - len(set_ups)))

    def take(self, now: float) -> None:
        """Use a channel and a call set-up."""
        self.in_use += 1
        self.set_ups.append(now)

    def give_back(self) -> None:
        """Free a channel."""
        self.in_use -= 1
