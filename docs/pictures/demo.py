"""Draws `demo.svg`, the README's picture: the demo's own screen in the middle of a simulated morning.

Run it with `.venv/bin/python docs/pictures/demo.py` after a change of the live view. Equal code draws equal pictures.
"""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console, RenderableType

from dialer.adapters.logs import set_up_logs
from dialer.bootstrap import Place, rehearse
from dialer.cli.live_view import live_view
from sim.scenario_file import packaged_scenario

PICTURE = Path(__file__).with_name("demo.svg")
AFTER_S = 6_317.0  # into the morning: some agents talk, some wrap up, one waits
WIDTH = 112  # columns


async def screen(data_dir: Path) -> RenderableType:
    """Return what the demo shows `AFTER_S` into its morning; flat out, on the real runtime and store."""
    scenario = packaged_scenario("collections_demo", agents=20, leads=3000, duration_s=3 * 3600.0)
    shown: list[RenderableType] = []
    async with rehearse(scenario, Place(data_dir=data_dir), seed=scenario.seed, speed=None) as session:

        def capture() -> None:
            share = AFTER_S / scenario.duration
            status = session.runtime.engine.status()
            shown.append(live_view(status, zone=scenario.start.tzinfo, share=share, note="simulated, 240x"))  # type: ignore[arg-type]
            session.runtime.stop("the picture is taken")

        session.virtual.call_at(scenario.start_at + AFTER_S, capture)
        await session.run()
    return shown[0]


def draw(view: RenderableType) -> str:
    """Return the view as SVG that names no other host: rich's own loads its font from one."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(view)
    svg = console.export_svg(title="./run demo", unique_id="demo")
    svg = svg.replace("Fira Code, monospace", "Fira Code, Menlo, Consolas, DejaVu Sans Mono, monospace")
    return re.sub(r"\s*(@font-face \{.*?\}|<!--.*?-->)", "", svg, flags=re.DOTALL)


def main() -> None:
    """Draw the picture anew."""
    with tempfile.TemporaryDirectory() as folder:
        set_up_logs(Path(folder) / "dialer.log")
        PICTURE.write_text(draw(asyncio.run(screen(Path(folder)))), encoding="utf-8")


if __name__ == "__main__":
    main()
