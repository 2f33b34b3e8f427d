"""A day on which routing decides: the same people under three routers, counted again from the journals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import floor, inf
from pathlib import Path
from statistics import mean

import pytest

from carriers.supply import Carrier, LimitKind, SetUpLimit, Supply, Trunk
from dialer.adapters.journal import read_journal
from dialer.bootstrap import SimulatedDay, replay_journal, simulate
from dialer.config.supply import supply_of
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.disposition import NETWORK_FAULTS
from sim.overrides import override
from sim.scenario import Scenario
from sim.scenario_file import load_scenario

OURS, IN_TURN, CHEAPEST = "hoe-lp-v1", "round-robin-v1", "static-lcr-v1"
SEEDS = {OURS: (21, 22), IN_TURN: (21, 22), CHEAPEST: (21,)}
OUT, FALSE, BAD, BEST = "central", "barata", "pacifico", "andina-1"  # trunks: what becomes of each
OUT_AT, BACK_AT, DRAINED_AT = 1800.0, 2700.0, 4200.0  # seconds from the start
BAD_REGION, BAD_AT = "Monterrey", 3000.0
CONTACT_S = 6.0
NO_PERSON = {"MACHINE", "ABANDONED", "UNKNOWN"}


@dataclass(slots=True)
class Try:
    """One set-up and what became of it, as the journal has it."""

    attempt_id: int
    number: str
    trunk: str
    region: str
    because: str
    at: float  # seconds from the start
    ended_at: float = inf
    failed: bool = False


@dataclass(slots=True, repr=False)
class Day:
    """A day by its journal. Times are seconds from the start."""

    router: str
    done: SimulatedDay
    supply: Supply
    tries: list[Try] = field(default_factory=list)
    settled: list[act.Settlement] = field(default_factory=list)
    settled_at: dict[int, float] = field(default_factory=dict)
    priced: int = 0

    def over(self, trunk: str, begin: float = 0.0, end: float = inf) -> list[Try]:
        return [one for one in self.tries if one.trunk == trunk and begin <= one.at < end]

    def share(self, trunk: str) -> float:
        return len(self.over(trunk)) / len(self.tries)

    @property
    def journal(self) -> Path:
        assert self.done.journal is not None
        return self.done.journal


def scenario_of(router: str) -> Scenario:
    """The first 70 minutes: the whole outage, and twenty minutes of the bad region."""
    return override(load_scenario("carriers_day"), {"campaign.routing.router": router, "duration": "70m"})


def day_of(router: str, seed: int, folder: Path) -> Day:
    scenario = scenario_of(router)
    day = Day(router, simulate(scenario, seed=seed, journal_dir=folder), supply_of(scenario.campaign))
    live: dict[int, Try] = {}
    for event, actions in read_journal(day.journal)[1]:
        now = event.at - scenario.start_at
        if isinstance(event, ev.AttemptEnded):
            one = live.pop(event.attempt_id)
            one.ended_at, one.failed = now, event.cause in (34, 41)
        day.priced += isinstance(event, ev.CapacityPriced)
        for action in actions:
            if isinstance(action, act.Originate):
                assert action.route is not None
                route = action.route
                one = Try(action.attempt_id, action.number, action.trunk, route.region, route.because, now)
                live[action.attempt_id] = one
                day.tries.append(one)
            elif isinstance(action, act.Settle):
                day.settled += action.settlements
                day.settled_at |= {settlement.attempt_id: now for settlement in action.settlements}
    assert not live
    return day


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Day]:
    return [day_of(router, seed, tmp_path_factory.mktemp(router)) for router, seeds in SEEDS.items() for seed in seeds]


@pytest.fixture(scope="module")
def ours(days: list[Day]) -> list[Day]:
    return [day for day in days if day.router == OURS]


# ---- what it is for -----------------------------------------------------------------------------------------
def sums(days: Sequence[Day], router: str) -> tuple[float, float]:
    """Contacts of 1,000 attempts, and the carriers' bill for each contact, over the seeds."""
    results = [day.done.result for day in days if day.router == router]
    contacts = sum(result.contacts for result in results)
    bill = sum(result.carriers_cost or 0.0 for result in results)
    return 1000 * contacts / sum(result.attempts for result in results), bill / contacts


def test_contacts_are_people_who_talked(days: list[Day]) -> None:
    for day in days:
        talked = [
            settlement
            for settlement in day.settled
            if settlement.bridged_at is not None
            and settlement.disposition not in NO_PERSON
            and (settlement.ended_at or 0.0) - (settlement.answered_at or 0.0) >= CONTACT_S
        ]
        assert day.done.result.contacts == len(talked) > 300
        assert day.done.result.attempts == len({one.attempt_id for one in day.tries}) == len(day.settled)


def test_more_people_are_reached_for_less_than_in_turn_or_by_price(days: list[Day]) -> None:
    mine, in_turn, cheapest = (sums(days, router) for router in (OURS, IN_TURN, CHEAPEST))
    assert mine[0] > 1.03 * in_turn[0] and mine[0] > 1.3 * cheapest[0], (mine, in_turn, cheapest)
    assert mine[1] < in_turn[1] and mine[1] < cheapest[1], (mine, in_turn, cheapest)


def test_a_carrier_that_answers_calls_itself_does_not_win_by_its_price(days: list[Day]) -> None:
    shares = {
        router: mean(day.share(FALSE) for day in days if day.router == router) for router in (OURS, IN_TURN, CHEAPEST)
    }
    assert shares[OURS] < 0.15 and shares[OURS] < 0.6 * shares[IN_TURN], shares
    assert shares[CHEAPEST] > 0.5, shares  # it is the cheapest, by its rates


def test_a_bad_region_is_left_and_the_others_are_not(ours: list[Day]) -> None:
    late = [one for day in ours for one in day.tries if one.at >= BAD_AT + 600.0]
    there = [one for one in late if one.region == BAD_REGION]
    elsewhere = [one for one in late if one.region == "Ciudad de México"]
    assert len(there) > 100 and len(elsewhere) > 100
    assert sum(one.trunk == BAD for one in there) < 0.3 * len(there)
    assert sum(one.trunk == BAD for one in elsewhere) > 0.2 * len(elsewhere)


# ---- failures -----------------------------------------------------------------------------------------------
def test_an_outage_gets_no_calls_but_probes_within_five_seconds_of_traffic(ours: list[Day]) -> None:
    """A circuit learns by its calls: a gap without any counts for a second at the most. Each country has its own."""
    for day in ours:
        during = day.over(OUT, OUT_AT, BACK_AT)
        assert any(one.because != "probe" for one in during) and all(one.failed for one in during)
        for country in ("+51", "+52"):
            sent = [one.at for one in during if one.because != "probe" and one.number.startswith(country)]
            assert sum(min(1.0, after - before) for before, after in pairwise(sent)) <= 5.0, sent
        probes = [one.at for one in during if one.because == "probe"]
        assert len(probes) >= 3 and min(after - before for before, after in pairwise(probes)) >= 10.0
        back = [one for one in day.over(OUT, BACK_AT) if one.because != "probe"]
        assert len(back) > 50 and not all(one.failed for one in back)


def test_a_failed_try_is_tried_again_at_once(ours: list[Day]) -> None:
    for day in ours:
        again = Counter[str]()
        for number, one in enumerate(day.tries):
            if one.failed:
                after = [late for late in day.tries[number + 1 :] if late.attempt_id == one.attempt_id]
                again["tried" if after and after[0].at - one.ended_at < 1.5 else "not"] += 1
                assert not after or after[0].trunk != one.trunk
        assert again["tried"] > 50 and again["not"] <= 0.05 * again["tried"], again


def test_no_attempt_fails_while_another_trunk_has_room(ours: list[Day]) -> None:
    for day in ours:
        failed = [settlement for settlement in day.settled if settlement.disposition in NETWORK_FAULTS]
        assert len(failed) <= 0.005 * len(day.settled)
        for settlement in failed:
            tries = [one for one in day.tries if one.attempt_id == settlement.attempt_id]
            at = day.settled_at[settlement.attempt_id]
            if at >= DRAINED_AT:
                continue  # nothing is set up any more
            left = {trunk.name for trunk in day.supply.trunks} - {one.trunk for one in tries}
            if OUT_AT <= at < BACK_AT + 300.0:
                left.discard(OUT)  # its circuit may be open
            assert not [name for name in left if has_room(day, name, tries[0].region, at)], (at, left)


def has_room(day: Day, name: str, region: str, at: float) -> bool:
    """Whether a trunk served the region and was not full in the second before `at`, or in the one after it: planned
    calls, which the journal does not show before they are placed, have their room."""
    trunk = next(trunk for trunk in day.supply.trunks if trunk.name == name)
    account = next(carrier for carrier in day.supply.carriers if carrier.name == trunk.carrier)
    if trunk.regions and region not in trunk.regions:
        return False
    of_account = {other.name for other in day.supply.trunks if other.carrier == account.name}
    for names, channels, limits in (
        ({name}, trunk.max_channels, trunk.limits),
        (of_account, account.max_channels, account.limits),
    ):
        tries = [one for one in day.tries if one.trunk in names]
        if sum(one.at <= at + 1.0 and one.ended_at > at for one in tries) >= (channels or inf):
            return False
        for limit in limits:
            begins = [one.at for one in tries if at - limit.per_s < one.at <= at]
            if any(sum(b <= one.at < b + limit.per_s for one in tries) >= limit.calls for b in begins):
                return False
    return True


# ---- limits -------------------------------------------------------------------------------------------------
def holds(limit: SetUpLimit, times: Sequence[float]) -> bool:
    """Count set-ups as the provider does. Times are in UTC seconds, in order."""
    exact, per_s = [Fraction(at) for at in times], Fraction(limit.per_s)
    if limit.kind == "rolling":
        pairs = zip(exact, exact[limit.calls :], strict=False)
        return all(before + per_s <= after for before, after in pairs)
    if limit.kind == "clock":
        return max(Counter(floor(at / per_s) for at in exact).values(), default=0) <= limit.calls
    tokens, seen = Fraction(limit.calls), exact[0] if exact else Fraction(0)
    for at in exact:
        tokens = min(Fraction(limit.calls), tokens + (at - seen) * limit.calls / per_s) - 1
        seen = at
        if tokens < 0:
            return False
    return True


def most_at_once(tries: Sequence[Try]) -> int:
    """A channel is free again when its call has ended, and may be taken in the same instant."""
    moves = sorted([(one.at, 1) for one in tries] + [(one.ended_at, -1) for one in tries])
    now = most = 0
    for _, move in moves:
        now += move
        most = max(most, now)
    return most


def owners_of(day: Day) -> Iterator[tuple[Trunk | Carrier, list[Try]]]:
    """Everything that has limits, and its calls."""
    for trunk in day.supply.trunks:
        yield trunk, day.over(trunk.name)
    for carrier in day.supply.carriers:
        own = {trunk.name for trunk in day.supply.trunks if trunk.carrier == carrier.name}
        yield carrier, [one for one in day.tries if one.trunk in own]


def test_no_limit_of_a_trunk_or_an_account_is_ever_exceeded(days: list[Day]) -> None:
    full = Counter[str]()
    for day in days:
        start = scenario_of(day.router).start_at
        for owner, tries in owners_of(day):
            for limit in owner.limits:
                assert holds(limit, [start + one.at for one in tries]), (day.router, owner.name, limit)
            if owner.max_channels is not None:
                most = most_at_once(tries)
                assert most <= owner.max_channels, (day.router, owner.name, most)
                full[owner.name] += most == owner.max_channels
    assert full[BEST] >= 4 and full["Andina"] >= 2  # else nothing was at stake


def test_the_counts_of_the_oracle_see_a_breach() -> None:
    kinds: tuple[LimitKind, ...] = ("rolling", "bucket", "clock")
    for kind in kinds:
        limit = SetUpLimit(calls=2, per_s=1.0, kind=kind)
        assert holds(limit, [60.0, 60.25, 61.0, 61.25])
        assert holds(limit, [60.5, 60.75, 61.0, 61.25]) == (kind == "clock")
        assert not holds(limit, [60.0, 60.0, 60.25])


# ---- replay -------------------------------------------------------------------------------------------------
def test_the_journal_replays_with_its_prices(ours: list[Day]) -> None:
    assert all(day.priced > 50 for day in ours)
    _, result = replay_journal(ours[0].journal)
    assert result.difference is None and result.events > 10_000
