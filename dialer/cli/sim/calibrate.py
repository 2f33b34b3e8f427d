"""`dialer sim calibrate`: a scenario fitted to what really happened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialer.cli.sim.output import FileTo, JsonTo

if TYPE_CHECKING:
    from dialer.studies.fitting import Held


def calibrate(
    log: Path,
    *,
    base: str = "collections_demo",
    zone: str = "UTC",
    out: FileTo = None,
    force: bool = False,
    check: bool = True,
    json: JsonTo = False,
) -> int:
    """Fit a scenario to a log of real calls, and say how good the fit is.

    Reads a journal of ours, an export of VICIdial's vicidial_log, or Asterisk's CDR or CEL in CSV. What the log cannot
    tell stays as the base scenario says.

    Parameters
    ----------
    log
        The log's file.
    base
        The scenario to change: a file, or the name of one that comes with the program.
    zone
        The IANA zone of the log's dates, where they do not say it themselves: America/Lima.
    out
        Write the calibrated scenario there, as a file to read and to change; `-` for standard output.
    force
        Replace a file that is there.
    check
        Simulate the calibrated scenario once, and hold its figures against the log's.
    json
        Write the fits there as JSON; `-` or nothing for standard output.
    """
    import sys

    from dialer.adapters.call_logs import read_call_log
    from dialer.cli.safe_text import make_console, say
    from dialer.cli.sim.calibration_view import calibration_view
    from dialer.cli.sim.output import STDOUT, at_work, check_targets, json_target, progress_bar, to_json, write_whole
    from dialer.errors import ConfigError
    from dialer.studies.fitting import as_result, check_fit
    from sim.calibration import calibrate as fit
    from sim.calibration import scenario_yaml
    from sim.scenario_file import load_scenario

    target = json_target(json)
    check_targets(target, out)
    start = load_scenario(base)
    with at_work(log.name):
        found = read_call_log(log, zone=zone)
    for fault in found.faults:
        say(fault, file=sys.stderr)
    try:
        with at_work(log.name):
            fitted = fit(found.calls, start)
    except ConfigError as error:
        raise ConfigError(*(f"{log}: {fault}" for fault in error.faults)) from None
    held: tuple[Held, ...] = ()
    if check:
        with progress_bar(fitted.scenario.scenario, 1) as progress:
            held = check_fit(found.calls, fitted.scenario, progress=progress)
    if out is not None:
        write_whole(out, scenario_yaml(fitted), keep=not force and out != STDOUT)
    if target is not None:
        write_whole(target, to_json(as_result(found, fitted, held)))
    if STDOUT not in (target, out):
        make_console().print(calibration_view(str(log), found, fitted, held))
        if out is None:
            say("the scenario was not kept: name a file with --out", file=sys.stderr)
    return 0
