"""Which number a call shows: the same one for the same person, within caps, and none instead of a resting one."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from carriers.caller_id import CallerIdChoice, CallerIdReason, CallerIds
from carriers.caller_id_pool import Pool

DAY_S = 86_400.0
NOON = 20_000 * DAY_S + 12 * 3600
LOCAL = tuple(f"+1305555{n:04d}" for n in range(4))
DEFAULT = tuple(f"+1800555{n:04d}" for n in range(4))
OWNED = frozenset((*LOCAL, *DEFAULT))
POOLS = (
    Pool(name="florida", numbers=LOCAL, jurisdictions=("US-FL",), local=True, max_calls_a_day=6),
    Pool(name="main", numbers=DEFAULT, max_calls_a_day=10),
)
FLORIDA, TEXAS = ("US", "US-FL"), ("US", "US-TX")


def caller_ids(*pools: Pool, owned: frozenset[str] = OWNED, trial_share: float = 0.1) -> CallerIds:
    return CallerIds(pools or POOLS, owned=sorted(owned), trial_share=trial_share)


def shown(
    ids: CallerIds,
    called: int,
    *,
    to: tuple[str, ...] = TEXAS,
    allowed: frozenset[str] = OWNED,
    now: float = NOON,
    place: bool = False,
) -> CallerIdChoice | None:
    choice = ids.choose(number=f"+1202{called:07d}", jurisdictions=to, product="card", allowed=allowed, now=now)
    if place and choice is not None:
        ids.placed(choice, now)
    return choice


def chosen(ids: CallerIds, called: int, **how: Any) -> CallerIdChoice:
    choice = shown(ids, called, **how)
    assert choice is not None
    return choice


def let_rest(ids: CallerIds, number: str, until: float) -> None:
    state = ids.snapshot()
    state["numbers"][number]["resting_until"] = until
    ids.restore(state)


def test_a_called_number_sees_the_same_one_each_time() -> None:
    ids = caller_ids(Pool(name="main", numbers=DEFAULT))
    before = [chosen(ids, called, place=True) for called in range(200)]
    assert [chosen(ids, called, now=NOON + 5 * DAY_S) for called in range(200)] == before
    assert {choice.number for choice in before} == set(DEFAULT)
    assert {(choice.pool, choice.reason, choice.propensity) for choice in before} == {
        ("main", CallerIdReason.STICKY, 1.0)
    }


def test_a_share_of_the_called_numbers_sees_the_local_one_and_its_propensity_is_told() -> None:
    ids = caller_ids(
        *(Pool(name=p.name, numbers=p.numbers, jurisdictions=p.jurisdictions, local=p.local) for p in POOLS)
    )
    choices = [chosen(ids, called, to=FLORIDA) for called in range(5_000)]
    counts = Counter((c.pool, c.reason, c.propensity, c.rival, c.place) for c in choices)
    assert set(counts) == {
        ("florida", CallerIdReason.TRIED, 0.1, "main", "US-FL"),
        ("main", CallerIdReason.STICKY, 0.9, "florida", "US-FL"),
    }
    assert counts["florida", CallerIdReason.TRIED, 0.1, "main", "US-FL"] == pytest.approx(500, abs=90)
    elsewhere = chosen(ids, 1, to=TEXAS)
    assert (elsewhere.pool, elsewhere.propensity, elsewhere.rival) == ("main", 1.0, None)


def test_a_local_pool_with_nothing_to_compare_it_with_is_shown_to_all() -> None:
    ids = caller_ids(POOLS[0], owned=frozenset(LOCAL))
    assert chosen(ids, 1, to=FLORIDA).propensity == 1.0 and shown(ids, 1, to=TEXAS) is None


def test_where_the_local_one_has_had_its_calls_the_default_one_is_shown_and_that_is_no_draw() -> None:
    ids = caller_ids(POOLS[0], Pool(name="main", numbers=DEFAULT), trial_share=0.5)
    called = next(n for n in range(99) if chosen(ids, n, to=FLORIDA).pool == "florida")
    for _ in range(4 * 6):
        assert chosen(ids, called, to=FLORIDA, place=True).pool == "florida"
    after = chosen(ids, called, to=FLORIDA)
    assert (after.pool, after.reason, after.propensity, after.rival) == ("main", CallerIdReason.CAPPED, 1.0, None)


def test_where_all_local_ones_rest_the_default_ones_take_their_calls_up_to_a_quarter_of_their_own() -> None:
    ids = caller_ids(POOLS[0], Pool(name="main", numbers=DEFAULT), trial_share=0.5)
    drawn = [n for n in range(200) if chosen(ids, n, to=FLORIDA).pool == "florida"]
    for number in LOCAL:
        let_rest(ids, number, NOON + DAY_S)
    assert shown(ids, drawn[0], to=FLORIDA) is None  # so far they have none of their own
    for called in range(100):
        chosen(ids, called, to=TEXAS, place=True)
    found = [shown(ids, called, to=FLORIDA, place=True) for called in drawn]
    assert {(c.pool, c.reason, c.propensity, c.rival) for c in found if c is not None} == {
        ("main", CallerIdReason.RESTING, 1.0, None)
    }
    assert sum(c is not None for c in found) == pytest.approx(25, abs=4)


def test_a_capped_number_gives_way_to_the_next_in_the_called_numbers_own_order() -> None:
    ids = caller_ids(POOLS[1], owned=frozenset(DEFAULT))
    usual = chosen(ids, 7)
    for _ in range(10):
        assert chosen(ids, 7, place=True).number == usual.number
    second = chosen(ids, 7)
    assert second.number != usual.number and second.reason is CallerIdReason.CAPPED
    for _ in range(30):
        chosen(ids, 7, place=True)
    assert shown(ids, 7) is None
    (told,) = ids.alerts()
    assert told.endswith("0 rest and 4 have had their calls today, of 4")
    assert shown(ids, 8) is None and ids.alerts() == []
    assert [s.because for s in ids.standings(NOON)] == ["has had its calls today"] * 4
    assert chosen(ids, 7, now=NOON + DAY_S) == usual


def test_a_number_that_the_trunk_does_not_take_gives_way_and_it_is_told_why() -> None:
    ids = caller_ids(Pool(name="main", numbers=DEFAULT))
    usual = chosen(ids, 3)
    other = chosen(ids, 3, allowed=OWNED - {usual.number})
    assert other.number != usual.number and other.reason is CallerIdReason.BARRED
    assert shown(ids, 3, allowed=frozenset()) is None
    assert ids.alerts() == [
        "some calls to US/US-TX of 'card' are not placed for want of a caller ID: "
        "no pool for them has one that law and trunk take"
    ]


def test_calls_of_a_resting_number_go_to_each_other_only_up_to_a_quarter_of_its_own() -> None:
    ids = caller_ids(Pool(name="main", numbers=DEFAULT[:2]), owned=frozenset(DEFAULT[:2]))
    usual = {called: chosen(ids, called).number for called in range(1_000)}
    resting, other = DEFAULT[:2]
    let_rest(ids, resting, NOON + DAY_S)
    placed = {called: shown(ids, called, place=True) for called in range(1_000)}
    assert all(choice is None or choice.number == other for choice in placed.values())
    own = sum(usual[called] == other for called in usual)
    borrowed = [c for called, c in placed.items() if c is not None and usual[called] == resting]
    assert {c.reason for c in borrowed} == {CallerIdReason.RESTING}
    assert own // 4 - 3 <= len(borrowed) <= own // 4
    assert "1 rest and 0 have had their calls today, of 2" in ids.alerts()[0]
    assert chosen(ids, 1, now=NOON + DAY_S).number == usual[1]


def outcome(ids: CallerIds, number: str, contacts: float, now: float, expected: float = 0.25) -> None:
    pool = next(pool.name for pool in ids.pools if number in pool.numbers)
    choice = CallerIdChoice(number, pool, CallerIdReason.STICKY, 1.0)
    ids.learn(choice, network="x", calls=int(expected > 0.0), expected=expected, contacts=contacts, now=now)


def play(ids: CallerIds, times: dict[str, float], calls: int, begin: float) -> float:
    """Let each number have calls in turn, one in 4 answered where `times` is 1; 15 s between two. Return the end."""
    owed = dict.fromkeys(times, 0.0)
    now = begin
    for call in range(calls):
        number = list(times)[call % len(times)]
        owed[number] += 0.25 * times[number]
        contact = owed[number] >= 1.0
        owed[number] -= contact
        outcome(ids, number, float(contact), now)
        now += 15.0
    return now


def test_a_number_labelled_as_spam_rests_for_a_day_and_longer_each_time() -> None:
    ids = caller_ids(Pool(name="main", numbers=DEFAULT))
    now = play(ids, dict.fromkeys(DEFAULT, 1.0), 2_000, NOON)
    assert ids.alerts() == [] and all(s.resting_until is None for s in ids.standings(now))
    assert [s.multiplier for s in ids.standings(now)[:4]] == pytest.approx([1.0] * 4, rel=0.05)
    bad, rests = DEFAULT[0], []
    for _ in range(5):
        begin = now
        now = play(ids, dict.fromkeys(DEFAULT, 1.0) | {bad: 0.4}, 2_400, now)
        (told,) = ids.alerts()
        assert told.startswith(f"{bad} rests until 2024-1") and "have its label checked" in told
        standing = ids.standings(now)[0]
        assert standing.resting_until is not None and standing.multiplier is None
        assert "times as often as expected (n=" in standing.because
        # Within 90 expected contacts of its own: 360 of its calls.
        rests.append(round((standing.resting_until - begin) / DAY_S))
        now = standing.resting_until
    assert rests == [1, 2, 4, 7, 7]


def test_never_more_than_half_of_a_pool_rests_and_people_are_told_once() -> None:
    ids = caller_ids(Pool(name="main", numbers=DEFAULT[:3]), owned=frozenset(DEFAULT[:3]))
    now = play(ids, dict.fromkeys(DEFAULT[:3], 1.0), 1_500, NOON)
    play(ids, dict(zip(DEFAULT[:3], (0.3, 1.0, 0.3), strict=True)), 3_000, now)
    standings = ids.standings(now + 45_000)
    assert sum(s.resting_until is not None for s in standings) == 1
    told = ids.alerts()
    assert [sum(words in text for text in told) for words in ("rests until", "as a whole", "as they were")] == [1, 1, 1]
    assert len(told) == 3
    assert "should rest, but more than half of its pool would (1 of 3)" in standings[2].because + standings[0].because


def test_a_pool_that_falls_as_a_whole_is_told_once_and_nothing_rests() -> None:
    ids = caller_ids(Pool(name="main", numbers=DEFAULT))
    now = play(ids, dict.fromkeys(DEFAULT, 1.0), 2_000, NOON)
    now = play(ids, dict.fromkeys(DEFAULT, 0.4), 2_000, now)
    (told,) = ids.alerts()
    assert told.startswith("calls that show the pool 'main' are answered 0.") and "as often as they were" in told
    assert all(s.resting_until is None for s in ids.standings(now))


def test_contacts_that_are_taken_back_leave_no_trace() -> None:
    plain, corrected = caller_ids(), caller_ids()
    for call in range(600):
        for number in DEFAULT:
            now = NOON + 60.0 * call
            outcome(plain, number, float(call % 4 == 0), now)
            outcome(corrected, number, 1.0, now, expected=0.0)
            outcome(corrected, number, float(call % 4 == 0) - 1.0, now)
    end = NOON + 36_000
    multipliers = [[s.multiplier for s in ids.standings(end)][4:] for ids in (plain, corrected)]
    assert multipliers[1] == pytest.approx(multipliers[0]) and corrected.alerts() == []


def test_local_presence_is_proven_through_the_calls_themselves() -> None:
    ids = caller_ids(
        *(Pool(name=p.name, numbers=p.numbers, jurisdictions=p.jurisdictions, local=p.local) for p in POOLS)
    )
    owed = {"florida": 0.0, "main": 0.0}
    for called in range(20_000):
        now = NOON + 2.0 * called
        choice = chosen(ids, called, to=FLORIDA)
        owed[choice.pool] += 0.3 if choice.pool == "florida" else 0.2
        contact = owed[choice.pool] >= 1.0
        owed[choice.pool] -= contact
        ids.learn(choice, network="", calls=1, expected=0.2, contacts=float(contact), now=now)
    found = [chosen(ids, called, to=FLORIDA) for called in range(1_000)]
    counts = Counter((c.pool, c.propensity) for c in found)
    assert counts["florida", 0.9] == pytest.approx(900, abs=40) and len(counts) == 2
    assert {c.reason for c in found if c.pool == "florida"} == {CallerIdReason.PROVEN}
    assert "proven in US-FL" in ids.standings(NOON + 40_000)[0].because


def test_a_snapshot_of_another_shape_is_refused_and_changes_nothing() -> None:
    ids = caller_ids()
    chosen(ids, 1, place=True)
    before = ids.snapshot()
    broken: list[dict[str, Any]] = [{}, {**before, "numbers": 3}, {**before, "more": 1}]
    for state in broken:
        with pytest.raises(ValueError, match="snapshot of the caller IDs"):
            ids.restore(state)
    assert ids.snapshot() == before


def test_numbers_that_are_no_longer_ours_are_dropped_from_a_snapshot() -> None:
    ids = caller_ids()
    for called in range(20):
        chosen(ids, called, place=True)
    fewer = caller_ids(Pool(name="main", numbers=DEFAULT[:2]), owned=frozenset(DEFAULT[:2]))
    fewer.restore(ids.snapshot())
    kept = {s.number: s.calls_today for s in ids.standings(NOON)}
    assert [(s.number, s.calls_today) for s in fewer.standings(NOON)] == [(n, kept[n]) for n in DEFAULT[:2]]


class Days(RuleBasedStateMachine):
    """Some days of calls, with rests, trunks that take few numbers, and restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.ids = caller_ids(trial_share=0.5)
        self.now = NOON
        self.placed: list[tuple[CallerIdChoice, float]] = []
        self.resting: dict[str, float] = {}

    @rule(
        called=st.integers(0, 30),
        to=st.sampled_from([FLORIDA, TEXAS]),
        allowed=st.sets(st.sampled_from(sorted(OWNED)), min_size=1).map(frozenset) | st.just(OWNED),
        calls=st.integers(1, 12),
        answered=st.booleans(),
    )
    def call(self, called: int, to: tuple[str, ...], allowed: frozenset[str], calls: int, answered: bool) -> None:
        for turn in range(calls):
            choice = shown(self.ids, called + turn, to=to, allowed=allowed, now=self.now)
            again = shown(self.ids, called + turn, to=to, allowed=allowed, now=self.now)
            assert choice == again
            if choice is None:
                continue
            assert choice.number in allowed and 0.0 < choice.propensity <= 1.0
            assert self.resting.get(choice.number, 0.0) <= self.now
            if choice.reason is CallerIdReason.STICKY:
                usual = caller_ids(trial_share=0.5)
                fresh = [shown(usual, called + turn, to=where, allowed=allowed, now=self.now) for where in (to, TEXAS)]
                assert choice.number in {c.number for c in fresh if c is not None}
            self.ids.placed(choice, self.now)
            self.placed.append((choice, self.now))
            self.ids.learn(choice, network="x", calls=1, expected=0.1, contacts=float(answered), now=self.now)

    @rule(hours=st.floats(0.0, 20.0))
    def wait(self, hours: float) -> None:
        self.now += 3600.0 * hours

    @rule(number=st.sampled_from(sorted(OWNED)), hours=st.floats(1.0, 60.0))
    def rest(self, number: str, hours: float) -> None:
        self.resting[number] = self.now + 3600.0 * hours
        let_rest(self.ids, number, self.resting[number])

    @rule()
    def restart(self) -> None:
        state = json.loads(json.dumps(self.ids.snapshot()))
        other = caller_ids(trial_share=0.5)
        other.restore(state)
        assert other.snapshot() == state and other.standings(self.now) == self.ids.standings(self.now)
        self.ids = other

    @invariant()
    def no_cap_is_exceeded_on_any_zones_day(self) -> None:
        caps = {number: pool.max_calls_a_day for pool in POOLS for number in pool.numbers}
        for quarters in (-48, -20, 0, 22, 23, 51):
            counts = Counter((c.number, (at + quarters * 900) // DAY_S) for c, at in self.placed)
            assert all(count <= (caps[number] or 0) for (number, _), count in counts.items())

    @invariant()
    def resting_ones_lend_no_more_than_a_quarter(self) -> None:
        latest = [c for c, at in self.placed if at // 900 > self.now // 900 - 96]
        for number in OWNED:
            mine = [c.reason is CallerIdReason.RESTING for c in latest if c.number == number]
            if all(at // 900 > self.now // 900 - 96 for _, at in self.placed):  # what was own may have run out since
                assert 4 * sum(mine) <= len(mine) - sum(mine)


Days.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestDays = Days.TestCase


@given(st.lists(st.tuples(st.sampled_from(DEFAULT), st.booleans(), st.floats(0.0, 900.0)), max_size=60))
def test_a_restored_one_goes_on_as_if_nothing_had_been(rows: list[tuple[str, bool, float]]) -> None:
    ids, restarted, now = caller_ids(), caller_ids(), NOON
    for number, contact, later in rows:
        now += later
        for one in (ids, restarted):
            outcome(one, number, float(contact), now)
        restarted, before = caller_ids(), restarted.snapshot()
        restarted.restore(before)
    assert restarted.snapshot() == ids.snapshot()


@given(
    st.lists(
        st.tuples(st.sampled_from(DEFAULT + LOCAL), st.booleans(), st.floats(0.0, 9000.0), st.floats(0.0, 9e4)),
        max_size=60,
    )
)
def test_looking_changes_nothing(rows: list[tuple[str, bool, float, float]]) -> None:
    looked, plain, now = caller_ids(), caller_ids(), NOON
    for number, contact, later, ahead in rows:
        now += later
        for ids in (looked, plain):
            choice = shown(ids, int(number[-1]), to=FLORIDA if number in LOCAL else TEXAS, now=now, place=True)
            if choice is None:
                continue
            ids.learn(choice, network="x", calls=30, expected=6.0, contacts=9.0 * contact, now=now)
        looked.standings(now)
        looked.standings(now + ahead)
    assert looked.snapshot() == plain.snapshot()


def test_what_is_told_counts_calls_and_not_the_rows_that_they_came_in() -> None:
    ids, now = caller_ids(Pool(name="main", numbers=DEFAULT)), NOON
    for turn in range(40):
        for number in DEFAULT:
            choice = CallerIdChoice(number, "main", CallerIdReason.STICKY, 1.0)
            contacts = 0.5 if number == DEFAULT[0] and turn > 10 else 2.5
            ids.learn(choice, network="x", calls=10, expected=2.5, contacts=contacts, now=now)
        now += 250.0
    (told,) = ids.alerts()
    assert int(told.split("(n=")[1].split(")")[0]) in range(100, 400, 10)
    for _ in range(20):  # then all of the pool fall
        for number in DEFAULT[1:]:
            choice = CallerIdChoice(number, "main", CallerIdReason.STICKY, 1.0)
            ids.learn(choice, network="x", calls=10, expected=2.5, contacts=0.5, now=now)
        now += 250.0
    (told,) = [text for text in ids.alerts() if "as they were" in text]
    assert int(told.split("(n=")[1].split(")")[0]) in range(100, 800, 10)
