"""`dialer models promote`, `rollback` and `retire`: which versions serve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialer.adapters.model_registry import Standing
    from dialer.cli.models.campaign_models import CampaignModels


def promote(
    model: str,
    campaign: str | None = None,
    *,
    data: Path | None = None,
    challenger: bool = False,
    share: float = 0.1,
    force: bool = False,
) -> int:
    """Make a version the champion. A campaign that runs by models takes it up at its next plan, any other when it
    starts; `rollback` goes back.

    Parameters
    ----------
    model
        The version, as `dialer models list` has it.
    campaign
        The campaign's file, or its name; if not named, the one that has the version.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    challenger
        Let it challenge the champion instead, on a share of the leads.
    share
        Of the leads, a challenger's: more than 0, at most 0.5.
    force
        Even where it was refused.
    """
    import time

    from dialer.cli.models.campaign_models import models_of, orderer

    named = models_of(model, campaign, data)
    part = share if challenger else None
    standing = named.registry.promote(model, at=time.time(), by=orderer(), challenger_share=part, force=force)
    return _done(named, "models.promote", standing, model=model, share=part)


def rollback(campaign: str, *, data: Path | None = None) -> int:
    """Go back to the champion before this one, or to the tables where there was none.

    Parameters
    ----------
    campaign
        The campaign's file, or its name.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    """
    import time

    from dialer.cli.models.campaign_models import known_models, orderer
    from dialer.cli.safe_text import say

    named = known_models(campaign, data)
    standing, told = named.registry.rollback(at=time.time(), by=orderer())
    for line in told:
        say(line)
    return _done(named, "models.rollback", standing, model=standing.champion)


def retire(model: str, campaign: str | None = None, *, data: Path | None = None) -> int:
    """Take a version out of service; its files stay. Without a champion the campaign goes by the tables.

    Parameters
    ----------
    model
        The version, as `dialer models list` has it.
    campaign
        The campaign's file, or its name; if not named, the one that has the version.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    """
    import time

    from dialer.cli.models.campaign_models import models_of, orderer

    named = models_of(model, campaign, data)
    standing = named.registry.retire(model, at=time.time(), by=orderer())
    return _done(named, "models.retire", standing, model=model)


def _done(named: CampaignModels, what: str, standing: Standing, **values: str | float | None) -> int:
    from dialer.cli.record_store import note
    from dialer.cli.safe_text import say

    note(named.data, what, refused="", campaign=named.name, **values)
    line = f"{named.name}: the champion is {standing.champion or 'none, so it goes by the tables'}"
    if standing.challenger is not None:
        line += f"; {standing.challenger} challenges it on {standing.challenger_share:.0%} of the leads"
    say(line)
    return 0
