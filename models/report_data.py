"""What a report on models shows, as plain values: whoever evaluated or trained fills it, the page draws it."""

from __future__ import annotations

from dataclasses import dataclass

from models.best_time import SegmentHours
from models.call_evaluation import Evaluation, GainPoint, Period
from models.evaluation import Bin, Scores
from models.wear import WearCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """How one model's probabilities stood against what came, on rows it was not trained on."""

    name: str  # what is told: "answer", "right party"
    scores: Scores
    before: Scores | None = None  # without the online recalibration, or of the champion; None: nothing to compare
    before_name: str = "without recalibration"
    reliability: tuple[Bin, ...] = ()
    gain: tuple[GainPoint, ...] = ()
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """A report; parts that are empty are left out of the page."""

    title: str
    summary: str = ""
    facts: tuple[tuple[str, str], ...] = ()  # name and value: model, trained on, features
    predictions: tuple[Prediction, ...] = ()
    hours: tuple[SegmentHours, ...] = ()
    wear: tuple[WearCurve, ...] = ()
    told: tuple[str, ...] = ()  # what people should know: columns left out, leads without a score
    version: str = ""  # of Cadencia


def report_of(found: Evaluation, *, title: str, version: str = "") -> ModelReport:
    """Return the report on an evaluation, of a user's own calls or of a model (`trainings` 0)."""
    how = "by a model that was trained before it"
    if found.trainings:
        how = (
            f"by calls before it alone: trained anew every {found.every:,} rows, an outcome known {found.delay} rows "
            "later"
        )
    return ModelReport(
        title=title,
        summary=f"Each call was told {how}.",
        facts=(
            ("Told", found.label),
            ("Rows", f"{found.rows:,}"),
            ("Only learned from", f"{found.first_row:,}"),
            ("Trainings", f"{found.trainings:,}"),
            ("Columns", f"{len(found.columns):,}"),
        ),
        predictions=(
            Prediction(
                name=found.label,
                scores=found.recalibrated,
                before=found.model,
                reliability=found.reliability,
                gain=found.gain,
                periods=found.periods,
            ),
        ),
        told=found.told,
        version=version,
    )
