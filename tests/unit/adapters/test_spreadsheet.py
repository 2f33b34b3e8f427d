"""No cell that we write begins as a formula does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.adapters.spreadsheet import neutral


@pytest.mark.parametrize(
    "cell", ["=1+1", "+51999", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"]
)
def test_a_formula_is_made_text(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"


@given(st.text())
def test_the_cell_is_kept_but_for_the_mark(cell: str) -> None:
    assert neutral(cell).removeprefix("'") == cell.removeprefix("'")
    assert neutral(neutral(cell)) == neutral(cell)
