"""A trunk's limits: channels in use, and call set-ups in a rolling window."""

from __future__ import annotations

from collections import deque
from math import floor

from carriers.tally import TrunkTally


class TrunkLoad:
    """What one trunk carries now.

    A channel is taken when a call is planned, its set-up when it is placed: what the store takes long to reserve is
    still placed no faster than `max_cps`, which holds in every window of one second (of 1/max_cps seconds below 1).
    """

    def __init__(self, name: str, *, max_channels: int, max_cps: float) -> None:
        self.name = name
        self.max_channels = max_channels
        self.in_use = 0  # channels taken, planned calls included
        self.planned = 0  # of these, not yet set up
        self.tally = TrunkTally()
        self._window_s = max(1.0, 1.0 / max_cps)
        self._per_window = max(1, floor(max_cps * self._window_s))
        self.set_ups: deque[float] = deque(maxlen=self._per_window)  # recent ones, oldest first

    @property
    def free_channels(self) -> int:
        """How many channels are not in use."""
        return self.max_channels - self.in_use

    def room(self, now: float) -> int:
        """How many more calls may be planned at `now`."""
        set_ups = self.set_ups
        if set_ups and now >= set_ups[0] + self._window_s:
            self._forget(now)
        channels, rate = self.max_channels - self.in_use, self._per_window - len(set_ups) - self.planned
        room = channels if channels < rate else rate
        return room if room > 0 else 0

    def take(self) -> None:
        """Plan a call: use a channel."""
        self.in_use += 1
        self.planned += 1

    def set_up(self, now: float) -> bool:
        """Place a planned call, if the window has room for it; returns whether it had."""
        self._forget(now)
        if len(self.set_ups) >= self._per_window:
            return False
        self.set_ups.append(now)
        self.planned -= 1
        return True

    def next_set_up_at(self, now: float) -> float:
        """When the window has room again."""
        self._forget(now)
        return self.set_ups[0] + self._window_s if len(self.set_ups) >= self._per_window else now

    def give_back(self, *, set_up: bool) -> None:
        """Free a channel; `set_up`: the call was placed."""
        self.in_use -= 1
        if not set_up:
            self.planned -= 1

    def _forget(self, now: float) -> None:
        # Compared as `next_set_up_at` adds, so that a wake-up at that very time finds room.
        while self.set_ups and now >= self.set_ups[0] + self._window_s:
            self.set_ups.popleft()
