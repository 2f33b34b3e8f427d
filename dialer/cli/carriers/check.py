"""`dialer carriers check`: what is wrong or suspicious in a campaign's carriers, trunks, rates and caller IDs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialer.errors import ConfigError, TelephonyError

if TYPE_CHECKING:
    from dialer.cli.carriers.supply_check import SupplyFinding
    from dialer.config.campaign import Campaign
    from dialer.config.yaml_lines import Document


def check(campaign: Path, *, json: bool = False, switch: bool = False) -> int:
    """Look at the carriers of a campaign file, its rate decks and its lists, without dialling.

    Exits 0 where all is whole, 2 where something needs mending; warnings and notes need none.

    Parameters
    ----------
    campaign
        The campaign file.
    json
        Print JSON: whole, and findings of level, line, key and text.
    switch
        Ask the campaign's Asterisk whether it knows the trunks.
    """
    from msgspec.json import encode

    from dialer.cli.carriers.supply_check import SupplyFinding
    from dialer.cli.carriers.supply_table import show
    from dialer.cli.safe_text import safe_json, say
    from dialer.config.campaign_file import read_campaign
    from dialer.config.yaml_lines import read_yaml

    try:
        settings = read_campaign(campaign)
        found = _look(read_yaml(campaign), settings, switch=switch)
    except ConfigError as error:
        if not json:
            raise
        settings, found = None, [SupplyFinding(level="error", line=None, key="", text=fault) for fault in error.faults]
    whole = all(finding.level != "error" for finding in found)
    if json:
        say(safe_json(encode({"whole": whole, "findings": found}).decode()))
    else:
        assert settings is not None
        show(settings, found)
    return 0 if whole else 2


def _look(document: Document, campaign: Campaign, *, switch: bool) -> list[SupplyFinding]:
    from datetime import datetime

    from dialer.adapters.campaign_lists import read_lists
    from dialer.cli.carriers.supply_check import supply_findings
    from dialer.config.campaign_file import list_paths
    from dialer.config.rule_packs import rule_set

    leads = [lead for read in read_lists(list_paths(document.path, campaign), campaign) for lead in read.leads]
    found = supply_findings(document, campaign, leads, rule_set(campaign), datetime.now().timestamp())
    found += _of_decks(document, campaign)
    return [*_of_switch(document, campaign), *found] if switch else found


def _of_decks(document: Document, campaign: Campaign) -> list[SupplyFinding]:
    """Say what was taken of each deck, and which of its columns nobody reads."""
    from dialer.cli.carriers.supply_check import found_at
    from dialer.config.rate_deck_file import read_rate_deck

    found: list[SupplyFinding] = []
    for place, trunk in enumerate(campaign.trunks):
        if not trunk.rates:
            continue
        deck = read_rate_deck(document.path.parent / trunk.rates, currency=campaign.routing.currency)
        text = f"{len(deck.rows):,} rows, {len(trunk.deck):,} of them decide for numbers of the campaign's countries"
        found.append(found_at(document, "note", ("trunks", place, "rates"), text))
        if deck.unread:
            titles = ", ".join(title[:40] for title in deck.unread[:8])
            found.append(found_at(document, "note", ("trunks", place, "rates"), f"columns that are not read: {titles}"))
    return found


def _of_switch(document: Document, campaign: Campaign) -> list[SupplyFinding]:
    from dialer.cli.carriers.known_trunks import unknown_trunks
    from dialer.cli.carriers.supply_check import found_at
    from dialer.cli.loop import run_async

    try:
        return [found_at(document, "error", loc, text) for loc, text in run_async(unknown_trunks(campaign))]
    except (ConfigError, TelephonyError) as error:
        return [found_at(document, "error", ("asterisk",), str(error))]
