"""One scenario simulated once or many times: the result as scripts read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialer.studies.comparison import Row, figures_of_day
from dialer.studies.days import DayDone, DaySpec, run_days
from dialer.studies.estimates import estimates_of, methods_of
from dialer.studies.journals import JournalFolder, journal_folder
from dialer.studies.workers import Progress
from sim.overrides import caution
from sim.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Replications:
    """The finished days of one scenario."""

    scenario: Scenario
    seeds: tuple[int, ...]
    days: tuple[DayDone, ...]  # by seed
    wanted: int
    interrupted: bool

    @property
    def rows(self) -> tuple[Row, ...]:
        """Each day's figures."""
        return tuple(figures_of_day(day) for day in self.days)

    @property
    def methods(self) -> tuple[str, ...]:
        """How the figures and intervals were made."""
        rows = self.rows
        return methods_of({"": rows}) if len(rows) != 1 else (str(rows[0]["methods"]), *methods_of({"": rows}))


def replicate_days(
    scenario: Scenario,
    seeds: Sequence[int],
    *,
    policy: str | None,
    jobs: int,
    journals: Path | None = None,
    progress: Progress | None = None,
) -> Replications:
    """Simulate a scenario once a seed; the first day comes with its record for a report."""
    if journals is None:
        return _replicate(scenario, seeds, policy, jobs, None, progress)
    with journal_folder(journals, scenario, seeds) as folder:
        return _replicate(scenario, seeds, policy, jobs, folder, progress)


def _replicate(
    scenario: Scenario,
    seeds: Sequence[int],
    policy: str | None,
    jobs: int,
    folder: JournalFolder | None,
    progress: Progress | None,
) -> Replications:
    specs = [
        DaySpec(
            scenario=scenario,
            seed=seed,
            policy=policy,
            journal_dir=None if folder is None else folder.begin(seed),
            with_day=seed == seeds[0],
        )
        for seed in seeds
    ]
    harvest = run_days(specs, jobs=jobs, progress=progress)
    finished = [(seed, done) for seed, done in zip(seeds, harvest.results, strict=True) if done is not None]
    return Replications(
        scenario=scenario,
        seeds=tuple(seed for seed, _ in finished),
        days=tuple(_kept(done, seed, folder) for seed, done in finished),
        wanted=len(seeds),
        interrupted=harvest.interrupted,
    )


def _kept(done: DayDone, seed: int, folder: JournalFolder | None) -> DayDone:
    if folder is None or done.journal is None:
        return done
    return DayDone(result=done.result, day=done.day, journal=folder.keep(done.journal, seed))


def as_result(found: Replications) -> dict[str, Any]:
    """Return the flat result: of one day its own figures, of several their means, with every day under `replications`.

    A mean's interval is under `estimates`; `abandon_rate_ci95` is that of the mean where there are two days at least.
    """
    rows = found.rows
    estimates = estimates_of(rows)
    flat = _mean_day(rows)
    if len(rows) > 1:
        rate = estimates.get("abandon_rate")
        flat["abandon_rate_ci95"] = None if rate is None else (rate.low, rate.high)
    note = caution(found.scenario)
    return {
        **flat,
        "seeds": found.seeds,
        "days_finished": len(found.days),
        "days_wanted": found.wanted,
        "interrupted": found.interrupted,
        "methods": " ".join(found.methods),
        "cautions": [] if note is None else [note],
        "estimates": estimates,
        "replications": rows,
    }


def _mean_day(rows: Sequence[Row]) -> Row:
    """Return the mean of every number over the days; names, texts and the seed are the first day's."""
    mean = dict(rows[0])
    if len(rows) == 1:
        return mean
    for name in mean.keys() - {"seed"}:
        values = [row[name] for row in rows]
        if name == "per_hour":
            mean[name] = _mean_by_hour(values)
        elif isinstance(values[0], Mapping):  # counts by name: a day without the name had none
            names = sorted({counted for counts in values for counted in counts})
            mean[name] = {counted: _mean([counts.get(counted, 0) for counts in values]) for counted in names}
        elif any(isinstance(value, int | float) for value in values):
            mean[name] = _mean(values)
    return mean


def _mean_by_hour(days: Sequence[Mapping[str, Sequence[Any]]]) -> dict[str, list[Any]]:
    """Return the mean of each hour's figure over the days that know it. What is no figure (the hour's name) is the
    first day's."""
    means: dict[str, list[Any]] = {}
    for name, first in days[0].items():
        series = [day[name] for day in days if name in day]
        hours = max(len(one) for one in series)
        means[name] = [_mean([one[hour] for one in series if hour < len(one)]) for hour in range(hours)]
        if any(isinstance(value, str) for value in first):
            means[name] = list(first)
    return means


def _mean(values: Sequence[Any]) -> Any:
    known = [value for value in values if value is not None and not isinstance(value, str)]
    return sum(known) / len(known) if known else None
