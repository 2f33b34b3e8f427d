"""What a simulated campaign came to, for scripts."""

from __future__ import annotations

import hashlib

import msgspec

from dialer import __version__
from dialer.core.engine import Engine
from sim.scenario import Scenario


def result_of(scenario: Scenario, engine: Engine, *, seed: int) -> bytes:
    """The result as JSON: the campaign's status with what is needed to repeat it."""
    status = msgspec.to_builtins(engine.status())
    del status["decisions"]
    return msgspec.json.encode(
        {
            "scenario": scenario.scenario,
            "scenario_hash": hashlib.sha256(scenario.model_dump_json().encode()).hexdigest()[:16],
            "seed": seed,
            "version": __version__,
            "events": engine.counters.events,
            **status,
        }
    )
