"""The accounts of abandons that laws ask for."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.abandon import AbandonCount, abandon_limits, strictest_rate
from compliance.rule import AbandonLimit, Profile


def law(name: str, zones: tuple[str, ...] = (), confidence: Any = "V2", **limit: Any) -> Profile:
    return Profile(
        id=name, jurisdiction=name[:2].upper(), scope=("telemarketing",), zones=zones, confidence=confidence,
        abandon=AbandonLimit(confidence=confidence, **limit),
    )  # fmt: skip


US = law("us-tmk", max_rate=0.03, window="30_days")
GB = law("gb-ofcom", max_rate=0.03, window="rolling_24h", clock_start="connect", legal_threshold=False)
CA = law("ca-utr", confidence="U", max_rate=0.05, window="calendar_month", clock_start="greeting_end")


def test_each_account_is_its_laws_own() -> None:
    assert abandon_limits([US, GB]) == (
        AbandonCount(rule="us-tmk", rate=0.03, window="30_days", clock_start="greeting_end", threshold_s=2.0),
        AbandonCount(rule="gb-ofcom", rate=0.03, window="rolling_24h", clock_start="connect", threshold_s=2.0),
    )


def test_the_lowest_rate_holds_in_every_window() -> None:
    strict = law("xx-strict", max_rate=0.01, window="campaign")
    assert [count.rate for count in abandon_limits([US, strict, GB])] == [0.01, 0.01, 0.01]
    assert strictest_rate([US, strict]) == 0.01


@pytest.mark.parametrize("confidence", ["R", "U"])
def test_what_nobody_verified_tightens_and_never_loosens(confidence: Any) -> None:
    loose = law(
        "xx", confidence=confidence, max_rate=0.05, window="30_days", clock_start="greeting_end", connect_deadline_s=5.0
    )
    (count,) = abandon_limits([loose])
    assert (count.rate, count.clock_start, count.threshold_s) == (0.03, "connect", 2.0)
    tight = law("yy", confidence=confidence, max_rate=0.02)
    assert [count.rate for count in abandon_limits([US, tight])] == [0.02]


def test_a_laws_larger_figure_does_not_loosen_ours_even_verified() -> None:
    assert abandon_limits([law("xx", max_rate=0.05, window="30_days")])[0].rate == 0.03


def test_a_month_is_one_of_the_profiles_zone() -> None:
    assert abandon_limits([CA])[0].zone == "UTC"
    there = law("ca-utr", zones=("America/Toronto",), window="calendar_month")
    assert abandon_limits([there, US])[0].zone == "America/Toronto"
    assert abandon_limits([there, US])[1].zone == ""


def test_laws_that_count_alike_share_an_account() -> None:
    again = law("ie-tmk", max_rate=0.03, window="30_days")
    assert [count.rule for count in abandon_limits([US, again])] == ["us-tmk"]


def test_a_law_without_a_window_or_without_a_limit_adds_no_account() -> None:
    silent = Profile(id="pe", jurisdiction="PE", scope=("debt_collection",))
    assert abandon_limits([silent, law("es", max_rate=None)]) == ()
    assert strictest_rate([silent]) == 0.03
