"""`priced-v1`, the predictive policy: what it knows (`state`), learns (`clocks`, `answers`, `learning`), pays (`price`)
and decides (`shortage`, `decision`), compiled; and the policy that calls it."""

from pacing.priced.policy import Priced

__all__ = ["Priced"]
