"""Real calls, told by time: each row by the rows before it, with a training every 250 rows."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.report import Findings, Row
from dialer.adapters.call_table import evaluate_table

COMMAND = "CADENCIA_REAL_CALLS=uci_bank_calls_train.csv ./run bench models"
VARIABLE = "CADENCIA_REAL_CALLS"
FILE = "uci_bank_calls_train.csv"
_BESIDE = Path(__file__).parents[3] / "shared" / "data" / FILE  # a checkout that has the file beside it
LABEL = "success"
FIRST_ROW, EVERY = 20_000, 250
QUICK_FIRST_ROW, QUICK_EVERY = 28_000, 1_000
LEAST_AUC, MOST_ECE = 0.64, 0.03


def real_calls_file() -> Path | None:
    """The file that the environment names, else one beside the project; None where there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    return _BESIDE if _BESIDE.is_file() else None


def rows(quick: bool, path: Path | None = None) -> list[Row]:
    """The bars of real calls: discrimination and calibration. Without the file they are told as not measured."""
    file = path or real_calls_file()
    if file is None:
        return [_row(f"real calls: not measured, {VARIABLE} names no file", 0.0, "", None)]
    first, every = (QUICK_FIRST_ROW, QUICK_EVERY) if quick else (FIRST_ROW, EVERY)
    found = evaluate_table(file, label=LABEL, without=("duration_s",), first_row=first, every=every)
    auc, ece = found.recalibrated.auc or 0.0, 1.0 if found.recalibrated.ece is None else found.recalibrated.ece
    told = f"real calls from row {first:,} on, retrained every {every} rows"
    return [
        _row(f"{told}: AUC", round(auc, 4), f">= {LEAST_AUC}", auc >= LEAST_AUC),
        _row(f"{told}: ECE, recalibrated online", round(ece, 4), f"<= {MOST_ECE}", ece <= MOST_ECE),
        _row(f"{told}: ECE, not recalibrated", round(found.model.ece or 0.0, 4), "", None),
        _row(f"{told}: log loss", round(found.recalibrated.log_loss or 0.0, 4), "", None),
        _row(
            f"{told}: log loss of telling all the base rate",
            round(found.recalibrated.base_log_loss or 0.0, 4),
            "",
            None,
        ),
        _row(f"{told}: successes in the better half", round(found.recalibrated.top_half or 0.0, 4), "", None),
    ]


def run(quick: bool, path: Path | None = None) -> Findings:
    """The bars by themselves."""
    return Findings(rows=rows(quick, path))


def _row(bar: str, value: float, goal: str, met: bool | None) -> Row:
    return Row(bench="models", bar=bar, value=value, goal=goal, met=met, command=COMMAND)
