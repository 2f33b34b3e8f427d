"""Compliance: the engine against the auditor over random questions, and how fast lists are cleared and claimed."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks.compliance.agreement import Disagreement, disagreements
from benchmarks.report import Findings, Row

COMMAND = "./run bench compliance"
FULL, QUICK = 200_000, 2_000
BATCH = 2_000
NEXT_EVERY = 100  # of so many questions one is asked for the next time too, minute by minute
WORKERS = 2
SEEDS = tuple(range(1, FULL // BATCH + 1))  # one a batch
SHOWN = 10


def run(quick: bool) -> Findings:
    """The bar of agreement, then those of the list and of the store."""
    from benchmarks.compliance import claims, eligibility

    questions = QUICK if quick else FULL
    found = _ask_all(questions)
    row = Row(
        bench="compliance",
        bar=f"disagreements of engine and auditor in {questions:,} random questions",
        value=len(found),
        goal="0",
        met=not found,
        command=COMMAND,
    )
    shown = [_table(found)] if found else []
    kept = [msgspec.to_builtins(differs) for differs in found[:SHOWN]]
    return Findings(rows=[row, *eligibility.rows(quick), *claims.rows(quick)], table=kept, shown=shown)


def _ask_all(questions: int) -> list[Disagreement]:
    """Ask batch by batch, on as many processes as there are workers."""
    found: list[Disagreement] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    pool = ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"))
    with pool, Progress(*columns, transient=True) as bar:
        task = bar.add_task("questions", total=questions)
        for batch in pool.map(_ask, SEEDS[: questions // BATCH]):
            found += batch
            bar.advance(task, BATCH)
    return found


def _ask(seed: int) -> list[Disagreement]:
    return disagreements(BATCH, seed=seed, next_every=NEXT_EVERY)


def _table(found: list[Disagreement]) -> Table:
    """The kinds of disagreement, the most frequent first."""
    table = Table(title="engine and auditor differ", title_justify="left")
    for column in ("times", "about", "engine", "auditor"):
        table.add_column(column)
    kinds = Counter((differs.about, differs.engine, differs.auditor) for differs in found)
    for (about, engine, auditor), times in kinds.most_common(SHOWN):
        table.add_row(str(times), about, " ".join(engine), " ".join(auditor))
    return table
