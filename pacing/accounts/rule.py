"""What an abandon rule counts: which answers, from which moment, and which of them are abandoned.

How it works: every answer that may have been a person's is offered to every rule. A rule starts its clock at one moment
of the answer, calls the answer abandoned where no agent had it `threshold_s` later, and counts it in its denominator.

Where the definitions come from:

- A person answers and nobody is connected within 2 s of the *completed greeting*: abandoned, also where an agent comes
  later (16 CFR 310.4(b)(1)(iv); 47 CFR 64.1200(a)(7)). At most 3 % of the calls *answered by a person*, over a campaign
  of less than 30 days, else over each successive 30 days of it (16 CFR 310.4(b)(4)(i)).
- Ofcom's statement of 2010 (no figure is in force since 2017): of the calls abandoned or passed to an agent, over
  24 hours, with a reasoned estimate of the people whom detection took for machines; the clock starts as they speak.
- Amazon Connect's pacing configuration has the same three starts of the clock, and rolling windows up to 24 hours.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Literal

import msgspec

Numerator = Literal["late", "unserved"]
Denominator = Literal["live_answers", "people", "served_or_abandoned"]
ClockStart = Literal["connect", "greeting_start", "greeting_end"]
WindowKind = Literal["rolling_24h", "calendar_month", "30_days", "campaign"]


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An answer that was not known to be a machine's, once its waiting is over. Times are UTC seconds; None: never, or
    not known."""

    connected_at: float
    greeting_began_at: float | None = None
    greeting_ended_at: float | None = None
    agent_at: float | None = None  # when an agent had it
    ended_at: float  # when its waiting ended: with an agent, given up, or hung up
    hung_up: bool = False  # by the called party, before anybody gave it up


class AbandonRule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One way to count. `cap_rate` is abandoned / answers, a fraction.

    `late`: no agent within `threshold_s`; `unserved`: no agent at all. `live_answers`: not known to be machines when
    they were answered; `people`: those less what agents then found to be machines; `served_or_abandoned`: live answers
    less the people who hung up by themselves before the threshold, who are then not abandoned either.
    """

    id: str
    cap_rate: float = 0.03
    numerator: Numerator = "late"
    denominator: Denominator = "live_answers"
    clock_start: ClockStart = "greeting_end"
    threshold_s: float = 2.0
    window: WindowKind = "rolling_24h"
    zone: tzinfo = UTC  # of the calendar month

    @property
    def definition(self) -> str:
        """What makes two counts comparable: all but the cap, which is applied when they are read."""
        zone = f", {self.zone}" if self.window == "calendar_month" else ""
        return (
            f"{self.numerator} / {self.denominator}, {self.threshold_s:g} s from {self.clock_start}, "
            f"{self.window}{zone}"
        )

    def clock_started_at(self, answer: Answer) -> float:
        """Return when the rule's clock started. A moment that is not known is the connection: the strictest."""
        known = None
        if self.clock_start == "greeting_start":
            known = answer.greeting_began_at
        elif self.clock_start == "greeting_end":
            known = answer.greeting_ended_at
        return answer.connected_at if known is None else known

    def counts(self, answer: Answer) -> tuple[int, int]:
        """Return what the answer adds to the denominator and to the numerator, each 0 or 1."""
        due_at = self.clock_started_at(answer) + self.threshold_s
        if answer.agent_at is not None:
            return 1, int(self.numerator == "late" and answer.agent_at > due_at)
        left_early = answer.hung_up and answer.ended_at <= due_at
        if left_early and self.denominator == "served_or_abandoned":
            return 0, 0
        return 1, 1
