"""`dialer sim compare`: several decisions, the same people."""

from __future__ import annotations

from dialer.cli.sim.output import JsonTo, Settings


def compare(
    scenario: str,
    *,
    policies: str,
    reps: int = 20,
    seed: int | None = None,
    jobs: int | None = None,
    changes: Settings = (),
    json: JsonTo = False,
) -> int:
    """Compare pacing policies on the same simulated people: the same seeds for every one.

    Ctrl-C leaves the comparison over the seeds that every policy has finished, and exits 130.

    Parameters
    ----------
    scenario
        A scenario file, or the name of one that comes with the program (`dialer sim list`).
    policies
        Ids with commas between; each may have settings of its own after `@`:
        progressive-v1,priced-v1,priced-v1@pacing.target_abandon_rate=0.01. Differences are against the first. Other
        dialers' laws have ids too, such as vicidial-average.
    reps
        How many days to simulate for each, with one seed after the other from the first.
    seed
        The first seed instead of the scenario's.
    jobs
        How many processes work at once; as many as there are processors if not named. The results do not depend on it.
    changes
        Change the scenario for all of them, as in agents=50 or population.live_rate=0.2; once for each.
    json
        Write the result there as JSON, with every day of every policy; `-` or nothing for standard output.
    """
    from dialer.cli.sim.output import check_targets, json_target, progress_bar, show_study
    from dialer.cli.sim.tables import comparison_view
    from dialer.studies.days import decisions_of, seeds_from
    from dialer.studies.workers import jobs_of
    from sim.overrides import override, parse_settings
    from sim.scenario_file import load_scenario

    target = json_target(json)
    check_targets(target)
    changed = override(load_scenario(scenario), parse_settings(changes))
    decisions = decisions_of(policies, changed)
    seeds = seeds_from(changed.seed if seed is None else seed, reps)
    workers = jobs_of(jobs)
    with progress_bar(changed.scenario, len(decisions) * len(seeds)) as progress:
        from dialer.studies.comparison import compare as compare_days  # seconds of loading: under the bar

        study = compare_days(decisions, seeds, jobs=workers, progress=progress)
    return show_study(study, comparison_view, json=target)
