"""How answer models are used and kept: `models` of the campaign file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from dialer.config.duration import seconds_of
from dialer.config.section import Section

Goal = Literal["right_party", "promise"]

PLAN_EVERY = (60.0, 3600.0)
RETRAIN_EVERY = (3600.0, 31 * 86400.0)


def _duration_schema(bounds: tuple[float, float]) -> WithJsonSchema:
    return WithJsonSchema({"type": "number", "ge": bounds[0], "le": bounds[1]})


PlanEvery = Annotated[
    float, BeforeValidator(seconds_of), Field(ge=PLAN_EVERY[0], le=PLAN_EVERY[1]), _duration_schema(PLAN_EVERY)
]
RetrainEvery = Annotated[
    float, BeforeValidator(seconds_of), Field(ge=RETRAIN_EVERY[0], le=RETRAIN_EVERY[1]), _duration_schema(RETRAIN_EVERY)
]


class Models(Section):
    """Whether leads are called in the order and at the hours that models find best."""

    use: bool = Field(True, description="false: the list's own order, and tables learned as the campaign runs")
    plan_every: PlanEvery = Field(600.0, description="seconds between two plans of the day")
    explore: float = Field(0.03, ge=0, le=0.2, description="share of attempts at a random hour or after a random rest")
    goal: Goal = "right_party"
    wear_price: float = Field(1.0, ge=0, le=10, description="times what a failed attempt costs in later contacts")
    retrain_every: RetrainEvery = Field(86400.0, description="seconds between two trainings")
