"""The fast simulator: agents, lines and the pacing rule, compiled. For sweeps over thousands of days.

It leaves out all that the real engine does besides: compliance, the list, retries, hours, routing. Its own world may
change in the day (answer rate, failures of the carrier, agents on duty) and has detection's errors. `sim.runner` is the
judge; the tests hold the two together.
"""

from sim.fast.derived import fast_of
from sim.fast.rules import RULES
from sim.fast.scenario import Durations, FastScenario
from sim.fast.simulate import FastResult, run, run_days

__all__ = ["RULES", "Durations", "FastResult", "FastScenario", "fast_of", "run", "run_days"]
