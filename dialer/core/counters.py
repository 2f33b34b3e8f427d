"""What a campaign has done, in all of its runs as far as they were kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any

from dialer.core.disposition import RIGHT_PARTY, Disposition


@dataclass(slots=True)
class Counters:
    """Running counts. Rates are made when somebody reads them."""

    events: int = 0
    late_events: int = 0  # facts about attempts that had ended, or that no longer fitted
    attempts: int = 0  # originated
    answers: int = 0  # answered, machines included
    live_answers: int = 0  # answered by a person, or by something not known to be a machine
    bridged: int = 0
    abandoned: int = 0
    cut_short: int = 0  # hung up as they rang, for want of an agent
    right_party_contacts: int = 0
    promises: int = 0
    refusals: Counter[str] = field(default_factory=Counter)  # reservations refused, by rule
    dispositions: Counter[str] = field(default_factory=Counter)
    answer_to_bridge_s: float = 0.0  # sum over `bridged`
    line_s: float = 0.0  # sum over lines that are no longer being set up or ringing
    lost_wait_s: float = 0.0  # from the answer to the abandonment, sum over `abandoned`
    handle_s: float = 0.0  # sum over handled calls
    handled: int = 0

    def snapshot(self) -> dict[str, Any]:
        """The counts as plain values."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in values.items()}

    def restore(self, counts: dict[str, Any]) -> None:
        """Go on from a snapshot."""
        for entry in fields(self):
            value = counts.get(entry.name)
            if value is not None:
                setattr(self, entry.name, Counter(value) if isinstance(value, dict) else value)

    @property
    def abandon_rate(self) -> float | None:
        """Abandoned / live answers; None before the first live answer."""
        return self.abandoned / self.live_answers if self.live_answers else None

    def settled(self, disposition: str) -> None:
        """Count an attempt's final disposition."""
        self.dispositions[str(disposition)] += 1  # plain text: the counts are kept as JSON
        if disposition in RIGHT_PARTY:
            self.right_party_contacts += 1
        if disposition == Disposition.PTP:
            self.promises += 1
