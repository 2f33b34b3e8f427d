"""Whether calls that show one of our numbers are answered as often as those that show the others of its pool.

How it works: what the answer model expected of a call is multiplied by the level of the others: their observed over
expected contacts in the called number's network, discounted with a half-life of 6 hours of calling, shrunk to their
level over all networks, less one standard error. What that leaves is compared with the contacts that came, by Page's
CUSUM (Biometrika 1954): evidence that the number is answered half as often rather than as often as the others, from
the stretch of calls since which it has spoken most against it. A number answered 0.72 times as often gathers evidence
neither way. So a number that was good for months and is labelled today is found out as fast as a new one, and one with
few calls a day after as many calls as one with many.

Labels may hit all numbers of a business at once, and then none is worse than the others. So a pool is compared, in the
same way, with its own past: its level discounted with a half-life of 100 hours of calling.

Calls to a network that the others do not call are not compared: a number that alone is shown in a country does not
rest. What it cannot tell: one that alone is shown in a region whose people the answer model has wrong looks the same as
one with a label. That is why a person is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log, sqrt

import msgspec

from carriers.observed import Observed

HALF_LIFE_S = 6 * 3600.0
LABELLED = 0.5  # the multiplier that the evidence speaks for, against 1
# A healthy number with 1,000 expected contacts a week falsely rests about once in 1,200 weeks (the walk, simulated).
ENOUGH_EVIDENCE = 11.0
PAST_HALF_LIFE_S = 100 * 3600.0
LOOK_CALLS = 50  # a number is looked at after so many more calls
LOOK_S = 600.0  # and so long: a contact may still be taken back
LEVEL_STRENGTH = 5.0  # expected contacts, with which a network's level is shrunk to that of all
MAX_NETWORKS = 64  # the rest are one more, ""
TOLD_FROM = 5.0  # expected contacts, from which a multiplier is told
# Expected contacts, from which a level is one. A contact is credited as it is answered, what was expected of calls
# that nobody answers when they end: before, the first contacts stand over next to nothing.
KNOWN_FROM = 5.0
EVERYBODY = "all"  # the group that the only number of a pool is compared with; that of a pool is "pool" and its name


class Stretch(msgspec.Struct):
    """What came of a number's calls since they began to speak against it."""

    contacts: float = 0.0
    expected: float = 0.0  # had it been as good as the others
    calls: int = 0
    calls_since_look: int = 0
    looked_at: float = 0.0  # calling time

    @property
    def evidence(self) -> float:
        """The log-likelihood ratio of `LABELLED` against 1, of Poisson counts."""
        return self.contacts * log(LABELLED) + (1.0 - LABELLED) * self.expected

    @property
    def ratio(self) -> float:
        """Contacts over expected ones; where none were expected, 1."""
        return max(0.0, self.contacts) / self.expected if self.expected > 0.0 else 1.0

    def add(self, contacts: float, expected: float, at: float, *, calls: int) -> bool:
        """Take in a row and say whether it is time to look; `calls`: those that the row ends. At a look, a stretch
        whose evidence has fallen below 0 begins anew."""
        self.contacts += contacts
        self.expected += expected
        self.calls += calls
        self.calls_since_look += calls
        if not calls or self.calls_since_look < LOOK_CALLS or at - self.looked_at < LOOK_S:
            return False
        self.calls_since_look, self.looked_at = 0, at
        if self.evidence < 0.0:
            self.contacts, self.expected, self.calls = 0.0, 0.0, 0
        return True


class Sums(msgspec.Struct):
    """Discounted contacts over all networks, and in each."""

    overall: Observed = msgspec.field(default_factory=Observed)
    networks: dict[str, Observed] = {}

    def cell(self, network: str) -> Observed:
        """Return the cell of a network, a new one if need be."""
        found = self.networks.get(network)
        if found is None:
            if len(self.networks) >= MAX_NETWORKS:
                network = ""
            found = self.networks.setdefault(network, Observed())
        return found

    def take_off(self, other: Sums, at: float, half_life_s: float) -> None:
        """Take another's sums off these."""
        pairs = [(self.overall, other.overall)]
        pairs += [(cell, other.networks[name]) for name, cell in self.networks.items() if name in other.networks]
        for mine, theirs in pairs:
            mine.fade(at, half_life_s)
            theirs.fade(at, half_life_s)
            mine.contacts, mine.expected = mine.contacts - theirs.contacts, mine.expected - theirs.expected


class Learned(msgspec.Struct):
    """All that is known, as it is kept over a restart."""

    own: dict[str, Sums] = {}
    groups: dict[str, Sums] = {}  # by group
    stretches: dict[str, Stretch] = {}
    pasts: dict[str, Observed] = {}  # of pools
    pool_stretches: dict[str, Stretch] = {}


class Reputation:
    """Compares each number with the others of its group."""

    def __init__(self, pool_of: Mapping[str, str], *, half_life_s: float = HALF_LIFE_S) -> None:
        """`pool_of`: the name of each number's pool."""
        sizes: dict[str, int] = {}
        for pool in pool_of.values():
            sizes[pool] = sizes.get(pool, 0) + 1
        # A number that is alone in its pool is compared with all others.
        self._group_of = {number: f"pool {pool}" if sizes[pool] > 1 else EVERYBODY for number, pool in pool_of.items()}
        wanted = {*self._group_of.values()}
        self._counted_in = {
            number: tuple(group for group in (f"pool {pool}", EVERYBODY) if group in wanted)
            for number, pool in pool_of.items()
        }
        self._half_life_s = half_life_s
        self.learned = Learned()

    def learn(
        self, number: str, network: str, *, calls: int, expected: float, contacts: float, at: float
    ) -> Stretch | None:
        """Take in what came of calls; rows add up. Return the stretch when the number is looked at, else None.

        `expected`: the answer model's, of the `calls` that the row ends. `at`: calling time. A stretch whose evidence
        has fallen below 0 has begun anew.
        """
        learned, half_life_s = self.learned, self._half_life_s
        own = learned.own.setdefault(number, Sums())
        stretch = learned.stretches.setdefault(number, Stretch(looked_at=at))
        level = self._level(number, network, at, cautious=True)
        for sums in (own, *(learned.groups.setdefault(group, Sums()) for group in self._counted_in[number])):
            sums.overall.add(contacts, expected, at, half_life_s)
            sums.cell(network).add(contacts, expected, at, half_life_s)
        # Where the others are not known, a contact speaks as little for the number as its want against it.
        compared = contacts if level > 0.0 else 0.0
        return stretch if stretch.add(compared, expected * level, at, calls=calls) else None

    def learn_pool(self, pool: str, *, calls: int, expected: float, contacts: float, at: float) -> Stretch | None:
        """Take in the same of a pool, and return its stretch when it is looked at. As `learn`."""
        stretch = self.learned.pool_stretches.setdefault(pool, Stretch(looked_at=at))
        past = self.learned.pasts.setdefault(pool, Observed())
        past.fade(at, PAST_HALF_LIFE_S)
        as_ever = 0.0
        if past.contacts > 1.0 and past.expected >= KNOWN_FROM:
            as_ever = expected * past.contacts / past.expected * (1.0 - 1.0 / sqrt(past.contacts))
        past.add(contacts, expected, at, PAST_HALF_LIFE_S)
        return stretch if stretch.add(contacts, as_ever, at, calls=calls) else None

    def forget(self, number: str, at: float) -> None:
        """Take a number that rests out of what the others are compared with; it begins anew."""
        own = self.learned.own.pop(number, None)
        self.learned.stretches.pop(number, None)
        if own is not None:
            for group in self._counted_in[number]:
                self.learned.groups.setdefault(group, Sums()).take_off(own, at, self._half_life_s)

    def multiplier(self, number: str, at: float) -> float | None:
        """Return how often a number is answered over how often it would be, were it as the others are; discounted.

        None where too little is known of it or of the others. Looking changes nothing.
        """
        own = self.learned.own.get(number)
        if own is None:
            return None
        expected = contacts = 0.0
        for network, cell in own.networks.items():
            level = self._level(number, network, at, cautious=False)
            if level > 0.0:
                cell = cell.faded(at, self._half_life_s)
                expected += cell.expected * level
                contacts += cell.contacts
        return max(0.0, contacts) / expected if expected >= TOLD_FROM else None

    def _level(self, number: str, network: str, at: float, *, cautious: bool) -> float:
        """The observed over expected contacts of the others in a network; 0 where next to nothing is known of them
        there: what they come to elsewhere, in another country even, says nothing against a number."""
        group = self.learned.groups.get(self._group_of[number])
        own = self.learned.own.get(number)
        if group is None or own is None:
            return 0.0
        overall = self._others(group.overall, own.overall, at)
        if overall.contacts <= 1.0 or overall.expected < KNOWN_FROM:
            return 0.0
        theirs = group.networks.get(network if network in group.networks else "")
        if theirs is None:
            return 0.0
        there = self._others(theirs, own.networks.get(network if network in group.networks else ""), at)
        if there.expected < KNOWN_FROM:
            return 0.0
        everywhere = overall.contacts / overall.expected
        level = (there.contacts + LEVEL_STRENGTH * everywhere) / (there.expected + LEVEL_STRENGTH)
        return level * (1.0 - 1.0 / sqrt(overall.contacts)) if cautious else level

    def _others(self, group: Observed, own: Observed | None, at: float) -> Observed:
        group = group.faded(at, self._half_life_s)
        own = Observed() if own is None else own.faded(at, self._half_life_s)
        return Observed(max(0.0, group.contacts - own.contacts), max(0.0, group.expected - own.expected), at)
