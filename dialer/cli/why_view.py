"""How a number stands, for people: each lead with its verdict, every reason, what was counted, the last attempts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.text import Text

from compliance.zones import load_zone
from dialer.adapters.number_standing import CapState, Standing
from dialer.cli.safe_text import make_console, safe


def show(number: str, at: float, standings: Sequence[Standing]) -> None:
    """Print how a number stands, lead by lead."""
    console = make_console()
    for standing in standings:
        for line in _lines(number, at, standing):
            console.print(line, soft_wrap=True)


def _lines(number: str, at: float, standing: Standing) -> Iterator[Text]:
    verdict = Text("ALLOWED", style="bold green") if standing.allowed else Text("NOT ALLOWED", style="bold red")
    yield verdict.append(f": {safe(standing.number or number)}, {_whose(standing)}", style="default")
    for zone in standing.zones:
        yield _line("there", f"{datetime.fromtimestamp(at, load_zone(zone)):%a %Y-%m-%d %H:%M} in {zone}")
    if standing.jurisdictions:
        yield _line("law of", ", ".join(standing.jurisdictions))
    for reason in standing.reasons:
        # The text of a rule names its article.
        yield _line("because", f"{safe(reason.rule)}: {safe(reason.text)} [{reason.confidence}]")
    for mend in standing.mends:
        yield _line("mend", safe(mend))
    if not standing.allowed:
        known = standing.next_allowed_at
        none = "once it is mended" if standing.mends and not _for_ever(standing) else "no time is known"
        yield _line("next", none if known is None else f"from {known} on, if nothing else happens")
    for cap in standing.caps:
        yield _line("counted", _counted(cap))
    for check in standing.checks:
        yield _line("passed", safe(check))
    for happened in standing.last:
        yield _line("before", f"{happened.at} {safe(happened.outcome)}")


def _for_ever(standing: Standing) -> bool:
    """Whether something forbids it that neither a time nor the mends take away."""
    passing = ("consent:", "lead.rest", "number.rest", "person.hours")
    others = [reason.rule for reason in standing.reasons if not reason.rule.startswith(passing)]
    registries = [rule for rule in others if rule.startswith("dnc:") and not rule.endswith((":stale", ":missing"))]
    given_up = [rule for rule in others if rule.startswith(("stop:", "lead.", "number."))]
    return bool(registries or given_up)


def _whose(standing: Standing) -> str:
    if not standing.campaign:
        return "which no lead in the store has: by the law alone, and what the store has on the number"
    who = f"person {standing.person}, debt {standing.debt}; {standing.status}, {standing.attempts} attempts"
    return safe(f"lead {standing.lead_id} of campaign {standing.campaign} ({who})")


def _counted(cap: CapState) -> str:
    free = (
        "" if cap.free_at is None else f", has room from {datetime.fromtimestamp(cap.free_at, UTC):%Y-%m-%d %H:%M} UTC"
    )
    return f"{safe(cap.rule)}: {cap.seen} of {cap.max} ({safe(cap.key)}){free}"


def _line(what: str, text: str) -> Text:
    return Text(f"  {what:<9}{text}")
