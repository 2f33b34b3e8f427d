"""Caller ID duties: which of our numbers a country lets us present."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.caller_id import caller_id_faults, may_present, presentable
from compliance.rule import CallerIdRule, Profile

MOBILE, RANGE, MADRID, LIMA = "+34612345678", "+34400123456", "+34911234567", "+5117009000"
SINCE = date(2026, 10, 17)
BEFORE, AFTER = date(2026, 10, 16), date(2026, 10, 17)


def duty(name: str = "es-num", confidence: Any = "V2", jurisdiction: str = "ES", **rule: Any) -> Profile:
    return Profile(
        id=name, jurisdiction=jurisdiction, scope=("telemarketing",), confidence=confidence, cite="art. 9",
        caller_id=CallerIdRule(confidence=confidence, **rule),
    )  # fmt: skip


NO_MOBILE = duty(forbid_mobile=True)
ONLY_400 = duty("es-400", required_prefixes=("+34400",), since=SINCE)


@pytest.mark.parametrize(
    ("number", "allowed"), [(MOBILE, False), (RANGE, True), (MADRID, True), (LIMA, True), ("+12025550123", True)]
)
def test_no_mobile_number_where_they_are_forbidden(number: str, allowed: bool) -> None:
    assert may_present(number, CallerIdRule(forbid_mobile=True)) is allowed


def test_a_prefix_is_required_from_its_first_day_on() -> None:
    assert presentable([MADRID, RANGE], [ONLY_400], BEFORE) == (MADRID, RANGE)
    assert presentable([MADRID, RANGE], [ONLY_400], AFTER) == (RANGE,)
    assert caller_id_faults([MADRID], [ONLY_400], BEFORE) == []
    (fault,) = caller_id_faults([MADRID, LIMA], [ONLY_400], AFTER)
    assert (fault.rule, fault.binding, fault.numbers) == ("es-400", True, (MADRID, LIMA))
    assert fault.text == (
        "ES: expected a caller ID that begins with +34400 (art. 9), found +34911234567, +5117009000: "
        "add one that you may present there"
    )


def test_one_number_that_may_be_presented_is_enough() -> None:
    assert caller_id_faults([MOBILE, MADRID], [NO_MOBILE], AFTER) == []
    assert presentable([MOBILE, MADRID], [NO_MOBILE], AFTER) == (MADRID,)


def test_an_unverified_duty_warns_and_chooses_but_never_leaves_nothing() -> None:
    recalled = duty("cl", confidence="U", jurisdiction="CL", required_prefixes=("+56600",))
    (fault,) = caller_id_faults([LIMA], [recalled], AFTER)
    assert not fault.binding
    assert presentable([LIMA], [recalled], AFTER) == (LIMA,)
    assert presentable([LIMA, "+56600123456"], [recalled], AFTER) == ("+56600123456",)
    assert presentable([MOBILE, LIMA], [recalled, NO_MOBILE], AFTER) == (LIMA,)


def test_duties_that_no_one_number_can_all_keep_are_told() -> None:
    other = duty("es-other", required_prefixes=("+34900",))
    numbers = [RANGE, "+34900123456"]
    assert presentable(numbers, [ONLY_400, other], AFTER) == ()
    (fault,) = caller_id_faults(numbers, [ONLY_400, other], AFTER)
    assert fault.binding and "all its duties" in fault.text


@given(
    st.lists(st.sampled_from([MOBILE, RANGE, MADRID, LIMA]), min_size=1, unique=True),
    st.lists(st.sampled_from([NO_MOBILE, ONLY_400, duty("x", required_prefixes=("+34",))]), unique_by=lambda p: p.id),
    st.dates(BEFORE, AFTER),
)
def test_a_number_can_be_presented_unless_a_fault_is_told(numbers: list[str], laws: list[Profile], on: date) -> None:
    allowed = presentable(numbers, laws, on)
    assert set(allowed) <= set(numbers)
    assert bool(allowed) is not any(fault.binding for fault in caller_id_faults(numbers, laws, on))
