"""Contacts observed and expected, the older the less they weigh; and the time that calls themselves make pass."""

from __future__ import annotations

from math import exp2

import msgspec

IDLE_GAP_S = 300.0


class CallingClock(msgspec.Struct):
    """Seconds in which there were calls: a night, or any gap beyond 5 minutes, lets at most 5 minutes pass."""

    seconds: float = 0.0
    seen_at: float | None = None

    def advance(self, now: float) -> float:
        """Say that there is a call at `now`, UTC seconds, and return the calling time."""
        if self.seen_at is None or now > self.seen_at:
            if self.seen_at is not None:
                self.seconds += min(now - self.seen_at, IDLE_GAP_S)
            self.seen_at = now
        return self.seconds


class Observed(msgspec.Struct):
    """Discounted sums. `at`: the calling time up to which they are discounted."""

    contacts: float = 0.0
    expected: float = 0.0
    at: float = 0.0

    def fade(self, at: float, half_life_s: float) -> None:
        """Discount up to `at`, which is not before the last time."""
        if at > self.at:
            share = exp2((self.at - at) / half_life_s)
            self.contacts *= share
            self.expected *= share
            self.at = at

    def faded(self, at: float, half_life_s: float) -> Observed:
        """Return what they are at `at`; looking changes nothing."""
        found = Observed(self.contacts, self.expected, self.at)
        found.fade(at, half_life_s)
        return found

    def add(self, contacts: float, expected: float, at: float, half_life_s: float) -> None:
        """Discount up to `at` and add; a contact that is taken back is -1."""
        self.fade(at, half_life_s)
        self.contacts += contacts
        self.expected += expected
