"""The benchmark on real calls: a file that is not there is told, one that is there is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.models import real_calls
from tests.unit.adapters.test_call_table import calls


def test_without_the_file_the_bar_is_not_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(real_calls.VARIABLE, raising=False)
    monkeypatch.setattr(real_calls, "_BESIDE", tmp_path / "none.csv")
    rows = real_calls.rows(quick=True)
    assert len(rows) == 1 and rows[0]["met"] is None and "not measured" in rows[0]["bar"]


def test_the_file_that_the_environment_names_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = calls(tmp_path / "calls.csv", lambda place, row: {"duration_s": place % 50, **row}, rows=900)
    monkeypatch.setenv(real_calls.VARIABLE, str(path))
    monkeypatch.setattr(real_calls, "LABEL", "paid")
    monkeypatch.setattr(real_calls, "QUICK_FIRST_ROW", 600)
    rows = real_calls.rows(quick=True)
    assert [row["met"] is None for row in rows] == [False, False, True, True, True, True]
    assert all(row["bench"] == "models" for row in rows)
    assert 0.0 < rows[0]["value"] < 1.0
