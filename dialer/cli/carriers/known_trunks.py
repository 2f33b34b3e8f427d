"""Whether the campaign's switch has its trunks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dialer.adapters.switch_probe import missing, probe_switch
from dialer.bootstrap import ami_secret
from dialer.config.campaign import Campaign
from dialer.config.yaml_lines import Document, Loc, read_yaml
from dialer.errors import ConfigError, TelephonyError


async def unknown_trunks(campaign: Campaign) -> list[tuple[Loc, str]]:
    """Return the trunks that the campaign's Asterisk does not know, by their places in the file.

    Raises `TelephonyError` where the switch does not say, `ConfigError` where its secret cannot be read.
    """
    view = await probe_switch(campaign.asterisk, ami_secret(campaign))
    if view.endpoints is None:
        raise TelephonyError(f"the switch does not list endpoints ({view.refusal})")
    absent = set(missing(view, [trunk.name for trunk in campaign.trunks]))
    return [
        (("trunks", place, "name"), f"the switch has no PJSIP endpoint {trunk.name!r}")
        for place, trunk in enumerate(campaign.trunks)
        if trunk.name in absent
    ]


async def require_known_trunks(path: Path, campaign: Campaign, *, say: Callable[[str], None]) -> None:
    """Raise `ConfigError`, by the lines of the campaign file, where the switch lacks a trunk.

    A switch that does not answer, or may not say, stops nobody here: `say` is told, and the run deals with it.
    """
    try:
        unknown = await unknown_trunks(campaign)
    except TelephonyError as error:
        say(f"trunks not looked at: {error}")
        return
    if unknown:
        document: Document = read_yaml(path)
        raise ConfigError(*(document.fault(loc, text) for loc, text in unknown))
