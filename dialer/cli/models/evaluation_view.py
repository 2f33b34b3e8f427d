"""How well calls were told, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from models.call_evaluation import Evaluation
    from models.report_data import SegmentWear
    from models.wear import WearCurve

_BAR = 24  # characters
_WORN_AT = 5  # the attempt of which wear is told


def show_evaluation(name: str, found: Evaluation) -> None:
    """Print the figures, those of the periods, told against came, and of a campaign how calls wear."""
    from dialer.cli.models.training_view import day, score_table
    from dialer.cli.safe_text import make_console, say
    from models.report_data import CampaignEvaluation

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
    if isinstance(found, CampaignEvaluation):
        console.print(_wear(found.wear))
        if found.wear_index is not None:
            say(
                f"portfolio wear index {found.wear_index.index:.3f} as the plan of {day(found.wear_index.at)} had it: "
                "contacts still expected of the list / those when it was loaded"
            )


def _wear(segments: Sequence[SegmentWear]) -> Table:
    from rich.table import Table

    from dialer.adapters.model_report.drawings import percent
    from dialer.cli.safe_text import safe
    from models.wear import RESTS_DAYS

    table = Table(
        title=f"wear: chance of an answer at attempt {_WORN_AT} / at the first, model after days of rest",
        title_justify="left",
        caption="1 d: the next day, no rest; as seen: selection and wear mixed; "
        "by lot: fall of the logit for each call in vain while it is fresh",
        caption_justify="left",
    )
    table.add_column("segment")
    for heading in ("leads", *(f"{rest:g} d" for rest in RESTS_DAYS), "as seen"):
        table.add_column(heading, justify="right")
    table.add_column("by lot (worth calls)")
    for one in segments:
        by_rest = {curve.rest_days: _at(curve) for curve in one.model}
        ratios = (percent(value, 0) for value in (*(by_rest.get(rest) for rest in RESTS_DAYS), _at(one.raw)))
        table.add_row(safe(one.segment), f"{one.leads:,}", *ratios, _lots(one))
    return table


def _at(curve: WearCurve | None) -> float | None:
    if curve is None or _WORN_AT not in curve.attempts:
        return None
    return curve.ratio[curve.attempts.index(_WORN_AT)]


def _lots(one: SegmentWear) -> str:
    worth = f"({one.worth:,.0f})"
    if one.effect is None:
        return f"not yet {worth}"
    found = f"{one.effect.drop:.2f} ± {one.effect.error:.2f} {worth}"
    return found if one.lots_tell else f"not yet: {found}"


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
