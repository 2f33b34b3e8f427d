"""How hidden things lean on what is known of a lead: factors by product, region, days past due and amount."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_validator

from dialer.core.lead import Lead

Floats = npt.NDArray[np.float64]
PRODUCTS = ("card", "loan", "mortgage", "telephone")  # of people who are made up
Times = Annotated[float, Field(gt=0, le=100)]
Points = tuple[tuple[float, Times], ...]


class Lean(BaseModel):
    """Factors that multiply, each 1 where a lead's value is not named or not known.

    `days_past_due` and `amount` are points, (value, factor): between two of them the factor's logarithm goes in a
    straight line, beyond the outer ones it stays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    product: dict[str, Times] = Field({}, description="by product")
    region: dict[str, Times] = Field({}, description="by region")
    days_past_due: Points = Field((), description="points [days, factor], days rising")
    amount: Points = Field((), description="points [amount, factor], amounts rising")

    @field_validator("days_past_due", "amount")
    @classmethod
    def _rising(cls, points: Points) -> Points:
        values = [value for value, _ in points]
        for before, after in pairwise(values):
            if after <= before:
                raise ValueError(
                    f"expected points with rising values, was {after:g} after {before:g}: put them in order"
                )
        return points

    @property
    def even(self) -> bool:
        """Whether it makes no difference between leads."""
        return not (self.product or self.region or self.days_past_due or self.amount)


def factors(lean: Lean, leads: Sequence[Lead]) -> Floats:
    """Return each lead's factor, shape (leads,), above 0."""
    factor = np.ones(len(leads))
    factor *= _by_name(lean.product, leads, lambda lead: lead.product)
    factor *= _by_name(lean.region, leads, lambda lead: lead.region)
    factor *= _by_value(lean.days_past_due, leads, lambda lead: lead.days_past_due)
    factor *= _by_value(lean.amount, leads, lambda lead: lead.amount)
    return factor


def _by_name(named: Mapping[str, float], leads: Sequence[Lead], of: Callable[[Lead], str]) -> Floats | float:
    return np.array([named.get(of(lead), 1.0) for lead in leads]) if named else 1.0


def _by_value(points: Points, leads: Sequence[Lead], of: Callable[[Lead], float | None]) -> Floats | float:
    if not points:
        return 1.0
    known = [of(lead) for lead in leads]
    values = np.array([np.nan if value is None else value for value in known], dtype=np.float64)
    at, times = np.array(points).T
    logs: Floats = np.interp(values, at, np.log(times))
    return np.exp(np.where(np.isnan(values), 0.0, logs))
