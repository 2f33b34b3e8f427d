"""Whether calls that show a local number are answered more often than those that show the default one.

How it works: where a local pool and a default pool both suit a call, a hash of the called number says which it sees, so
that a share of the called numbers sees the local one. The two arms are compared by their observed over expected
contacts, discounted with a half-life of 50 hours of calling: the logarithm of their ratio is nearly normal, with
variance 1/contacts of either arm. A place's ratio is shrunk to that of all other places, from which it differs by about
7 %, and theirs to 1, from which it differs by about 20 % (a normal hierarchy; Gelman and others, Bayesian Data
Analysis, chapter 5). The local pool gets a small share until its ratio is above 1 beyond doubt.
"""

from __future__ import annotations

from enum import IntEnum
from math import erf, log, sqrt

import msgspec

from carriers.observed import Observed

HALF_LIFE_S = 50 * 3600.0
TRIAL_SHARE = 0.1
MINIMAL_SHARE = 0.02
PROVEN_ABOVE, PROVEN_UNTIL = 0.975, 0.9
PLACES_DIFFER_BY = 0.07  # standard deviation of a place's log ratio around that of all
POOLS_DIFFER_BY = 0.2  # of that of all around 0
LOOK_CALLS = 100  # the shares of a trial are set anew after so many calls
EVERYWHERE = ""  # the place of which nothing is known but what all others say


class Level(IntEnum):
    """How a local pool stands in a place."""

    TRIED = 0
    PROVEN = 1  # better than the default pool
    WORSE = 2


class Arms(msgspec.Struct):
    """What came of the calls of both arms."""

    local: Observed = msgspec.field(default_factory=Observed)
    default: Observed = msgspec.field(default_factory=Observed)

    def faded(self, at: float, half_life_s: float) -> Arms:
        """Return what they are at `at`; looking changes nothing."""
        return Arms(self.local.faded(at, half_life_s), self.default.faded(at, half_life_s))


class Trial(msgspec.Struct):
    """One local pool against one default pool."""

    overall: Arms = msgspec.field(default_factory=Arms)
    places: dict[str, Arms] = {}
    levels: dict[str, Level] = {}
    calls_since_look: int = 0


class LocalPresence:
    """Gives each local pool its share of the called numbers."""

    def __init__(self, *, trial_share: float = TRIAL_SHARE, half_life_s: float = HALF_LIFE_S) -> None:
        """`trial_share`: in (0, 0.5], the local pool's until it has proven better, and then the default pool's."""
        if not 0.0 < trial_share <= 0.5:
            raise ValueError(f"expected trial_share in (0, 0.5], found {trial_share}")
        self._share = {
            Level.TRIED: trial_share,
            Level.PROVEN: 1.0 - trial_share,
            Level.WORSE: min(MINIMAL_SHARE, trial_share),
        }
        self._half_life_s = half_life_s
        self.trials: dict[str, dict[str, Trial]] = {}  # by local pool, by default pool

    def level(self, local: str, default: str, place: str) -> Level:
        """Return how a local pool stands against a default pool in a place."""
        trial = self.trials.get(local, {}).get(default)
        if trial is None:
            return Level.TRIED
        found = trial.levels.get(place)
        return trial.levels.get(EVERYWHERE, Level.TRIED) if found is None else found

    def share(self, level: Level) -> float:
        """Return the share of the called numbers that sees the local pool."""
        return self._share[level]

    def learn(
        self,
        local: str,
        default: str,
        place: str,
        *,
        shown_local: bool,
        calls: int,
        expected: float,
        contacts: float,
        at: float,
    ) -> None:
        """Take in what came of calls of a trial; rows add up. `calls`: those of which `expected` is the sum. `at`:
        calling time."""
        trial = self.trials.setdefault(local, {}).setdefault(default, Trial())
        for arms in (trial.overall, trial.places.setdefault(place, Arms())):
            arm = arms.local if shown_local else arms.default
            arm.add(contacts, expected, at, self._half_life_s)
        trial.calls_since_look += calls
        if trial.calls_since_look >= LOOK_CALLS:
            self._look(trial, at)

    def better(self, local: str, default: str, place: str, at: float) -> float:
        """Return the probability that a place's called numbers answer the local pool more often; 0.5: nothing known.
        Looking changes nothing."""
        trial = self.trials.get(local, {}).get(default)
        if trial is None:
            return 0.5
        arms = trial.places.get(place, Arms())
        return _better(arms.faded(at, self._half_life_s), trial.overall.faded(at, self._half_life_s))

    def _look(self, trial: Trial, at: float) -> None:
        trial.calls_since_look = 0
        overall = trial.overall.faded(at, self._half_life_s)
        everywhere = trial.levels.get(EVERYWHERE, Level.TRIED)
        for place, arms in ((EVERYWHERE, Arms()), *trial.places.items()):
            better = _better(arms.faded(at, self._half_life_s), overall)
            trial.levels[place] = _next_level(trial.levels.get(place, everywhere), better)


def _next_level(level: Level, better: float) -> Level:
    """What becomes of a level, with some reluctance to change: a changed share changes what people see."""
    if better > PROVEN_ABOVE or (level is Level.PROVEN and better >= PROVEN_UNTIL):
        return Level.PROVEN
    if better < 1.0 - PROVEN_ABOVE or (level is Level.WORSE and better <= 1.0 - PROVEN_UNTIL):
        return Level.WORSE
    return Level.TRIED


def _better(here: Arms, overall: Arms) -> float:
    """The probability that a place's log ratio is above 0, from its own calls and from those of all other places."""
    elsewhere = Arms(_less(overall.local, here.local), _less(overall.default, here.default))
    mean, variance = _joined(0.0, POOLS_DIFFER_BY**2, *_log_ratio(elsewhere))
    mean, variance = _joined(mean, variance + PLACES_DIFFER_BY**2, *_log_ratio(here))
    return 0.5 * (1.0 + erf(mean / sqrt(2.0 * variance)))


def _log_ratio(arms: Arms) -> tuple[float, float]:
    """The log ratio of both arms' observed over expected contacts, and its variance.

    One contact more in either, as expected of the level of both, keeps it finite.
    """
    local, default = arms.local, arms.default
    won, lost = max(0.0, local.contacts) + 1.0, max(0.0, default.contacts) + 1.0
    level = (won + lost) / (local.expected + default.expected + 2.0)
    mean = log(won / (local.expected * level + 1.0)) - log(lost / (default.expected * level + 1.0))
    return mean, 1.0 / won + 1.0 / lost


def _joined(mean: float, variance: float, seen: float, seen_variance: float) -> tuple[float, float]:
    """What is believed of a normal mean after it was seen with noise."""
    weight = variance / (variance + seen_variance)
    return mean + weight * (seen - mean), variance * (1.0 - weight)


def _less(all_of_it: Observed, part: Observed) -> Observed:
    return Observed(
        max(0.0, all_of_it.contacts - part.contacts), max(0.0, all_of_it.expected - part.expected), all_of_it.at
    )
