"""The command line: `dialer COMMAND`.

Exit codes: 0 done; 1 something failed or does not run; 2 the command, a file or a list needs mending; 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App

from dialer import __version__
from dialer.cli.safe_text import say
from dialer.errors import CampaignRunning, ConfigError, DialerError, JournalError

app = App(
    name="dialer",
    help=(
        "Cadencia: a predictive outbound dialer for collections contact centres.\n\n"
        "Exit codes: 0 done; 1 something failed or does not run; 2 the command, a file or a list needs mending; "
        "130 interrupted before anything began."
    ),
    version=__version__,
    version_flags=["--version"],
)
app.command("dialer.cli.demo:demo", name="demo")
app.command("dialer.cli.run:run", name="run")
app.command("dialer.cli.init:init", name="init")
app.command("dialer.cli.export:export", name="export")
app.command("dialer.cli.lab:lab", name="lab")
app.command("dialer.cli.bench:bench", name="bench")
app.command("dialer.cli.check:check", name="check")
app.command("dialer.cli.control:status", name="status")
app.command("dialer.cli.control:pause", name="pause")
app.command("dialer.cli.control:resume", name="resume")
app.command("dialer.cli.control:drain", name="drain")
app.command("dialer.cli.control:stop", name="stop")
app.command("dialer.cli.control:set_pacing", name="set")
agents_app = App(name="agents", help="The agents of a running campaign: list, pause, resume, log out.")
agents_app.command("dialer.cli.control:list_agents", name="list")
agents_app.command("dialer.cli.control:pause_agent", name="pause")
agents_app.command("dialer.cli.control:resume_agent", name="resume")
agents_app.command("dialer.cli.control:log_out_agent", name="logout")
app.command(agents_app)
lead_app = App(name="lead", help="Single leads: stop one for ever.")
lead_app.command("dialer.cli.lead:stop", name="stop")
app.command(lead_app)
sim_app = App(name="sim", help="Simulated days: run a scenario, replay a journal.")
sim_app.command("dialer.cli.sim:run", name="run")
sim_app.command("dialer.cli.sim:replay", name="replay")
app.command(sim_app)

_MENDABLE = (ConfigError, CampaignRunning, JournalError)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit. A fault of the user's is one line on stderr, never a traceback."""
    try:
        code = app(arguments)
    except DialerError as error:
        say(error, file=sys.stderr)
        sys.exit(2 if isinstance(error, _MENDABLE) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)
