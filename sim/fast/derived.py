"""A fast scenario that stands for a whole one, as far as one kind of people and agents can.

How it works: a few thousand of the scenario's own calls are drawn, evenly over its people, hours and trunks, and what
became of them is the fast scenario's people. So hours, regions, habits, dead numbers and carriers' losses are in it by
their average, whatever the scenario says of them; what depends on who was called before is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from dialer.core.lead import Lead
from dialer.errors import ConfigError
from sim.distributions import Distribution
from sim.fast.scenario import NEVER_S, FastScenario, quantile_table
from sim.outcome import Outcome
from sim.people import People
from sim.population import make_leads
from sim.scenario import Scenario, Wear, offset_s
from sim.shares import Shares
from sim.world import MESSAGE_EARLY_S

_CALLS = 24_000
_PEOPLE = 4_000
_STRIDE = 0.6180339887498949  # its multiples, modulo 1, are spread evenly
_LEFT_OUT = (
    "the list and its end, retries, wear and the rules' windows and caps: everybody is called once",
    "the hour: rates are those of the day on average",
    "limits on call set-ups, and the carriers' hidden ones",
    "that a long talk may mean a long wrap-up: the two are drawn apart",
)


def fast_of(scenario: Scenario, leads: Sequence[Lead] | None = None) -> FastScenario:
    """Derive a fast scenario; its `left_out` says what it has not. `leads` are those of a scenario that names a list.

    Raises `ConfigError` where such a scenario comes without them.
    """
    if leads is None and scenario.population.list is not None:
        raise ConfigError(f"{scenario.population.list}: expected the leads of the list beside the scenario")
    outcomes = list(_drawn(scenario, leads))
    answered = [outcome for outcome in outcomes if outcome.end == "answered"]
    live = [outcome for outcome in answered if outcome.verdict == "human"]
    screened_out = [outcome for outcome in answered if outcome.verdict != "human"]
    unreached = sum(outcome.end in ("busy", "invalid", "failed") for outcome in outcomes)
    slowness = _slowness(scenario)
    campaign = scenario.campaign
    return FastScenario(
        agents=max(1, round(len(campaign.agents) * _presence(scenario))),
        answer_rate=len(live) / len(outcomes),
        screened_out_rate=len(screened_out) / len(outcomes),
        unreached_rate=unreached / len(outcomes),
        set_up_s=tuple(outcome.set_up_s for outcome in outcomes),
        answer_s=tuple(outcome.rings_s or 0.0 for outcome in live),
        machine_answer_s=tuple(outcome.rings_s or 0.0 for outcome in screened_out),
        screening_s=tuple(outcome.screening_s or 0.0 for outcome in answered),
        ring_timeout_s=campaign.ring_timeout_s,
        patience_s=tuple(NEVER_S if outcome.patience_s is None else outcome.patience_s for outcome in live),
        connect_deadline_s=campaign.connect_deadline_s - MESSAGE_EARLY_S,
        talk_s=tuple(slowness * outcome.talk_s for outcome in live),
        wrap_up_s=tuple(slowness * outcome.wrap_up_s for outcome in live),
        wrap_up_limit_s=campaign.wrap_up_limit_s,
        channels=min(sum(trunk.max_channels for trunk in campaign.trunks), campaign.asterisk.max_calls),
        target_abandon_rate=campaign.target_abandon_rate,
        max_lines_per_idle_agent=campaign.max_lines_per_idle_agent,
        hang_up_after_ring_s=math.inf if campaign.hang_up_after_ring is None else campaign.hang_up_after_ring,
        left_out=(*_LEFT_OUT, *_left_out_of(scenario)),
    )


def _drawn(scenario: Scenario, leads: Sequence[Lead] | None) -> Iterator[Outcome]:
    """Draw calls, evenly over people, hours and trunks (these by their channels); nobody is worn."""
    people = scenario.population.model_copy(update={"wear": Wear(strength=0.0)})
    if leads is None:
        people = people.model_copy(update={"leads": min(people.leads, _PEOPLE)})
        leads = make_leads(people, scenario.seed)
    leads = leads[:: -(-len(leads) // _PEOPLE)]
    fates = People(scenario.model_copy(update={"population": people}), leads, seed=scenario.seed)
    trunks = scenario.campaign.trunks
    shares = Shares(trunk.max_channels for trunk in trunks)
    for call in range(_CALLS):
        subject, draw = call % len(leads), call // len(leads)
        yield fates.outcome(
            subject=subject,
            draw=draw,
            number_index=draw % len(leads[subject].numbers),
            trunk=trunks[shares.spread(call, 1)].name,
            at=scenario.start_at + scenario.duration * (call * _STRIDE % 1.0),
        )


def _slowness(scenario: Scenario) -> float:
    """Return the mean factor on agents' talk and wrap-up times."""
    kinds = scenario.floor.kinds
    if not kinds:
        return 1.0
    return sum(kind.share * kind.handle_factor for kind in kinds) / sum(kind.share for kind in kinds)


def _presence(scenario: Scenario) -> float:
    """Return the share of agents' time that they are there and not on a break."""
    floor, day_s = scenario.floor, scenario.duration
    present = 1.0
    if floor.shifts:
        present = 0.0
        for shift in floor.shifts:
            begin = max(0.0, offset_s(shift.begin, scenario.start))
            end = day_s if shift.end is None else min(day_s, offset_s(shift.end, scenario.start))
            present += shift.share * max(0.0, end - begin) / day_s
        present /= sum(shift.share for shift in floor.shifts)
    for pause in floor.breaks:
        if 0.0 <= offset_s(pause.at, scenario.start) < day_s:
            present -= present * _mean_s(pause.length_s) / day_s
    if floor.break_every_s > 0:
        present *= floor.break_every_s / (floor.break_every_s + _mean_s(floor.break_s))
    return present


def _mean_s(durations: Distribution) -> float:
    return float(quantile_table(durations).mean())


def _left_out_of(scenario: Scenario) -> Iterator[str]:
    floor = scenario.floor
    if floor.shifts or floor.breaks or floor.break_every_s:
        yield "shifts and breaks: as many agents as are there on average stay all day"
    if floor.kinds:
        yield "agents' skill and speed: all work at the mean speed"
