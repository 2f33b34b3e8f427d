"""A calibration as people read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from dialer.adapters.call_logs import CallLog
from dialer.cli.safe_text import safe
from dialer.cli.sim.tables import plain_table
from dialer.studies.fitting import Held
from sim.calibration import Calibration
from sim.fit import Fit


def calibration_view(name: str, log: CallLog, fitted: Calibration, held: Sequence[Held]) -> RenderableType:
    """What was fitted, how well, what the log cannot tell, and what a simulated day makes of it."""
    fits = plain_table(f"{name}: {log.kind}, {len(log.calls):,} calls", "fitted", "n", "value", "how good")
    fits.columns[-1].justify = "left"
    for fit in fitted.fits:
        fits.add_row(safe(fit.name), f"{fit.n:,}", _value(fit), safe(fit.verdict))
    parts: list[RenderableType] = [fits]
    if held:
        check = plain_table("one simulated day of it beside the log", "figure", "log", "simulated", "")
        for one in held:
            rate = "of calls" in one.name
            check.add_row(one.name, _told(one.logged, rate), _told(one.simulated, rate), "" if one.close else "off")
        parts += [Text(""), check]
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
