"""Segments of a campaign's leads: `stages` and `segments` of the campaign file.

How it works: a lead is of the first segment whose conditions it meets, all of them. What is not known of a lead meets
no condition.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from dialer.config.caps import Cap
from dialer.config.section import LABEL, NAME, Section

Stage = Literal["early", "middle", "late"]
SegmentChannel = Literal["voice", "sms", "whatsapp", "email"]

STAGES: tuple[Stage, ...] = ("early", "middle", "late")
MOST_DAYS = 36_500
MOST_SEGMENTS = 100


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ValueError(f"{name!r} stands twice: keep one")
    return names


Names = Annotated[
    tuple[Annotated[str, Field(min_length=1, pattern=LABEL)], ...],
    Field(min_length=1, max_length=1000),
    AfterValidator(_distinct),
]
StageNames = Annotated[tuple[Stage, ...], Field(min_length=1), AfterValidator(_distinct)]


class Stages(Section):
    """How long past due a debt of each stage of delinquency is, at most; `late` is all beyond."""

    early: int = Field(30, ge=0, le=MOST_DAYS)
    middle: int = Field(90, ge=1, le=MOST_DAYS)

    @model_validator(mode="after")
    def _in_order(self) -> Stages:
        if self.early >= self.middle:
            raise ValueError(f"expected early below middle, were {self.early} and {self.middle}")
        return self


class Bounds(Section):
    """A range of figures, half-open."""

    at_least: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _some(self) -> Bounds:
        _check(self.at_least, self.below)
        return self


class DayBounds(Section):
    """A range of whole days, half-open."""

    at_least: int | None = Field(None, ge=-MOST_DAYS, le=MOST_DAYS)
    below: int | None = Field(None, ge=-MOST_DAYS, le=MOST_DAYS)

    @model_validator(mode="after")
    def _some(self) -> DayBounds:
        _check(self.at_least, self.below)
        return self


class RateBounds(Section):
    """A range of probabilities, half-open."""

    at_least: float | None = Field(None, ge=0, le=1)
    below: float | None = Field(None, gt=0, le=1)

    @model_validator(mode="after")
    def _some(self) -> RateBounds:
        _check(self.at_least, self.below)
        return self


class LastContact(Section):
    """Days since the right party was last reached; with `never`, also (or only) nobody ever."""

    at_least: float | None = Field(None, ge=0, le=MOST_DAYS)
    below: float | None = Field(None, gt=0, le=MOST_DAYS)
    never: bool = False

    @model_validator(mode="after")
    def _some(self) -> LastContact:
        if self.never and self.below is not None:
            raise ValueError("expected below or never, found both: write two segments")
        if not self.never:
            _check(self.at_least, self.below, "at_least, below or never")
        return self


def _check(at_least: float | None, below: float | None, wanted: str = "at_least or below") -> None:
    if at_least is None and below is None:
        raise ValueError(f"expected {wanted}, found none")
    if at_least is not None and below is not None and at_least >= below:
        raise ValueError(f"expected at_least less than below, were {at_least:g} and {below:g}: nothing is between them")


class When(Section):
    """The conditions of a segment; all that are named must hold."""

    stage: StageNames | None = None
    amount: Bounds | None = None
    days_past_due: DayBounds | None = None
    propensity: RateBounds | None = None
    last_contact_days: LastContact | None = None
    product: Names | None = None
    region: Names | None = None

    @model_validator(mode="after")
    def _some(self) -> When:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError(f"expected at least one condition ({', '.join(type(self).model_fields)}), found none")
        return self


class Segment(Section):
    """Leads that are treated alike. Its caps come on top of the campaign's: they can only tighten."""

    name: str = Field(pattern=NAME)
    when: When
    priority: int | None = Field(None, ge=-100_000, le=100_000, description="instead of the list's")
    caps: tuple[Cap, ...] = Field((), max_length=20)
    script: str = Field("", pattern=LABEL)
    channels: Annotated[tuple[SegmentChannel, ...], AfterValidator(_distinct)] = Field(("voice",), min_length=1)
    skill: str = Field("", pattern=rf"^$|{NAME}")
