"""The comparison of all policies in all worlds: every setting for a few days, then those that matter for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.scenario.bounds import Bound
from benchmarks.scenario.days import Point, Setting
from benchmarks.scenario.frontier import Comparison, against_frontier, against_point, envelope
from benchmarks.scenario.measurement import Measured, Sample, measure, solve_bounds
from benchmarks.scenario.tuning import OURS, PROGRESSIVE, grid_of, our_settings, peer_ids, worth_measuring
from benchmarks.scenario.worlds import World


@dataclass(frozen=True)
class Peer:
    """A peer in one world."""

    default: Point
    tuned: tuple[Point, ...]  # the settings of its frontier next to our abandon rate, its defaults among them or not
    tried: tuple[Point, ...]  # every setting, on fewer days
    default_against: Comparison
    tuned_against: Comparison


@dataclass(frozen=True)
class Found:
    """What was measured in one world."""

    world: World
    bound: Bound
    progressive: Point
    ours: Point  # at the world's own target
    our_frontier: tuple[Point, ...]  # from progressive dialling, which is our rule where nobody may be abandoned
    our_points: tuple[Point, ...]
    peers: Mapping[str, Peer]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, and for how long."""

    worlds: tuple[World, ...]
    sample: Sample
    trial: Sample  # of every setting of a peer; its seeds are among the sample's
    targets: tuple[float | None, ...]  # None, the world's own, is one of them
    bound_rates: tuple[float, ...]
    settings_one_in: int = 1  # of a peer's settings, this share is tried


def study(plan: Plan, *, jobs: int) -> tuple[Found, ...]:
    """Measure everything that the plan asks for. Equal plans give equal results, whatever the number of workers."""
    bounds = solve_bounds(plan.worlds, plan.bound_rates, jobs=jobs)
    always = [Setting(PROGRESSIVE), *our_settings(plan.targets), *(Setting(peer) for peer in peer_ids())]
    measured = measure(_each(plan.worlds, always), plan.sample, jobs=jobs, label="policies")
    grids = [setting for peer in peer_ids() for setting in grid_of(peer, plan.settings_one_in)]
    tried = measure(_each(plan.worlds, grids), plan.trial, jobs=jobs, label="peers' settings")
    chosen = [
        (world, setting)
        for world in plan.worlds
        for peer in peer_ids()
        for setting in worth_measuring(
            _points(tried, world, grid_of(peer, plan.settings_one_in)), measured[world.name, Setting(OURS)]
        )
        if (world.name, setting) not in measured
    ]
    measured = {**measured, **measure(chosen, plan.sample, jobs=jobs, label="peers' best settings")}
    return tuple(_found(world, plan, bounds[world.name], measured, tried) for world in plan.worlds)


def _found(world: World, plan: Plan, bound: Bound, measured: Measured, tried: Measured) -> Found:
    progressive = measured[world.name, Setting(PROGRESSIVE)]
    ours = measured[world.name, Setting(OURS)]
    points = _points(measured, world, our_settings(plan.targets))
    frontier = envelope((progressive, *points))
    peers = {}
    for peer in peer_ids():
        grid = grid_of(peer, plan.settings_one_in)
        all_tried = _points(tried, world, grid)
        tuned = envelope([measured[world.name, one] for one in grid if (world.name, one) in measured])
        default = measured[world.name, Setting(peer)]
        peers[peer] = Peer(
            default=default,
            tuned=tuned,
            tried=all_tried,
            default_against=against_point(frontier, default),
            tuned_against=against_frontier(frontier, ours, tuned),
        )
    return Found(world, bound, progressive, ours, frontier, points, peers)


def _each(worlds: Sequence[World], settings: Sequence[Setting]) -> list[tuple[World, Setting]]:
    return [(world, setting) for world in worlds for setting in settings]


def _points(measured: Measured, world: World, settings: Sequence[Setting]) -> tuple[Point, ...]:
    return tuple(measured[world.name, setting] for setting in settings)
