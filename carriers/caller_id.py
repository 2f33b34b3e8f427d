"""Which of our own numbers is presented.

How it works: pools that suit a call (`caller_id_pool`) are tried in their order, and in each its numbers in the called
number's own order. Where a local pool suits it too, a hash of the called number says whether that comes first
(`local_presence`). So a called number sees the same one of ours each time, but where that has had its calls for today,
rests (`reputation`), or is not what law and trunk take.

Nothing rotates to escape labels. A number that rests is not replaced: each of the others takes calls that would have
shown it only up to a quarter of its own calls of the day, and within its cap. What they do not take is not placed.
At most half of a pool's numbers rest: beyond that the numbers are not what is wrong, and people are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import IntEnum
from math import inf
from typing import Any, NamedTuple

import msgspec

from carriers.caller_id_pool import Pool, PoolOrder, key_of, matching, mixed, pools_of, salt_of
from carriers.day_count import DayCount
from carriers.local_presence import TRIAL_SHARE, Level, LocalPresence, Trial
from carriers.observed import CallingClock
from carriers.reputation import ENOUGH_EVIDENCE, Learned, Reputation, Stretch

DAY_S = 86_400.0
FIRST_REST_S = DAY_S
LONGEST_REST_S = 7 * DAY_S
# A rest that ended so long ago does not lengthen the next one.
RESTS_FORGOTTEN_S = 28 * DAY_S
# A number takes calls of resting ones while they are at most its own calls divided by this.
OWN_CALLS_PER_BORROWED = 4
TOLD_AGAIN_S = DAY_S
MAX_PLANS = 4096  # kept: far more than a campaign has places, products and sets of allowed numbers
_UNIT = 2.0**-64


class CallerIdReason(IntEnum):
    """Why a number is shown; the first of these that holds, from RESTING down to STICKY."""

    STICKY = 0  # the one that this called number always sees
    TRIED = 1  # a local one: a share of the called numbers sees it, to learn
    PROVEN = 2  # a local one, which has proven better
    BARRED = 3  # law or trunk do not take its usual one
    CAPPED = 4  # its usual one has had its calls today
    RESTING = 5  # its usual one rests


class CallerIdChoice(NamedTuple):
    """What is shown, and all that is needed to learn from it."""

    number: str
    pool: str
    reason: CallerIdReason
    propensity: float  # the share of called numbers like this one that would see this arm, given what could be shown
    rival: str | None = None  # the pool of the other arm, where there was one to draw
    place: str = ""  # the jurisdiction in which they are compared


def choice_of(values: Sequence[Any]) -> CallerIdChoice:
    """The choice of which `values` were taken, by way of JSON perhaps."""
    number, pool, reason, propensity, rival, place = values
    return CallerIdChoice(number, pool, CallerIdReason(reason), propensity, rival, place)


class Standing(NamedTuple):
    """How a number stands now."""

    number: str
    pool: str
    calls_today: int  # since this quarter of an hour began yesterday
    max_calls_a_day: int | None
    resting_until: float | None  # UTC seconds
    multiplier: float | None  # answers over those of its pool's others in the same networks; None: too little is known
    because: str


class NumberState(msgspec.Struct):
    """What one of our numbers has done."""

    calls: DayCount = msgspec.field(default_factory=DayCount)
    borrowed: DayCount = msgspec.field(default_factory=DayCount)  # of these, those that a resting one would have shown
    resting_until: float | None = None
    rests: int = 0  # in a row
    accused: bool = False  # would rest, had not too much of its pool
    because: str = ""


class Snapshot(msgspec.Struct, forbid_unknown_fields=True):
    """All that is kept over a restart."""

    clock: CallingClock
    numbers: dict[str, NumberState]
    reputation: Learned
    trials: dict[str, dict[str, Trial]]
    alerts: list[str]
    told_at: dict[str, float]
    fallen: list[str]


class _Plan(NamedTuple):
    """What suits calls to one place, of one product, with one set of allowed numbers."""

    local: PoolOrder | None  # only where there is a default one to compare it with
    local_salt: int
    defaults: tuple[PoolOrder, ...]
    place: str
    subject: str  # of the alert, where no number may be shown


class CallerIds:
    """Chooses what each call shows, and learns from what came of it.

    Deterministic, without clock or chance; `now` is in UTC seconds and never runs backwards.
    """

    def __init__(self, pools: Sequence[Pool], *, owned: Sequence[str], trial_share: float = TRIAL_SHARE) -> None:
        """Take the campaign's pools, and its `caller_ids` as `owned`: those in no pool are one more, for all calls.

        Raises `ValueError` for pools that are not whole (`pools_of`) and a `trial_share` not in (0, 0.5].
        """
        self.pools = pools_of(pools, owned)
        self._pool_of = {number: pool for pool in self.pools for number in pool.numbers}
        self._cap = {
            number: inf if (n := pool.max_calls_a_day) is None else n for number, pool in self._pool_of.items()
        }
        self._presence = LocalPresence(trial_share=trial_share)
        self._reputation = Reputation({number: pool.name for number, pool in self._pool_of.items()})
        self._clock = CallingClock()
        self._numbers = {number: NumberState() for number in self._pool_of}
        self._alerts: list[str] = []
        self._told_at: dict[str, float] = {}  # of calls that are not placed: when that was told last
        self._fallen: list[str] = []  # pools of which it was told that they are answered less than they were
        self._whole = {pool.name: PoolOrder(pool, pool.numbers) for pool in self.pools}
        self._orders: dict[tuple[str, tuple[str, ...]], PoolOrder] = {}
        self._plans: dict[tuple[tuple[str, ...], str, frozenset[str]], _Plan] = {}

    def choose(
        self, *, number: str, jurisdictions: tuple[str, ...], product: str, allowed: frozenset[str], now: float
    ) -> CallerIdChoice | None:
        """Return what a call to `number` (E.164) shows; None: nothing may be shown now, and `alerts` says why.

        `jurisdictions`: the candidates of the called place, `US` and `US-FL`. `allowed`: what law and trunk take; one
        and the same set for many calls is quickest. Counts nothing: `placed` does, and comes before the next choice.
        """
        plan = self._plans.get((jurisdictions, product, allowed))
        if plan is None:
            plan = self._new_plan(jurisdictions, product, allowed)
        key = key_of(number)
        why = CallerIdReason.STICKY
        propensity, rival = 1.0, None
        if plan.local is not None:
            default = plan.defaults[0].pool.name
            level = self._presence.level(plan.local.pool.name, default, plan.place)
            share = self._presence.share(level)
            shown, local_why = self._seek(plan.local, number, key, why, now)
            drawn = mixed(key, plan.local_salt) * _UNIT < share
            if shown is not None and drawn:
                if local_why is CallerIdReason.STICKY:
                    local_why = CallerIdReason.PROVEN if level is Level.PROVEN else CallerIdReason.TRIED
                return CallerIdChoice(shown, plan.local.pool.name, local_why, share, default, plan.place)
            if shown is not None:
                propensity, rival = 1.0 - share, plan.local.pool.name
            elif drawn:
                why = local_why  # its default number stands in for the local one, within the same limits
        for turn, order in enumerate(plan.defaults):
            shown, why = self._seek(order, number, key, why, now)
            if shown is not None:
                if turn:
                    rival = None  # not the pool that the local one is compared with
                return CallerIdChoice(shown, order.pool.name, why, propensity, rival, plan.place if rival else "")
        self._tell_unplaced(plan, now)
        return None

    def may_show(self, choice: CallerIdChoice, now: float) -> bool:
        """Say whether a choice made before may still be shown."""
        return self._hindrance(choice.number, choice.reason, now) is None

    def placed(self, choice: CallerIdChoice, now: float) -> None:
        """Count a call that was set up with this choice."""
        state = self._numbers[choice.number]
        state.calls.add(now)
        if choice.reason is CallerIdReason.RESTING:
            state.borrowed.add(now)

    def learn(
        self, choice: CallerIdChoice, *, network: str, calls: int, expected: float, contacts: float, now: float
    ) -> None:
        """Take in what came of calls; rows add up, and a contact may be taken back by -1.

        `network`: the destination carrier, empty where unknown. `calls`: how many tries the row ends; `expected`: the
        sum of the answer model's probabilities of these, 0 where there are none.
        """
        at = self._clock.advance(now)
        if choice.rival is not None:
            shown_local = self._pool_of[choice.number].local if choice.number in self._pool_of else None
            if shown_local is not None:
                local, default = (choice.pool, choice.rival) if shown_local else (choice.rival, choice.pool)
                self._presence.learn(
                    local,
                    default,
                    choice.place,
                    shown_local=shown_local,
                    calls=calls,
                    expected=expected,
                    contacts=contacts,
                    at=at,
                )
        state = self._numbers.get(choice.number)
        if state is None or self._rests(state, now):
            return  # of calls from before its rest
        stretch = self._reputation.learn(
            choice.number, network, calls=calls, expected=expected, contacts=contacts, at=at
        )
        if stretch is not None:
            self._judge(choice.number, state, stretch, at, now)
        pool = self._pool_of[choice.number].name
        stretch = self._reputation.learn_pool(pool, calls=calls, expected=expected, contacts=contacts, at=at)
        if stretch is not None:
            self._judge_pool(pool, stretch)

    def alerts(self) -> list[str]:
        """Return what people must know and was not told yet."""
        told, self._alerts = self._alerts, []
        return told

    def standings(self, now: float) -> list[Standing]:
        """Return how each number stands, in the pools' order; looking changes nothing."""
        at = self._clock.seconds
        found = []
        for number, pool in self._pool_of.items():
            state = self._numbers[number]
            calls, rests = state.calls.total(now), self._rests(state, now)
            because = "in use"
            if rests or state.accused:
                because = state.because
            elif calls >= self._cap[number]:
                because = "has had its calls today"
            elif pool.local:
                because = "local: " + ", ".join(self._local_words(pool.name, at) or ["not tried yet"])
            multiplier = None if rests else self._reputation.multiplier(number, at)
            until = state.resting_until if rests else None
            found.append(Standing(number, pool.name, calls, pool.max_calls_a_day, until, multiplier, because))
        return found

    def snapshot(self) -> dict[str, Any]:
        """Return all that was counted and learned, as plain values."""
        kept = Snapshot(
            clock=self._clock,
            numbers=self._numbers,
            reputation=self._reputation.learned,
            trials=self._presence.trials,
            alerts=self._alerts,
            told_at=self._told_at,
            fallen=self._fallen,
        )
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(kept))
        return plain

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot, whose numbers that are no longer ours are dropped. Raises `ValueError` where its shape is
        another, and is then as it was."""
        try:
            kept = msgspec.convert(state, Snapshot)
        except msgspec.ValidationError as error:
            raise ValueError(f"expected a snapshot of the caller IDs, found another shape: {error}") from error
        self._clock = kept.clock
        self._numbers = {number: kept.numbers.get(number) or NumberState() for number in self._pool_of}
        self._reputation.learned = kept.reputation
        self._presence.trials = kept.trials
        self._alerts = kept.alerts
        self._told_at = kept.told_at
        self._fallen = kept.fallen

    def _seek(
        self, order: PoolOrder, number: str, key: int, why: CallerIdReason, now: float
    ) -> tuple[str | None, CallerIdReason]:
        """The first number of a pool that may be shown now, and why not an earlier one; `why`: what came before."""
        first = order.first(number, key)
        if not order.whole and why is CallerIdReason.STICKY:
            usual = self._whole[order.pool.name].first(number, key)
            if usual != first:
                why = CallerIdReason.BARRED
        found = self._hindrance(first, why, now)
        if found is None:
            return first, why
        why = max(why, found)
        for shown in order.order(number, key):
            found = self._hindrance(shown, why, now)
            if found is None:
                return shown, why
            why = max(why, found)
        return None, why

    def _hindrance(self, shown: str, why: CallerIdReason, now: float) -> CallerIdReason | None:
        """Why a number may not be shown now; None: it may. `why` RESTING: a call that a resting one would have."""
        state = self._numbers[shown]
        if state.resting_until is not None and now < state.resting_until:
            return CallerIdReason.RESTING
        cap = self._cap[shown]
        if cap < inf and state.calls.total(now) >= cap:
            return CallerIdReason.CAPPED
        if why is CallerIdReason.RESTING:
            borrowed = state.borrowed.total(now)
            if OWN_CALLS_PER_BORROWED * (borrowed + 1) > state.calls.total(now) - borrowed:
                return CallerIdReason.RESTING
        return None

    def _new_plan(self, jurisdictions: tuple[str, ...], product: str, allowed: frozenset[str]) -> _Plan:
        orders = [
            self._order(pool, numbers)
            for pool in matching(self.pools, jurisdictions, product)
            if (numbers := tuple(number for number in pool.numbers if number in allowed))
        ]
        locals_ = [order for order in orders if order.pool.local]
        defaults = [order for order in orders if not order.pool.local]
        local = locals_[0] if locals_ and defaults else None
        regions = [code for code in jurisdictions if "-" in code]
        countries = [code for code in jurisdictions if "-" not in code]
        place = regions[0] if len(regions) == 1 else (countries or regions or [""])[0]
        plan = _Plan(
            local=local,
            local_salt=salt_of(f"arm {local.pool.name}") if local else 0,
            defaults=tuple(defaults or locals_),
            place=place,
            subject=" ".join(
                filter(None, (f"to {'/'.join(jurisdictions) or 'anywhere'}", product and f"of {product!r}"))
            ),
        )
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
            self._orders.clear()
        self._plans[jurisdictions, product, allowed] = plan
        return plan

    def _order(self, pool: Pool, numbers: tuple[str, ...]) -> PoolOrder:
        """The order of those of a pool's numbers: one for all plans."""
        found = self._orders.get((pool.name, numbers))
        if found is None:
            found = self._orders[pool.name, numbers] = PoolOrder(pool, numbers)
        return found

    def _judge(self, number: str, state: NumberState, stretch: Stretch, at: float, now: float) -> None:
        """Let a number rest whose calls speak against it."""
        evidence = stretch.evidence
        if evidence <= 0.0:
            state.accused, state.because = False, ""
        if evidence < ENOUGH_EVIDENCE:
            return
        pool = self._pool_of[number]
        told = f"its calls are answered {stretch.ratio:.2f} times as often as expected (n={stretch.calls})"
        resting = sum(self._rests(self._numbers[other], now) for other in pool.numbers)
        if resting + 1 > len(pool.numbers) // 2:
            state.because = (
                f"should rest, but more than half of its pool would ({resting} of {len(pool.numbers)}): {told}"
            )
            if not state.accused:
                state.accused = True
                self._alerts.append(
                    f"{number} {state.because}: {self._name(pool.name)} as a whole may be in trouble, "
                    "have its labels, its list and its trunks checked"
                )
            return
        state.accused = False
        if state.resting_until is not None and now - state.resting_until > RESTS_FORGOTTEN_S:
            state.rests = 0
        state.resting_until = now + min(FIRST_REST_S * 2.0**state.rests, LONGEST_REST_S)
        state.rests = min(state.rests + 1, 8)
        state.because = told
        until = datetime.fromtimestamp(state.resting_until, UTC)
        self._alerts.append(f"{number} rests until {until:%Y-%m-%d %H:%M} UTC: {told}: have its label checked")
        self._reputation.forget(number, at)

    def _judge_pool(self, pool: str, stretch: Stretch) -> None:
        """Tell once that a pool is answered far less than it was."""
        evidence = stretch.evidence
        if evidence <= 0.0:
            self._fallen = [other for other in self._fallen if other != pool]
        elif evidence >= ENOUGH_EVIDENCE and pool not in self._fallen:
            self._fallen.append(pool)
            self._alerts.append(
                f"calls that show {self._name(pool)} are answered {stretch.ratio:.2f} times as often as they were "
                f"(n={stretch.calls}): have its labels, its list and its trunks checked"
            )

    @staticmethod
    def _name(pool: str) -> str:
        return f"the pool {pool!r}" if pool else "the caller IDs"

    def _tell_unplaced(self, plan: _Plan, now: float) -> None:
        """Tell, at most once a day for each kind of call, that calls are not placed."""
        told_at = self._told_at.get(plan.subject)
        if told_at is not None and now - told_at < TOLD_AGAIN_S:
            return
        self._told_at = {subject: told for subject, told in self._told_at.items() if now - told < TOLD_AGAIN_S}
        self._told_at[plan.subject] = now
        numbers = [number for order in plan.defaults for number in order.pool.numbers]
        states = [self._numbers[number] for number in numbers]
        resting = sum(self._rests(state, now) for state in states)
        capped = sum(state.calls.total(now) >= self._cap[number] for number, state in zip(numbers, states, strict=True))
        found = f"{resting} rest and {capped} have had their calls today, of {len(numbers)}"
        text = found if numbers else "no pool for them has one that law and trunk take"
        self._alerts.append(f"some calls {plan.subject} are not placed for want of a caller ID: {text}")

    def _local_words(self, local: str, at: float) -> list[str]:
        """How a local pool stands in each place where it was tried."""
        words = []
        for default, trial in self._presence.trials.get(local, {}).items():
            for place in sorted(trial.places):
                level = self._presence.level(local, default, place)
                better = self._presence.better(local, default, place, at)
                words.append(f"{level.name.lower()} in {place or 'all'} (better with probability {better:.3f})")
        return words

    @staticmethod
    def _rests(state: NumberState, now: float) -> bool:
        return state.resting_until is not None and now < state.resting_until
