"""`python -m benchmarks.throughput.real_day AGENTS LEADS HOURS`: the packaged day in the real engine, by itself.

Prints one JSON object: CPU seconds (the list made, the day run; no compilation, no loading of libraries), attempts,
and the peak of memory.
"""

from __future__ import annotations

import json
import resource
import sys
import time

from compliance.calendars import load_calendars
from dialer.bootstrap import simulate
from pacing.registry import warm_up
from sim.scenario import Scenario
from sim.scenario_file import packaged_scenario

_PACKAGED_AGENTS = 100  # whom the packaged trunks are wide enough for


def scenario_for(agents: int, leads: int, hours: float) -> Scenario:
    """The packaged day with trunks as much wider as there are more agents."""
    scenario = packaged_scenario("collections_day", agents=agents, leads=leads, duration_s=hours * 3600.0)
    wider = max(1.0, agents / _PACKAGED_AGENTS)
    campaign = scenario.campaign
    trunks = tuple(
        trunk.model_copy(
            update={"max_channels": round(trunk.max_channels * wider), "max_cps": min(1000.0, trunk.max_cps * wider)}
        )
        for trunk in campaign.trunks
    )
    carriers = tuple(
        carrier.model_copy(
            update={
                "max_channels": carrier.max_channels and round(carrier.max_channels * wider),
                "max_cps": carrier.max_cps and carrier.max_cps * wider,
            }
        )
        for carrier in scenario.carriers
    )
    switch = campaign.asterisk.model_copy(update={"max_calls": min(20_000, round(campaign.asterisk.max_calls * wider))})
    wide = campaign.model_copy(update={"trunks": trunks, "asterisk": switch})
    return scenario.model_copy(update={"campaign": wide, "carriers": carriers})


def main() -> None:
    """Run the day that the arguments ask for."""
    agents, leads, hours = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    scenario = scenario_for(agents, leads, hours)
    warm_up()
    load_calendars()
    begun = time.process_time()
    day = simulate(scenario)
    seconds = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes; bytes on macOS
    peak_mb = peak / (1024.0 * 1024.0 if sys.platform == "darwin" else 1024.0)
    print(json.dumps({"seconds": seconds, "attempts": day.engine.counters.attempts, "peak_mb": peak_mb}))


if __name__ == "__main__":
    main()
