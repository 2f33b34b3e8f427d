"""The command line: `dialer COMMAND`.

Exit codes: 0 done; 1 something failed or does not run; 2 the command, a file or a list needs mending; 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

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
# Where each command is. The modules are light: each loads what it needs only when it runs, so `--help` stays quick.
_COMMANDS = {
    "": {
        "demo": "demo:demo",
        "init": "init:init",
        "check": "check:check",
        "run": "run:run",
        "status": "control:status",
        "set": "control:set_pacing",
        "pause": "control:pause",
        "resume": "control:resume",
        "drain": "control:drain",
        "stop": "control:stop",
        "export": "export:export",
        "why": "why:why",
        "lab": "lab:lab",
        "bench": "bench:bench",
    },
    "agents": {
        "list": "control:list_agents",
        "pause": "control:pause_agent",
        "leave": "control:announce_leave",
        "resume": "control:resume_agent",
        "logout": "control:log_out_agent",
    },
    "compliance": {
        "explain": "compliance.explain:explain",
        "audit": "compliance.audit:audit",
        "rules": "compliance.rules:rules",
        "calendar": "compliance.calendar:calendar",
        "lint": "compliance.lint:lint",
    },
    "dnc": {
        "add": "dnc:add",
        "remove": "dnc:remove",
        "import": "dnc:import_registry",
        "check": "dnc:check",
        "list": "dnc:list_registries",
    },
    "consent": {
        "give": "consent:give",
        "revoke": "consent:revoke",
        "import": "consent:import_consents",
        "check": "consent:check",
    },
    "lead": {"stop": "lead:stop", "lift": "lead:lift", "hours": "lead:hours", "record": "lead_record:record"},
    "carriers": {"check": "carriers.check:check", "status": "carriers.status:status"},
    "models": {
        "train": "models.train:train",
        "evaluate": "models.evaluate:evaluate",
        "promote": "models.promote:promote",
        "rollback": "models.promote:rollback",
        "retire": "models.promote:retire",
        "explain": "models.explain:explain",
        "list": "models.versions:list_models",
        "best-time": "models.best_time:best_time",
    },
    "sim": {
        "run": "sim.run:run",
        "compare": "sim.compare:compare",
        "sweep": "sim.sweep:sweep",
        "limit": "sim.limit:limit",
        "replay": "sim.replay:replay",
        "calibrate": "sim.calibrate:calibrate",
        "init": "sim.scenarios:init",
        "list": "sim.scenarios:list_scenarios",
        "schema": "sim.scenarios:schema",
    },
}
_GROUPS = {
    "agents": "The agents of a running campaign: list, pause, announce a leave, resume, log out.",
    "compliance": "What the rules say, and the proof that they were kept: explain, audit, rules, calendar, lint.",
    "dnc": "Who must not be called: add, remove, check; import a registry, list them.",
    "consent": "Who agreed to be called: give, revoke, import, check.",
    "lead": "Single leads and people: stop, take a stop back, inconvenient hours, facts from outside.",
    "carriers": "Carriers, trunks, rate decks and caller IDs: check a campaign's; status of a running one.",
    "models": "Answer models: train, evaluate, promote, roll back, explain a lead; the best time to collect.",
    "sim": "Simulated days: run a scenario, compare policies, sweep settings, replay, fit to logs; the limit.",
}
for _group, _commands in _COMMANDS.items():
    _app = App(name=_group, help=_GROUPS[_group]) if _group else app
    for _name, _place in _commands.items():
        _module, _, _function = _place.partition(":")
        _app.command(getattr(import_module(f"dialer.cli.{_module}"), _function), name=_name)
    if _group:
        app.command(_app)

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # where standard output went
_MENDABLE = (ConfigError, CampaignRunning, JournalError)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit. A fault of the user's is one line on stderr, never a traceback.

    Where whoever reads what we print has seen enough (`| head`), nothing more is said and the code is 1.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # an old terminal shows `?` for a sign that it does not have
            stream.reconfigure(errors="replace")
    try:
        try:
            code = _run(arguments)
        finally:
            if sys.stdout is not None:  # it may have been closed
                sys.stdout.flush()
    except OSError as error:
        if error.errno in _FULL:
            _put_away(1)
            say(f"cannot write on: {error.strerror}", file=sys.stderr)
        elif error.errno == errno.EPIPE and (unread := _unread()):
            _put_away(*unread)
        else:
            raise
        sys.exit(1)
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = app(arguments)
        return code if isinstance(code, int) else 0
    except DialerError as error:
        say(error, file=sys.stderr)
        return 2 if isinstance(error, _MENDABLE) else 1
    except KeyboardInterrupt:
        return 130


def _unread() -> list[int]:
    """Return those of standard output and error whose reader is gone: any other broken pipe is a fault of ours."""
    if not hasattr(select, "poll"):
        return [1]
    poll = select.poll()
    for stream in (1, 2):
        poll.register(stream, 0)
    return [stream for stream, event in poll.poll(0) if event & (select.POLLERR | select.POLLHUP)]


def _put_away(*streams: int) -> None:
    """Let what is still to be written go nowhere: the interpreter's own flush must not complain once more."""
    for stream in streams:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
