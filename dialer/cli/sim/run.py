"""`dialer sim run`: one scenario, once or many times."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialer.cli.sim.output import JsonTo, Settings

if TYPE_CHECKING:
    from dialer.studies.replications import Replications

_ONE_DAY = (
    "The interval is Wilson's score interval over this one day's live answers; --reps 10 gives intervals over days."
)


def run(
    scenario: str,
    *,
    policy: str | None = None,
    seed: int | None = None,
    reps: int = 1,
    jobs: int | None = None,
    changes: Settings = (),
    json: JsonTo = False,
    html: Path | None = None,
    journal: Path | None = None,
) -> int:
    """Run a scenario with the real engine, as fast as the machine can.

    Ctrl-C leaves the results of the days that were finished, and exits 130.

    Parameters
    ----------
    scenario
        A scenario file, or the name of one that comes with the program (`dialer sim list`).
    policy
        A pacing policy's id instead of the mode's own: progressive-v1, power-v1, priced-v1; or another dialer's law,
        such as vicidial-average (docs/simulation.md has them all).
    seed
        The world's seed instead of the scenario's: the same seed meets the same people.
    reps
        How many days to simulate, with one seed after the other from the first; their spread gives the intervals.
    jobs
        How many processes work at once; as many as there are processors if not named. The results do not depend on it.
    changes
        Change the scenario, as in pacing.target_abandon_rate=0.02, campaign.ring_timeout_s=18, agents=50,
        population.live_rate=0.2, carriers.andina.failure_rate=0.1; once for each.
    json
        Write the result there as JSON; `-` or nothing for standard output.
    html
        Write a report of the (first) day there: one file that needs no network.
    journal
        A folder to keep the journals in, for `dialer sim replay`.
    """
    from dialer.cli.sim.output import STDOUT, check_targets, json_target, progress_bar, tell_interrupted, to_json
    from dialer.cli.sim.output import write_whole as write
    from dialer.studies.days import check_policy, seeds_from
    from dialer.studies.workers import jobs_of
    from sim.overrides import override, parse_settings
    from sim.scenario_file import load_scenario

    target = json_target(json)
    check_targets(target, html)
    changed = override(load_scenario(scenario), parse_settings(changes))
    seeds = seeds_from(changed.seed if seed is None else seed, reps)
    check_policy(policy)
    workers = jobs_of(jobs)
    with progress_bar(changed.scenario, len(seeds)) as progress:
        from dialer.studies.replications import as_result, replicate_days  # seconds of loading: under the bar

        found = replicate_days(changed, seeds, policy=policy, jobs=workers, journals=journal, progress=progress)
    if found.days:
        if target is not None:
            write(target, to_json(as_result(found)))
        if target != STDOUT:
            _show(found)
        if html is not None:
            write(html, _report(found))
        _name_journals(found)
    return tell_interrupted(len(found.days), found.wanted) if found.interrupted else 0


def _show(found: Replications) -> None:
    from dialer.cli.safe_text import make_console
    from dialer.cli.sim.tables import day_view, replications_view
    from dialer.studies.estimates import estimates_of
    from sim.overrides import caution

    rows, first = found.rows, found.days[0]
    title = f"{found.scenario.scenario}, {rows[0]['policy']}"
    note = caution(found.scenario)
    cautions = () if note is None else (note,)
    if len(rows) == 1 and first.day is not None:
        view = day_view(f"{title}, seed {found.seeds[0]}", rows[0], first.day, _ONE_DAY, cautions)
    else:
        title = f"{title}, {len(rows)} days (seeds {found.seeds[0]} to {found.seeds[-1]})"
        view = replications_view(title, rows, estimates_of(rows), " ".join(found.methods), cautions)
    make_console().print(view)


def _report(found: Replications) -> str:
    from sim.report import render_report

    first = next(day for day in found.days if day.day is not None)
    assert first.day is not None
    return render_report(first.day, found.rows[found.days.index(first)])


def _name_journals(found: Replications) -> None:
    import sys

    from dialer.cli.safe_text import say

    for day in found.days:
        if day.journal is not None:
            say(f"journal: {day.journal}", file=sys.stderr)
