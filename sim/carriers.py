"""Carriers as they are, which the engine sees only by its calls: hidden quality, hidden limits, and their bill."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import ceil, pi, sin
from typing import NamedTuple

from dialer.config.carriers import CarrierAccount
from sim.scenario import Carrier, Scenario, offset_s
from sim.streams import Stream

_GOLDEN = 0.6180339887498949
_DAY_S = 86_400.0


class Losses(NamedTuple):
    """What may happen to a call before it reaches anybody. Probabilities."""

    congested: float  # refused for want of room
    failed: float  # congested, or broken: never less than `congested`
    lost: float  # of those that do not fail: ring at nobody


class HiddenQuality:
    """How well one trunk serves each region and destination, at each moment.

    The share of calls that get through is the product of the factors of the region, the destination, the drift and
    the incidents under way.
    """

    def __init__(
        self, carrier: Carrier, start: datetime, regions: Sequence[str], destinations: Sequence[str], phases: Stream
    ) -> None:
        """`phases` draws the drift's two phases; `regions` and `destinations` are known by their places from here."""
        self._carrier = carrier
        self._destinations = len(destinations)
        self._factors = [
            carrier.regions.get(region, 1.0) * carrier.destinations.get(destination, 1.0)
            for region in regions
            for destination in destinations
        ]
        self._start_at = start.timestamp()
        self._turns = 2.0 * pi / carrier.drift.period
        self._phases = (2.0 * pi * phases.uniform(0), 2.0 * pi * phases.uniform(1))
        self._incidents = [
            (
                self._start_at + offset_s(incident.begin, start),
                self._start_at + offset_s(incident.end, start),
                incident.factor,
                _places(regions, incident.regions),
                _places(destinations, incident.destinations),
            )
            for incident in carrier.incidents
        ]
        self._varies = carrier.drift.amplitude > 0 or bool(self._incidents)
        self._by_place = [self._losses(factor) for factor in self._factors]

    def losses(self, region: int, destination: int, at: float) -> Losses:
        """What a call to this place risks at `at` (UTC seconds)."""
        place = region * self._destinations + destination
        if not self._varies:
            return self._by_place[place]
        quality = self._factors[place] * self.drift(at)
        for begin, end, factor, regions, destinations in self._incidents:
            if begin <= at < end and region in regions and destination in destinations:
                quality *= factor
        return self._losses(quality)

    def drift(self, at: float) -> float:
        """The drift's factor: two waves of unrelated length, so that no two hours are alike."""
        amplitude = self._carrier.drift.amplitude
        if not amplitude:
            return 1.0
        turned = (at - self._start_at) * self._turns
        wave = sin(turned + self._phases[0]) + sin(turned * _GOLDEN + self._phases[1])  # -2 to 2
        return 1.0 - amplitude * (0.5 + 0.25 * wave)

    def _losses(self, quality: float) -> Losses:
        carrier = self._carrier
        failed = (1.0 - quality) * carrier.failed_share
        silent = (1.0 - quality - failed) / (1.0 - failed) if failed < 1.0 else 0.0
        return Losses(
            congested=carrier.failure_rate,
            failed=1.0 - (1.0 - carrier.failure_rate) * (1.0 - failed),
            lost=1.0 - (1.0 - carrier.lost_rate) * (1.0 - silent),
        )


def _places(known: Sequence[str], named: Iterable[str]) -> frozenset[int]:
    """The places meant; all of them where none is named."""
    chosen = set(named)
    return frozenset(place for place, name in enumerate(known) if not chosen or name in chosen)


def hidden_qualities(
    scenario: Scenario, regions: Sequence[str], destinations: Sequence[str], seed: int
) -> dict[str, HiddenQuality]:
    """Return each trunk's quality, by its name."""
    return {
        name: HiddenQuality(carrier, scenario.start, regions, destinations, Stream(seed, f"drift {name}"))
        for name, carrier in carriers_of(scenario).items()
    }


def carriers_of(scenario: Scenario) -> dict[str, Carrier]:
    """Return how each trunk of the campaign behaves; the defaults where the scenario does not say."""
    named = {carrier.trunk: carrier for carrier in scenario.carriers}
    return {trunk.name: named.get(trunk.name) or Carrier(trunk=trunk.name) for trunk in scenario.campaign.trunks}


class TrunkBill(NamedTuple):
    """What a trunk cost so far."""

    attempts: int
    billed_s: float  # answered time, each call rounded up; a false answer is billed like any other
    cost: float  # in the scenario's currency


class TrunkMeter:
    """One trunk's calls in flight against its hidden limits, and its bill."""

    __slots__ = ("_attempts", "_billed_s", "_carrier", "_cost", "_in_use", "_recent", "_window_s")

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._in_use = 0
        self._window_s = 1.0 if carrier.max_cps is None else max(1.0, 1.0 / carrier.max_cps)
        self._recent: deque[float] | None = None  # the last set-ups, as many as a window may have
        if carrier.max_cps is not None:
            self._recent = deque(maxlen=max(1, int(carrier.max_cps * self._window_s)))
        self._attempts = 0
        self._billed_s = 0.0
        self._cost = 0.0

    def placed(self, at: float) -> bool:
        """Take one more call, if there is room for it; returns whether there was. Refused calls cost nothing."""
        self._attempts += 1
        limit, recent = self._carrier.max_channels, self._recent
        if limit is not None and self._in_use >= limit:
            return False
        if recent is not None:
            if len(recent) == recent.maxlen and at < recent[0] + self._window_s:
                return False
            recent.append(at)
        self._in_use += 1
        self._cost += self._carrier.attempt_fee
        return True

    def ended(self, answered_s: float | None) -> None:
        """A call that was placed is over; `answered_s` is how long it was answered, None for not at all."""
        self._in_use -= 1
        if answered_s is not None:
            step = self._carrier.billing_increment_s
            billed_s = max(1, ceil(answered_s / step - 1e-9)) * step
            self._billed_s += billed_s
            self._cost += self._carrier.connection_fee + billed_s / 60.0 * self._carrier.price_per_minute

    @property
    def bill(self) -> TrunkBill:
        """What the ended calls cost."""
        return TrunkBill(self._attempts, self._billed_s, self._cost)


class AccountMeter:
    """One account's calls, over all its trunks, against the surcharges of its contract.

    The contract is no secret: it is the campaign's own. A call counts in the day (UTC) in which it ends; one that the
    carrier refused ends at once.
    """

    __slots__ = ("_account", "_answered", "_calls", "_cancelled", "_shorts")

    def __init__(self, account: CarrierAccount) -> None:
        self._account = account
        # By days since 1970-01-01:
        self._calls, self._cancelled = Counter[int](), Counter[int]()
        self._answered, self._shorts = Counter[int](), Counter[int]()

    def ended(self, at: float, answered_s: float | None, *, cancelled: bool) -> None:
        """A call is over at `at` (UTC seconds). `answered_s` is how long it was answered, None for not at all;
        `cancelled`: we ended it before an answer, a ring time-out included."""
        day, short = int(at // _DAY_S), self._account.short_calls
        self._calls[day] += 1
        self._cancelled[day] += cancelled
        if answered_s is not None:
            self._answered[day] += 1
            self._shorts[day] += short is not None and answered_s <= short.up_to_s

    @property
    def surcharges(self) -> float:
        """What the days so far come to, in the scenario's currency: above its share, each such call is billed."""
        cost = 0.0
        kinds = (
            (self._account.short_calls, self._shorts, self._answered),
            (self._account.cancelled_calls, self._cancelled, self._calls),
        )
        for surcharge, some, all_of_them in kinds:
            if surcharge is not None:
                cost += surcharge.fee * sum(
                    count for day, count in some.items() if count > surcharge.above * all_of_them[day]
                )
        return cost


def account_meters(scenario: Scenario) -> dict[str, AccountMeter]:
    """Return a meter for each account that the campaign names, by the account's name."""
    return {account.name: AccountMeter(account) for account in scenario.campaign.carriers}
