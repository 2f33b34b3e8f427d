"""Puts the report together: the template, the data and a policy that lets the browser fetch nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from sim.day import DayRecord
from sim.report.breakdowns import calls_funnel, disposition_bars, people_funnel, refusal_bars, trunk_rows
from sim.report.charts import FEWEST_ATTEMPTS, chart_data, machines_screened
from sim.report.headline import Result, summary, tiles
from sim.report.numbers import count
from sim.report.rates import FEWEST_LIVE_ANSWERS
from sim.report.spans import LocalTime, end_of
from sim.report.tables import agents_table, calls_table, trunks_table
from sim.report.words import KINDS, PATTERNS, agent_states, kind_of, state_look, trunk_look

_FOLDER = Path(__file__).parent
# Told apart by the letter in the comparison; also the limit of what one page can show.
_LETTERS = "AB"


def render_report(
    day: DayRecord,
    result: Mapping[str, Any],
    *,
    other: tuple[DayRecord, Mapping[str, Any]] | None = None,
    title: str | None = None,
) -> str:
    """Return a day as one HTML page that loads nothing: its charts, tables and moments.

    `result` holds the headline figures by name, fractions in [0, 1]; a figure that is missing is not shown, None is
    shown as unknown. `label` names the day where two are compared. `other` is a second day, shown beside the first.
    Equal arguments give equal pages. All texts are escaped.

    Raises:
        ConfigError: a day names no known time zone.
    """
    days = [(day, result)] if other is None else [(day, result), other]
    views = [_view(place, one, figures, compared=len(days) > 1) for place, (one, figures) in enumerate(days)]
    script, library, style = _static("report.js"), _library(), _static("uPlot.min.css") + _static("report.css")
    return _template().render(
        title=title or day.scenario or day.campaign,
        days=views,
        compared=len(days) > 1,
        tiles=tiles(days),
        moments=_moments(views),
        kinds=_kinds(days),
        patterns=PATTERNS,
        fewest=FEWEST_LIVE_ANSWERS,
        fewest_attempts=FEWEST_ATTEMPTS,
        data=_embedded(_script_data(views)),
        script=Markup(script),
        library=Markup(library),
        style=Markup(style),
        policy=_content_policy([library, script], style),
    )


@dataclass(frozen=True, kw_only=True)
class _View:
    """One day as the template wants it."""

    letter: str
    label: str
    day: DayRecord
    result: Result
    local: LocalTime
    facts: list[tuple[str, str]]
    summary: str
    screened: bool  # machines were told from people
    states: list[Any]
    trunks: list[Any]
    trunk_looks: list[Any]
    people: list[Any]
    calls: list[Any]
    dispositions: list[Any]
    refusals: list[Any]
    tables: dict[str, Any]


def _view(place: int, day: DayRecord, result: Result, *, compared: bool) -> _View:
    local = LocalTime(day)
    return _View(
        letter=_LETTERS[place] if compared else "",
        label=str(result.get("label") or day.policy),
        day=day,
        result=result,
        local=local,
        facts=_facts(day, result, local),
        summary=summary(day, result),
        screened=machines_screened(day),
        states=[state_look(state) for state in agent_states(day)],
        trunks=trunk_rows(day),
        trunk_looks=[trunk_look(name, index) for index, name in enumerate(day.trunks)],
        people=people_funnel(day),
        calls=calls_funnel(day),
        dispositions=disposition_bars(day),
        refusals=refusal_bars(day),
        tables={
            "agents": agents_table(day, local),
            "calls": calls_table(day, local),
            "trunks": trunks_table(day, local),
        },
    )


def _facts(day: DayRecord, result: Result, local: LocalTime) -> list[tuple[str, str]]:
    begun = local.moment(day.start_at)
    facts = [
        ("Day", begun.strftime("%A, %d %B %Y")),
        ("Time", f"{local.clock(day.start_at)} to {local.clock(end_of(day))}, {day.zone}"),
        ("Campaign", day.campaign),
        ("Policy", day.policy),
        ("Seed", "" if day.seed is None else str(day.seed)),
        ("Scenario hash", str(result.get("scenario_hash") or "")),
        ("Version", day.version),
    ]
    return [(name, text) for name, text in facts if text]


@dataclass(frozen=True, kw_only=True)
class _Moment:
    place: int  # on the page
    clock: str
    at: str  # ISO 8601, local
    kind: Any
    kind_id: str
    letter: str
    title: str
    text: str


def _moments(views: Sequence[_View]) -> list[_Moment]:
    """All days' moments, one day after the other: in the order of the script's data."""
    found = [(view, moment) for view in views for moment in view.day.moments]
    return [
        _Moment(
            place=place,
            clock=view.local.clock(moment.at, seconds=True),
            at=view.local.moment(moment.at).isoformat(timespec="seconds"),
            kind=kind_of(moment.kind),
            kind_id=moment.kind,
            letter=view.letter,
            title=moment.title,
            text=moment.text,
        )
        for place, (view, moment) in enumerate(found)
    ]


def _kinds(days: Sequence[tuple[DayRecord, Result]]) -> list[tuple[str, Any, str]]:
    """The kinds of moments on the page, the known ones first: id, look, how many, and of how many where some are left
    out."""
    seen = [moment.kind for day, _ in days for moment in day.moments]
    order = [*KINDS, *sorted(set(seen) - set(KINDS))]
    every = {"abandoned": sum(sum(day.abandoned) for day, _ in days)}
    return [
        (kind, kind_of(kind), f"{shown} of {count(every[kind])}" if every.get(kind, 0) > shown else str(shown))
        for kind in order
        if (shown := seen.count(kind))
    ]


def _script_data(views: Sequence[_View]) -> dict[str, Any]:
    moments = [moment.kind for view in views for moment in view.day.moments]
    return {
        "days": [
            chart_data(view.day, view.local)
            | {
                "letter": view.letter,
                "stateLooks": [look._asdict() for look in view.states],
                "trunkLooks": [look._asdict() for look in view.trunk_looks],
            }
            for view in views
        ],
        "kinds": {kind: kind_of(kind)._asdict() for kind in dict.fromkeys([*KINDS, *moments]) if kind in moments},
        "patterns": PATTERNS,
    }


def _embedded(data: object) -> Markup:
    """JSON that cannot end its script element or start a comment in it."""
    text = msgspec.json.encode(data).decode()
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _content_policy(scripts: Sequence[str], style: str) -> str:
    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    return "; ".join(
        [
            "default-src 'none'",
            "script-src " + " ".join(digest(script) for script in scripts),
            "style-src " + digest(style),
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


@cache
def _static(name: str) -> str:
    return (_FOLDER / "static" / name).read_text(encoding="utf-8")


@cache
def _library() -> str:
    """uPlot with its licence, which every copy must carry."""
    return "/*\n" + _static("uPlot.LICENSE") + "*/\n" + _static("uPlot.iife.min.js")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
