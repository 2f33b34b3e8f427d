"""What counts as an abandoned call, by whose definition, and what the accounts make of it."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from pacing.accounts.account import AbandonAccount, AbandonAccounts
from pacing.accounts.rule import AbandonRule, Answer
from pacing.accounts.windows import DAY_S

T = 1_800_000_000.0


def rule(**changes: object) -> AbandonRule:
    return AbandonRule(**{"id": "r", **changes})  # type: ignore[arg-type]


def served(after_s: float, at: float = T, **greeting: float) -> Answer:
    moments = {f"greeting_{name}_at": at + value for name, value in greeting.items()}
    return Answer(connected_at=at, agent_at=at + after_s, ended_at=at + after_s, **moments)  # type: ignore[arg-type]


def given_up(after_s: float = 2.0, at: float = T, *, hung_up: bool = False) -> Answer:
    return Answer(connected_at=at, ended_at=at + after_s, hung_up=hung_up)


@pytest.mark.parametrize(
    ("changes", "answer", "counts"),
    [
        ({}, served(0.2), (1, 0)),
        ({}, served(2.0), (1, 0)),  # within two seconds
        ({}, served(2.1), (1, 1)),  # an agent came, too late
        ({"numerator": "unserved"}, served(2.1), (1, 0)),
        ({"numerator": "unserved"}, given_up(), (1, 1)),
        ({}, given_up(), (1, 1)),
        ({"threshold_s": 1.0}, served(1.5), (1, 1)),
        # the clock's start
        ({"clock_start": "connect"}, served(3.0, began=0.5, ended=1.4), (1, 1)),
        ({"clock_start": "greeting_start"}, served(3.0, began=0.5, ended=1.4), (1, 1)),
        ({"clock_start": "greeting_end"}, served(3.0, began=0.5, ended=1.4), (1, 0)),
        ({"clock_start": "greeting_start"}, served(2.1), (1, 1)),  # unknown: from the connection
        ({"clock_start": "greeting_end"}, served(2.1, began=0.5), (1, 1)),
        # people who did not wait
        ({}, given_up(0.7, hung_up=True), (1, 1)),
        ({"denominator": "served_or_abandoned"}, given_up(0.7, hung_up=True), (0, 0)),
        ({"denominator": "served_or_abandoned"}, given_up(2.5, hung_up=True), (1, 1)),
        ({"denominator": "served_or_abandoned"}, given_up(0.7), (1, 1)),  # given up by us, however soon
    ],
)
def test_what_an_answer_counts(changes: dict[str, object], answer: Answer, counts: tuple[int, int]) -> None:
    assert rule(**changes).counts(answer) == counts


def test_a_budget_is_what_the_cap_allows_less_what_was_abandoned() -> None:
    account = AbandonAccount(rule(window="campaign"))
    assert account.budget_left(T) == 0.0 and account.rate(T) is None
    for second in range(100):
        account.observe(served(0.1, at=T + second))
    account.observe(given_up(at=T + 100))
    assert account.budget_left(T + 200) == pytest.approx(101 * 0.03 - 1)
    assert account.rate(T + 200) == pytest.approx(1 / 101)


def test_people_lost_to_detection_are_answers_and_abandoned_ones() -> None:
    account = AbandonAccount(rule())
    account.observe(served(0.1))
    account.lost(0.25, T)
    assert account.standing(T).answers == 1.25
    assert account.budget_left(T) == pytest.approx(0.03 * 1.25 - 0.25)


def test_only_a_rule_that_counts_people_takes_machines_back() -> None:
    accounts = AbandonAccounts([rule(id="people", denominator="people"), rule(id="answers")])
    for answer in (served(0.1), served(3.0)):
        accounts.observe(answer)
        accounts.found_machine(answer)
    people, answers = accounts.standings(T)
    assert (people.answers, people.abandons, people.rate) == (0, 0, None)
    assert (answers.answers, answers.abandons) == (2, 1)


def test_answers_leave_the_day_before_abandons_do() -> None:
    account = AbandonAccount(rule())
    for second in range(40):
        account.observe(served(0.1, at=T + second))
    account.observe(given_up(at=T + 41))
    assert account.budget_left(T + DAY_S - 400) == pytest.approx(41 * 0.03 - 1)
    assert account.budget_left(T + DAY_S) == -1.0  # the answers may be out; the abandon may be in
    assert account.standing(T + DAY_S).answers == 41
    assert account.budget_left(T + DAY_S + 400) == 0.0


def test_thirty_days_run_from_the_first_answer() -> None:
    account = AbandonAccount(rule(window="30_days"))
    account.observe(given_up(at=T))
    # It waited longer than the answer that was counted first.
    account.observe(given_up(5.0, at=T - 3.0))
    assert account.budget_left(T + 30 * DAY_S - 1) == pytest.approx(0.06 - 2)
    assert account.budget_left(T + 30 * DAY_S) == 0.0
    account.observe(given_up(at=T + 95 * DAY_S))
    assert account.standing(T + 119 * DAY_S).abandons == 1
    assert account.standing(T + 120 * DAY_S).abandons == 0


def test_a_month_is_the_zones() -> None:
    zone = ZoneInfo("Europe/Madrid")
    account = AbandonAccount(rule(window="calendar_month", zone=zone))
    account.observe(given_up(at=datetime(2026, 3, 31, 23, 59, 58, tzinfo=zone).timestamp()))
    midnight = datetime(2026, 4, 1, tzinfo=zone).timestamp()
    assert account.standing(midnight - 1).abandons == 1
    account.observe(given_up(at=midnight + 1))
    account.observe(given_up(at=midnight - 1))  # of the month that is over
    assert account.standing(midnight + 2).abandons == 1


def test_time_that_runs_backwards_takes_nothing_back() -> None:
    for window in ("rolling_24h", "30_days", "calendar_month", "campaign"):
        account = AbandonAccount(rule(window=window))
        account.observe(given_up(at=T))
        assert account.standing(T - 3600).abandons == 1, window


def test_the_tightest_account_rules() -> None:
    accounts = AbandonAccounts([rule(id="loose"), rule(id="tight", cap_rate=0.01), rule(id="day", window="campaign")])
    for second in range(300):
        accounts.observe(served(0.1, at=T + second))
    assert accounts.tightest(T + 300) == ("tight", pytest.approx(3.0))
    later = T + 2 * DAY_S
    assert accounts.tightest(later) == ("loose", 0.0)  # of equal ones, the first


def test_a_snapshot_outlives_a_new_cap_and_not_a_new_definition() -> None:
    account = AbandonAccount(rule())
    account.observe(given_up())
    kept = json.loads(json.dumps(account.snapshot()))
    stricter, other = AbandonAccount(rule(cap_rate=0.01)), AbandonAccount(rule(numerator="unserved"))
    stricter.restore(kept)
    other.restore(kept)
    assert stricter.budget_left(T) == pytest.approx(0.01 - 1)
    assert other.standing(T).answers == 0


def test_counts_of_an_unknown_format_are_not_read() -> None:
    accounts = AbandonAccounts([rule()])
    accounts.restore({"format": 99, "rules": 7})
    accounts.restore({})
    assert accounts.standings(T)[0].answers == 0


def test_a_days_snapshot_is_small() -> None:
    accounts = AbandonAccounts([rule(), rule(id="month", window="30_days")])
    for second in range(0, 86_400, 20):
        accounts.observe(served(0.1, at=T + second))
        accounts.lost(1 / 99, T + second)
    assert len(json.dumps(accounts.snapshot())) < 20_000


@pytest.mark.parametrize("rules", [[], [rule(), rule(window="campaign")]])
def test_accounts_need_rules_of_different_ids(rules: list[AbandonRule]) -> None:
    with pytest.raises(ValueError, match="different ids"):
        AbandonAccounts(rules)
