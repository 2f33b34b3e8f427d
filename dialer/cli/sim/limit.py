"""`dialer sim limit`: the most that pacing could reach, exactly."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from dialer.cli.sim.output import JsonTo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from pacing.limit import Limit


def limit(
    *,
    agents: str,
    answer_rate: float,
    handle_s: float,
    ring_s: float,
    abandon_rate: float = 0.03,
    json: JsonTo = False,
) -> int:
    """Compute the highest occupancy that any pacing could reach within an abandon rate, and the best policy for it.

    Exact for agents alike, exponential handle and ring times, and an answer that is abandoned at once where no agent is
    idle. Occupancy = handling / (handling + idle).

    Parameters
    ----------
    agents
        How many take calls; several with commas between make a table: 5,10,20.
    answer_rate
        Live answers / lines launched, above 0 and at most 1.
    handle_s
        Mean seconds that a call takes an agent, wrap-up included.
    ring_s
        Mean seconds from a line's launch until its outcome is known.
    abandon_rate
        The most that may be abandoned / live answers.
    json
        Write the figures there as JSON, of several in a list; `-` or nothing for standard output.
    """
    from dialer.cli.safe_text import make_console
    from dialer.cli.sim.output import STDOUT, at_work, check_targets, json_target, to_json, write_whole
    from dialer.errors import ConfigError

    target = json_target(json)
    check_targets(target)
    counts = _counts(agents)
    with at_work("computing the limit"):
        from pacing.limit import limit as limit_of  # compiled code to load

        try:
            limits = [
                limit_of(
                    agents=count,
                    answer_rate=answer_rate,
                    handle_s=handle_s,
                    ring_s=ring_s,
                    abandon_rate=abandon_rate,
                )
                for count in counts
            ]
        except ValueError as fault:
            name, _, mend = str(fault).partition(": ")
            raise ConfigError(f"--{name.replace('_', '-')}: {mend}") from None
        except ArithmeticError as fault:
            raise ConfigError(str(fault)) from None
    if target is not None:
        figures = [_figures(found) for found in limits]
        write_whole(target, to_json(figures if len(figures) > 1 else figures[0]))
    if target != STDOUT:
        given = f"answer rate {answer_rate:.1%}, {handle_s:g} s a call, {ring_s:g} s of ringing"
        make_console().print(_view(f"{given}, at most {abandon_rate:.1%} abandoned", limits))
    return 0


def _counts(text: str) -> list[int]:
    from dialer.errors import ConfigError

    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--agents: expected numbers with commas between, as in 5,10,20, was {text!r}") from None


def _figures(found: Limit) -> dict[str, object]:
    """Return a limit for JSON: the figures that matter most first."""
    first = {
        "occupancy_bound": found.occupancy_bound,
        "occupancy_policy": found.occupancy_policy,
        "progressive": found.progressive,
        "mean_idle_s": found.mean_idle_s,
    }
    return first | {field.name: getattr(found, field.name) for field in fields(found) if field.name not in first}


def _view(title: str, limits: Sequence[Limit]) -> RenderableType:
    """Return a line for each number of agents."""
    from rich.console import Group
    from rich.text import Text

    from dialer.cli.sim.tables import heading, plain_table
    from pacing.limit import idle_between_calls

    table = plain_table("agents", "limit", "idle", "without dithering", "abandoned", "progressive", "idle")
    for found in limits:
        table.add_row(
            f"{found.agents}",
            f"{found.occupancy_bound:.1%}",
            f"{found.mean_idle_s:.1f} s",
            f"{found.occupancy_policy:.1%}",
            f"{found.abandon_rate:.2%}",
            f"{found.progressive:.1%}",
            f"{idle_between_calls(found.progressive, found.handle_s):.1f} s",
        )
    told = (
        "limit = occupancy that no pacing exceeds; idle = mean seconds between two calls; "
        "without dithering = the best found that launches whole lines, and what it abandons"
    )
    return Group(heading(title), table, Text(f"\n{told}", style="bright_black"))
