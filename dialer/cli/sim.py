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

    from rich.progress import Progress

    from dialer.bootstrap import simulate
    from dialer.cli.live_view import summary
    from dialer.cli.safe_text import make_console, say
    from sim.result import result_of
    from sim.scenario_file import load_scenario

    loaded = load_scenario(scenario)
    console = make_console(stderr=True)
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
        make_console().print(summary(engine.status()))
    else:
        text = result_of(loaded, engine, seed=loaded.seed if seed is None else seed).decode() + "\n"
        if str(json) == "-":
            sys.stdout.write(text)
        else:
            json.write_text(text)
    if path is not None:
        say(f"journal: {path}", file=sys.stderr)
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
    from dialer.cli.safe_text import say

    header, result = replay_journal(journal)
    if json:
        print(msgspec.json.encode(result).decode())
    elif result.difference is None:
        say(f"{journal}: {result.events:,} events, {result.actions:,} actions, all equal (version {header.version})")
    else:
        difference = result.difference
        say(f"{journal}: event {difference.step:,} differs: {msgspec.json.encode(difference.event).decode()}")
        say(f"  recorded: {msgspec.json.encode(difference.recorded).decode()}")
        say(f"  replayed: {msgspec.json.encode(difference.replayed).decode()}")
    return 0 if result.difference is None else 1
