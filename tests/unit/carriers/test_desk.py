"""The desk: what may be used, what is taken, what is counted, and what outlives a run."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from carriers.caller_id import CallerIdChoice, CallerIdReason, CallerIds
from carriers.capacity import CapacityPrices
from carriers.causes import CallEnd
from carriers.desk import CONTACT_S, Call, Desk, Ended
from carriers.market import Market
from carriers.rates import Rate
from carriers.registry import make_campaign_router
from carriers.router import Outcomes, Reason
from carriers.supply import Carrier, Hours, SetUpLimit, Supply, Surcharge, Trunk

START = 1_800_000_000.0  # a Friday, 08:00 UTC
PRICED = Rate(prefix="", per_minute=0.6, first_s=6.0, step_s=6.0, connection_fee=0.01, attempt_fee=0.001)
NOTHING = {"channel_s": (0.0, 0.0), "account_set_up": (0.0, 0.0), "account_channel_s": (0.0, 0.0)}


def supply_of(**changes: Any) -> Supply:
    trunks = tuple(
        Trunk(
            name=name,
            carrier=name,
            max_channels=5,
            **{"limits": (SetUpLimit(calls=4, per_s=1.0),), "rates": (PRICED,), **changes.get(name, {})},
        )
        for name in ("a", "b")
    )
    return Supply(carriers=(Carrier(name="a"), Carrier(name="b")), trunks=trunks)


class Heard:
    """A router that keeps what it was told."""

    def __init__(self, market: Market) -> None:
        self._router = make_campaign_router("round-robin-v1", market)
        self.router_id = self._router.router_id
        self.rows: list[Outcomes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._router, name)

    def learn(self, outcomes: Outcomes, *, now: float) -> None:
        self.rows.append(outcomes)


def desk_of(supply: Supply | None = None) -> Desk:
    supply = supply or supply_of()
    return Desk(supply, Heard, caller_ids=CallerIds([], owned=["+5117000000"]))  # type: ignore[arg-type]


def cell(desk: Desk) -> int:
    return desk.cells.of("+51999000111", region="Lima", network="", country="PE")


def route(desk: Desk, count: int, now: float = START) -> list[int | None]:
    calls = [Call(cell(desk), 0.2, 0.25)] * count
    return [None if r is None else r.trunk for r in desk.route(calls, now=now, rng=np.random.default_rng(1))]


def ended(desk: Desk, trunk: int, end: CallEnd, **changes: Any) -> Ended:
    facts = {"expected": 0.2, "taught": True, "rang": False, "cancelled": False, "answered_s": None, "held_s": 3.0}
    return Ended(trunk=trunk, cell=cell(desk), end=end, **{**facts, **changes})  # type: ignore[arg-type]


def told(desk: Desk, now: float) -> Outcomes:
    route(desk, 1, now)
    router: Any = desk.router
    return router.rows[-1]


def test_a_route_takes_a_channel_and_there_are_never_more_than_there_is_room_for() -> None:
    desk = desk_of()
    found = route(desk, 12)
    assert found.count(None) == 4 and found.count(0) == found.count(1) == 4, "four set-ups a second each"
    assert desk.room(START) == 0
    desk.loads.give_back(0, set_up=False)
    assert desk.room(START) == 1


def test_a_trunk_outside_its_hours_is_not_used_until_they_begin() -> None:
    hours = (Hours(zone="UTC", weekdays=(4,), begin_minute=9 * 60, end_minute=10 * 60),)
    desk = desk_of(supply_of(a={"hours": hours}))
    assert set(route(desk, 2)) == {1}
    assert desk.standings(START)[0].idle_because == "outside its hours"
    assert 0 in route(desk, 2, START + 3600.0)
    assert set(route(desk, 2, START + 7200.0)) <= {1, None}


def test_again_never_asks_a_trunk_that_was_tried() -> None:
    desk = desk_of()
    call = Call(cell(desk), 0.2, 0.25)
    rng = np.random.default_rng(1)
    second = desk.again(call, tried=[0], now=START, rng=rng)
    assert second is not None and second.trunk == 1
    assert desk.again(call, tried=[0, 1], now=START, rng=rng) is None


def test_faults_open_a_circuit_which_probes_close() -> None:
    desk = desk_of()
    for _ in range(4):
        desk.ended(ended(desk, 0, CallEnd.FAILED), now=START)
    assert not desk.usable(0, cell(desk), START) and desk.usable(1, cell(desk), START)
    assert set(route(desk, 2)) == {1}
    assert desk.standings(START)[0].open_prefixes[0].circuit == "open"
    now = START
    for _ in range(3):
        now += 10.0
        (first, second) = desk.route([Call(cell(desk), 0.2, 0.25)] * 2, now=now, rng=np.random.default_rng(1))
        assert first is not None and (first.trunk, first.reason) == (0, Reason.PROBE), "one probe"
        assert second is not None and second.trunk == 1
        desk.loads.give_back(1, set_up=False)
        desk.rang(0, cell(desk), 2.0, now=now)
    assert desk.usable(0, cell(desk), now)
    said = desk.told()
    assert [word in line for word, line in zip(["open", "closed"], said, strict=True)] == [True, True]
    assert all(line.startswith("trunk a, prefix PE") for line in said) and desk.told() == []


@pytest.mark.parametrize(
    ("end", "facts", "opens"),
    [
        (CallEnd.FAILED, {}, True),
        (CallEnd.FAILED, {"silent": True}, False),  # told when it fell silent
        (CallEnd.NO_ANSWER, {"cancelled": True}, False),  # our own time-out
        (CallEnd.BUSY, {}, False),
        (CallEnd.UNKNOWN, {"taught": False}, False),
    ],
)
def test_only_what_speaks_against_a_trunk_opens_its_circuit(end: CallEnd, facts: dict[str, Any], opens: bool) -> None:
    desk = desk_of()
    for _ in range(6):
        desk.ended(ended(desk, 0, end, **facts), now=START)
    assert desk.circuits.any_open == opens


def test_silence_opens_a_circuit() -> None:
    desk = desk_of()
    for _ in range(4):
        desk.silent(0, cell(desk), now=START)
    assert not desk.usable(0, cell(desk), START)


def test_rows_tell_the_router_what_tries_came_to() -> None:
    desk = desk_of()
    desk.answered(0, cell(desk), 0.2, now=START)
    desk.contact(0, cell(desk), now=START)
    desk.ended(ended(desk, 0, CallEnd.ANSWERED, rang=True, answered_s=90.0, held_s=100.0), now=START)
    desk.ended(ended(desk, 1, CallEnd.FAILED), now=START)
    desk.ended(ended(desk, 1, CallEnd.NO_ANSWER, rang=True, cancelled=True, taught=False), now=START)
    rows = told(desk, START + 5.0)
    assert rows.trunk.tolist() == [0, 0, 0, 1, 1]
    assert rows.contacts.tolist() == [0.0, 1.0, 0.0, 0.0, 0.0]
    assert rows.tries.tolist() == [0.0, 0.0, 1.0, 1.0, 0.0], "what we ended ourselves teaches nothing"
    assert rows.expected.tolist() == [0.2, 0.0, 0.0, 0.2, 0.0], "with the answer, else with the end"
    assert rows.answers.tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]
    assert rows.faults.tolist() == [0.0, 0.0, 0.0, 1.0, 0.0]
    assert rows.cancels.tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert rows.answered_s.tolist() == [0.0, 0.0, 90.0, 0.0, 0.0]
    router: Any = desk.router
    before = len(router.rows)
    desk.no_contact(0, cell(desk), now=START + 5.0)
    route(desk, 1, START + 5.1)
    assert len(router.rows) == before, "not again at once"
    desk.answered(0, cell(desk), 0.2, now=START)
    desk.ended(ended(desk, 0, CallEnd.ANSWERED, rang=True, answered_s=1.0, taught=False), now=START)
    rows = told(desk, START + 8.5)
    assert rows.contacts.tolist() == [-1.0, 0.0, 0.0]
    assert rows.expected.sum() == 0.0, "an answer that we left alone takes back what was expected"


def test_a_short_call_is_as_short_as_its_carrier_says() -> None:
    supply = supply_of()
    strict = Carrier(name="b", short_calls=Surcharge(above=0.1, fee=0.01, up_to_s=12.0))
    desk = desk_of(Supply(carriers=(supply.carriers[0], strict), trunks=supply.trunks))
    for trunk in (0, 1):
        for seconds in (CONTACT_S, 10.0):
            desk.ended(ended(desk, trunk, CallEnd.ANSWERED, rang=True, answered_s=seconds), now=START)
    assert told(desk, START + 5.0).shorts.tolist() == [1.0, 0.0, 1.0, 1.0]
    assert [round(s.short_share or 0.0, 2) for s in desk.standings(START)] == [0.5, 1.0]


def test_standings_tell_shares_quality_costs_and_prices() -> None:
    desk = desk_of()
    for trunk, first in ((0, True), (0, True), (1, True), (0, False)):
        desk.placed(trunk, first=first, now=START)
    desk.rang(0, cell(desk), 3.0, now=START)
    desk.answered(0, cell(desk), 0.2, now=START)
    desk.contact(0, cell(desk), now=START)
    desk.ended(ended(desk, 0, CallEnd.ANSWERED, rang=True, answered_s=61.0), now=START)
    desk.ended(ended(desk, 0, CallEnd.FAILED), now=START)
    desk.attempt_failed(0, now=START)
    desk.reprice(CapacityPrices(set_up=(0.5, 0.0), short=(0.0, 0.0), cancelled=(0.0, 0.0), **NOTHING), START)
    a, b = desk.standings(START)
    assert (a.share, b.share, a.tries) == (0.75, 0.25, 3)
    assert (a.asr, a.ner, a.pdd_s, a.mean_call_s) == (0.5, 0.5, 3.0, 61.0)
    assert a.cost_per_contact == pytest.approx(2 * 0.001 + 0.01 + 0.6 * 66.0 / 60.0)
    assert (a.price, b.price, b.asr) == (0.5, 0.0, None)
    tally = desk.tallies["a"]
    assert (tally.attempts, tally.tries, tally.failed, tally.live_answers) == (2, 3, 1, 1)


def test_a_snapshot_is_all_of_it_and_survives_json() -> None:
    desk = desk_of()
    route(desk, 3)
    desk.placed(0, first=True, now=START)
    for _ in range(4):
        desk.ended(ended(desk, 0, CallEnd.FAILED), now=START)
    desk.reprice(CapacityPrices(set_up=(0.5, 0.0), short=(0.0, 0.0), cancelled=(0.0, 0.0), **NOTHING), START)
    state = json.loads(json.dumps(desk.snapshot()))
    again = desk_of()
    again.restore(state)
    assert json.loads(json.dumps(again.snapshot())) == state
    assert route(again, 4, START + 9.0) == route(desk, 4, START + 9.0)
    assert again.told() == desk.told() != []


def test_what_was_learned_on_other_trunks_is_refused_but_for_what_people_and_accounts_are_owed() -> None:
    desk = desk_of()
    desk.ended(ended(desk, 0, CallEnd.NO_ANSWER, rang=True, cancelled=True), now=START)
    learned = json.loads(json.dumps(desk.learned()))
    renamed = Supply(
        carriers=supply_of().carriers,
        trunks=tuple(
            Trunk(name=f"{t.name}2", carrier=t.carrier, max_channels=5, limits=t.limits) for t in supply_of().trunks
        ),
    )
    other = desk_of(renamed)
    with pytest.raises(ValueError, match="round-robin-v1 on"):
        other.recall(learned)
    assert other.learned()["days"] == learned["days"], "the day's cancelled calls count on"
    assert other.cells.keys == []


def test_after_a_restart_the_first_window_counts_as_used() -> None:
    desk = desk_of()
    desk.begin_again(START)
    assert desk.room(START) == 0
    assert desk.room(START + 1.0) == 8


DAY = SetUpLimit(calls=3, per_s=86_400.0, kind="clock")


def use_up(desk: Desk, trunk: int, count: int) -> None:
    for _ in range(count):
        desk.loads.take(trunk)
        assert desk.loads.set_up(trunk, START)
        desk.loads.give_back(trunk, set_up=True)


def test_a_call_waits_for_a_set_up_within_its_patience_and_never_for_another_day() -> None:
    desk = desk_of(supply_of(a={"limits": (DAY,)}))
    use_up(desk, 0, 3)
    use_up(desk, 1, 4)
    call, rng = Call(cell(desk), 0.2, 0.25), np.random.default_rng(1)
    assert desk.again(call, tried=[1], now=START, rng=rng) is None
    assert desk.again(call, tried=[], now=START, rng=rng, patience_s=0.5) is None
    waiting = desk.again(call, tried=[], now=START, rng=rng)
    assert waiting is not None and waiting.trunk == 1, "for a second"
    planned = desk_of(supply_of(a={"limits": (DAY,)}))
    for _ in range(3):
        planned.loads.take(0)
    assert planned.again(Call(cell(planned), 0.2, 0.25), tried=[1], now=START, rng=rng) is None, (
        "what is left is planned"
    )


def test_a_probe_may_go_where_hours_and_rates_allow_whatever_the_circuits_say() -> None:
    hours = (Hours(zone="UTC", weekdays=(4,), begin_minute=8 * 60, end_minute=9 * 60),)
    desk = desk_of(supply_of(a={"hours": hours}, b={"regions": ("Cusco",)}))
    for _ in range(4):
        desk.ended(ended(desk, 0, CallEnd.FAILED), now=START)
    assert not desk.usable(0, cell(desk), START)
    assert desk.may_probe(0, cell(desk), START) and not desk.may_probe(0, cell(desk), START + 3600.0)
    assert not desk.may_probe(1, cell(desk), START), "its regions"
    chile = desk.cells.of("+56999000111", region="Cusco", network="", country="CL")
    only_peru = desk_of(supply_of(a={"rates": (Rate(prefix="51"),)}))
    only_peru.cells.of("+56999000111", region="Cusco", network="", country="CL")
    assert desk.may_probe(1, chile, START) and not only_peru.may_probe(0, 0, START)


def test_calls_of_an_earlier_run_hold_channels() -> None:
    desk = desk_of()
    for _ in range(7):
        desk.occupy(0)
    assert set(route(desk, 9)) == {1, None}
    assert desk.standings(START)[0].in_use == 7
    for _ in range(7):
        desk.loads.give_back(0, set_up=True)
    assert desk.standings(START)[0].in_use == 0


def choice_of_ours() -> CallerIdChoice:
    return CallerIdChoice("+5117000000", "", CallerIdReason.STICKY, 1.0)


def test_all_that_came_in_is_told_before_it_is_kept() -> None:
    desk = desk_of()
    route(desk, 1)
    desk.answered(0, cell(desk), 0.2, now=START)
    for contacts in (1.0, 0.0, 0.0):
        desk.shown(choice_of_ours(), "x", 0.2, contacts)
    desk.shown(choice_of_ours(), "x", 0.0, -1.0)
    before = desk.snapshot()
    assert desk.learned() == desk.learned() and desk.snapshot() == before
    desk.flush(START)
    router: Any = desk.router
    assert [rows.expected.tolist() for rows in router.rows] == [[0.2]]
    stretch = desk.learned()["caller_ids"]["reputation"]["stretches"]["+5117000000"]
    assert stretch["calls_since_look"] == 3, "the tries that ended, not the rows"
    after = desk.snapshot()
    assert after["rows"] == after["shown"] == []
    desk.flush(START)
    assert desk.snapshot() == after and len(router.rows) == 1


def test_what_was_not_yet_told_survives_a_snapshot_with_its_calls() -> None:
    desk, again = desk_of(), desk_of()
    for _ in range(3):
        desk.shown(choice_of_ours(), "x", 0.2, 1.0)
    again.restore(json.loads(json.dumps(desk.snapshot())))
    for each in (desk, again):
        each.flush(START)
    assert again.snapshot() == desk.snapshot()


def test_limits_of_a_day_hold_over_a_restart_even_where_the_router_begins_anew() -> None:
    supply = supply_of(a={"limits": (DAY,)}, b={"limits": (DAY,)})
    desk = desk_of(supply)
    use_up(desk, 0, 2)
    learned = json.loads(json.dumps(desk.learned()))
    assert desk.learned() == learned, "taking it changes nothing"
    fewer = desk_of(Supply(carriers=supply.carriers, trunks=supply.trunks[:1]))
    with pytest.raises(ValueError, match="round-robin-v1 on"):
        fewer.recall(learned)
    fewer.begin_again(START)
    assert fewer.room(START) == 1
    same = desk_of(supply)
    same.recall(learned)
    same.begin_again(START)
    assert same.room(START) == 1 + 3


def test_what_another_version_kept_gives_what_is_owed_and_nothing_else() -> None:
    supply = supply_of(a={"limits": (DAY,)})
    desk = desk_of(supply)
    desk.caller_ids.placed(choice_of_ours(), START)
    use_up(desk, 0, 2)
    desk.ended(ended(desk, 0, CallEnd.NO_ANSWER, rang=True, cancelled=True), now=START)
    learned = json.loads(json.dumps(desk.learned()))
    counts = {name: learned[name] for name in ("accounts", "days", "limits", "caller_ids")}
    for state in (counts, {**counts, "router": 3, "cells": None, "new": 1}):
        fresh = desk_of(supply)
        fresh.recall_counts(state)
        assert fresh.learned() == {**learned, "cells": [], "router": fresh.router.snapshot()}
    for name in counts:
        fresh = desk_of(supply)
        fresh.recall_counts({other: value for other, value in counts.items() if other != name})
    fresh = desk_of(supply)
    with pytest.raises(ValueError, match="caller IDs"):
        fresh.recall_counts({**counts, "days": [[1], [2]], "caller_ids": {"numbers": {}}})
    assert fresh.learned()["limits"] == learned["limits"]
    desk_of(supply).recall_counts({})


def test_where_no_trunk_is_short_any_more_no_older_price_is_shown_or_used() -> None:
    desk = desk_of()
    prices = CapacityPrices(set_up=(0.5, 0.0), short=(0.0, 0.0), cancelled=(0.0, 0.0), **NOTHING)
    used: list[CapacityPrices] = []
    router: Any = desk.router
    router.reprice = used.append
    desk.reprice(prices, START)
    assert desk.standings(START)[0].price == 0.5 and used == [prices]
    assert desk.problem(START + 5.0) is None, "round robin has none"
    assert desk.standings(START)[0].price == 0.0 and desk.prices_at == START + 5.0
    again = desk_of()
    again.restore(json.loads(json.dumps(desk.snapshot())))
    again.reprice(prices, START + 6.0)
    assert again.standings(START)[0].price == 0.0, "a late solution, after a restart too"
    desk.reprice(prices, START + 6.0)
    assert desk.standings(START)[0].price == 0.0 and used == [prices]
    router.problem = str
    desk.problem(START + 10.0)
    desk.reprice(prices, START + 11.0)
    assert desk.standings(START)[0].price == 0.5 and used == [prices, prices]


def test_accounts_tell_what_the_day_owes() -> None:
    trunks = supply_of().trunks
    short, cancelled = Surcharge(above=0.4, fee=0.02), Surcharge(above=0.5, fee=0.005)
    carriers = (Carrier(name="a", short_calls=short, cancelled_calls=cancelled), Carrier(name="b"))
    desk = desk_of(Supply(carriers=carriers, trunks=trunks))
    assert desk.accounts(START)[0].short_share is None and desk.accounts(START)[0].short_due == 0.0
    for trunk in (0, 1):
        for seconds in (2.0, 3.0, 60.0):
            desk.ended(ended(desk, trunk, CallEnd.ANSWERED, rang=True, answered_s=seconds), now=START)
        desk.ended(ended(desk, trunk, CallEnd.NO_ANSWER, rang=True, cancelled=True), now=START)
    (account,) = desk.accounts(START)
    assert (account.account, account.calls, account.answered) == ("a", 4, 3)
    assert (account.short_share, account.short_above, account.short_due) == (2 / 3, 0.4, 0.04)
    assert (account.cancelled_share, account.cancelled_above, account.cancelled_due) == (0.25, 0.5, 0.0)
    (tomorrow,) = desk.accounts(START + 86_400.0)
    assert (tomorrow.calls, tomorrow.short_due) == (0, 0.0) and desk.accounts(START) == (account,), (
        "looking does nothing"
    )


def test_looking_changes_nothing() -> None:
    limits = (SetUpLimit(calls=4, per_s=1.0), SetUpLimit(calls=90, per_s=60.0))
    hours = (Hours(zone="UTC", weekdays=(4,), begin_minute=8 * 60, end_minute=8 * 60 + 2),)
    short = Carrier(name="a", short_calls=Surcharge(above=0.1, fee=0.01))
    trunks = supply_of(a={"limits": limits, "hours": hours}).trunks
    looked, plain = (desk_of(Supply(carriers=(short, Carrier(name="b")), trunks=trunks)) for _ in range(2))
    rng = np.random.default_rng(3)
    now = START
    for _ in range(80):
        now += float(rng.uniform(0.0, 4.0))
        end = (CallEnd.FAILED, CallEnd.BUSY, CallEnd.NO_ANSWER)[int(rng.integers(3))]
        for desk in (looked, plain):
            found = route(desk, 2, now)
            for trunk in (trunk for trunk in found if trunk is not None):
                assert desk.loads.set_up(trunk, now)
                desk.caller_ids.placed(choice_of_ours(), now)
                desk.placed(trunk, first=True, now=now)
                desk.loads.give_back(trunk, set_up=True)
                desk.ended(ended(desk, trunk, end), now=now)
                desk.shown(choice_of_ours(), "x", 0.2, 0.5)
        for ahead in (0.0, 0.7, 130.0, 90_000.0):
            looked.standings(now + ahead), looked.numbers(now + ahead), looked.accounts(now + ahead)
            looked.tallies, looked.learned(), looked.silent_s(0)
        assert json.dumps(looked.snapshot()) == json.dumps(plain.snapshot())


def test_why_a_trunk_is_idle_is_as_of_now() -> None:
    hours = (Hours(zone="UTC", weekdays=(4,), begin_minute=9 * 60, end_minute=10 * 60),)
    desk = desk_of(supply_of(a={"hours": hours}))
    cell(desk)
    assert not desk.usable(0, 0, START)
    assert [desk.standings(at)[0].idle_because for at in (START, START + 3600.0)] == ["outside its hours", ""]
