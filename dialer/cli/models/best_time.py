"""`dialer models best-time`: the hours in which the leads of a list are best called, by segment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialer.cli.safe_text import make_console, safe, safe_json, say
from dialer.errors import ConfigError

if TYPE_CHECKING:
    from dialer.adapters.best_hours import BestHours
    from dialer.config.campaign import Campaign
    from dialer.core.lead import Lead
    from models.best_time import HourFigures, SegmentHours

_SUCCESS = {"right_party": "right-party contacts", "promise": "promises to pay"}


def best_time(
    leads: Path,
    *,
    campaign: Path,
    data: Path | None = None,
    most: int = 5,
    json: bool = False,
    html: Path | None = None,
) -> int:
    """Show in which hours of the week the leads of a list are best called: the best hours and a heat map, by segment.

    Segments are the campaign's; if it has none, the stages of delinquency. Hours are the called persons' own, of the
    coming seven days, as the rules leave them open. An hour of the week with fewer than 30 attempts of the segment on
    record is told by the tables and is not recommended.

    Exit codes: 0 shown; 1 no hour can be recommended yet; 2 a file needs mending, or there are no attempts on record.

    Parameters
    ----------
    leads
        The list, a CSV file as campaigns read them.
    campaign
        The campaign's file.
    data
        The data folder with its journals and models; if not named .cadencia, or .cadencia-sandbox if it ran there.
    most
        Hours to recommend for each segment, at most.
    json
        Print JSON, with every hour of every segment.
    html
        Write the heat maps into this page too, which needs no network.
    """
    from dialer.adapters.best_hours import best_hours
    from dialer.cli.models.campaign_models import campaign_models
    from dialer.cli.sim.output import check_targets

    check_targets(html)
    if not 1 <= most <= 168:
        raise ConfigError(f"--most {most}: expected 1 to 168 hours")
    if not campaign.is_file():
        raise ConfigError(f"{campaign}: expected a campaign file, found none")
    named = campaign_models(str(campaign), data)
    assert named.settings is not None  # it was named by its file
    people = _leads_of(leads, named.settings)
    past, rules, now = _record(named.data, named.settings)
    serving = named.registry.serving()
    for line in (*serving.told, *past.told):
        say(line, file=sys.stderr)
    found = best_hours(named.settings, rules, people, past, serving.champion, now=now, progress=_progress())
    for line in found.told:
        say(line, file=sys.stderr)
    if html is not None:
        _write_page(html, named.name, found)
    if json:
        print(safe_json(_json(found, most)))
    else:
        _show(found, most)
    return 0 if any(segment.best(1) for segment in found.segments) else 1


def _leads_of(path: Path, settings: Campaign) -> list[Lead]:
    """Read the list. Raises `ConfigError` where no lead of it can be called."""
    from dialer.adapters.campaign_lists import read_lists

    (read,) = read_lists([path], settings)
    if read.rejected:
        say(f"{path}: {len(read.rejected):,} rows rejected: `dialer check` names them", file=sys.stderr)
    if not read.leads:
        raise ConfigError(f"{path}:1: expected leads, found none that can be called")
    return list(read.leads)


def _record(data: Path, settings: Campaign) -> tuple[Any, Any, float]:
    """Return the attempts on record, the rules, and what the time is."""
    import time

    from dialer.adapters.attempt_history import read_campaign_history
    from dialer.config.rule_packs import rule_set

    now = time.time()
    return read_campaign_history(data, settings.campaign, now=now), rule_set(settings), now


def _progress() -> Any:
    """Return what shows the progress on a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        return None

    def show(done: float) -> None:
        print(f"\r{100.0 * done:3.0f} % of the week", end="\n" if done >= 1.0 else "", file=sys.stderr, flush=True)

    return show


# ---- what is shown ----------------------------------------------------------------------------------------------
def _show(found: BestHours, most: int) -> None:
    from dialer.cli.models.heat_map import best_table, heat_map

    console = make_console()
    by = "the tables alone: no model serves" if found.model is None else f"model {found.model}"
    console.print(f"success: {_SUCCESS[found.goal]} / attempts, local hours of the coming week, by {safe(by)}")
    for segment in found.segments:
        if not segment.leads:
            continue
        console.print()
        console.print(best_table(segment, most))
        if (why := nothing_to_recommend(segment)) is not None:
            say(why)
        console.print(heat_map(segment))


def nothing_to_recommend(segment: SegmentHours) -> str | None:
    """Return why no hour of a segment is recommended; None where one is."""
    from models.best_time import SUPPORT

    if not segment.hours:
        return "no hour is recommended: in the coming week nobody of them may be called"
    if not segment.supported:
        most = max(hour.attempts for hour in segment.hours)
        return (
            f"no hour is recommended: {SUPPORT} attempts in one hour of the week are needed, the most so far are {most}"
        )
    if not segment.best(1):
        return "no hour is recommended: none of those that were tried is better than the others"
    return None


def _json(found: BestHours, most: int) -> str:
    import json as library

    def hour_of(hour: HourFigures) -> dict[str, object]:
        names = type(hour).__dataclass_fields__
        return {name: getattr(hour, name) for name in names}

    segments = [
        {
            "segment": segment.name,
            "leads": segment.leads,
            "attempts": segment.attempts,
            "mean": segment.mean,
            "best": [hour_of(hour) for hour in segment.best(most)],
            "because": nothing_to_recommend(segment),
            "hours": [hour_of(hour) for hour in segment.hours],
        }
        for segment in found.segments
    ]
    whole = {"goal": found.goal, "model": found.model, "segments": segments, "told": list(found.told)}
    return library.dumps(whole, ensure_ascii=False, allow_nan=False)


def _write_page(path: Path, campaign: str, found: BestHours) -> None:
    from dialer import __version__
    from dialer.adapters.model_report import render_models
    from dialer.cli.sim.output import write_whole
    from models.report_data import ModelReport

    report = ModelReport(
        title=f"{campaign}: the best time to call",
        summary=(
            f"Success is {_SUCCESS[found.goal]} / attempts; hours are those of the called persons, of the coming week."
        ),
        facts=(("Model", found.model or "none serves: tables alone"),),
        hours=tuple(segment for segment in found.segments if segment.leads),
        told=found.told,
        version=__version__,
    )
    write_whole(path, render_models(report))
    say(f"report: {path}", file=sys.stderr)
