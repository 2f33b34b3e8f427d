"""`dialer models evaluate`: how well calls are told, by time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialer.cli.models.train import Files, Names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dialer.adapters.attempt_history import PastAttempts
    from dialer.adapters.best_hours import BestHours
    from dialer.cli.models.campaign_models import CampaignModels
    from dialer.config.campaign import Campaign
    from models.bundle import ModelBundle
    from models.call_evaluation import Evaluation
    from models.report_data import CampaignEvaluation


def evaluate(
    campaign: str | None = None,
    *,
    model: str | None = None,
    since: str | None = None,
    data: Path | None = None,
    calls: Files = (),
    leads: Path | None = None,
    label: str | None = None,
    without: Names = (),
    first_row: int | None = None,
    every: int | None = None,
    order: str = "rows",
    zone: str = "UTC",
    country: str = "",
    html: Path | None = None,
    json: bool = False,
) -> int:
    """Say how well probabilities agree with what came, each call told by those before it alone.

    With a campaign: a version of its models on the attempts after its training, and how calls in vain wear its people.
    With --calls alone: models trained again and again along that log. With --calls and --label: the same on any table
    of calls in CSV.

    Exit codes: 0 evaluated; 2 something needs mending.

    Parameters
    ----------
    campaign
        The campaign's file, or its name.
    model
        The version; the champion if not named.
    since
        Tell attempts from then on, as 2026-11-20 or 2026-11-20T10:00-05:00; from the end of its training if not named.
    data
        The campaign's data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    calls
        This log instead of the journals: journals, VICIdial's vicidial_log, Asterisk's CDR or CEL; or with --label a
        table.
    leads
        The list of the people in --calls.
    label
        The column of a table that is told, of yes and no: success.
    without
        A column to leave out; once for each.
    first_row
        So many calls of a log or table are only learned from.
    every
        Calls of a log or table from one training to the next; of a table 250 if not named.
    order
        rows, or the column of a table that has the calls' times.
    zone
        The IANA zone of a log's dates, where they do not say it themselves.
    country
        The country of numbers without a country code in --leads, and of a log's holidays.
    html
        Write a report there: one file that needs no network. Of a campaign's model it has the best hours too.
    json
        Print JSON.
    """
    import time
    from datetime import UTC, datetime

    import msgspec

    from dialer.cli.models.campaign_models import campaign_models
    from dialer.cli.models.evaluation_view import show_evaluation
    from dialer.cli.record_store import moment
    from dialer.cli.safe_text import safe_json
    from dialer.cli.sim.output import check_targets
    from dialer.errors import ConfigError

    check_targets(html)
    now = time.time()
    hours: BestHours | None = None
    if label is not None:
        if len(calls) != 1 or campaign is not None or leads is not None:
            raise ConfigError("--label: expected one table with --calls, and no campaign or list beside it")
        name = str(calls[0])
        found = _of_table(calls[0], label, without, first_row, every, order, datetime.fromtimestamp(now, UTC))
    elif campaign is None:
        if not calls:
            raise ConfigError("expected a campaign, or a log of calls with --calls, found neither")
        name = ", ".join(map(str, calls))
        found = _of_log(calls, leads, zone, country, now, first_row, every, without)
    else:
        begin = None if since is None else moment("--since", since)
        named = campaign_models(campaign, data)
        name, found, hours = _of_model(named, model, begin, calls, leads, zone, country, now, html is not None)
    if html is not None:
        _write_report(html, name, found, hours)
    if json:
        print(safe_json(msgspec.json.encode(found).decode()))
    else:
        show_evaluation(name, found)
    return 0


def _of_table(
    path: Path, label: str, without: Names, first_row: int | None, every: int | None, order: str, now: datetime
) -> Evaluation:
    from dialer.adapters.call_table import evaluate_table
    from dialer.cli.sim.output import progress_bar

    with progress_bar(path.name, 1) as bar:
        return evaluate_table(
            path,
            label=label,
            without=without,
            first_row=first_row,
            every=250 if every is None else every,
            order=order,
            now=now,
            progress=None if bar is None else lambda told, total: bar(told / total),
        )


def _of_log(
    calls: Files,
    leads: Path | None,
    zone: str,
    country: str,
    now: float,
    first_row: int | None,
    every: int | None,
    without: Names,
) -> Evaluation:
    from dialer.adapters.attempt_evaluation import evaluate_rolling
    from dialer.cli.models.past_calls import past_calls
    from dialer.cli.sim.output import at_work, progress_bar
    from models.bundle import TrainingSettings

    with at_work("reading calls"):
        past = past_calls(None, calls, leads, zone=zone, country=country, now=now, since=0.0)
    with progress_bar(calls[0].name, 1) as bar:
        return evaluate_rolling(
            past,
            first_row=first_row,
            every=every,
            now=now,
            settings=TrainingSettings(without=without),
            progress=None if bar is None else lambda told, total: bar(told / total),
        )


def _of_model(
    named: CampaignModels,
    model: str | None,
    since: float | None,
    calls: Files,
    leads: Path | None,
    zone: str,
    country: str,
    now: float,
    with_hours: bool,
) -> tuple[str, CampaignEvaluation, BestHours | None]:
    from dialer.adapters.attempt_evaluation import evaluate_model
    from dialer.adapters.attempt_history import journals_of
    from dialer.adapters.wear_on_record import planned_wear, wear_on_record
    from dialer.cli.models.past_calls import past_calls
    from dialer.cli.sim.output import at_work
    from dialer.errors import ConfigError
    from models.report_data import campaign_evaluation

    chosen = model or named.registry.standing().champion
    if chosen is None:
        raise ConfigError(f"{named.name}: expected a champion, it has none: name a version with --model, or train one")
    bundle = named.registry.load(chosen)
    with at_work(f"{named.name}: reading attempts"):
        past = past_calls(named, calls, leads, zone=zone, country=country, now=now, since=0.0)
    journals = journals_of(named.data, named.name)
    settings, told = _settings(named, journals)
    with at_work(f"{named.name}: {chosen}"):
        found = evaluate_model(bundle, past, since=since)
        wear = wear_on_record(bundle, past, settings, now=now)
        hours, more = _hours(named, settings, past, bundle, now) if with_hours else (None, [])
    whole = campaign_evaluation(
        found, wear=wear.segments, wear_index=planned_wear(journals), told=(*told, *wear.told, *more)
    )
    return f"{named.name}, {chosen}", whole, hours


def _settings(named: CampaignModels, journals: Sequence[Path]) -> tuple[Campaign | None, list[str]]:
    """Return the campaign's file; where only its name is known, that of its last journal, and what is to be told."""
    if named.settings is not None:
        return named.settings, []
    if not journals:
        return None, []
    from dialer.adapters.audited_rules import campaign_of_header
    from dialer.adapters.journal import read_journal
    from dialer.errors import ConfigError, JournalError

    try:
        return campaign_of_header(read_journal(journals[-1])[0], journals[-1]), []
    except (ConfigError, JournalError) as fault:
        return None, [f"no segments: {fault}; name the campaign by its file"]


def _hours(
    named: CampaignModels, settings: Campaign | None, past: PastAttempts, bundle: ModelBundle, now: float
) -> tuple[BestHours | None, list[str]]:
    """Tell the hours of the week of the campaign's lists, of the leads on record where it names none."""
    from dialer.adapters.best_hours import best_hours
    from dialer.config.rule_packs import rule_set

    people = [lead for lead in named.listed() or past.leads if lead.numbers]
    if settings is None or not people:
        return None, ["no best hours: neither rules nor numbers of the campaign's leads are known"]
    return best_hours(settings, rule_set(settings), people, past, bundle, now=now), []


def _write_report(path: Path, name: str, found: Evaluation, hours: BestHours | None) -> None:
    import sys

    from dialer import __version__
    from dialer.adapters.model_report import render_models
    from dialer.cli.safe_text import say
    from dialer.cli.sim.output import write_whole
    from models.report_data import report_of

    weeks = () if hours is None else tuple(segment for segment in hours.segments if segment.leads)
    told = () if hours is None else hours.told
    write_whole(path, render_models(report_of(found, title=name, hours=weeks, told=told, version=__version__)))
    say(f"report: {path}", file=sys.stderr)
