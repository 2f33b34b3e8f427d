"""`dialer sim ...`: simulated days."""

from __future__ import annotations

from pathlib import Path


def run(
    scenario: str,
    *,
    policy: str | None = None,
    seed: int | None = None,
    journal: Path | None = None,
    json: Path | None = None,
) -> int:
    """Run a scenario with the real engine, as fast as the machine can.

    Parameters
    ----------
    scenario
        A scenario file, or the name of one that comes with the program (collections_demo).
    policy
        A pacing policy's id instead of the mode's own: progressive-v1, priced-v1.
    seed
        The world's seed instead of the scenario's: the same seed meets the same people.
    journal
        A folder to keep the journal in, for `dialer sim replay`.
    json
        Write the result there as JSON; `-` for standard output.
    """
    import sys

    from rich.console import Console
    from rich.progress import Progress

    from dialer.bootstrap import simulate
    from dialer.cli.live_view import summary
    from sim.result import result_of
    from sim.scenario_file import load_scenario

    loaded = load_scenario(scenario)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(loaded.scenario, total=loaded.duration)
        engine, path = simulate(
            loaded,
            seed=seed,
            policy=policy,
            journal_dir=journal,
            progress=lambda now: bar.update(task, completed=now - loaded.start_at),
        )
    if json is None:
        Console().print(summary(engine.status()))
    else:
        text = result_of(loaded, engine, seed=loaded.seed if seed is None else seed).decode() + "\n"
        if str(json) == "-":
            sys.stdout.write(text)
        else:
            json.write_text(text)
    if path is not None:
        print(f"journal: {path}", file=sys.stderr)
    return 0


def replay(journal: Path, *, json: bool = False) -> int:
    """Replay a journal: the engine must give the very same actions. Exits 1 at the first that differs.

    Parameters
    ----------
    journal
        A journal of this version of the program.
    json
        Print the result as JSON.
    """
    import msgspec

    from dialer.bootstrap import replay_journal

    header, result = replay_journal(journal)
    if json:
        print(msgspec.json.encode(result).decode())
    elif result.difference is None:
        print(f"{journal}: {result.events:,} events, {result.actions:,} actions, all equal (version {header.version})")
    else:
        difference = result.difference
        print(f"{journal}: event {difference.step:,} differs: {msgspec.json.encode(difference.event).decode()}")
        print(f"  recorded: {msgspec.json.encode(difference.recorded).decode()}")
        print(f"  replayed: {msgspec.json.encode(difference.replayed).decode()}")
    return 0 if result.difference is None else 1
