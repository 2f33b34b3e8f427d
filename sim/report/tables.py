"""The charts' numbers as tables, for reading aloud, copying and checking."""

from __future__ import annotations

from dataclasses import dataclass

from sim.day import DayRecord
from sim.report.numbers import count, percent, plain, seconds
from sim.report.rates import rate
from sim.report.spans import LocalTime, Span, spans, step_for
from sim.report.words import agent_states, state_look

MOST_ROWS = 26


@dataclass(frozen=True, kw_only=True)
class Table:
    """A caption, column heads and rows; the first cell of a row names it."""

    caption: str
    heads: list[str]
    rows: list[list[str]]


def agents_table(day: DayRecord, local: LocalTime) -> Table:
    """Mean number of agents by state, of lines and of people who wait."""
    states = agent_states(day)
    return Table(
        caption="Mean numbers in each span",
        heads=["From", *(state_look(state).name for state in states), "Lines", "People waiting"],
        rows=[
            [
                local.clock(part.start_at),
                *(plain(part.mean(day.agents[state])) for state in states),
                plain(part.mean(day.lines)),
                plain(part.mean(day.waiting), 2),
            ]
            for part in _parts(day, local)
        ],
    )


def calls_table(day: DayRecord, local: LocalTime) -> Table:
    """Counts of calls and the rates of the charts, with their denominators beside them."""
    return Table(
        caption="Counts in each span; the abandon rate is abandoned ÷ live answers",
        heads=["From", *_CALL_HEADS],
        rows=[[local.clock(part.start_at), *_calls(day, part)] for part in _parts(day, local)],
    )


_CALL_HEADS = (
    "Attempts",
    "Answers",
    "Live answers",
    "Connected",
    "Abandoned",
    "Abandon rate",
    "Right party",
    "Promises",
    "Refused by a rule",
)


def _calls(day: DayRecord, part: Span) -> list[str]:
    live, abandoned = part.total(day.live_answers), part.total(day.abandoned)
    before = [day.attempts, day.answers, day.live_answers, day.bridged, day.abandoned]
    after = [day.right_party_contacts, day.promises, day.refused]
    return [
        *(count(part.total(values)) for values in before),
        percent(rate(abandoned, live)),
        *(count(part.total(values)) for values in after),
    ]


def trunks_table(day: DayRecord, local: LocalTime) -> Table:
    """Attempts and quality of each trunk in each span."""
    rows = []
    for part in _parts(day, local):
        for name, trunk in day.trunks.items():
            tried, rang = part.total(trunk.attempts), part.total(trunk.rang)
            rows.append(
                [
                    local.clock(part.start_at),
                    name,
                    count(tried),
                    percent(rate(part.total(trunk.answers), tried)),
                    percent(rate(part.total(trunk.failed), tried)),
                    seconds(rate(sum(trunk.set_up_s[part.first : part.past]), rang)),
                ]
            )
    return Table(
        caption="Each trunk in each span",
        heads=["From", "Trunk", "Attempts", "Answered", "Failed", "Post-dial delay"],
        rows=rows,
    )


def _parts(day: DayRecord, local: LocalTime) -> list[Span]:
    return spans(day, local, step_for(day, MOST_ROWS))
