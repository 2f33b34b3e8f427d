"""What the law of the called place asks of the call itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest

from compliance.rule import AbandonLimit, CallerIdRule, MessageRule, Profile
from dialer.core import actions as act
from dialer.core.abandon_book import open_accounts
from dialer.core.duties import duty_date, message_plays
from tests.unit.core.bench_engine import START, Bench, OpenRules, campaign_of


def law(name: str, **rules: Any) -> Profile:
    return Profile(id=name, jurisdiction="PE", scope=("debt_collection",), confidence="V2", **rules)


def message(name: str) -> Profile:
    return law(name, message=MessageRule(abandoned_call=name))  # type: ignore[arg-type]


def placed(bench: Bench) -> list[act.Originate]:
    bench.log_in("ana")
    bench.dial()
    return [action for action in bench.done if isinstance(action, act.Originate)]


@pytest.mark.parametrize("order", list(permutations(["required", "allowed", "forbidden"])))
def test_forbidden_wins_over_required(order: tuple[str, ...]) -> None:
    assert not message_plays(tuple(map(message, order)))
    assert message_plays(tuple(message(name) for name in order if name != "forbidden"))


@pytest.mark.parametrize(("profiles", "plays"), [((), True), (("required",), True), (("forbidden",), False)])
def test_a_call_says_whether_the_message_may_play(profiles: tuple[str, ...], plays: bool) -> None:
    (call,) = placed(Bench(rules=OpenRules(profiles=tuple(map(message, profiles)))))
    assert call.message is plays


def test_only_a_number_that_the_law_allows_is_presented() -> None:
    rules = OpenRules(profiles=(law("pe-range", caller_id=CallerIdRule(required_prefixes=("+511700",))),))
    (call,) = placed(Bench(rules=rules, caller_ids=["+51999888777", "+5117000000"]))
    assert call.caller_id == "+5117000000"


def test_where_no_number_may_be_presented_nothing_is_placed_and_it_is_told_once() -> None:
    rules = OpenRules(profiles=(law("pe-range", caller_id=CallerIdRule(required_prefixes=("+51600",))),))
    bench = Bench(rules=rules)
    assert placed(bench) == []
    bench.dial(2)
    assert bench.of(act.Originate) == []
    (told,) = bench.of(act.Alert)
    assert "want of a caller ID where pe-range hold" in told.text  # type: ignore[attr-defined]
    assert not bench.of(act.Reserve), "a call that cannot be placed costs nobody a counted attempt"


def test_a_duty_binds_as_soon_as_its_date_has_begun_anywhere() -> None:
    assert duty_date(datetime(2026, 10, 16, 9, 59, tzinfo=UTC).timestamp()) == date(2026, 10, 16)
    assert duty_date(datetime(2026, 10, 16, 10, 0, tzinfo=UTC).timestamp()) == date(2026, 10, 17)


# ---- the law's accounts of abandons ---------------------------------------------------------------------------
MONTH = law("pe-month", zones=("America/Lima",), abandon=AbandonLimit(max_rate=0.02, window="calendar_month"))


def accounts(*profiles: Profile, **changes: Any) -> list[tuple[str, str, float]]:
    return [(s.rule, s.window, s.cap_rate) for s in open_accounts(campaign_of(**changes), profiles).standings(START)]


def test_the_laws_accounts_stand_beside_the_campaigns_with_the_lowest_rate() -> None:
    assert accounts(MONTH) == [
        ("rolling_24h", "rolling_24h", 0.02),
        ("30_days", "30_days", 0.02),
        ("pe-month", "calendar_month", 0.02),
    ]


def test_a_law_that_counts_as_the_campaign_does_adds_no_account() -> None:
    assert accounts(law("us-tmk", abandon=AbandonLimit(max_rate=0.03, window="30_days"))) == accounts()


def test_a_rule_of_the_campaign_with_a_laws_name_does_not_hide_it() -> None:
    own = {"id": "pe-month", "window": "campaign"}
    assert [name for name, _, _ in accounts(MONTH, abandon_rules=[own])] == ["pe-month", "law.pe-month"]


def test_the_engine_keeps_the_accounts_of_the_profiles_that_its_rules_have() -> None:
    bench = Bench(rules=OpenRules(profiles=(MONTH,)))
    assert [account.rule for account in bench.engine.status().abandon_accounts][-1] == "pe-month"
