"""A day on record: what a report shows, of a simulated day or of a live one that was replayed."""

from __future__ import annotations

import msgspec


class TrunkDay(msgspec.Struct, frozen=True, kw_only=True):
    """One trunk, per interval. Counts belong to the interval in which the fact happened."""

    carrier: str
    attempts: tuple[int, ...]  # originated
    rang: tuple[int, ...]
    answers: tuple[int, ...]  # machines included
    live_answers: tuple[int, ...]
    failed: tuple[int, ...]  # ended by a fault of the network: congestion, failure
    set_up_s: tuple[float, ...]  # post-dial delay, summed over `rang`
    tries: tuple[int, ...]  # set-ups: first tries, and those after a fault of another trunk
    contacts: tuple[int, ...]  # human contacts of at least 6 s; -1 where one of an earlier interval proved to be none
    cost: tuple[float, ...]  # by the campaign's rates, surcharges apart


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A moment that mattered, with what the policy knew."""

    at: float  # UTC seconds
    kind: str  # abandoned, guard, launch, changed, blocked, link, store
    title: str  # a few words
    text: str  # the explanation, one or more sentences


class DayRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A day in intervals of equal length. All tuples of numbers have one entry an interval unless said otherwise."""

    campaign: str
    scenario: str  # empty: a real day
    policy: str
    seed: int | None
    version: str
    start_at: float  # UTC seconds
    zone: str  # IANA zone of the axis
    interval_s: float
    agents: dict[str, tuple[float, ...]]  # mean number of agents by state, lower case: idle, on_call, wrap_up ...
    lines: tuple[float, ...]  # mean number of lines being set up or ringing
    waiting: tuple[float, ...]  # mean number of people answered and without an agent
    attempts: tuple[int, ...]
    answers: tuple[int, ...]  # machines included
    live_answers: tuple[int, ...]
    bridged: tuple[int, ...]
    abandoned: tuple[int, ...]
    right_party_contacts: tuple[int, ...]
    promises: tuple[int, ...]
    refused: tuple[int, ...]  # reservations refused by a rule
    target_abandon_rate: tuple[float, ...]  # the cap that was in force, in [0, 1]
    trunks: dict[str, TrunkDay]  # by trunk name
    leads: int  # on the list
    leads_attempted: int
    leads_reached: int  # with at least one right-party contact
    dispositions: dict[str, int]
    refusals: dict[str, int]  # by rule id
    moments: tuple[Moment, ...]  # in order of time
    currency: str = ""  # of the trunks' cost
    until: float | None = None  # UTC seconds, where the last interval is shorter than the others
    drained_at: float | None = None  # when launching ended for good; what agents do afterwards says nothing of pacing

    @property
    def lengths_s(self) -> tuple[float, ...]:
        """The length of each interval: `interval_s`, but for the last."""
        whole = (self.interval_s,) * len(self.lines)
        if self.until is None:
            return whole
        return (*whole[:-1], min(self.interval_s, self.until - self.start_at - sum(whole[:-1])))
