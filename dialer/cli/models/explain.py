"""`dialer models explain`: why a lead has the probability that it has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

_WAKING, _ASLEEP = "07:00", "22:00"  # hours that are shown where nobody says which are allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dialer.adapters.lead_explanation import Explanation, LeadPlan, Move
    from dialer.cli.models.campaign_models import CampaignModels
    from dialer.core.lead import Lead


def explain(
    lead: str,
    campaign: str,
    *,
    at: str | None = None,
    number: int = 1,
    model: str | None = None,
    data: Path | None = None,
    json: bool = False,
) -> int:
    """Say why a lead would answer with the probability that it has: what the tables and the trees add, what came of its
    attempts so far, each hour of the next day, and what the last plan says of it.

    Exit codes: 0 explained; 2 something needs mending, such as no such lead, or no model.

    Parameters
    ----------
    lead
        Its id on the list.
    campaign
        The campaign's file, or its name.
    at
        As if it were then, as 2026-12-08T10:00-05:00, by what was known then.
    number
        Which of its numbers, from 1.
    model
        The version; the champion if not named.
    data
        The campaign's data folder; if not named .cadencia, or .cadencia-sandbox if it runs there.
    json
        Print JSON.
    """
    import time

    import msgspec

    from dialer.adapters.attempt_history import journals_of, read_history
    from dialer.adapters.lead_explanation import explain_lead, last_plan
    from dialer.cli.models.campaign_models import campaign_models
    from dialer.cli.record_store import moment
    from dialer.cli.safe_text import safe_json
    from dialer.cli.sim.output import at_work
    from dialer.errors import ConfigError

    now = time.time()
    when = now if at is None else moment("--at", at)
    named = campaign_models(campaign, data)
    chosen = model or named.registry.standing().champion
    if chosen is None:
        raise ConfigError(f"{named.name}: expected a champion, it has none: `dialer models train` makes one")
    bundle = named.registry.load(chosen)
    journals = journals_of(named.data, named.name)
    if not journals:
        raise ConfigError(f"{named.data / 'journal' / named.name}: expected the campaign's journals, found none")
    with at_work(f"{named.name}: reading attempts"):
        past = read_history(journals, now=max(now, when))
        listed = named.listed() or list(past.leads)
        plan: LeadPlan | None = None
        for journal in reversed(journals):
            plan = last_plan(journal, lead, when)
            if plan is not None:
                break
    found = explain_lead(bundle, listed, past, lead, at=when, number=number - 1, open_at=_open_at(named), plan=plan)
    if json:
        print(safe_json(msgspec.json.encode(found).decode()))
    else:
        _show(found)
    return 0


def _open_at(named: CampaignModels) -> Callable[[Lead, int, float], bool] | None:
    """What tells whether the campaign's rules allow a call at a moment; None without its file."""
    if named.settings is None or named.file is None:
        return None
    from dialer.config.rule_packs import rule_set

    rules = rule_set(named.settings, named.file.parent)

    def open_at(lead: Lead, number: int, at: float) -> bool:
        place = lead.numbers[number].place
        return any(begin <= at < end for begin, end in rules.open_times(place, at, days=2))

    return open_at


def _show(found: Explanation) -> None:
    from dialer.cli.models.training_view import day
    from dialer.cli.safe_text import say

    for line in found.told:
        say(line)
    say(f"{found.lead}, number {found.number + 1}, at {day(found.at)}, by {found.model}:")
    say(f"  a person answers: {found.answer:.1%} (by {found.by}); of these the right party: {found.right_party:.1%};")
    talk = "" if found.talk_s is None else f"; talk {found.talk_s:.0f} s"
    say(f"  of whom a promise: {found.promise:.1%}{talk}")
    _show_moves("what moves the answer", found.moves)
    _show_moves("what moves the right party", found.right_party_moves)
    _show_attempts(found)
    _show_hours(found)
    _show_plan(found.plan)


def _show_moves(title: str, moves: Iterable[Move]) -> None:
    from rich.table import Table

    from dialer.cli.safe_text import make_console, safe

    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("its value", justify="right")
    table.add_column("logit", justify="right")
    table.add_column("odds", justify="right")
    for place, move in enumerate(moves):
        value = "" if move.value is None else move.value if isinstance(move.value, str) else f"{move.value:g}"
        odds = "" if place == 0 else f"x{min(2.718281828**move.logit, 1e9):.2f}"
        table.add_row(safe(move.what.replace("_", " ")), safe(value), f"{move.logit:+.3f}", odds)
    make_console().print(table)


def _show_attempts(found: Explanation) -> None:
    from dialer.cli.safe_text import say

    if not found.attempts:
        say("no attempts so far")
        return
    earlier = found.attempts_in_all - len(found.attempts)
    say(f"{found.attempts_in_all} attempts so far" + (f", the last {len(found.attempts)}:" if earlier else ":"))
    for attempt in found.attempts:
        number = "" if attempt.number is None else f", number {attempt.number + 1}"
        say(f"  {attempt.local}{number}: {attempt.result.replace('_', ' ')}")


def _show_hours(found: Explanation) -> None:
    from rich.table import Table

    from dialer.cli.safe_text import make_console

    hours = [hour for hour in found.hours if (_WAKING <= hour.local[-5:] < _ASLEEP if hour.open is None else hour.open)]
    if not hours:
        return
    title = "the next hours" if found.hours[0].open is not None else "the next hours, whether allowed or not"
    table = Table(title=title, title_justify="left")
    table.add_column("local time")
    for name in ("answer", "right party reached"):
        table.add_column(name, justify="right")
    table.add_column("")
    best = max(hour.answer * hour.right_party for hour in hours) or 1.0
    for hour in hours:
        reached = hour.answer * hour.right_party
        table.add_row(hour.local, f"{hour.answer:.1%}", f"{reached:.1%}", "█" * round(20 * reached / best))
    make_console().print(table)


def _show_plan(plan: LeadPlan | None) -> None:
    from dialer.cli.models.training_view import day
    from dialer.cli.safe_text import say

    if plan is None:
        say("no plan on record names it")
        return
    where = f"{plan.place:,} of {plan.of:,} to be called" if plan.place is not None else "not among those to be called"
    chance = "" if plan.propensity is None else f", drawn with a chance of {plan.propensity:.3f}"
    say(f"the plan of {day(plan.at)}, until {day(plan.until)}: {where} ({plan.because.replace('_', ' ')}{chance})")
    if plan.held_until is not None:
        say(f"  not before {day(plan.held_until)}")
