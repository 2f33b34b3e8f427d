"""A campaign's supply and what was found in it, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from dialer.cli.carriers.supply_check import SupplyFinding
from dialer.cli.safe_text import make_console, safe
from dialer.config.campaign import Campaign
from dialer.config.carriers import Trunk

_STYLES = {"error": "bold red", "warning": "yellow", "note": "default"}


def show(campaign: Campaign, found: Sequence[SupplyFinding]) -> None:
    """Print the trunks, then the findings, one a line."""
    console = make_console()
    console.print(_trunks(campaign))
    for finding in found:
        where = "" if finding.line is None else f"line {finding.line}: "
        line = Text(f"{finding.level:<8}", style=_STYLES[finding.level])
        line.append(safe(f"{where}{finding.key}{': ' if finding.key else ''}{finding.text}"), style="default")
        console.print(line, soft_wrap=True)
    errors = sum(finding.level == "error" for finding in found)
    console.print(f"{errors} to mend, {len(found) - errors} noted")


def _trunks(campaign: Campaign) -> Table:
    table = Table(title=f"trunks of {campaign.campaign}, prices in {campaign.routing.currency}", title_justify="left")
    for column, right in (
        ("trunk", False),
        ("carrier", False),
        ("channels", True),
        ("set-ups/s", True),
        ("price a minute", True),
        ("prefixes", True),
        ("regions", False),
        ("hours", False),
        ("caller IDs", True),
        ("signs", False),
    ):
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for trunk in campaign.trunks:
        table.add_row(
            trunk.name,
            safe(trunk.carrier),
            f"{trunk.max_channels:,}",
            f"{trunk.max_cps:g}",
            _price(trunk),
            f"{len(trunk.deck):,}" if trunk.deck else "all",
            safe(", ".join(trunk.regions)) or "all",
            "some" if trunk.hours else "always",
            f"{len(trunk.caller_ids):,}" if trunk.caller_ids else "all",
            trunk.attestation,
        )
    return table


def _price(trunk: Trunk) -> str:
    if trunk.price is not None:
        return f"{trunk.price.per_minute:g}, {trunk.price.billing}"
    if not trunk.deck:
        return "not told"
    prices = [row[1] for row in trunk.deck]
    low, high = min(prices), max(prices)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
