"""Named distributions of durations, as a scenario file writes them. Each turns a uniform number into seconds."""

from __future__ import annotations

from math import exp, log
from statistics import NormalDist
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_NORMAL = NormalDist()
# No duration is longer: a clock that one call sends years ahead never comes back.
MAX_S = 86_400.0


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Fixed(_Shape):
    """Always the same."""

    kind: Literal["fixed"]
    value: float = Field(ge=0, le=MAX_S)

    def quantile(self, _: float) -> float:
        """Seconds, whatever the probability."""
        return self.value


class Uniform(_Shape):
    """Evenly between `low` and `high`."""

    kind: Literal["uniform"]
    low: float = Field(ge=0, le=MAX_S)
    high: float = Field(ge=0, le=MAX_S)

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if self.low > self.high:
            raise ValueError(f"expected low <= high, was {self.low:g} and {self.high:g}: swap them")
        return self

    def quantile(self, u: float) -> float:
        """Seconds at probability `u` in (0, 1)."""
        return self.low + (self.high - self.low) * u


class Exponential(_Shape):
    """Without memory, of a given mean."""

    kind: Literal["exponential"]
    mean: float = Field(gt=0, le=MAX_S)

    def quantile(self, u: float) -> float:
        """Seconds at probability `u` in (0, 1)."""
        return -self.mean * log(1.0 - u)


class LogNormal(_Shape):
    """Log-normal by its median and the deviation of its logarithm: talk and ring times are like that."""

    kind: Literal["lognormal"]
    median: float = Field(gt=0, le=MAX_S)
    sigma: float = Field(gt=0, le=3)

    def quantile(self, u: float) -> float:
        """Seconds at probability `u` in (0, 1). The one shape whose tail reaches years: cut off at a day."""
        seconds = self.median * exp(self.sigma * _NORMAL.inv_cdf(u))
        return seconds if seconds < MAX_S else MAX_S


class Normal(_Shape):
    """Normal, cut off at zero."""

    kind: Literal["normal"]
    mean: float = Field(gt=0, le=MAX_S)
    sd: float = Field(gt=0, le=MAX_S)

    def quantile(self, u: float) -> float:
        """Seconds at probability `u` in (0, 1)."""
        return max(0.0, self.mean + self.sd * _NORMAL.inv_cdf(u))


class Part(_Shape):
    """A share of a mixture."""

    weight: float = Field(gt=0)
    of: Annotated[Fixed | Uniform | Exponential | LogNormal | Normal, Field(discriminator="kind")]


class Mixture(_Shape):
    """One of several shapes, by weight: answers come either soon or after the voice mail's usual delay."""

    kind: Literal["mixture"]
    parts: tuple[Part, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _weights(self) -> Mixture:
        total = sum(part.weight for part in self.parts)
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"expected weights that add up to 1, was {total:g}")
        return self

    def quantile(self, u: float) -> float:
        """Seconds for a uniform number `u` in (0, 1): it picks the part, then its quantile within the part."""
        for part in self.parts:
            if u < part.weight:
                break
            u -= part.weight
        # Rounding can reach the ends of the interval, where a normal quantile is infinite.
        return part.of.quantile(min(max(u / part.weight, 1e-12), 1.0 - 1e-12))


Distribution = Annotated[Fixed | Uniform | Exponential | LogNormal | Normal | Mixture, Field(discriminator="kind")]
