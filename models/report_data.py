"""What a report on models shows, as plain values: whoever evaluated or trained fills it, the page draws it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from models.best_time import SegmentHours
from models.call_evaluation import Evaluation, GainPoint, Period
from models.evaluation import Bin, Scores
from models.wear import WearCurve, WearEffect

SURE = 2.0  # standard errors that wear must be off nothing, before lots are said to tell


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


class SegmentWear(msgspec.Struct, frozen=True, kw_only=True):
    """What calls in vain cost the people of a segment, each way there is to know it."""

    segment: str
    leads: int  # called so far
    attempts: int
    model: tuple[WearCurve, ...] = ()  # its opinion, one curve for each rest; empty: it cannot be asked
    lots: tuple[WearCurve, ...] = ()  # what drawn rests show; empty: they do not tell yet
    raw: WearCurve | None = None  # as seen, selection and wear mixed; None: too few calls
    drawn: int = 0  # attempts whose rest was drawn by lot, after one in vain
    worth: float = 0.0  # as many equally likely ones would tell as much
    effect: WearEffect | None = None  # as far as the lots know

    @property
    def lots_tell(self) -> bool:
        """Whether the lots show wear beyond chance."""
        return self.effect is not None and self.effect.drop >= SURE * self.effect.error > 0.0


class PlannedWear(msgspec.Struct, frozen=True, kw_only=True):
    """The contacts still expected of a list against those when it was loaded, as a plan had it."""

    at: float  # UTC seconds, of the plan
    index: float


class CampaignEvaluation(Evaluation, frozen=True, kw_only=True):
    """How well a campaign's model tells, and what it and the lots know of wear."""

    wear: tuple[SegmentWear, ...] = ()
    wear_index: PlannedWear | None = None


def campaign_evaluation(
    found: Evaluation, *, wear: tuple[SegmentWear, ...], wear_index: PlannedWear | None, told: tuple[str, ...] = ()
) -> CampaignEvaluation:
    """Return an evaluation with what is known of wear; `told` comes on top."""
    fields = msgspec.structs.asdict(found) | {"told": (*found.told, *told)}
    return CampaignEvaluation(**fields, wear=wear, wear_index=wear_index)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """A report; parts that are empty are left out of the page."""

    title: str
    summary: str = ""
    facts: tuple[tuple[str, str], ...] = ()  # name and value: model, trained on, features
    predictions: tuple[Prediction, ...] = ()
    hours: tuple[SegmentHours, ...] = ()
    wear: tuple[SegmentWear, ...] = ()
    wear_index: PlannedWear | None = None
    told: tuple[str, ...] = ()  # what people should know: columns left out, leads without a score
    version: str = ""  # of Cadencia


def report_of(
    found: Evaluation,
    *,
    title: str,
    hours: tuple[SegmentHours, ...] = (),
    told: tuple[str, ...] = (),
    version: str = "",
) -> ModelReport:
    """Return the report on an evaluation, of a user's own calls or of a campaign's model; `told` comes on top."""
    how = "by a model that was trained before it"
    if found.trainings:
        how = (
            f"by calls before it alone: trained anew every {found.every:,} rows, an outcome known {found.delay} rows "
            "later"
        )
    facts = [("Told", found.label), ("Rows", f"{found.rows:,}"), ("Columns", f"{len(found.columns):,}")]
    if found.trainings:
        facts += [("Only learned from", f"{found.first_row:,}"), ("Trainings", f"{found.trainings:,}")]
    return ModelReport(
        title=title,
        summary=f"Each call was told {how}.",
        facts=tuple(facts),
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
        hours=hours,
        wear=found.wear if isinstance(found, CampaignEvaluation) else (),
        wear_index=found.wear_index if isinstance(found, CampaignEvaluation) else None,
        told=(*found.told, *told),
        version=version,
    )
