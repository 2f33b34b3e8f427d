"""How well calls were told, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from models.call_evaluation import Evaluation

_BAR = 24  # characters


def show_evaluation(name: str, found: Evaluation) -> None:
    """Print the figures, those of the periods, and told against came."""
    from dialer.cli.models.training_view import score_table
    from dialer.cli.safe_text import make_console, say

    for line in found.told:
        say(line)
    if found.trainings:
        how = f"trained {found.trainings} times, every {found.every:,} rows, from row {found.first_row:,} on"
    else:
        how = f"rows from {found.first_row:,} on"
    title = f"{name}: {found.label}, {how}"
    console = make_console()
    console.print(score_table(title, {"model": found.model, "with online recalibration": found.recalibrated}))
    console.print(_periods(found))
    console.print(_reliability(found))


def _periods(found: Evaluation) -> Table:
    from rich.table import Table

    table = Table(title="by period, with online recalibration", title_justify="left")
    for heading in ("rows", "came", "AUC", "ECE", "log loss"):
        table.add_column(heading, justify="right")
    for period in found.periods:
        scores = period.scores
        values = (scores.base_rate, 4), (scores.auc, 3), (scores.ece, 4), (scores.log_loss, 4)
        shown = ("–" if value is None else f"{value:.{digits}f}" for value, digits in values)
        table.add_row(f"{period.first:,} to {period.last:,}", *shown)
    return table


def _reliability(found: Evaluation) -> Table:
    from rich.table import Table

    table = Table(title="told against came", title_justify="left")
    for heading in ("rows", "told", "came"):
        table.add_column(heading, justify="right")
    table.add_column("both █, told only ░, came only ▓")
    most = max((max(part.told, part.came) for part in found.reliability), default=1.0) or 1.0
    for part in found.reliability:
        told, came = round(_BAR * part.told / most), round(_BAR * part.came / most)
        bar = "█" * min(told, came) + ("░" * (told - came) if told > came else "▓" * (came - told))
        table.add_row(f"{part.rows:,}", f"{part.told:.4f}", f"{part.came:.4f}", bar)
    return table
