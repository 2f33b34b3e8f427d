"""`dialer models evaluate`: how well calls are told, by time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialer.cli.models.train import Files, Names

if TYPE_CHECKING:
    from datetime import datetime

    from models.call_evaluation import Evaluation


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

    With a campaign: a version of its models on the attempts after its training. With --calls alone: models trained
    again and again along that log. With --calls and --label: the same on any table of calls in CSV.

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
        Write a report there: one file that needs no network.
    json
        Print JSON.
    """
    import time
    from datetime import UTC, datetime

    import msgspec

    from dialer.cli.models.evaluation_view import show_evaluation
    from dialer.cli.record_store import moment
    from dialer.cli.safe_text import safe_json
    from dialer.cli.sim.output import check_targets
    from dialer.errors import ConfigError

    check_targets(html)
    now = time.time()
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
        name, found = _of_model(campaign, data, model, begin, calls, leads, zone, country, now)
    if html is not None:
        _write_report(html, name, found)
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
            threads=2,
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
    campaign: str,
    data: Path | None,
    model: str | None,
    since: float | None,
    calls: Files,
    leads: Path | None,
    zone: str,
    country: str,
    now: float,
) -> tuple[str, Evaluation]:
    from dialer.adapters.attempt_evaluation import evaluate_model
    from dialer.cli.models.campaign_models import campaign_models
    from dialer.cli.models.past_calls import past_calls
    from dialer.cli.sim.output import at_work
    from dialer.errors import ConfigError

    named = campaign_models(campaign, data)
    chosen = model or named.registry.standing().champion
    if chosen is None:
        raise ConfigError(f"{named.name}: expected a champion, it has none: name a version with --model, or train one")
    bundle = named.registry.load(chosen)
    with at_work(f"{named.name}: reading attempts"):
        past = past_calls(named, calls, leads, zone=zone, country=country, now=now, since=0.0)
    return f"{named.name}, {chosen}", evaluate_model(bundle, past, since=since)


def _write_report(path: Path, name: str, found: Evaluation) -> None:
    from dialer import __version__
    from dialer.adapters.model_report import model_report
    from dialer.cli.sim.output import write_whole
    from models.report_data import report_of

    write_whole(path, model_report(report_of(found, title=name, version=__version__)))
