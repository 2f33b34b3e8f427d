"""What becomes of a lead after each disposition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.config.campaign import DEFAULT_RETRY, Retry
from dialer.core.disposition import STOPPING, Disposition
from dialer.core.lead import LeadProgress
from dialer.core.retry import after_attempt

NOW = 1_000_000.0


def fresh(numbers: int) -> LeadProgress:
    return LeadProgress(lead_id="L", number_ready_at=(0.0,) * numbers)


def after(progress: LeadProgress, disposition: str, number: int = 0, **rules: Retry) -> LeadProgress:
    return after_attempt(progress, number, disposition, now=NOW, rules=rules or DEFAULT_RETRY, gap_s=600.0)


def test_busy_rests_on_the_same_number() -> None:
    result = after(fresh(2), "BUSY")
    assert (result.status, result.number_index, result.next_at, result.attempts) == ("ready", 0, NOW + 900.0, 1)


def test_no_answer_goes_to_the_next_number_after_the_gap_and_the_first_rests() -> None:
    result = after(fresh(2), "NO_ANSWER")
    assert (result.number_index, result.next_at) == (1, NOW + 600.0)
    assert result.number_ready_at == (NOW + 7200.0, 0.0)


def test_with_one_number_no_answer_waits_for_that_number() -> None:
    result = after(fresh(1), "NO_ANSWER")
    assert (result.number_index, result.next_at) == (0, NOW + 7200.0)


def test_an_invalid_number_is_dead_for_ever() -> None:
    first = after(fresh(2), "INVALID_NUMBER")
    assert (first.status, first.number_index, first.number_ready_at[0]) == ("ready", 1, None)
    second = after(first, "INVALID_NUMBER", number=1)
    assert second.status == "finished"


def test_the_limit_of_a_rule_finishes_the_lead() -> None:
    progress = fresh(1)
    for _ in range(2):
        progress = after(progress, "BUSY", BUSY=Retry(after=60, max=2))
        assert progress.status == "ready"
    assert after(progress, "BUSY", BUSY=Retry(after=60, max=2)).status == "finished"


@pytest.mark.parametrize("disposition", sorted(STOPPING))
def test_a_stopping_disposition_stops_whatever_the_rules_say(disposition: str) -> None:
    rules = {disposition: Retry(after=0, max=9)}
    assert after(fresh(3), disposition, **rules).status == "stopped"


@pytest.mark.parametrize("disposition", ["PTP", "RPC", "REFUSED", "UNDISPOSED"])
def test_without_a_rule_the_lead_is_finished(disposition: str) -> None:
    assert after(fresh(2), disposition).status == "finished"


@given(
    st.integers(1, 4),
    st.lists(st.sampled_from(list(Disposition)), max_size=15),
    st.floats(0, 1e6),
)
def test_a_lead_never_comes_back_before_its_gap_nor_on_a_dead_number(
    numbers: int, dispositions: list[Disposition], gap_s: float
) -> None:
    progress, now = fresh(numbers), NOW
    for disposition in dispositions:
        if progress.status != "ready":
            break
        dialled = progress.number_index
        progress = after_attempt(progress, dialled, disposition, now=now, rules=DEFAULT_RETRY, gap_s=gap_s)
        if progress.status == "ready":
            rest = progress.number_ready_at[progress.number_index]
            assert rest is not None and progress.next_at >= max(rest, now + gap_s)
            now = progress.next_at
    assert progress.attempts <= len(dispositions)
    assert sum(progress.by_disposition.values()) == progress.attempts
