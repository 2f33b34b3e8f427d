"""The results of studies as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dialer.cli.safe_text import make_console, safe
from dialer.studies.figures import BY_KEY, FIGURES, Figure, in_words, known

if TYPE_CHECKING:
    from dialer.studies.comparison import Study, Variant
    from sim.day import DayRecord
    from sim.replications import Comparison, Estimate
    from sim.scenario import Scenario

Row = Mapping[str, Any]
# What a sweep's line has room for, what matters most first.
_SWEPT = ("occupancy", "abandon_rate", "rpc_per_agent_hour", "cost_per_rpc", "attempts_per_agent_hour", "promises")
_FAST = ("occupancy", "abandon_rate", "attempts", "live_answers", "abandoned", "mean_idle_s")
_BETWEEN = 2  # columns, characters


def plain_table(*columns: str) -> Table:
    """A table without lines: the first column to the left, the others to the right."""
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(columns):
        table.add_column(safe(name), justify="right" if place else "left", overflow="fold")
    return table


def heading(title: str) -> Text:
    """A table's title, on as many lines as the screen needs and not the table."""
    return Text(safe(title), style="bold")


def day_view(title: str, row: Row, day: DayRecord, methods: str, cautions: Iterable[str]) -> RenderableType:
    """One simulated day."""
    table = plain_table("figure", "value", "95 % interval")
    shown = known(FIGURES, [row])
    for figure in shown:
        low, high = row["abandon_rate_ci95"] if figure.key == "abandon_rate" else (None, None)
        span = "" if low is None else f"{in_words(figure, low)} to {in_words(figure, high)}"
        table.add_row(_label(figure, [row]), in_words(figure, row[figure.key]), span)
    when = f"{row['start'][:16].replace('T', ' ')}, {row['hours']:.1f} hours, {row['leads']:,} leads"
    when += f", {row['agent_hours']:,.1f} agent hours"
    counts = Text(f"\ndispositions: {_counts(day.dispositions)}\nrefused, by rule: {_counts(day.refusals)}")
    return Group(heading(title), Text(safe(when)), table, counts, footer(shown, methods, cautions))


def replications_view(
    title: str, rows: Sequence[Row], estimates: Mapping[str, Estimate], methods: str, cautions: Iterable[str]
) -> RenderableType:
    """Several days of one scenario."""
    table = plain_table("figure", "mean", "95 % interval", "least", "most")
    shown = known(FIGURES, rows)
    for figure in shown:
        values = [row[figure.key] for row in rows if row[figure.key] is not None]
        table.add_row(
            _label(figure, rows),
            in_words(figure, estimates[figure.key].mean, mean=True),
            _span(figure, estimates[figure.key]),
            in_words(figure, min(values)),
            in_words(figure, max(values)),
        )
    return Group(heading(title), table, footer(shown, methods, cautions))


def comparison_view(study: Study) -> RenderableType:
    """Variants side by side, and what each differs by from the first."""
    rows = [row for variant in study.variants for row in variant.replications]
    shown = known(FIGURES, rows)
    days = f"{len(study.seeds)} {'day' if len(study.seeds) == 1 else 'days'} each"
    means = plain_table("figure", *_names(study.variants))
    for figure in shown:
        means.add_row(
            _label(figure, rows), *(_mean(figure, variant.estimates.get(figure.key)) for variant in study.variants)
        )
    parts: list[RenderableType] = [heading(f"{study.scenario}: {days}, mean ± half of the 95 % interval"), means]
    if study.differences:
        against = study.differences[0].against
        apart = plain_table("figure", *(difference.name for difference in study.differences))
        for figure in shown:
            cells = (_apart(figure, difference.figures.get(figure.key)) for difference in study.differences)
            apart.add_row(_label(figure, rows), *cells)
        title = f"difference from {against}, same people (* more than chance)"
        parts += [Text(""), heading(title), apart]
    return Group(*parts, footer(shown, " ".join(study.methods), study.cautions))


def sweep_view(study: Study, *, width: int | None = None) -> RenderableType:
    """A line for each point of the grid, with as many figures as the screen has room for. `width`: characters."""
    rows = [row for variant in study.variants for row in variant.replications]
    shown = known([BY_KEY[key] for key in (_FAST if study.simulator == "fast" else _SWEPT)], rows)
    paths = list(study.variants[0].settings) if study.variants else []
    values = {path: [safe(variant.settings[path]) for variant in study.variants] for path in paths}
    varied = [path for path in paths if len(set(values[path])) > 1] or paths
    columns = [(path, values[path]) for path in varied]
    columns += [
        (_label(figure, rows), [_mean(figure, variant.estimates.get(figure.key)) for variant in study.variants])
        for figure in shown
    ]
    fitting = max(len(varied) + 1, _that_fit(columns, make_console().width if width is None else width))
    table = plain_table(*(name for name, _ in columns[:fitting]))
    for cells in zip(*(cells for _, cells in columns[:fitting]), strict=True):
        table.add_row(*cells)
    fixed = [f"{path}={values[path][0]}" for path in paths if path not in varied]
    days = f"{len(study.seeds)} {'day' if len(study.seeds) == 1 else 'days'} a line"
    title = f"{', '.join([study.scenario, *fixed])}: {days}, mean ± half of the 95 % interval"
    parts: list[RenderableType] = [heading(title), table]
    if left := [name for name, _ in columns[fitting:]]:
        parts.append(Text(f"no room for: {', '.join(left)}; in a wider window, --csv and --json"))
    return Group(*parts, footer(shown[: fitting - len(varied)], " ".join(study.methods), study.cautions))


def _that_fit(columns: Sequence[tuple[str, Sequence[str]]], width: int) -> int:
    """Return how many columns fit side by side; a heading may break between its words."""
    used = 0
    for count, (name, cells) in enumerate(columns):
        used += max(map(len, (*safe(name).split(), *cells))) + _BETWEEN
        if used - _BETWEEN > width:
            return count
    return len(columns)


def side_by_side(
    title: str, names: tuple[str, str], rows: tuple[Row, Row], world: str, cautions: Iterable[str]
) -> RenderableType:
    """A day as it was and as it would have been."""
    table = plain_table("figure", *names, "difference")
    shown = known(FIGURES, rows)
    for figure in shown:
        was, now = (row.get(figure.key) for row in rows)
        difference = None if was is None or now is None else now - was
        table.add_row(
            _label(figure, rows),
            in_words(figure, was),
            in_words(figure, now),
            in_words(figure, difference, signed=True),
        )
    return Group(heading(title), table, footer(shown, f"The second day's world is {world}.", cautions))


def scenario_table(scenarios: Mapping[str, Scenario]) -> RenderableType:
    """The scenarios that come with the program."""
    table = plain_table("scenario", "agents", "leads", "hours", "what it is")
    table.columns[-1].justify = "left"
    for name, scenario in scenarios.items():
        people = scenario.population
        table.add_row(
            name,
            f"{len(scenario.campaign.agents):,}",
            f"{people.leads:,}" if people.leads else "a list",
            f"{scenario.duration / 3600:g}",
            safe(scenario.description),
        )
    return table


def footer(shown: Iterable[Figure], methods: str, cautions: Iterable[str] = ()) -> Text:
    """What the rates mean, how the intervals were made, and what to beware of."""
    rates = [figure for figure in shown if " / " in figure.meaning]
    lines = ["; ".join(f"{figure.label} = {figure.meaning}" for figure in rates)]
    lines += [methods] if methods else []
    text = Text("\n" + "\n".join(safe(line) for line in lines), style="bright_black")
    for caution in cautions:
        text.append(f"\nnote: {safe(caution)}", style="yellow")
    return text


def _label(figure: Figure, rows: Iterable[Row]) -> str:
    """A figure's name; of money with its currency."""
    currencies = {str(row["currency"]) for row in rows if figure.kind in ("money", "price") and row.get("currency")}
    return ", ".join([figure.label, *map(safe, sorted(currencies))])


def _names(variants: Sequence[Variant]) -> list[str]:
    return [variant.name for variant in variants]


def _mean(figure: Figure, estimate: Estimate | None) -> str:
    if estimate is None or estimate.mean is None:
        return "–"
    if estimate.half_width is None:
        return in_words(figure, estimate.mean)
    return _with_half(figure, in_words(figure, estimate.mean, mean=True), estimate.half_width)


def _with_half(figure: Figure, value: str, half: float) -> str:
    """A value and half of its interval, the unit once: 80.1 ± 0.4 %."""
    number, _, unit = value.partition(" ")
    return f"{number} ± {in_words(figure, half, mean=True).partition(' ')[0]} {unit}".rstrip()


def _span(figure: Figure, estimate: Estimate) -> str:
    if estimate.low is None:
        return "–"
    return f"{in_words(figure, estimate.low, mean=True)} to {in_words(figure, estimate.high, mean=True)}"


def _apart(figure: Figure, found: Comparison | None) -> str:
    if found is None or found.difference.mean is None:
        return "–"
    if found.difference.half_width is None:
        return in_words(figure, found.difference.mean, signed=True)
    text = in_words(figure, found.difference.mean, signed=True, mean=True)
    return f"{_with_half(figure, text, found.difference.half_width)} {'*' if found.significant else ' '}"


def _counts(counts: Mapping[str, int]) -> str:
    most = sorted(counts.items(), key=lambda entry: -entry[1])
    return safe(", ".join(f"{count:,} {name}" for name, count in most)) or "none"
