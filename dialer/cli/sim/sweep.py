"""`dialer sim sweep`: a setting, or several, over a range."""

from __future__ import annotations

from dialer.cli.sim.output import FileTo, JsonTo, Settings


def sweep(
    scenario: str,
    *,
    changes: Settings = (),
    policy: str | None = None,
    reps: int = 5,
    seed: int | None = None,
    jobs: int | None = None,
    fast: bool = False,
    json: JsonTo = False,
    csv: FileTo = None,
) -> int:
    """Simulate a scenario over a range of settings: what would a change do?

    Every line meets the same people: the same seeds. Ctrl-C leaves the seeds that every line has finished, and exits
    130.

    Parameters
    ----------
    scenario
        A scenario file, or the name of one that comes with the program (`dialer sim list`).
    changes
        A key with its values: FROM:TO:STEP, or values with commas between, as in
        pacing.target_abandon_rate=0.01:0.05:0.01 or agents=20,40,80; of several, all combinations.
    policy
        A pacing policy's id instead of the mode's own: progressive-v1, power-v1, priced-v1; or another dialer's law,
        such as vicidial-average (docs/simulation.md has them all).
    reps
        How many days to simulate for each line, with one seed after the other from the first.
    seed
        The first seed instead of the scenario's.
    jobs
        How many processes work at once; as many as there are processors if not named. The results do not depend on it.
    fast
        The pacing policies alone, without lists, rules, routes and hours: for wide sweeps, and pacing's figures only.
    json
        Write the result there as JSON, with every day of every line; `-` or nothing for standard output.
    csv
        Write the lines there as CSV, with their intervals; `-` for standard output.
    """
    from dialer.cli.sim.output import check_targets, json_target, progress_bar, show_study
    from dialer.cli.sim.tables import sweep_view
    from dialer.errors import ConfigError
    from dialer.studies.days import check_policy, seeds_from
    from dialer.studies.workers import jobs_of
    from sim.overrides import grid, parse_axes
    from sim.scenario_file import load_scenario

    target = json_target(json)
    check_targets(target, csv)
    if not changes:
        raise ConfigError("expected what to sweep, as in --set pacing.target_abandon_rate=0.01:0.05:0.01")
    loaded, points = load_scenario(scenario), grid(parse_axes(changes))
    seeds = seeds_from(loaded.seed if seed is None else seed, reps)
    check_policy(policy)
    workers, total = jobs_of(jobs), len(points) if fast else len(points) * len(seeds)
    with progress_bar(loaded.scenario, total) as progress:
        from dialer.studies.comparison import sweep as sweep_days  # seconds of loading: under the bar
        from dialer.studies.comparison import sweep_fast

        run = sweep_fast if fast else sweep_days
        study = run(loaded, points, seeds, policy=policy, jobs=workers, progress=progress)
    return show_study(study, sweep_view, json=target, csv=csv)
