"""Calls on the switch that nobody here minds: of an earlier run, or given up for lost. Pure.

An answered one is left to the dialplan, which holds the limit and plays the message by itself. Should it stay for
longer than any such call lasts, it is hung up.
"""

from __future__ import annotations

from collections.abc import Container

from dialer.adapters.asterisk.translate import HangUpChannel

ORPHAN_LIMIT_S = 60.0


class Orphans:
    """Answered calls of nobody's, and when each must be gone."""

    def __init__(self) -> None:
        self._due_at: dict[str, float] = {}

    def found(self, channel: str, at: float) -> None:
        """Note an answered call; its time runs from the first sight of it."""
        self._due_at.setdefault(channel, at + ORPHAN_LIMIT_S)

    def gone(self, channel: str) -> None:
        """Note that a channel has ended."""
        self._due_at.pop(channel, None)

    def keep(self, listed: Container[str]) -> None:
        """Forget those that a list of all live channels does not have."""
        self._due_at = {channel: due_at for channel, due_at in self._due_at.items() if channel in listed}

    def overdue(self, at: float) -> list[HangUpChannel]:
        """Hang up those whose time is over, once."""
        due = [channel for channel, due_at in self._due_at.items() if due_at <= at]
        for channel in due:
            del self._due_at[channel]
        return [HangUpChannel(channel) for channel in due]

    @property
    def next_due_at(self) -> float | None:
        """When `overdue` has something to say."""
        return min(self._due_at.values(), default=None)
