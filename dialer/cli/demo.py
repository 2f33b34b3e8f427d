"""`dialer demo`: a collections campaign on the embedded default, with nothing else installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

_MARK = ".cadencia-demo"


def demo(
    *,
    agents: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=200))] = 20,
    leads: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=100_000))] = 3000,
    hours: Annotated[float, Parameter(validator=validators.Number(gt=0, lte=9))] = 3.0,
    speed: Annotated[float, Parameter(validator=validators.Number(gt=0))] = 240.0,
    seed: int = 7,
    folder: Path = Path("cadencia-demo"),
) -> int:
    """Dial a generated collections campaign: real engine, real store, simulated people and carriers.

    Parameters
    ----------
    agents
        How many agents take calls.
    leads
        How many leads are on the generated list.
    hours
        How long the campaign's morning is.
    speed
        How many times as fast as real time; 240 shows three hours in 45 seconds.
    seed
        The same seed repeats the same morning, call by call.
    folder
        Where the journal, the store and the CSV of the attempts go. A demo's folder is emptied first.
    """
    from dialer.cli.loop import run_async

    return run_async(_demo(agents, leads, hours, speed, seed, folder))


async def _demo(agents: int, leads: int, hours: float, speed: float, seed: int, folder: Path) -> int:
    from dialer.adapters.attempt_export import export_attempts
    from dialer.adapters.logs import set_up_logs
    from dialer.bootstrap import Place, rehearse
    from dialer.cli.loop import DRAIN_LIMIT_S, on_interrupt
    from dialer.cli.safe_text import make_console, safe
    from dialer.cli.watch import Watch
    from sim.scenario_file import packaged_scenario

    _empty(folder)
    set_up_logs(folder / "dialer.log")
    console = make_console()
    scenario = packaged_scenario("collections_demo", agents=agents, leads=leads, duration_s=hours * 3600.0)
    console.print(
        f"{agents} agents, {leads:,} leads, 3 carriers, {hours:g} h at {speed:g} times real time, seed {seed}"
    )
    async with rehearse(scenario, Place(data_dir=folder), seed=seed, speed=speed) as session:
        start, until = scenario.start_at, session.until
        on_interrupt(session.runtime.drain, session.runtime.stop, drain_limit_s=DRAIN_LIMIT_S)
        watch = Watch(
            console=console,
            zone=scenario.start.tzinfo,  # type: ignore[arg-type]  # the scenario refuses one without
            share=lambda: min(1.0, (session.clock.now() - start) / (until - start)),
            note=f"simulated, {speed:g}x",
        )
        await watch.run(session)
    attempts = folder / "attempts.csv"
    count = export_attempts(session.journal, attempts)
    console.print(safe(f"{count:,} attempts in {attempts}"), soft_wrap=True)
    console.print("Try next:", highlight=False)
    for command in (
        safe(f"./run sim replay {session.journal}"),
        "./run init my-campaign",
        "./run lab",
    ):
        console.print(f"  {command}", soft_wrap=True, highlight=False)
    return 0


def _empty(folder: Path) -> None:
    """Empty an earlier demo's folder; any other folder that is not empty is left alone. Raises `ConfigError`."""
    import shutil

    from dialer.errors import ConfigError

    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise ConfigError(f"{folder}: expected an empty folder or an earlier demo's: name another with --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / _MARK).touch()
