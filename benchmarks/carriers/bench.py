"""Carriers: routers in worlds whose truth is hidden from them, against a plan that knows it; and what the LP costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, median

from benchmarks.carriers.diversion import Diversion
from benchmarks.carriers.logged import together
from benchmarks.carriers.policies import OURS, PEERS, UNPRICED, UNTOLD
from benchmarks.carriers.study import DESK, Job, Run, run_all
from benchmarks.carriers.table import REFERENCE, measurements, tables
from benchmarks.report import Findings, Row

COMMAND = "./run bench carriers"
SEEDS = (101, 102, 103, 104, 105)  # none of them used while the routers or the worlds were made
QUICK_SEEDS = (1,)
MINUTES, QUICK_MINUTES = 360, 60
QOS, THOMPSON = "cgrates-qos-v1", "discounted-thompson-v1"
MOST_REGRET, MOST_WRONG, OF_BEST_PEER, OVER_REFERENCE = 8.0, 10.0, 0.5, 0.5
OUTAGE_S, DEGRADED_S, US_A_CALL = 5.0, 180.0, 10.0
OF_QOS = 0.1  # of the calls that `*qos` gives to the carrier that answers itself


def run(quick: bool) -> Findings:
    """Run all worlds, then the solver; every measurement is kept."""
    from benchmarks.carriers.solving import solver_rows

    runs = run_all(_quick_jobs() if quick else _jobs())
    rows = [*(row for part in PARTS for row in part(runs)), *solver_rows(quick)]
    table = measurements(runs)
    if not quick:
        from benchmarks.carriers.plot import draw

        draw(runs, seed=SEEDS[0])
    return Findings(rows=rows, table=table, shown=tables(table))


def _jobs() -> list[Job]:
    """The longest first, so that the workers end together."""
    few = (REFERENCE, THOMPSON, OURS)
    return [
        *(Job("base", seed, MINUTES, (OURS, DESK, UNPRICED, *PEERS)) for seed in SEEDS),
        *(Job("surcharged", seed, MINUTES, (*few, UNTOLD)) for seed in SEEDS),
        *(Job("false_answers", seed, MINUTES, (*few, QOS)) for seed in SEEDS),
        *(Job("wrong_model", seed, MINUTES, few) for seed in SEEDS),
        *(Job("nothing_to_exploit", seed, MINUTES, (REFERENCE, OURS)) for seed in SEEDS),
    ]


def _quick_jobs() -> list[Job]:
    return [
        *(Job("base", seed, QUICK_MINUTES, (OURS, DESK, REFERENCE, THOMPSON)) for seed in QUICK_SEEDS),
        *(Job("false_answers", seed, QUICK_MINUTES, (OURS, QOS)) for seed in QUICK_SEEDS),
        *(Job("nothing_to_exploit", seed, QUICK_MINUTES, (OURS, REFERENCE)) for seed in QUICK_SEEDS),
    ]


def _row(bar: str, value: float, goal: str, met: bool | None) -> Row:
    return Row(bench="carriers", bar=bar, value=value, goal=goal, met=met, command=COMMAND)


def _of(runs: Sequence[Run], variant: str, policy: str) -> list[Run]:
    return [run for run in runs if run.variant == variant and run.policy == policy]


def _mean(runs: Sequence[Run], figure: Callable[[Run], float]) -> float:
    return fmean(map(figure, runs))


def _regret(runs: Sequence[Run]) -> list[Row]:
    """What is lost against the oracle, where there is something to learn, nothing, or a wrong model."""
    ours = 100 * _mean(_of(runs, "base", OURS), lambda run: run.regret)
    seeds = len(_of(runs, "base", OURS))
    raced = {peer: _of(runs, "base", peer) for peer in PEERS}
    peers = {peer: 100 * _mean(found, lambda run: run.regret) for peer, found in raced.items() if found}
    best = min(peers, key=peers.__getitem__)
    ratio = ours / peers[best]
    rows = [
        _row(f"{OURS}: regret, %, mean of {seeds} seeds", round(ours, 2), f"<= {MOST_REGRET:g}", ours <= MOST_REGRET),
        _row(f"its part of the best peer's ({best})", round(ratio, 3), f"<= {OF_BEST_PEER:g}", ratio <= OF_BEST_PEER),
    ]
    alike, plain = (_of(runs, "nothing_to_exploit", policy) for policy in (OURS, REFERENCE))
    worse = 100 * (1.0 - _mean(alike, lambda run: run.net) / _mean(plain, lambda run: run.net))
    rows.append(
        _row(
            f"nothing to exploit: net below {REFERENCE}'s, %", round(worse, 3),
            f"<= {OVER_REFERENCE:g}", worse <= OVER_REFERENCE,
        )
    )  # fmt: skip
    if wrong := _of(runs, "wrong_model", OURS):
        regret = 100 * _mean(wrong, lambda run: run.regret)
        rows.append(_row("wrong model: regret, %", round(regret, 2), f"<= {MOST_WRONG:g}", regret <= MOST_WRONG))
    return rows


def _diverted(runs: Sequence[Run]) -> list[Row]:
    """How long traffic takes to leave what fails: at the desk, and by the router alone."""
    rows: list[Row] = []
    for policy, goal in ((DESK, OUTAGE_S), (OURS, None)):
        found = [outage for run in _of(runs, "base", policy) for outage in run.outages]
        if found:
            worst = max(outage.counted_s for outage in found)
            bar = f"outage: worst time until < 5 % of new calls go there, s, of {len(found)} ({_layer(policy)})"
            rows.append(
                _row(bar, worst, "–" if goal is None else f"<= {goal:g}", None if goal is None else worst <= goal)
            )
    for policy, goal in ((DESK, DEGRADED_S), (OURS, DEGRADED_S)):
        slow: list[Diversion] = [spell for run in _of(runs, "base", policy) for spell in run.degradations]
        if slow:
            middle = median(spell.counted_s for spell in slow)
            bar = f"degradation: median time until 80 % has left, s, of {len(slow)} ({_layer(policy)})"
            rows.append(_row(bar, middle, f"<= {goal:g}", middle <= goal))
    return rows


def _layer(policy: str) -> str:
    return "desk" if policy == DESK else "router alone"


def _limits(runs: Sequence[Run]) -> list[Row]:
    """Time, set-ups beyond the limits, exploration."""
    ours = _of(runs, "base", OURS)
    spent, beyond = _mean(ours, lambda run: run.us_per_call), sum(run.beyond_limits for run in runs)
    rows = [
        _row("µs a call, a second's calls at a time", round(spent, 2), f"<= {US_A_CALL:g}", spent <= US_A_CALL),
        _row(f"set-ups beyond a limit, in {len(runs)} runs", beyond, "0", beyond == 0),
        _row("calls that explored, %", round(100 * _mean(ours, lambda run: run.explored), 2), "–", None),
    ]
    if prices := [run.solver_ms for run in ours if run.solver_ms is not None]:
        rows.append(_row("LP of a half minute in the base world, ms", round(fmean(prices), 2), "–", None))
    return rows


def _deceived(runs: Sequence[Run]) -> list[Row]:
    """Who is taken in by a carrier that answers calls itself."""
    ours, qos = (100 * _mean(_of(runs, "false_answers", policy), lambda run: run.false_share) for policy in (OURS, QOS))
    goal = OF_QOS * qos
    return [
        _row("false answers: our calls to that carrier, %", round(ours, 2), f"<= {goal:.2f}", ours <= goal),
        _row(f"false answers: those of {QOS}, %", round(qos, 2), "–", None),
    ]


def _surcharged(runs: Sequence[Run]) -> list[Row]:
    """What surcharges cost, told of and not."""
    raced = {policy: _of(runs, "surcharged", policy) for policy in (OURS, UNTOLD, REFERENCE)}
    rows = [
        _row(f"surcharges for 1,000 calls ({policy})", round(_mean(found, lambda run: run.surcharges), 3), "–", None)
        for policy, found in raced.items()
        if found
    ]
    told, untold = raced[OURS], raced[UNTOLD]
    if told and untold:
        gain = 100 * (_mean(told, lambda run: run.net) / _mean(untold, lambda run: run.net) - 1.0)
        rows.append(
            _row("surcharges: net above the same router not told of them, %", round(gain, 2), "> 0", gain > 0.0)
        )
    return rows


def _logged(runs: Sequence[Run]) -> list[Row]:
    """Estimates of fixed policies from the logged propensities, against the truth, all seeds together: of single ones
    one in twenty is off by more than two standard errors."""
    found = [each for run in _of(runs, "base", OURS) for each in run.checked]
    kinds = [[each for each in found if each.kind == kind] for kind in dict.fromkeys(each.kind for each in found)]
    off = [together(each) for each in kinds]
    wrong = sum(not each.agrees for each in off)
    rows = [
        _row(
            f"off-policy estimates, all seeds, off by > 2 standard errors and > 5 %, of {len(off)}",
            wrong,
            "0",
            not wrong,
        ),
        _row("the worst of them is off by, %", round(100 * max(each.off_by for each in off), 2), "–", None),
    ]
    within = fmean(abs(each.estimate.value - each.truth) <= 2 * each.estimate.standard_error for each in found)
    rows.append(_row(f"single ones within 2 standard errors, %, of {len(found)}", round(100 * within, 1), "–", None))
    for each in off:
        size = round(each.estimate.effective_sample_size)
        rows.append(_row(f"effective sample size, {each.policy} ({each.method}), of {each.calls:,}", size, "–", None))
    return rows


PARTS = (_regret, _diverted, _limits, _deceived, _surcharged, _logged)
