"""The tables of the benchmark: a row for each policy of a variant of the world, means over its seeds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from rich.table import Table

from benchmarks.carriers.study import Run

REFERENCE = "round-robin-v1"


def measurements(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Every variant and policy, as plain values for the file; the best regret first."""
    names = sorted({(run.variant, run.policy) for run in runs})
    found = [_measured([run for run in runs if (run.variant, run.policy) == name], runs) for name in names]
    return sorted(found, key=lambda row: (row["world"], row["regret_pct"]))


def _measured(runs: Sequence[Run], all_runs: Sequence[Run]) -> dict[str, Any]:
    first = runs[0]
    ordered = sorted(runs, key=lambda run: run.seed)
    reference = {run.seed: run.regret for run in all_runs if run.variant == first.variant and run.policy == REFERENCE}
    gaps = [1.0 - run.regret / reference[run.seed] for run in runs if abs(reference.get(run.seed, 0.0)) > 0.01]
    solver = [run.solver_ms for run in runs if run.solver_ms is not None]
    surcharged = {
        "surcharges_per_1000": round(fmean(run.surcharges for run in runs), 3),
        "short_share_pct": [[round(100 * share, 1) for share in run.short_shares] for run in ordered],
        "cancelled_share_pct": [[round(100 * share, 1) for share in run.cancelled_shares] for run in ordered],
    }
    return {
        "world": first.variant,
        "policy": first.policy,
        "regret_pct": round(100 * fmean(run.regret for run in runs), 2),
        "regret_pct_by_seed": {str(run.seed): round(100 * run.regret, 2) for run in ordered},
        "gap_closed_pct": round(100 * fmean(gaps), 1) if gaps else None,
        "net_per_1000": round(fmean(run.net for run in runs), 3),
        "contacts_per_1000": round(fmean(run.contacts for run in runs), 1),
        "cost_per_contact": round(fmean(run.cost_per_contact for run in runs), 5),
        "us_per_call": round(fmean(run.us_per_call for run in runs), 2),
        "solver_ms": round(fmean(solver), 2) if solver else None,
        "explored_pct": round(100 * fmean(run.explored for run in runs), 2),
        "most_waiting": max(run.most_waiting for run in runs),
        "beyond_limits": sum(run.beyond_limits for run in runs),
        **(surcharged if first.variant == "surcharged" else {}),
        **(
            {"false_share_pct": round(100 * fmean(run.false_share for run in runs), 2)}
            if first.variant == "false_answers"
            else {}
        ),
    }


def tables(rows: Sequence[dict[str, Any]]) -> list[Table]:
    """The same for people, a table a variant."""
    found: list[Table] = []
    for world in dict.fromkeys(row["world"] for row in rows):
        table = Table(title=f"carriers, world {world}", title_justify="left")
        table.add_column("policy")
        for column in ("regret %", "gap closed %", "net/1,000", "contacts/1,000", "cost/contact", "µs/call", "LP ms"):
            table.add_column(column, justify="right")
        for row in rows:
            if row["world"] == world:
                table.add_row(row["policy"], *(_said(row[key]) for key in _SHOWN))
        found.append(table)
    return found


_SHOWN = (
    "regret_pct", "gap_closed_pct", "net_per_1000", "contacts_per_1000", "cost_per_contact", "us_per_call", "solver_ms",
)  # fmt: skip


def _said(value: float | None) -> str:
    return "–" if value is None else f"{value:,}"
