"""A calibration as people read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from dialer.adapters.call_logs import CallLog
from dialer.cli.safe_text import safe
from dialer.cli.sim.tables import heading, plain_table
from dialer.studies.fitting import Held
from sim.calibration import Calibration
from sim.fit import Fit


def calibration_view(name: str, log: CallLog, fitted: Calibration, held: Sequence[Held]) -> RenderableType:
    """What was fitted, how well, what the log cannot tell, and what a simulated day makes of it."""
    fits = plain_table("fitted", "n", "value", "how good")
    fits.columns[-1].justify = "left"
    # What was fitted to all trunks at once stands in the scenario once a trunk, and here once.
    for row in dict.fromkeys((fit.name, f"{fit.n:,}", _value(fit), fit.verdict) for fit in fitted.fits):
        fits.add_row(*map(safe, row))
    parts: list[RenderableType] = [heading(f"{name}: {log.kind}, {len(log.calls):,} calls"), fits]
    if held:
        check = plain_table("figure", "log", "simulated", "")
        for one in held:
            rate = "of calls" in one.name
            check.add_row(one.name, _told(one.logged, rate), _told(one.simulated, rate), "" if one.close else "off")
        parts += [Text(""), heading("one simulated day of it beside the log"), check]
    return Group(*parts, *_listed("the log cannot tell:", fitted.unknown), *_listed("how it was read:", log.notes))


def _value(fit: Fit) -> str:
    if fit.rate is not None:
        return f"{fit.rate:.1%}"
    return "–" if fit.mean is None else f"mean {fit.mean:.3g} s"


def _told(value: float | None, rate: bool) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if rate else f"{value:.1f} s"


def _listed(title: str, lines: Iterable[str]) -> list[Text]:
    told = [safe(line) for line in lines]
    return [Text("\n" + "\n".join([title, *(f"  {line}" for line in told)]))] if told else []
