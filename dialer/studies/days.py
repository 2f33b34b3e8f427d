"""Simulated days by the dozen: one specification a day, one row of figures back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.errors import ConfigError
from dialer.studies.workers import Harvest, Progress, run_all
from pacing.peers.names import PEER_IDS
from pacing.registry import POLICY_IDS, warm_up
from sim.overrides import override, parse_settings
from sim.scenario import Scenario

if TYPE_CHECKING:  # a command that refuses its scenario need not wait for them
    from sim.day import DayRecord
    from sim.result import SimResult

MAX_REPLICATIONS = 10_000
# They pace what a simulated day does not have: agents who ask for calls, and a voice response.
_NOT_SIMULATED = ("agentless-v1", "on-request-v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpec:
    """One day to simulate: all that a worker needs. Equal specifications give equal results."""

    scenario: Scenario
    seed: int
    policy: str | None = None  # None: the mode's own
    journal_dir: Path | None = None
    with_day: bool = False  # whether the record for a report is wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class DayDone:
    """What came of a day."""

    result: SimResult
    day: DayRecord | None
    journal: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A way to decide: a policy, with settings of its own. `name` is how a person asked for it."""

    name: str
    policy: str | None
    scenario: Scenario


def run_day(spec: DaySpec, progress: Progress | None = None) -> DayDone:
    """Simulate one day; `progress` is told its share in [0, 1]."""
    # Imported here: a worker process loads this module before it knows whether it has work.
    from dialer.bootstrap import simulate

    done = simulate(
        spec.scenario,
        seed=spec.seed,
        policy=spec.policy,
        journal_dir=spec.journal_dir,
        progress=None if progress is None else share_of(spec.scenario, progress),
    )
    return DayDone(result=done.result, day=done.day if spec.with_day else None, journal=done.journal)


def share_of(scenario: Scenario, progress: Progress) -> Callable[[float], None]:
    """Return what tells `progress` the share of the day, from the virtual time."""
    start, length = scenario.start_at, scenario.duration
    return lambda now: progress(min(1.0, (now - start) / length))


def run_days(specs: Sequence[DaySpec], *, jobs: int, progress: Progress | None = None) -> Harvest[DayDone]:
    """Simulate every day, `jobs` at a time. The kernels are compiled once, before the workers begin."""
    warm_up()
    return run_all(run_day, specs, jobs=jobs, progress=progress)


def seeds_from(first: int, count: int) -> tuple[int, ...]:
    """Return the seeds of `count` replications: one after the other, from `first`. Raises `ConfigError`."""
    if not 1 <= count <= MAX_REPLICATIONS:
        raise ConfigError(f"--reps {count}: expected 1 to {MAX_REPLICATIONS:,}")
    if first < 0 or first + count >= 2**63:
        raise ConfigError(f"--seed {first}: expected 0 to 2**63 - 1")
    return tuple(range(first, first + count))


def check_policy(policy: str | None) -> str | None:
    """Return the policy's id, which may be a peer's of another dialer. Raises `ConfigError` for one that is none."""
    known = [policy_id for policy_id in (*POLICY_IDS, *PEER_IDS) if policy_id not in _NOT_SIMULATED]
    if policy is not None and policy not in known:
        raise ConfigError(f"{policy}: expected a policy of {', '.join(known)}")
    return policy


def decisions_of(text: str, scenario: Scenario) -> tuple[Decision, ...]:
    """Read `ID,ID@PATH=VALUE,...`: policies, with settings of their own where `@` names them. Raises `ConfigError`."""
    decisions = []
    for name in (part.strip() for part in text.split(",")):
        policy, *settings = name.split("@")
        try:
            changed = override(scenario, parse_settings(settings))
            decisions.append(Decision(name=name, policy=check_policy(policy), scenario=changed))
        except ConfigError as error:
            raise ConfigError(*(f"--policies {name}: {fault}" for fault in error.faults)) from None
    names = [decision.name for decision in decisions]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"--policies {text}: {name} stands twice: name it once")
    return tuple(decisions)
