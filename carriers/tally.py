"""What a trunk's calls have come to: in the run, in the last minutes, and of an account today.

The ratios are those of ITU-T E.411 and E.425, of the set-ups whose fate is known: a call still under way is in no
denominator. Without data a ratio is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any

from carriers.causes import CallEnd

LIVE_MINUTES = 15
_MINUTE_S, _DAY_S = 60.0, 86_400.0


@dataclass(slots=True)
class TrunkTally:
    """Counts of one trunk. Ratios are made when somebody reads them."""

    attempts: int = 0  # begun on it: first tries
    rang: int = 0
    answers: int = 0  # 200 OK, machines included
    live_answers: int = 0
    failed: int = 0  # attempts ended by the network: congestion, failure
    set_up_s: float = 0.0  # post-dial delay, summed over `rang`
    tries: int = 0  # set-ups sent, those after a fault elsewhere included
    # How tries ended that were not answered, each in one count:
    busy: int = 0
    no_answers: int = 0  # it rang, or the called telephone was out of reach
    rejected: int = 0
    invalid: int = 0
    congestion: int = 0
    faults: int = 0  # of the carrier
    unknown: int = 0  # cancelled before anything was heard among them
    cancelled: int = 0  # of all these: ended by us
    calls_over: int = 0  # answered calls that have ended
    shorts: int = 0  # of these: no longer than the carrier's limit of a short call
    answered_s: float = 0.0  # summed over `calls_over`
    contacts: int = 0  # human contacts of at least 6 s
    cost: float = 0.0  # in the campaign's currency

    def ended(self, end: CallEnd, *, rang: bool, ended_by_us: bool) -> None:
        """Count the end of a try that was not answered; one that we ended counts as not answered where it rang."""
        self.cancelled += ended_by_us
        if ended_by_us:
            end = CallEnd.NO_ANSWER if rang else CallEnd.UNKNOWN
        match end:
            case CallEnd.BUSY:
                self.busy += 1
            case CallEnd.NO_ANSWER:
                self.no_answers += 1
            case CallEnd.REJECTED:
                self.rejected += 1
            case CallEnd.INVALID_NUMBER:
                self.invalid += 1
            case CallEnd.CONGESTION:
                self.congestion += 1
            case CallEnd.FAILED:
                self.faults += 1
            case CallEnd.UNKNOWN:
                self.unknown += 1
            case CallEnd.ANSWERED:
                raise ValueError("expected the end of a try that was not answered, was ANSWERED")

    def call_over(self, answered_s: float, *, short: bool) -> None:
        """Count the end of an answered call that lasted `answered_s` seconds from 200 OK."""
        self.calls_over += 1
        self.shorts += short
        self.answered_s += answered_s

    @property
    def seizures(self) -> int:
        """How many set-ups have a known fate: answered, or ended."""
        served = self.answers + self.busy + self.no_answers + self.rejected
        return served + self.invalid + self.congestion + self.faults + self.unknown

    @property
    def asr(self) -> float | None:
        """Answered of seizures (E.411: answer seizure ratio)."""
        return _ratio(self.answers, self.seizures)

    @property
    def ner(self) -> float | None:
        """Answered, busy, not answered and rejected of seizures (E.411, E.425: network effectiveness ratio)."""
        return _ratio(self.answers + self.busy + self.no_answers + self.rejected, self.seizures)

    @property
    def pdd_s(self) -> float | None:
        """Mean seconds from the set-up to the first ringing."""
        return _ratio(self.set_up_s, self.rang)

    @property
    def mean_call_s(self) -> float | None:
        """Mean seconds of an answered call that is over."""
        return _ratio(self.answered_s, self.calls_over)

    @property
    def short_share(self) -> float | None:
        """Short calls of the answered ones that are over."""
        return _ratio(self.shorts, self.calls_over)

    @property
    def cancelled_share(self) -> float | None:
        """Calls that we ended before an answer, of all whose fate is known."""
        return _ratio(self.cancelled, self.seizures)

    @property
    def contacts_per_1000(self) -> float | None:
        """Human contacts of 1,000 seizures."""
        # One may be taken back in a later minute than that in which it was counted.
        return _ratio(1000.0 * max(0, self.contacts), self.seizures)

    @property
    def cost_per_try(self) -> float | None:
        """Currency for each seizure."""
        return _ratio(self.cost, self.seizures)

    @property
    def cost_per_contact(self) -> float | None:
        """Currency for each human contact."""
        return _ratio(self.cost, self.contacts)

    def add(self, other: TrunkTally) -> None:
        """Add all counts of another."""
        for name in _NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def values(self) -> tuple[float, ...]:
        """All counts, in the order of the fields."""
        return astuple(self)


_KINDS = tuple(type(value) for value in astuple(TrunkTally()))
_NAMES = tuple(field.name for field in fields(TrunkTally))


def tally_of(values: Sequence[float]) -> TrunkTally:
    """The tally of which `values` were taken; counts come back as whole numbers. Raises `ValueError`."""
    return TrunkTally(*(kind(value) for kind, value in zip(_KINDS, values, strict=True)))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


class LiveTally:
    """A trunk's counts of this minute and the 14 before it (UTC), and of the whole run; what happens counts in its own
    minute.

    `now` (UTC seconds) never runs backwards.
    """

    __slots__ = ("_before", "_buckets", "_minute")

    def __init__(self) -> None:
        self._before = TrunkTally()  # of minutes that are forgotten
        self._buckets = [TrunkTally() for _ in range(LIVE_MINUTES)]
        self._minute = 0

    def at(self, now: float) -> TrunkTally:
        """Return this minute's counts, to be added to."""
        minute = int(now // _MINUTE_S)
        if minute != self._minute:
            self._forget(minute)
        return self._buckets[minute % LIVE_MINUTES]

    def total(self, now: float) -> TrunkTally:
        """Return a new tally of all minutes together; looking changes nothing."""
        passed = max(0, int(now // _MINUTE_S) - self._minute)
        total = TrunkTally()
        for age in range(LIVE_MINUTES - passed):
            total.add(self._buckets[(self._minute - age) % LIVE_MINUTES])
        return total

    @property
    def run(self) -> TrunkTally:
        """A new tally of all that was ever counted."""
        total = TrunkTally()
        for part in (self._before, *self._buckets):
            total.add(part)
        return total

    def snapshot(self) -> list[list[float]]:
        """Everything, as plain values: the minute, the counts of forgotten ones, then each bucket's."""
        return [[float(self._minute)], *(list(part.values()) for part in (self._before, *self._buckets))]

    def restore(self, state: list[list[float]]) -> None:
        """Take up a snapshot. Raises `ValueError` where its shape is another, and is then as it was."""
        if len(state) != LIVE_MINUTES + 2 or len(state[0]) != 1:
            raise ValueError(f"expected a minute and {LIVE_MINUTES + 1} tallies, found {len(state)} lists")
        before, *buckets = [tally_of(values) for values in state[1:]]
        self._minute, self._before, self._buckets = int(state[0][0]), before, buckets

    def _forget(self, minute: int) -> None:
        for passed in range(min(max(minute - self._minute, 0), LIVE_MINUTES)):
            place = (minute - passed) % LIVE_MINUTES
            self._before.add(self._buckets[place])
            self._buckets[place] = TrunkTally()
        self._minute = minute


@dataclass(slots=True)
class AccountDay:
    """What counts for a carrier's surcharges, over all its trunks, since midnight UTC."""

    day: int = 0  # days since 1970-01-01
    calls: int = 0  # whose fate is known
    cancelled: int = 0  # of these: ended by us before an answer
    answered: int = 0  # answered calls that are over
    shorts: int = 0  # of these: short ones

    def roll(self, now: float) -> AccountDay:
        """Begin anew where another day has begun; returns itself."""
        day = int(now // _DAY_S)
        if day != self.day:
            self.day, self.calls, self.cancelled, self.answered, self.shorts = day, 0, 0, 0, 0
        return self

    def at(self, now: float) -> AccountDay:
        """Return a new one as it stands at `now`; looking changes nothing."""
        return replace(self).roll(now)

    def ended(self, *, ended_by_us: bool, now: float) -> None:
        """Count a call that ended unanswered."""
        self.roll(now)
        self.calls += 1
        self.cancelled += ended_by_us

    def call_over(self, *, short: bool, now: float) -> None:
        """Count an answered call that is over."""
        self.roll(now)
        self.calls += 1
        self.answered += 1
        self.shorts += short

    @property
    def short_share(self) -> float | None:
        """Short calls of the answered ones."""
        return _ratio(self.shorts, self.answered)

    @property
    def cancelled_share(self) -> float | None:
        """Cancelled calls of all."""
        return _ratio(self.cancelled, self.calls)

    def values(self) -> list[Any]:
        """All counts, in the order of the fields."""
        return list(astuple(self))


def account_day_of(values: Sequence[float]) -> AccountDay:
    """The day of which `values` were taken. Raises `ValueError`."""
    day, calls, cancelled, answered, shorts = map(int, values)
    return AccountDay(day, calls, cancelled, answered, shorts)
