"""`dialer sim replay`: a recorded day, checked action by action, or decided otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialer.cli.sim.output import JsonTo, Settings

if TYPE_CHECKING:
    from dialer.adapters.journal import Header
    from sim.replay import ReplayResult


def replay(
    journal: Path,
    *,
    policy: str | None = None,
    changes: Settings = (),
    json: JsonTo = False,
    html: Path | None = None,
) -> int:
    """Replay a journal: the engine must give the very same actions. Exits 1 at the first that differs.

    With --policy or --set, the day's world runs again under that decision, and both days are shown side by side. A
    simulated day's world is its own scenario and seed; a real day's people answer as they did where the journal knows,
    and as calibrated to it elsewhere.

    Parameters
    ----------
    journal
        A journal that `dialer run`, `dialer demo` or `dialer sim run` wrote.
    policy
        Decide by this pacing policy instead: progressive-v1, power-v1, priced-v1, or another dialer's law.
    changes
        Change the day's settings, as in pacing.target_abandon_rate=0.02; once for each.
    json
        Write the result there as JSON; `-` or nothing for standard output.
    html
        Write a report of the day there, or of both side by side: one file that needs no network.
    """
    from dialer.cli.sim.output import check_targets, json_target

    target = json_target(json)
    check_targets(target, html)
    if policy is None and not changes:
        return _check(journal, target, html)
    return _rerun(journal, policy, changes, target, html)


def _check(journal: Path, json: Path | None, html: Path | None) -> int:
    from dialer.cli.sim.output import STDOUT, at_work, to_json, write_whole

    with at_work(journal.name):
        from dialer.bootstrap import recorded_day, replay_journal  # seconds of loading: with a sign of life

        header, result = replay_journal(journal)
    if json is not None:
        write_whole(json, to_json(_as_dict(header, result)))
    if json != STDOUT:
        _tell(journal, header, result)
    if html is not None:
        from msgspec import to_builtins

        from sim.report import render_report

        with at_work(journal.name):
            _, day, figures = recorded_day(journal)
        write_whole(html, render_report(day, to_builtins(figures)))
    return 0 if result.difference is None else 1


def _as_dict(header: Header, result: ReplayResult) -> dict[str, object]:
    from dialer import __version__

    return {
        "events": result.events,
        "actions": result.actions,
        "difference": result.difference,
        "version": __version__,
        "journal_version": header.version,
    }


def _tell(journal: Path, header: Header, result: ReplayResult) -> None:
    import msgspec

    from dialer import __version__
    from dialer.cli.safe_text import say

    if header.version != __version__:
        say(f"{journal}: written by version {header.version}; this is {__version__}, which may decide otherwise")
    if result.difference is None:
        say(f"{journal}: {result.events:,} events, {result.actions:,} actions, all equal (version {__version__})")
        return
    difference = result.difference
    say(f"{journal}: event {difference.step:,} differs: {msgspec.json.encode(difference.event).decode()}")
    say(f"  recorded: {msgspec.json.encode(difference.recorded).decode()}")
    say(f"  replayed: {msgspec.json.encode(difference.replayed).decode()}")


def _rerun(journal: Path, policy: str | None, changes: Settings, json: Path | None, html: Path | None) -> int:
    from msgspec import to_builtins

    from dialer.cli.safe_text import make_console
    from dialer.cli.sim.output import STDOUT, progress_bar, to_json, write_whole
    from dialer.cli.sim.tables import side_by_side
    from dialer.studies.days import check_policy
    from sim.overrides import parse_settings

    check_policy(policy)
    settings = parse_settings(changes)
    with progress_bar(journal.name, 1) as progress:
        from dialer.studies.rerun import rerun_journal  # seconds of loading: under the bar
        from sim.report import render_report

        rerun = rerun_journal(journal, policy=policy, overrides=settings, progress=progress)
    was, now = to_builtins(rerun.recorded), to_builtins(rerun.result)
    name = ", ".join([now["policy"], *(f"{path}={value}" for path, value in settings.items())])
    if json is not None:
        found = {
            "journal": str(journal),
            "world": rerun.world,
            "set": settings,
            "cautions": rerun.cautions,
            "recorded": was,
            "rerun": now,
        }
        write_whole(json, to_json(found))
    if html is not None:
        title = f"{rerun.recorded_day.campaign}: as it was, and under {name}"
        report = render_report(rerun.recorded_day, was, other=(rerun.day, now), title=title)
        write_whole(html, report)
    if json != STDOUT:
        names = (f"as it was ({was['policy']})", name)
        make_console().print(side_by_side(str(journal), names, (was, now), rerun.world, rerun.cautions))
    return 0
