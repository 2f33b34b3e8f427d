"""The headline figures of a simulated day: what each means and how people read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["rate", "count", "seconds", "number", "money", "price"]  # a price is of one call, with four decimals


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of `SimResult` by its field's name. `meaning` states a rate's denominator."""

    key: str
    label: str
    kind: Kind
    meaning: str


FIGURES = (
    Figure("occupancy", "occupancy", "rate", "handling time / (handling + idle time) of logged-in agents"),
    Figure("abandon_rate", "abandon rate", "rate", "abandoned / live answers"),
    Figure("attempts", "attempts", "count", "calls placed"),
    Figure("live_answers", "live answers", "count", "answered calls, less the machines that detection screened out"),
    Figure("connects", "connects", "count", "live answers that an agent took"),
    Figure("abandoned", "abandoned", "count", "live answers that no agent took in time"),
    Figure("right_party_contacts", "right-party contacts", "count", "connects with the person who was meant"),
    Figure("promises", "promises to pay", "count", "right-party contacts that ended in a promise"),
    Figure("mean_idle_s", "mean idle time", "seconds", "of an agent between two calls"),
    Figure("attempts_per_agent_hour", "attempts per agent hour", "number", "attempts / agents' logged-in hours"),
    Figure("rpc_per_agent_hour", "RPC per agent hour", "number", "right-party contacts / agents' logged-in hours"),
    Figure("contacts_per_1000_attempts", "contacts per 1,000 attempts", "number", "human contacts / 1,000 attempts"),
    Figure("carriers_cost_per_contact", "carriers' cost per contact", "price", "carriers' bills / human contacts"),
    Figure("cost_per_rpc", "cost per RPC", "money", "carriers' bills and agents' pay / right-party contacts"),
    Figure("compliance_blocks", "refused by rules", "count", "reservations that a rule refused"),
)  # fmt: skip
BY_KEY = {figure.key: figure for figure in FIGURES}


def known(figures: Iterable[Figure], rows: Iterable[Mapping[str, Any]]) -> tuple[Figure, ...]:
    """Return the figures that at least one of the rows has a value for."""
    rows = list(rows)
    return tuple(figure for figure in figures if any(row.get(figure.key) is not None for row in rows))


def in_words(figure: Figure, value: float | None, *, signed: bool = False, mean: bool = False) -> str:
    """Return a value as people read it, with its unit; `signed` is for differences, `mean` for means of several days,
    which have a decimal even where they count."""
    if value is None:
        return "–"
    sign = "+" if signed else ""
    if figure.kind == "rate":
        return f"{100 * value:{sign}.2f} {'points' if signed else '%'}"
    if figure.kind == "seconds":
        return f"{value:{sign},.1f} s"
    if figure.kind == "count":
        return f"{value:{sign},.0f}" if value == round(value) and not mean else f"{value:{sign},.1f}"
    return f"{value:{sign},.4f}" if figure.kind == "price" else f"{value:{sign},.2f}"
