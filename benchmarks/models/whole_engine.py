"""`python -m benchmarks.models.whole_engine 301-305`: what each part of the engine is worth, in right-party contacts.

The scenario `collections_midsize`, one day after four weeks on record, the same people for the same seed. Progressive
dialling in list order over the median carrier alone (as wide as it needs), then one part more at each step: prediction,
all carriers with routing, models that rank leads, and the allocation of hours. Beside them what ranking by the hidden
truth would come to. Who is called first does not depend on `priority`: all leads have the same.

Prints a table, or with `--json` one JSON object. `--steps all,progressive` plays these steps alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Row as Figure
from dialer.adapters.lead_traits import lead_table_of
from dialer.adapters.planner import InlinePlanner, settings_of
from dialer.bootstrap import simulate
from dialer.core.lead import Lead
from models.attempts import Result
from models.bundle import ModelBundle
from models.plan import HourPlan, PlanRequest, pack, unpack
from models.planning import Planning
from models.training import trained
from sim.past import Past, past_attempts
from sim.people import People
from sim.population import make_leads
from sim.replications import replicate
from sim.scenario import Scenario
from sim.scenario_file import load_scenario
from sim.tastes import Tastes, worn_by

SCENARIO = "collections_midsize"
PAST_DAYS, PAST_AN_HOUR = 28, 3000
STEPS = ("progressive", "predictive", "routing", "ranking", "all", "truth")
MEASURED = ("progressive", "routing", "ranking", "all")  # by the benchmark
SEEDS = (301, 302, 303, 304, 305)  # none of them used while models, planner or scenario were made
COMMAND = "./run bench models"
BASE, WHOLE = "progressive", "all"
BAR, ABANDON_CAP = 2.4, 0.03
_WIDE_CHANNELS, _WIDE_CPS = 300, 30.0
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """A day under one step. Rates are fractions."""

    step: str
    seed: int
    rpc_per_agent_hour: float  # logged in, pauses included
    abandon_rate: float
    occupancy: float
    attempts: int
    leads_attempted: int
    live_answers: int
    right_party_contacts: int
    agent_hours: float
    seconds: float  # that the simulation took


class World:
    """The people of one seed, and the four weeks before the day."""

    def __init__(self, seed: int, scenario: Scenario | None = None, *, an_hour: int = PAST_AN_HOUR) -> None:
        self.seed = seed
        self.scenario = load_scenario(SCENARIO) if scenario is None else scenario
        made = make_leads(self.scenario.population, seed)
        self.leads: list[Lead] = [msgspec.structs.replace(lead, priority=0) for lead in made]
        self.past: Past = past_attempts(self.scenario, self.leads, seed, days=PAST_DAYS, attempts_an_hour=an_hour)
        self._bundle: ModelBundle | None = None

    def live_rates(self) -> dict[str, float]:
        """Live answers / attempts of the days of random order, by trunk."""
        log, answered = self.past.log, self.past.log.answered
        return {
            name: float(answered[self.past.at_random & (log.carrier == code)].mean())
            for code, name in enumerate(log.carriers)
        }

    def median_trunk(self) -> str:
        """The trunk in the middle by that; of an even number the better of the two."""
        rates = self.live_rates()
        return sorted(rates, key=lambda name: rates[name])[len(rates) // 2]

    def over_one(self, trunk: str) -> Scenario:
        """The scenario with one trunk, which has room for everything."""
        campaign = self.scenario.campaign
        wide = {"max_channels": _WIDE_CHANNELS, "max_cps": _WIDE_CPS}
        trunks = tuple(each.model_copy(update=wide) for each in campaign.trunks if each.name == trunk)
        carriers = tuple(
            each.model_copy(update=dict.fromkeys(wide)) for each in self.scenario.carriers if each.trunk == trunk
        )
        return self.scenario.model_copy(
            update={"campaign": campaign.model_copy(update={"trunks": trunks}), "carriers": carriers}
        )

    def bundle(self) -> ModelBundle:
        """The models, trained on the past alone."""
        if self._bundle is None:
            log, table = self.past.log, lead_table_of(self.leads)
            self._bundle = trained(log, table, seed=self.seed, now=self.scenario.start_at, nthread=1).bundle
        return self._bundle

    def planning(self, leads: Sequence[Lead]) -> Planning:
        """The planner as a campaign has it, with the past on record."""
        planning = Planning(
            lead_table_of(leads, self.bundle().feature_set),
            self.bundle(),
            settings=settings_of(self.scenario.campaign, seed=self.seed),
        )
        planning.observe(self.past.log)
        return planning


class Ranked:
    """A planner that calls the best first, hour by hour, whatever a later hour would bring."""

    def __init__(self, inner: Planning, told: Callable[[PlanRequest], tuple[Floats, Floats]] | None = None) -> None:
        """`told` gives each lead's chances of an answer and, of an answer, of the right party; None: the models'."""
        self._inner, self._told = inner, told

    @property
    def models(self) -> tuple[ModelBundle, ...]:
        """The models that serve."""
        return self._inner.models

    def plan(self, request: PlanRequest) -> HourPlan:
        """The models' plan in another order."""
        plan = self._inner.plan(request)
        order = unpack(plan.order, "<i4")
        if self._told is None:
            answer, right_party = unpack(plan.answer, "<f4"), unpack(plan.right_party, "<f4")
            worth = np.nan_to_num(answer * right_party)
            return msgspec.structs.replace(plan, order=pack(order[np.argsort(-worth[order], kind="stable")], "<i4"))
        chance, right = self._told(request)
        ranked = order[np.argsort(-(chance * right)[order], kind="stable")]
        return msgspec.structs.replace(plan, order=pack(ranked, "<i4"), answer=pack(chance, "<f4"))


class Truth:
    """What nobody knows: each lead's chances now, over a carrier that loses nothing."""

    def __init__(self, world: World) -> None:
        scenario, past = world.scenario, world.past
        self._wear = scenario.population.wear
        self._tastes = Tastes.of(scenario.population, world.leads, world.seed)
        people = People(scenario, world.leads, seed=world.seed)
        first = [people.number(subject, 0) for subject in range(len(world.leads))]
        self._dead = np.array([number.dead for number in first])
        self._wrong = np.array([number.wrong for number in first])
        self._load, self._last_at = past.load.copy(), past.last_at.copy()

    def __call__(self, request: PlanRequest) -> tuple[Floats, Floats]:
        """Chances of an answer, and of the right party; of the lead's first number. Shapes (leads,)."""
        if request.ended_lead:
            who, at = unpack(request.ended_lead, "<i4"), unpack(request.ended_at, "<f8")
            tired = unpack(request.ended_result, "<i1") != int(Result.UNKNOWN)
            for lead, when in zip(who[tired].tolist(), at[tired].tolist(), strict=True):
                last_at = self._last_at[lead]
                left = 0.0 if np.isnan(last_at) else 0.5 ** ((when - last_at) / self._wear.half_life)
                self._load[lead] = self._load[lead] * left + 1.0
                self._last_at[lead] = when
        offsets = {region.zone: region.offset_s for region in request.regions}
        usual = next(iter(offsets.values()), 0)
        local = int((request.at + usual) // 3600)
        hour = np.full(len(self._load), (local + 72) % 168, dtype=np.int64)
        rate = self._tastes.live_rates(np.arange(len(hour)), hour, worn_by(self._wear, self._load_at(request.at)))
        return np.where(self._dead, 0.0, rate), np.where(self._wrong, 0.0, self._tastes.right_party)

    def _load_at(self, at: float) -> Floats:
        left = 0.5 ** (np.maximum(at - self._last_at, 0.0) / self._wear.half_life)
        load: Floats = np.where(np.isnan(left), 0.0, self._load * left)
        return load


def play(world: World, step: str) -> Row:
    """Play the day under a step of `STEPS`."""
    alone = step in ("progressive", "predictive")
    scenario = world.over_one(world.median_trunk()) if alone else world.scenario
    begun = time.perf_counter()
    day = simulate(
        scenario,
        seed=world.seed,
        policy="progressive-v1" if step == "progressive" else "priced-v1",
        leads=world.leads,
        fates=People(scenario, world.leads, seed=world.seed, past=world.past),
        planner=_planner(world, step),
    )
    result = day.result
    return Row(
        step=step,
        seed=world.seed,
        rpc_per_agent_hour=result.rpc_per_agent_hour or 0.0,
        abandon_rate=result.abandon_rate or 0.0,
        occupancy=result.occupancy or 0.0,
        attempts=result.attempts,
        leads_attempted=day.day.leads_attempted,
        live_answers=result.live_answers,
        right_party_contacts=result.right_party_contacts,
        agent_hours=result.agent_hours,
        seconds=round(time.perf_counter() - begun, 1),
    )


def _planner(world: World, step: str) -> InlinePlanner | None:
    if step in ("progressive", "predictive", "routing"):
        return None

    def make(leads: Sequence[Lead]) -> tuple[Planning, Sequence[str]]:
        inner = world.planning(leads)
        if step == "all":
            return inner, ()
        return Ranked(inner, Truth(world) if step == "truth" else None), ()  # type: ignore[return-value]

    return InlinePlanner(make)


def measure(seeds: Sequence[int], steps: Sequence[str] = STEPS) -> Iterator[Row]:
    """Play every step of every seed."""
    for seed in seeds:
        world = World(seed)
        rates = ", ".join(f"{name} {rate:.3f}" for name, rate in world.live_rates().items())
        print(f"seed {seed}: live answers at random order: {rates}; median {world.median_trunk()}", file=sys.stderr)
        for step in steps:
            row = play(world, step)
            print(row, file=sys.stderr)
            yield row


def rows(quick: bool) -> list[Figure]:
    """The rows of `./run bench models`: every step of the seeds, two worlds at a time. None in a quick run."""
    if quick:
        return []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        played = [row for of_seed in pool.map(_played, SEEDS) for row in of_seed]
    base = {row.seed: row.rpc_per_agent_hour for row in played if row.step == BASE}
    figures = []
    for step in MEASURED[1:]:
        of_step = [row for row in played if row.step == step]
        times = float(np.mean([row.rpc_per_agent_hour / base[row.seed] for row in of_step]))
        whole = step == WHOLE
        figures.append(
            Figure(
                bench="models",
                bar=f"whole engine, {step}: right-party contacts an agent-hour, times progressive in list order",
                value=round(times, 3),
                goal=f">= {BAR:g}" if whole else "–",
                met=times >= BAR if whole else None,
                command=COMMAND,
            )
        )
    worst = max(row.abandon_rate for row in played)
    figures.append(
        Figure(
            bench="models",
            bar="whole engine: abandoned of live answers, the worst day of all steps, %",
            value=round(100.0 * worst, 2),
            goal=f"<= {100.0 * ABANDON_CAP:g}",
            met=worst <= ABANDON_CAP,
            command=COMMAND,
        )
    )
    for step in (BASE, WHOLE):
        mean = float(np.mean([row.rpc_per_agent_hour for row in played if row.step == step]))
        bar = f"whole engine, {step}: right-party contacts an agent-hour"
        figures.append(Figure(bench="models", bar=bar, value=round(mean, 2), goal="–", met=None, command=COMMAND))
    return figures


def _played(seed: int) -> list[Row]:
    return list(measure([seed], MEASURED))


def told(rows: Sequence[Row]) -> str:
    """A table of the steps: means over seeds, and how many times the first step each is."""
    lines = [
        f"{'step':12} {'RPC/agent-h':>12} {'times':>14} {'abandons':>9} {'worst':>7} {'occupancy':>9} {'attempts':>9}"
    ]
    base = {row.seed: row.rpc_per_agent_hour for row in rows if row.step == BASE}
    for step in STEPS:
        of_step = [row for row in rows if row.step == step]
        if not of_step:
            continue
        times = [row.rpc_per_agent_hour / base[row.seed] for row in of_step if row.seed in base]
        ratio = replicate(times) if len(times) > 1 else None
        shown = "-" if not times else f"{np.mean(times):.2f}" + ("" if ratio is None else f" ± {ratio.half_width:.2f}")
        answers = sum(row.live_answers for row in of_step)
        abandons = sum(row.abandon_rate * row.live_answers for row in of_step) / max(1, answers)
        mean = {name: np.mean([getattr(row, name) for row in of_step]) for name in ("occupancy", "attempts")}
        lines.append(
            f"{step:12} {np.mean([row.rpc_per_agent_hour for row in of_step]):12.2f} {shown:>14} {abandons:9.2%} "
            f"{max(row.abandon_rate for row in of_step):7.2%} {mean['occupancy']:9.3f} {mean['attempts']:9.0f}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 where the bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seeds", help="301-305, or 1")
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    first, _, last = given.seeds.partition("-")
    rows = list(measure(range(int(first), int(last or first) + 1), given.steps.split(",")))
    print(json.dumps([asdict(row) for row in rows]) if given.json else told(rows))
    base = {row.seed: row.rpc_per_agent_hour for row in rows if row.step == BASE}
    whole = [row for row in rows if row.step == WHOLE and row.seed in base]
    reached = np.mean([row.rpc_per_agent_hour / base[row.seed] for row in whole]) if whole else BAR
    return int(reached < BAR or any(row.abandon_rate > ABANDON_CAP for row in whole))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
