"""Policies compared on the same people, and settings swept: the same seeds everywhere, so that a difference is the
decision's and not chance's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import msgspec

from dialer import __version__
from dialer.errors import ConfigError
from dialer.studies.days import DayDone, DaySpec, Decision, run_days
from dialer.studies.estimates import differences_of, estimates_of, methods_of, methods_of_differences
from dialer.studies.fast_days import FastSpec, run_all_fast
from dialer.studies.workers import Harvest, Progress
from sim.overrides import caution, override
from sim.replications import Comparison, Estimate
from sim.scenario import Scenario

Row = dict[str, Any]  # the figures of one day, by name
MAX_DAYS = 100_000


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One of the things compared: what it was, and its days."""

    name: str
    policy: str
    settings: dict[str, Any]
    scenario_hash: str
    estimates: dict[str, Estimate]
    replications: tuple[Row, ...]  # by seed


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One variant less the first, seed by seed."""

    name: str
    against: str
    figures: dict[str, Comparison]


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """A study's whole result. `seeds`: those that every variant has a day of, and that all figures rest on."""

    study: str
    scenario: str
    version: str = __version__
    simulator: str = "engine"  # or `fast`
    seeds: tuple[int, ...]
    days_finished: int
    days_wanted: int
    interrupted: bool
    methods: tuple[str, ...]
    cautions: tuple[str, ...]
    variants: tuple[Variant, ...]
    differences: tuple[Difference, ...] = ()


def compare(
    decisions: Sequence[Decision], seeds: Sequence[int], *, jobs: int, progress: Progress | None = None
) -> Study:
    """Simulate every decision on every seed; differences are against the first."""
    specs = [
        DaySpec(scenario=decision.scenario, seed=seed, policy=decision.policy)
        for seed, decision in product(seeds, decisions)
    ]
    harvest = run_days(_counted(specs), jobs=jobs, progress=progress)
    kept, rows = _by_variant(harvest, len(decisions), seeds)
    variants = tuple(
        _variant(decision.name, decision.policy, {}, mine) for decision, mine in zip(decisions, rows, strict=True)
    )
    found = differences_of({variant.name: variant.replications for variant in variants})
    differences = tuple(
        Difference(name=name, against=variants[0].name, figures=figures) for name, figures in found.items()
    )
    return _study(
        "compare", [decision.scenario for decision in decisions], harvest, kept, variants, differences=differences
    )


def sweep(
    scenario: Scenario,
    points: Sequence[Mapping[str, Any]],
    seeds: Sequence[int],
    *,
    policy: str | None,
    jobs: int,
    progress: Progress | None = None,
) -> Study:
    """Simulate every point of a grid on every seed."""
    scenarios = [override(scenario, point) for point in points]
    specs = [DaySpec(scenario=changed, seed=seed, policy=policy) for seed, changed in product(seeds, scenarios)]
    harvest = run_days(_counted(specs), jobs=jobs, progress=progress)
    kept, rows = _by_variant(harvest, len(points), seeds)
    variants = tuple(_point(point, policy, mine) for point, mine in zip(points, rows, strict=True))
    return _study("sweep", scenarios, harvest, kept, variants)


def sweep_fast(
    scenario: Scenario,
    points: Sequence[Mapping[str, Any]],
    seeds: Sequence[int],
    *,
    policy: str | None,
    jobs: int,
    progress: Progress | None = None,
) -> Study:
    """Sweep with the pacing policies alone. After an interrupt the points that were finished are left."""
    scenarios = [override(scenario, point) for point in points]
    specs = [FastSpec(scenario=changed, seeds=tuple(seeds), policy=policy) for changed in scenarios]
    harvest = run_all_fast(specs, jobs=jobs, progress=progress)
    done = [(point, found) for point, found in zip(points, harvest.results, strict=True) if found is not None]
    variants = tuple(_point(point, policy, found.rows) for point, found in done)
    study = _study("sweep", scenarios, harvest, tuple(seeds) if done else (), variants)
    left_out = dict.fromkeys(what for _, found in done for what in found.left_out)
    return msgspec.structs.replace(
        study,
        simulator="fast",
        days_finished=harvest.finished * len(seeds),
        days_wanted=len(points) * len(seeds),
        methods=(*study.methods, f"The fast simulator leaves out: {'; '.join(left_out)}."),
    )


def _point(point: Mapping[str, Any], policy: str | None, rows: tuple[Row, ...]) -> Variant:
    return _variant(", ".join(f"{path}={value}" for path, value in point.items()), policy, dict(point), rows)


def figures_of_day(done: DayDone) -> Row:
    """Return a day's figures as plain values."""
    row: Row = msgspec.to_builtins(done.result)
    return row


def _counted(specs: list[Any]) -> list[Any]:
    if len(specs) > MAX_DAYS:
        raise ConfigError(f"expected at most {MAX_DAYS:,} days, was {len(specs):,}: fewer values, or fewer --reps")
    return specs


def _by_variant(
    harvest: Harvest[DayDone], count: int, seeds: Sequence[int]
) -> tuple[tuple[int, ...], list[tuple[Row, ...]]]:
    """Return the seeds that every variant has a day of, and each variant's rows for them."""
    kept: list[int] = []
    rows: list[list[Row]] = [[] for _ in range(count)]
    for place, seed in enumerate(seeds):
        days = [day for day in harvest.results[place * count : (place + 1) * count] if day is not None]
        if len(days) == count:
            kept.append(seed)
            for mine, day in zip(rows, days, strict=True):
                mine.append(figures_of_day(day))
    return tuple(kept), [tuple(mine) for mine in rows]


def _variant(name: str, policy: str | None, settings: dict[str, Any], rows: tuple[Row, ...]) -> Variant:
    return Variant(
        name=name,
        policy=policy or (str(rows[0]["policy"]) if rows else ""),
        settings=settings,
        scenario_hash=str(rows[0].get("scenario_hash", "")) if rows else "",
        estimates=estimates_of(rows),
        replications=rows,
    )


def _study(
    kind: str,
    scenarios: Sequence[Scenario],
    harvest: Harvest[Any],
    seeds: tuple[int, ...],
    variants: tuple[Variant, ...],
    *,
    differences: tuple[Difference, ...] = (),
) -> Study:
    cautions = dict.fromkeys(text for scenario in scenarios if (text := caution(scenario)) is not None)
    return Study(
        study=kind,
        scenario=scenarios[0].scenario,
        seeds=seeds,
        days_finished=harvest.finished,
        days_wanted=len(harvest.results),
        interrupted=harvest.interrupted,
        methods=(
            *methods_of({variant.name: variant.replications for variant in variants}),
            *methods_of_differences({difference.name: difference.figures for difference in differences}),
        ),
        cautions=tuple(cautions),
        variants=variants,
        differences=differences,
    )
