"""The stops that journals tell of, and what was taken back of them, as the audit knows them at a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

import msgspec

from dialer.adapters.lifted_stops import LiftedStop

# Between campaigns a stop comes into force when the store has it, which the other's journal does not tell: so long
# after the call that set it, seconds.
STOP_REACHES_S = 5.0


class SeenStop(msgspec.Struct, kw_only=True, gc=False):
    """One reason of a stop, from when on which journal tells of it, and until when it held."""

    reason: str
    since: float
    journal: int
    until: float = inf


class AuditedStops:
    """All stops of all journals. Times must not go back from call to call."""

    def __init__(self, lifted: Sequence[LiftedStop]) -> None:
        self._lifted = list(reversed(lifted))  # the oldest last
        self._seen: dict[str, list[SeenStop]] = {}

    def add(self, keys: Sequence[str], reason: str, at: float, journal: int) -> None:
        """Note that a journal tells of a stop; what it told already changes nothing."""
        for key in keys:
            stops = self._seen.setdefault(key, [])
            if not any(stop.reason == reason and stop.journal == journal and at < stop.until for stop in stops):
                stops.append(SeenStop(reason=reason, since=at, journal=journal))

    def go_to(self, at: float) -> None:
        """End all that was taken back by then."""
        while self._lifted and self._lifted[-1].at <= at:
            lifted = self._lifted.pop()
            for stop in self._seen.get(lifted.key, ()):
                if stop.reason in lifted.reasons:
                    stop.until = min(stop.until, lifted.at)

    def against(
        self, keys: Sequence[str], journal: int, *, claimed_at: float, at: float
    ) -> Iterator[tuple[str, SeenStop]]:
        """Yield (key, stop) of what forbade a call at its claim or when it was placed: each reason of a key once.

        What the journal itself tells holds at once, what others tell after `STOP_REACHES_S` for claims alone.
        """
        for key in keys:
            told: set[str] = set()
            for stop in self._seen.get(key, ()):
                if stop.journal == journal:
                    forbids = any(stop.since <= moment < stop.until for moment in (claimed_at, at))
                else:
                    forbids = stop.since + STOP_REACHES_S < claimed_at < stop.until
                if forbids and stop.reason not in told:
                    told.add(stop.reason)
                    yield key, stop
