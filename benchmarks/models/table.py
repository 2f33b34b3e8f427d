"""The tables of the benchmark: a row for each policy of a regime, means over its seeds; and the models'."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from rich.table import Table

from benchmarks.models.policies import ORACLE, RANDOM
from benchmarks.models.study import Quality, Run


def measurements(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Every regime and policy, as plain values for the file; the most contacts per 1,000 attempts first."""
    names = dict.fromkeys((run.regime, run.policy) for run in runs)
    found = [_measured(regime, policy, runs) for regime, policy in names]
    return sorted(found, key=lambda row: (row["regime"] != "scarce", -row["contacts_per_1000"]))


def of(runs: Sequence[Run], regime: str, policy: str) -> list[Run]:
    """The runs of a policy in a regime, by seed."""
    return [run for run in runs if run.regime == regime and run.policy == policy]


def mean_per_1000(runs: Sequence[Run], regime: str, policy: str) -> float:
    """Mean over the seeds of right-party contacts per 1,000 attempts."""
    return fmean(run.per_1000 for run in of(runs, regime, policy))


def _measured(regime: str, policy: str, runs: Sequence[Run]) -> dict[str, Any]:
    own = of(runs, regime, policy)
    per_1000 = mean_per_1000(runs, regime, policy)
    low, high = (mean_per_1000(runs, regime, name) if of(runs, regime, name) else None for name in (RANDOM, ORACLE))
    return {
        "regime": regime,
        "policy": policy,
        "contacts_per_1000": round(per_1000, 2),
        "contacts_per_1000_by_seed": {str(run.seed): round(run.per_1000, 2) for run in own},
        "over_random_pct": None if low is None else round(100 * (per_1000 / low - 1), 1),
        "gap_closed_pct": None if low is None or high is None else round(100 * (per_1000 - low) / (high - low), 1),
        "attempts": round(fmean(run.attempts for run in own)),
        "answers": round(fmean(run.answers for run in own)),
        "contacts": round(fmean(run.contacts for run in own)),
        "of_bound_pct": round(100 * fmean(run.contacts / run.bound for run in own), 1),
        "cpu_s": round(fmean(run.cpu_s for run in own), 1),
    }


def qualities(found: Sequence[Quality]) -> list[dict[str, Any]]:
    """How good each seed's model was on days in random order, and the truth beside it."""
    return [
        {
            "seed": quality.seed,
            "trained_on": quality.rows,
            "train_cpu_s": round(quality.train_cpu_s, 1),
            **{
                f"{name}{suffix}": None if getattr(told, name) is None else round(float(getattr(told, name)), 4)
                for told, suffix in ((quality.model, ""), (quality.truth, "_of_truth"))
                for name in ("auc", "log_loss", "brier", "ece", "lift10", "top_half")
            },
        }
        for quality in found
    ]


def tables(rows: Sequence[dict[str, Any]], models: Sequence[dict[str, Any]]) -> list[Table]:
    """The same for people."""
    found = []
    for regime in dict.fromkeys(row["regime"] for row in rows):
        table = Table(title=f"right-party contacts, {regime} capacity", title_justify="left")
        table.add_column("policy")
        _fill(table, [row for row in rows if row["regime"] == regime], _SHOWN, first="policy")
        found.append(table)
    table = Table(title="answer model, days in random order", title_justify="left")
    table.add_column("seed")
    _fill(table, models, _SHOWN_OF_MODELS, first="seed")
    return [*found, table]


def _fill(table: Table, rows: Sequence[dict[str, Any]], shown: dict[str, str], *, first: str) -> None:
    for title in shown.values():
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(str(row[first]), *("–" if row[key] is None else f"{row[key]:,}" for key in shown))


_SHOWN = {
    "contacts_per_1000": "RPC/1,000", "over_random_pct": "over random %", "gap_closed_pct": "gap closed %",
    "contacts": "RPC", "attempts": "attempts", "of_bound_pct": "of bound %", "cpu_s": "CPU s",
}  # fmt: skip
_SHOWN_OF_MODELS = {
    "auc": "AUC", "auc_of_truth": "truth", "log_loss": "log loss", "log_loss_of_truth": "truth", "ece": "ECE",
    "lift10": "lift@10 %", "trained_on": "rows", "train_cpu_s": "train CPU s",
}  # fmt: skip
