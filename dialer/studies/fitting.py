"""A calibrated scenario held against the log that it was fitted to: it must bring the log's figures back."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from dialer.adapters.call_logs import CallLog, read_call_log
from dialer.bootstrap import simulate
from dialer.core.logged_call import ANSWERED, LIVE, LoggedCall
from dialer.studies.days import share_of
from dialer.studies.workers import Progress
from sim.calibration import Calibration, fits_table
from sim.scenario import Scenario

CLOSE = 0.1  # of the log's figure: nearer than that is called close


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the log beside the simulated one. A rate is a fraction, a time in seconds."""

    name: str
    logged: float
    simulated: float | None

    @property
    def close(self) -> bool:
        """Whether the simulation brings the log's figure back within `CLOSE`."""
        return self.simulated is not None and abs(self.simulated - self.logged) <= CLOSE * self.logged


def check_fit(calls: Sequence[LoggedCall], scenario: Scenario, *, progress: Progress | None = None) -> tuple[Held, ...]:
    """Simulate the scenario's day once, and take the same figures of its journal as of the log.

    Figures that the log does not know are left out.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = None if progress is None else share_of(scenario, progress)
        journal = simulate(scenario, journal_dir=Path(folder), progress=told).journal
        assert journal is not None
        simulated = _figures_of(read_call_log(journal).calls)
    return tuple(
        Held(name=name, logged=logged, simulated=simulated[name])
        for name, logged in _figures_of(calls).items()
        if logged is not None
    )


def _figures_of(calls: Sequence[LoggedCall]) -> dict[str, float | None]:
    plain = [call for call in calls if call.result != "answered"]
    rung = [call.ring_s for call in calls if call.result in ANSWERED and call.ring_s is not None]
    # An agent hears a machine for moments; most logs have no talk with those that a detection screened out.
    talked = [call.talk_s for call in calls if call.talk_s is not None and call.result != "answered-machine"]
    wrapped = [call.wrap_up_s for call in calls if call.wrap_up_s is not None]
    return {
        "answered, of calls": _ratio(sum(call.result in ANSWERED for call in calls), len(calls)),
        "by a person, of calls that tell": _ratio(sum(call.result in LIVE for call in plain), len(plain)),
        "mean ringing to an answer": _ratio(sum(rung), len(rung)),
        "mean talk, machines left out": _ratio(sum(talked), len(talked)),
        "mean wrap-up": _ratio(sum(wrapped), len(wrapped)),
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def as_result(log: CallLog, fitted: Calibration, held: Sequence[Held]) -> dict[str, Any]:
    """Return a calibration as scripts read it."""
    return {
        "kind": log.kind,
        "calls": len(log.calls),
        "rows": log.rows,
        "bad_rows": log.bad_rows,
        "passed_over": log.passed_over,
        "notes": log.notes,
        "fits": fits_table(fitted.fits),
        "unknown": fitted.unknown,
        "check": [
            {"name": one.name, "logged": one.logged, "simulated": one.simulated, "close": one.close} for one in held
        ],
        "scenario": fitted.data,
    }
