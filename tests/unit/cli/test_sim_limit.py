"""`dialer sim limit`: figures for scripts, a table for people, one line for a fault."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dialer.cli.app import main

FLOOR = ["--answer-rate", "0.3", "--handle-s", "180", "--ring-s", "15"]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["sim", "limit", *arguments])
    return int(ended.value.code or 0)


def test_json_has_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--agents", "20", *FLOOR, "--abandon-rate", "0.03", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert list(figures)[:3] == ["occupancy_bound", "occupancy_policy", "progressive"]
    assert figures["occupancy_bound"] == pytest.approx(0.897, abs=0.001)
    assert figures["mean_idle_s"] == pytest.approx(20.6, abs=0.1)
    assert len(figures["order_up_to"]) == 21


def test_several_are_a_table_and_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "limits.json"
    assert run("--agents", "5,10", *FLOOR, "--json", str(file)) == 0
    assert [figures["agents"] for figures in json.loads(file.read_text())] == [5, 10]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "answer rate 30.0%, 180 s a call, 15 s of ringing, at most 3.0% abandoned"
    assert lines[2].split()[:4] == ["5", "83.3%", "36.2", "s"]
    assert lines[3].split()[:2] == ["10", "86.2%"]


def test_where_nobody_may_be_abandoned_the_price_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--agents", "3", *FLOOR, "--abandon-rate", "0", "--json") == 0
    assert json.loads(capsys.readouterr().out)["price"] is None


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--agents", "5,x", *FLOOR], "--agents: expected numbers with commas between, as in 5,10,20, was '5,x'"),
        (["--agents", "0", *FLOOR], "--agents: expected in [1, 500], was 0"),
        (["--agents", "5", *FLOOR, "--abandon-rate", "3"], "--abandon-rate: expected in [0, 0.5], was 3"),
    ],
)
def test_a_fault_is_one_line(arguments: list[str], fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    told = capsys.readouterr()
    assert told.err == fault + "\n" and not told.out
