"""`dialer models train`: answer models learned from the attempts on record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from dialer.adapters.retraining import Training
    from dialer.cli.models.campaign_models import CampaignModels

Names = Annotated[tuple[str, ...], Parameter(negative="", show_default=False)]
Files = Annotated[tuple[Path, ...], Parameter(negative="", show_default=False)]


def train(
    campaign: str,
    *,
    data: Path | None = None,
    calls: Files = (),
    leads: Path | None = None,
    zone: str = "UTC",
    country: str = "",
    days: float = 120.0,
    serve_as: Annotated[Literal["champion", "challenger"], Parameter(name="--as")] = "champion",
    share: float = 0.1,
    without: Names = (),
    force: bool = False,
    if_due: str | None = None,
    seed: int = 1,
    json: bool = False,
) -> int:
    """Train a campaign's models, judge them against its champion on the last days, and let them serve.

    A model that is worse than the champion, or whose probabilities are off, is kept aside, and the champion goes on.
    A campaign that runs by models takes a new one up at its next plan, any other when it starts.

    Exit codes: 0 trained, or not due yet; 1 trained but refused or kept aside; 2 something needs mending, or teaches
    nothing.

    Parameters
    ----------
    campaign
        The campaign's file, or its name.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    calls
        Learn from this log instead of the campaign's journals: journals, VICIdial's vicidial_log, or Asterisk's CDR or
        CEL in CSV; once for each file.
    leads
        The list of the people in --calls; the campaign file's own lists if not named.
    zone
        The IANA zone of a log's dates, where they do not say it themselves: America/Lima.
    country
        The country of numbers without a country code in --leads, and of a log's holidays: PE.
    days
        Learn from attempts of so many days.
    serve_as
        Whether it replaces the champion, or challenges it on a share of the leads.
    share
        Of the leads, a challenger's: more than 0, at most 0.5.
    without
        A column of the list to leave out; once for each.
    force
        Let it serve even where it is refused.
    if_due
        Train on the journals only if the last training is so old, as 1d or 12h: for cron. After a rollback, and where
        the champion cannot be compared, the new model waits for `promote`.
    seed
        Of the random draws of the training.
    json
        Print JSON.
    """
    import time

    from dialer.adapters.retraining import DAY_S, Order, retrain_if_due, train_model
    from dialer.cli.models.campaign_models import campaign_models, orderer
    from dialer.cli.models.past_calls import past_calls
    from dialer.cli.models.training_view import show_not_due, show_training
    from dialer.cli.sim.output import at_work
    from dialer.errors import ConfigError
    from models.bundle import TrainingSettings

    now = time.time()
    named = campaign_models(campaign, data)
    if not 0.0 < share <= 0.5:
        raise ConfigError(f"--share {share:g}: expected more than 0 and at most 0.5 of the leads")
    if not 0.0 < days <= 36_500.0:
        raise ConfigError(f"--days {days:g}: expected more than 0 and at most 36,500")
    order = Order(
        role=serve_as,
        share=share,
        force=force,
        settings=TrainingSettings(without=without),
        seed=seed,
        by=orderer(),
        days=days,
    )
    found: Training | None
    if if_due is not None:
        if calls:
            raise ConfigError("--if-due: expected journals to learn from, not --calls: train on a log by hand")
        with at_work(f"{named.name}: is a training due?"):
            found = retrain_if_due(named.data, named.name, now, _seconds(if_due) / DAY_S, order=order)
        if found is None:
            return show_not_due(named.name, json=json)
    else:
        with at_work(f"{named.name}: reading attempts"):
            past = past_calls(named, calls, leads, zone=zone, country=country, now=now, since=now - days * DAY_S)
        with at_work(f"{named.name}: training on {len(past.log):,} attempts"):
            found = train_model(named.registry, past, now=now, order=order)
    _note(named, found)
    show_training(named.name, found, share=share, json=json)
    return 0 if found.serves_as is not None else 1


def _seconds(text: str) -> float:
    from dialer.config.duration import seconds_of
    from dialer.errors import ConfigError

    try:
        return float(seconds_of(text))
    except ValueError as fault:
        raise ConfigError(f"--if-due: {fault}") from None


def _note(named: CampaignModels, training: Training) -> None:
    """Put the training into the audit log."""
    from dialer.cli.record_store import note

    refused = "" if training.serves_as is not None else "; ".join((*training.judgement.refusals, *training.aside))
    note(named.data, "models.train", refused=refused, campaign=named.name, model=training.model)
