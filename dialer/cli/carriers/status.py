"""`dialer carriers status`: how a running campaign's trunks and caller IDs stand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialer.cli.safe_text import make_console, safe, safe_json, say

if TYPE_CHECKING:
    from rich.table import Table

    from carriers.standing import AccountStanding, RoutingStanding, TrunkStanding


def status(campaign: str, *, data: Path | None = None, json: bool = False) -> int:
    """Show each trunk of a running campaign: its share of the calls, quality, costs, capacity and circuit, of the last
    15 minutes; the surcharges due today; and each caller ID.

    Exit codes: 0 shown; 1 the campaign does not run.

    Parameters
    ----------
    campaign
        Its name, as `dialer status` lists it.
    data
        Its data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    json
        Print JSON.
    """
    import msgspec

    from dialer.adapters.control_messages import GetRouting, Routing
    from dialer.cli.control import ask, tell

    answer = ask(data, campaign, GetRouting())
    if not isinstance(answer, Routing):
        return tell(answer, json=json)
    if json:
        print(safe_json(msgspec.json.encode(answer).decode()))
        return 0
    console = make_console()
    standing = answer.standing
    console.print(quality_table(answer.campaign, standing))
    console.print(capacity_table(standing))
    for line in [*surcharges(standing), *doubts(standing)]:
        say(line)
    console.print(number_table(standing))
    return 0


def quality_table(campaign: str, standing: RoutingStanding) -> Table:
    """Return how well each trunk does, one row each; `–` where there is no data."""
    table = _table(
        f"{safe(campaign)}: trunks, last 15 minutes ({safe(standing.router)})",
        ("trunk", "carrier"),
        ("share", "tries", "ASR", "NER", "PDD s", "call s", "short", "cancelled", "contacts/1,000", "circuit"),
    )
    for trunk in standing.trunks:
        table.add_row(
            safe(trunk.trunk),
            safe(trunk.carrier),
            percent(trunk.share),
            f"{trunk.tries:,}",
            percent(trunk.asr),
            percent(trunk.ner),
            figure(trunk.pdd_s, 1),
            figure(trunk.mean_call_s, 0),
            percent(trunk.short_share),
            percent(trunk.cancelled_share),
            figure(trunk.contacts_per_1000, 0),
            trunk.circuit.replace("_", "-"),
        )
    return table


def capacity_table(standing: RoutingStanding) -> Table:
    """Return what each trunk costs and how much room it has, one row each."""
    currency = safe(standing.currency)
    table = _table(
        "cost and capacity",
        ("trunk",),
        (f"{currency}/try", f"{currency}/contact", "channels", "calls/s", "worth of one more call/s"),
    )
    for trunk in standing.trunks:
        table.add_row(
            safe(trunk.trunk),
            figure(trunk.cost_per_try, 4),
            figure(trunk.cost_per_contact, 3),
            f"{trunk.in_use} of {trunk.max_channels}",
            figure(trunk.set_ups_per_s, 1),
            figure(trunk.price, 4),
        )
    return table


def _table(title: str, left: tuple[str, ...], right: tuple[str, ...]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for name in left:
        table.add_column(name)
    for name in right:
        table.add_column(name, justify="right")
    return table


def surcharges(standing: RoutingStanding) -> list[str]:
    """Return what each account that has surcharges owes for today, one line each."""
    return [
        f"{account.account} today (UTC): {'; '.join(_fees(account, standing.currency))}"
        for account in standing.accounts
    ]


def _fees(account: AccountStanding, currency: str) -> list[str]:
    kinds = (
        ("short", account.short_share, account.answered, "answered", account.short_above, account.short_due),
        ("cancelled", account.cancelled_share, account.calls, "calls", account.cancelled_above, account.cancelled_due),
    )
    return [
        f"{kind} {percent(share)} of {of:,} {what} (limit {percent(above)}), {currency} {due:,.2f} due"
        for kind, share, of, what, above, due in kinds
        if above is not None
    ]


def doubts(standing: RoutingStanding) -> list[str]:
    """Return why trunks carry nothing, and which circuits are not closed, one line each."""
    found = []
    for trunk in standing.trunks:
        if trunk.idle_because and trunk.circuit == "closed":
            found.append(f"{trunk.trunk} carries nothing now: {trunk.idle_because}")
        if trunk.circuit != "closed":
            found.append(f"{trunk.trunk}: circuit {trunk.circuit.replace('_', '-')}: {trunk.because}")
        found += _prefix_doubts(trunk)
    return found


def _prefix_doubts(trunk: TrunkStanding) -> list[str]:
    return [
        f"{trunk.trunk}: circuit of prefix {prefix.prefix} {prefix.circuit.replace('_', '-')}: {prefix.because}"
        for prefix in trunk.open_prefixes
    ]


def number_table(standing: RoutingStanding) -> Table:
    """Return one row a caller ID."""
    from datetime import UTC, datetime

    table = _table("caller IDs", ("number", "pool", "why"), ("calls today", "answers", "rests until (UTC)"))
    for number in standing.caller_ids:
        cap = "" if number.max_calls_a_day is None else f"/{number.max_calls_a_day:,}"
        until = number.resting_until
        table.add_row(
            safe(number.number),
            safe(number.pool) or "–",
            safe(number.because),
            f"{number.calls_today:,}{cap}",
            "–" if number.multiplier is None else f"x{number.multiplier:.2f}",
            "" if until is None else datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%d %H:%M"),
        )
    return table


def percent(share: float | None) -> str:
    """Return a share for people."""
    return "–" if share is None else f"{100.0 * share:.1f} %"


def figure(value: float | None, digits: int) -> str:
    """Return a figure for people."""
    return "–" if value is None else f"{value:,.{digits}f}"
