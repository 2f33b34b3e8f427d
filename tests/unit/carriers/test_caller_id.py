"""The caller ID is the most local of our own numbers, and always the same for the same person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carriers.caller_id import choose_caller_id

OWNED = ("+5117000000", "+5154200000", "+56222000000", "+18095550000")

numbers = st.from_regex(r"\+[1-9][0-9]{8,12}", fullmatch=True)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+5112345678", "+5117000000"),  # Lima sees Lima
        ("+5154999000", "+5154200000"),  # Arequipa sees Arequipa
        ("+56999000111", "+56222000000"),
        ("+18095551234", "+18095550000"),
        ("+51999000111", "+5117000000"),  # both Peruvian numbers share as much: the first one
        ("+34600000000", "+5117000000"),
    ],
)
def test_the_nearest_of_our_numbers_is_shown(number: str, expected: str) -> None:
    assert choose_caller_id(number, OWNED) == expected


@given(numbers, st.lists(numbers, min_size=1, max_size=6))
def test_no_number_of_ours_is_nearer_than_the_one_shown_and_the_first_wins_a_tie(number: str, owned: list[str]) -> None:
    lengths = [max(n for n in range(len(number) + 1) if own.startswith(number[:n])) for own in owned]
    assert choose_caller_id(number, owned) == owned[lengths.index(max(lengths))]
