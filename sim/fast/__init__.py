"""The fast simulator: agents, lines and the pacing rule, compiled. For sweeps over thousands of days.

It leaves out all that the real engine does besides: compliance, the list, retries, hours, carriers, agents' shifts and
breaks. `sim.runner` is the judge; the tests hold the two together.
"""

from sim.fast.derived import fast_of
from sim.fast.scenario import RULES, Durations, FastScenario
from sim.fast.simulate import FastResult, run

__all__ = ["RULES", "Durations", "FastResult", "FastScenario", "fast_of", "run"]
