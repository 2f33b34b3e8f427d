import json
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from carriers.causes import CallEnd
from carriers.tally import LIVE_MINUTES, AccountDay, LiveTally, TrunkTally, account_day_of, tally_of

NAMES = [field.name for field in fields(TrunkTally)]


def test_the_first_fields_are_where_records_of_runs_have_them():
    assert NAMES[:6] == ["attempts", "rang", "answers", "live_answers", "failed", "set_up_s"]


def test_an_empty_tally_has_no_ratios():
    empty = TrunkTally()
    assert {empty.asr, empty.ner, empty.pdd_s, empty.mean_call_s, empty.short_share, empty.cancelled_share} == {None}
    assert {empty.contacts_per_1000, empty.cost_per_try, empty.cost_per_contact} == {None}


def test_ratios_by_hand():
    # 100 seizures: 30 answered, 10 busy, 35 not answered, 5 rejected, 8 invalid, 4 congestion, 6 faults, 2 unknown
    tally = TrunkTally(tries=103, rang=70, set_up_s=140.0, answers=30, contacts=12, cost=3.0)
    ends = {"BUSY": 10, "NO_ANSWER": 5, "REJECTED": 5, "INVALID_NUMBER": 8, "CONGESTION": 4, "FAILED": 6, "UNKNOWN": 1}
    for end, count in ends.items():
        for _ in range(count):
            tally.ended(CallEnd(end), rang=False, ended_by_us=False)
    for _ in range(30):
        tally.ended(CallEnd.NO_ANSWER, rang=True, ended_by_us=True)
    tally.ended(CallEnd.FAILED, rang=False, ended_by_us=True)  # cancelled in silence: nobody knows
    for answered_s, short in ((2.0, True), (58.0, False), (60.0, False), (40.0, False)):
        tally.call_over(answered_s, short=short)
    assert tally.seizures == 100
    assert (tally.asr, tally.ner) == (0.30, 0.80)
    assert (tally.pdd_s, tally.mean_call_s) == (2.0, 40.0)
    assert (tally.short_share, tally.cancelled_share) == (0.25, 0.31)
    assert (tally.contacts_per_1000, tally.cost_per_try, tally.cost_per_contact) == (120.0, 0.03, 0.25)


@given(st.lists(st.tuples(st.sampled_from(list(CallEnd)), st.booleans(), st.booleans()), max_size=50))
def test_ratios_lie_between_0_and_1_and_every_end_counts_once(ends):
    tally = TrunkTally()
    for end, rang, ours in ends:
        if end is CallEnd.ANSWERED:
            tally.answers += 1
        else:
            tally.ended(end, rang=rang, ended_by_us=ours)
    assert tally.seizures == len(ends)
    if ends:
        assert 0.0 <= tally.asr <= tally.ner <= 1.0
        assert 0.0 <= tally.cancelled_share <= 1.0


def test_a_contact_taken_back_after_its_minute_was_forgotten_makes_no_negative_ratio():
    tally = TrunkTally(contacts=-1, answers=1, cost=1.0)
    assert (tally.contacts_per_1000, tally.cost_per_contact) == (0.0, None)


def test_an_answered_try_has_no_other_end():
    with pytest.raises(ValueError, match="not answered"):
        TrunkTally().ended(CallEnd.ANSWERED, rang=True, ended_by_us=False)


def test_values_survive_json_and_stay_of_their_kind():
    tally = TrunkTally(*range(len(NAMES)))
    again = tally_of(json.loads(json.dumps(tally.values())))
    assert again == tally
    assert isinstance(again.tries, int) and isinstance(again.answered_s, float)
    with pytest.raises(ValueError):
        tally_of(tally.values()[:-1])


def test_the_live_tally_forgets_minute_by_minute():
    live = LiveTally()
    live.at(59.9).tries += 1
    live.at(60.0).tries += 10
    assert live.total(60.0 * LIVE_MINUTES - 0.1).tries == 11
    assert live.total(60.0 * LIVE_MINUTES).tries == 10
    assert live.total(60.0 * (LIVE_MINUTES + 1)).tries == 0


class LiveMachine(RuleBasedStateMachine):
    """Against a list of everything that happened."""

    def __init__(self):
        super().__init__()
        self.live, self.now, self.log = LiveTally(), 1_700_000_000.0, []

    @rule(seconds=st.sampled_from([0.0, 1.0, 59.0, 60.0, 300.0, 899.0, 900.0, 5000.0]))
    def wait(self, seconds):
        self.now += seconds

    @rule(count=st.integers(1, 5), seconds=st.floats(0.0, 100.0))
    def happens(self, count, seconds):
        self.live.at(self.now).tries += count
        self.live.at(self.now).call_over(seconds, short=False)
        self.log.append((self.now, count, seconds))

    @rule()
    def restart(self):
        kept = json.loads(json.dumps(self.live.snapshot()))
        self.live = LiveTally()
        self.live.restore(kept)

    @invariant()
    def the_last_minutes_are_counted(self):
        since = (self.now // 60.0 - LIVE_MINUTES + 1) * 60.0
        recent = [row for row in self.log if row[0] >= since]
        before = self.live.snapshot()
        total = self.live.total(self.now)
        assert self.live.snapshot() == before
        assert total.tries == sum(row[1] for row in recent)
        assert total.calls_over == len(recent)
        assert total.answered_s == pytest.approx(sum(row[2] for row in recent))


TestLiveMachine = LiveMachine.TestCase
TestLiveMachine.settings = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize("state", [[], [[0.0]], [[0.0], *[[0.0]] * LIVE_MINUTES]])
def test_a_snapshot_of_another_shape_is_refused(state):
    live = LiveTally()
    live.at(90.0).tries += 3
    with pytest.raises(ValueError):
        live.restore(state)
    assert live.total(90.0).tries == 3


def test_an_accounts_day_ends_at_midnight_utc():
    day = AccountDay()
    at = 19_000 * 86_400.0 + 86_399.0
    day.ended(ended_by_us=True, now=at)
    day.ended(ended_by_us=False, now=at)
    day.call_over(short=True, now=at)
    day.call_over(short=False, now=at)
    assert (day.short_share, day.cancelled_share) == (0.5, 0.25)
    assert account_day_of(json.loads(json.dumps(day.values()))) == day
    assert day.roll(at + 1.0).values() == [19_001, 0, 0, 0, 0]
    assert (day.short_share, day.cancelled_share) == (None, None)
