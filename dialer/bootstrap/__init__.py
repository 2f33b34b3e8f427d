"""Builds an environment from its name: the only module that names concrete adapters.

| environment | agents    | switch          | clock               | store                    | driver         |
|-------------|-----------|-----------------|---------------------|--------------------------|----------------|
| simulate    | simulated | simulated world | event heap          | memory                   | `sim.runner`   |
| rehearse    | simulated | simulated world | virtual             | embedded Valkey or Redis | `Runtime`      |
| sandbox     | simulated | simulated world | the system's        | embedded Valkey          | `Runtime`      |
| live        | real      | Asterisk        | the system's        | embedded Valkey or Redis | `Runtime`      |
| replay      | -         | -               | as recorded         | journal                  | `sim.replay`   |
"""

from __future__ import annotations

from dialer.bootstrap.engine import POLICY_OF_MODE, make_engine
from dialer.bootstrap.recorded import recorded_day, replay_journal, scenario_in, unusable_header
from dialer.bootstrap.sessions import (
    CRASH_ENV,
    Place,
    Rehearsal,
    Session,
    ami_secret,
    claim_folder,
    live,
    on_the_lists,
    open_by,
    rehearse,
    sandbox,
)
from dialer.bootstrap.simulated import SimulatedDay, leads_of, simulate

__all__ = [
    "CRASH_ENV",
    "POLICY_OF_MODE",
    "Place",
    "Rehearsal",
    "Session",
    "SimulatedDay",
    "ami_secret",
    "claim_folder",
    "leads_of",
    "live",
    "make_engine",
    "on_the_lists",
    "open_by",
    "recorded_day",
    "rehearse",
    "replay_journal",
    "sandbox",
    "scenario_in",
    "simulate",
    "unusable_header",
]
