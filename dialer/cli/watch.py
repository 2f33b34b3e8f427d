"""Watches a session while it runs: a live screen on a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from rich.console import Console
from rich.live import Live

from dialer.bootstrap import Session
from dialer.cli.live_view import live_view, plain_line, summary, summary_lines

_SCREEN_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How to show a session: `line_every_s` is in the campaign's own time."""

    console: Console
    zone: tzinfo
    share: Callable[[], float]
    note: str = ""
    line_every_s: float = 900.0

    async def run(self, session: Session) -> None:
        """Run the session to its end, showing it."""
        show = asyncio.create_task(self._screen(session) if self.console.is_terminal else self._lines(session))
        try:
            await session.run()
        finally:
            show.cancel()
            (fault,) = await asyncio.gather(show, return_exceptions=True)
        if isinstance(fault, Exception):
            # The campaign is safe and recorded; whoever watched saw nothing, and should know why.
            self.console.print(f"the view failed: {type(fault).__name__}: {fault}", markup=False)
        status = session.runtime.engine.status()
        if self.console.is_terminal:
            self.console.print(summary(status))
        else:
            for line in summary_lines(status):
                self.console.print(line, soft_wrap=True, highlight=False)

    async def _screen(self, session: Session) -> None:
        engine = session.runtime.engine
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            while True:
                view = live_view(engine.status(), zone=self.zone, share=self.share(), note=self.note)
                live.update(view, refresh=True)
                await asyncio.sleep(_SCREEN_S)

    async def _lines(self, session: Session) -> None:
        engine, said = session.runtime.engine, session.clock.now()
        while True:
            await asyncio.sleep(_SCREEN_S)
            if session.clock.now() - said >= self.line_every_s:
                said = session.clock.now()
                self.console.print(plain_line(engine.status(), self.zone), soft_wrap=True, highlight=False)
