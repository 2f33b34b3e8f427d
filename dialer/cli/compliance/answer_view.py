"""An answer for people: the verdict on one line, then where, why and from when on."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text

from compliance.zones import load_zone
from dialer.adapters.question_file import Question
from dialer.cli.compliance.answer import Answer
from dialer.cli.safe_text import make_console, safe

_SHOWN = 12  # zones, profiles


def show(question: Question, answer: Answer) -> None:
    """Print an answer."""
    console = make_console()
    for line in _lines(question, answer):
        console.print(line, soft_wrap=True)


def _lines(question: Question, answer: Answer) -> list[Text]:
    verdict = Text("ALLOWED" if answer.allowed else "NOT ALLOWED", style="bold green" if answer.allowed else "bold red")
    asked = f": {safe(question.number)} at {stamp(question.at)} for {question.scope.replace('_', ' ')}"
    lines = [verdict.append(asked, style="default")]
    lines += [
        _line("there", f"{question.at.astimezone(load_zone(zone)):%a %Y-%m-%d %H:%M} in {zone}")
        for zone in answer.zones[:_SHOWN]
    ]
    lines += _more("there", answer.zones, "zones")
    if answer.jurisdictions:
        lines.append(_line("law of", ", ".join(answer.jurisdictions[:_SHOWN])))
        lines += _more("law of", answer.jurisdictions, "jurisdictions")
    # The text of a rule names its article.
    lines += [_line("because", f"{r.rule}: {safe(r.text)} [{r.confidence}]") for r in answer.reasons]
    if not answer.allowed:
        lines.append(_line("next", _next(answer)))
    for needed in answer.requires:
        lines.append(_line("besides", f"{safe(needed)}: looked at when it is dialled"))
    known = ", ".join(f"{name} {number}" for name, number in answer.versions.items())
    return [*lines, Text(f"  {'known by':<9}{known}", style="bright_black")]


def _next(answer: Answer) -> str:
    if answer.next_allowed_at is None:
        return "no time is known at which it would be allowed"
    return f"allowed from {stamp(datetime.fromisoformat(answer.next_allowed_at))} on, if nothing else happens"


def _line(what: str, text: str) -> Text:
    return Text(f"  {what:<9}{text}")


def _more(what: str, values: tuple[str, ...], name: str) -> list[Text]:
    return [_line(what, f"and {len(values) - _SHOWN} more {name}")] if len(values) > _SHOWN else []


def stamp(at: datetime) -> str:
    """A time as people read it, with the offset that it has; seconds where it has any."""
    return f"{at:%a} {at.isoformat(' ', 'seconds' if at.second else 'minutes')}"
