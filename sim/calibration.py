"""Fits a scenario to a log of calls, and says how good each fit is and what the log could not tell."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import floor
from typing import Any

import msgspec
from pydantic import ValidationError

from dialer.core.disposition import NO_CONTACT, RIGHT_PARTY
from dialer.core.logged_call import ANSWERED, LIVE, LoggedCall
from dialer.errors import ConfigError
from sim.conversations import RATED, Conversed
from sim.fit import FEWEST, Fit, fit_durations, fit_rate, share_below
from sim.people_fit import HOUR_PRIOR, REPEATS_FEWEST, PeopleFit, fit_people, history
from sim.scenario import Scenario
from sim.scenario_text import Loc, comment_lines, yaml_text

FEWEST_CALLS = 100
_MADE_UP = re.compile(r"agent\d+")
_SAMPLE = 200
_DAY_S = 86400.0
_HOUR_S = 3600.0
_TALKED: tuple[Conversed, ...] = ("RPC", *RATED, "WRONG_PARTY", "MACHINE")
_PRICES = ("price_per_minute", "billing_increment_s", "connection_fee", "attempt_fee")


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario fitted to a log."""

    scenario: Scenario
    fits: tuple[Fit, ...]
    unknown: tuple[str, ...]  # what the log cannot tell, and what stands in its place
    comments: dict[Loc, str]  # on the fitted keys of the scenario
    calls: int
    data: dict[str, Any]  # the scenario as plain values, only what is written in the file


def calibrate(calls: Sequence[LoggedCall], base: Scenario) -> Calibration:
    """Fit a scenario to calls; whatever they cannot tell stays as in `base`. Equal input gives an equal scenario.

    Raises `ConfigError` where there are too few calls, or nobody ever answered.
    """
    if len(calls) < FEWEST_CALLS:
        raise ConfigError(
            f"expected at least {FEWEST_CALLS} calls to fit a scenario to, was {len(calls)}: take a whole day's log"
        )
    work = _Work(sorted(calls, key=lambda call: (call.at, call.lead, call.trunk or "")), base)
    for part in (work.day, work.carriers, work.people, work.ringing, work.conversations, work.agents):
        part()
    try:
        scenario = Scenario.model_validate(work.data)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise ConfigError(f"the log gives no scenario: {place}: {fault['msg']}: is the log of one campaign?") from None
    return Calibration(
        scenario=scenario,
        fits=tuple(work.fits),
        unknown=tuple(work.unknown),
        comments=work.comments,
        calls=len(calls),
        data=work.data,
    )


def scenario_yaml(calibration: Calibration) -> str:
    """Write the scenario as YAML that `sim.scenario_file` reads, with what each figure stands on."""
    first = [f"Fitted to {calibration.calls} logged calls. Figures without a comment are as in the base scenario."]
    if calibration.unknown:
        first += ["The log cannot tell:", *(f"  - {what}" for what in calibration.unknown)]
    head = [line for text in first for line in comment_lines(text)]
    return "\n".join(head) + "\n" + yaml_text(calibration.data, calibration.comments)


class _Work:
    """A scenario's plain values while they are fitted, part by part."""

    def __init__(self, calls: Sequence[LoggedCall], base: Scenario) -> None:
        self.calls = calls
        self.base = base
        self.data: dict[str, Any] = base.model_dump(mode="json", exclude_unset=True)
        self.fits: list[Fit] = []
        self.unknown: list[str] = []
        self.comments: dict[Loc, str] = {}
        self._kept_agents()
        for conversation in self.data["population"].get("conversations", {}).values():
            if conversation.get("rate") is None:
                conversation.pop("rate", None)

    def _kept_agents(self) -> None:
        """Agents that were made up for a number are not written one by one."""
        if self.base.floor.agents is not None:
            campaign = self.data["campaign"]
            campaign["agents"] = [who for who in campaign["agents"] if not _MADE_UP.fullmatch(who["id"])]

    def _set(self, loc: tuple[str, ...], value: Any, comment: str) -> None:
        inner = self.data
        for key in loc[:-1]:
            inner = inner.setdefault(key, {})
        inner[loc[-1]] = value
        if comment:
            self.comments[loc] = comment

    def _keep(self, fit: Fit | None) -> Fit | None:
        if fit is not None:
            self.fits.append(fit)
        return fit

    def _fit(self, loc: tuple[str, ...], name: str, seconds: Iterable[float]) -> Fit | None:
        """Fit durations into the scenario; None, and nothing changed, where there are too few."""
        fit = self._keep(fit_durations(name, list(seconds)))
        if fit is not None and fit.distribution is not None:
            self._set(loc, fit.distribution.model_dump(mode="json"), f"{name}: mean {fit.mean:.3g} s; {fit.verdict}")
        return fit

    # ---- the day ----------------------------------------------------------------------------------------------
    def day(self) -> None:
        first, last = self.calls[0].at, self.calls[-1].at
        self._set(("scenario",), f"{self.base.scenario[:50]}-calibrated", "")
        self._set(("description",), f"Fitted to {len(self.calls)} logged calls, from {self.base.scenario}.", "")
        if last - first <= _DAY_S:
            start = datetime.fromtimestamp(floor(first / _HOUR_S) * _HOUR_S, self.base.start.tzinfo)
            hours = floor((last - start.timestamp()) / _HOUR_S) + 1
            self._set(("start",), start.isoformat(), "the hour of the log's first call")
            self._set(("duration",), f"{hours}h", "to the end of the hour of its last one")
        else:
            self.unknown.append("one day: the log has several, so start and duration are the base's")
        leads = len({call.lead for call in self.calls})
        if self.base.population.list is None:
            self._set(("population", "leads"), leads, "the leads that were called; a log does not know the others")

    # ---- carriers ---------------------------------------------------------------------------------------------
    def carriers(self) -> None:
        by_trunk: dict[str | None, list[LoggedCall]] = defaultdict(list)
        for call in self.calls:
            by_trunk[call.trunk].append(call)
        told = [trunk.name for trunk in self.base.campaign.trunks if len(by_trunk.get(trunk.name, ())) >= FEWEST]
        if not told:
            self.unknown.append("the campaign's trunks: the log's calls count for every one of them")
        prices = {carrier.trunk: carrier for carrier in self.base.carriers}
        self.data["carriers"] = []
        for index, trunk in enumerate(self.base.campaign.trunks):
            entry: dict[str, Any] = {"trunk": trunk.name}
            if trunk.name in prices:
                entry.update(prices[trunk.name].model_dump(mode="json", include=set(_PRICES), exclude_unset=True))
            self.data["carriers"].append(entry)
            calls = by_trunk[trunk.name] if trunk.name in told else [] if told else self.calls
            if calls:
                self._carrier(("carriers", index), trunk.name if told else "all trunks", calls, entry)
        self.unknown.append(
            "carriers' hidden quality: their failures are fitted, losses, drift and incidents left out (they are "
            "part of how people answer)"
        )

    def _carrier(self, loc: Loc, name: str, calls: Sequence[LoggedCall], entry: dict[str, Any]) -> None:
        failed = self._keep(fit_rate(f"{name}, failures", _count(calls, "failed"), len(calls), "calls"))
        assert failed is not None and failed.rate is not None
        entry["failure_rate"] = _round(failed.rate)
        self.comments[(*loc, "failure_rate")] = failed.verdict
        fit = self._keep(
            fit_durations(
                f"{name}, post-dial delay",
                [c.set_up_s for c in calls if c.set_up_s is not None and c.ring_s is not None],
            )
        )
        if fit is not None and fit.distribution is not None:
            entry["post_dial_delay_s"] = fit.distribution.model_dump(mode="json")
            self.comments[(*loc, "post_dial_delay_s")] = f"mean {fit.mean:.3g} s; {fit.verdict}"

    # ---- people -----------------------------------------------------------------------------------------------
    def people(self) -> None:
        numbers = {call.number or call.lead for call in self.calls}
        dead = {call.number or call.lead for call in self.calls if call.result == "invalid"}
        if dead:
            self._rate(("population", "dead_number_rate"), len(dead), len(numbers), "numbers")
        else:
            self.unknown.append("dead numbers: no call is marked as such, so their share is the base's")
        reached = [call for call in self.calls if call.result not in ("invalid", "failed", "unknown")]
        if not reached:
            raise ConfigError(f"none of {len(self.calls)} calls reached a line: take a log of calls that were answered")
        self._rate(("population", "busy_rate"), _count(reached, "busy"), len(reached), "calls that reached a line")
        machines, live = self._who_answered(reached)
        self._rate(("population", "machine_rate"), round(machines), len(reached), "calls that reached a line")
        most = 1.0 - (_count(reached, "busy") + machines) / len(reached)
        self._answering(reached, live, most)

    def _who_answered(self, reached: Sequence[LoggedCall]) -> tuple[float, list[bool]]:
        """Return how many machines answered, and which calls a person did.

        Where the log does not say, they are parted as in the base, evenly over the calls so that the same log is
        parted the same way.
        """
        population = self.base.population
        unsaid = _count(reached, "answered")
        both = population.live_rate + population.machine_rate
        people = population.live_rate / both if both > 0 else 1.0
        if unsaid * 10 > sum(call.result in ANSWERED for call in reached):
            self.unknown.append(f"who answered {unsaid} calls: {people:.0%} are taken for people, as in the base")
        else:
            people = 1.0  # an agent took the call and reported nothing
        machines = _count(reached, "answered-machine") + unsaid * (1.0 - people)
        taken, live = 0.0, []
        for call in reached:
            if call.result == "answered":
                taken += people
                live.append(floor(taken) > floor(taken - people))
            else:
                live.append(call.result in LIVE)
        return machines, live

    def _answering(self, reached: Sequence[LoggedCall], live: list[bool], most: float) -> None:
        population = self.base.population
        if not any(live):
            raise ConfigError(f"nobody answered any of {len(reached)} calls: take a log of calls that were answered")
        past = history(
            [call.lead for call in reached],
            [call.at for call in reached],
            live,
            [-1 if call.hour is None else call.hour for call in reached],
            population.wear.half_life,
        )
        fit = fit_people(
            past, spread=population.live_rate_spread, wear=population.wear, hours=population.hours, most=most
        )
        rate = self._keep(fit_rate("population.live_rate", sum(live), len(live), "calls that reached a line"))
        assert rate is not None
        self._set(
            ("population", "live_rate"),
            _round(min(fit.live_rate, most)),
            f"of a rested person; in the log {rate.verdict}",
        )
        self._hours(fit)
        self._wear(fit)

    def _hours(self, fit: PeopleFit) -> None:
        if not sum(fit.calls_by_hour):
            self.unknown.append("hours: the log has no local hour, so the curve is the base's")
            return
        seen = [hour for hour, count in enumerate(fit.calls_by_hour) if count]
        self._set(
            ("population", "hours"),
            list(fit.hours),
            f"calls in the hours {seen[0]} to {seen[-1]}; each hour drawn towards 1 as if by {HOUR_PRIOR:.0f} expected "
            "answers more; other hours as in the base",
        )
        self.data["population"].pop("weekdays", None)
        self.data["population"].pop("habits", None)
        self.unknown.append("weekdays and kinds of people: one curve by the hour stands for all")

    def _wear(self, fit: PeopleFit) -> None:
        if fit.repeats < REPEATS_FEWEST:
            self.unknown.append(
                f"wear and how far people differ: {fit.repeats} repeated calls, fewer than {REPEATS_FEWEST}"
            )
            return
        told = f"from {fit.repeats} repeated calls to the same leads, drawn weakly towards the base's"
        self._set(("population", "live_rate_spread"), round(fit.spread, 3), told)
        self._set(
            ("population", "wear", "strength"), round(fit.strength, 3), f"{told}; half-life and floor as in the base"
        )

    def _rate(self, loc: tuple[str, ...], hits: int, n: int, of: str) -> None:
        fit = self._keep(fit_rate(".".join(map(str, loc)), hits, n, of))
        assert fit is not None and fit.rate is not None
        self._set(loc, _round(fit.rate), fit.verdict)

    # ---- ringing ----------------------------------------------------------------------------------------------
    def ringing(self) -> None:
        """Times from the ringing to each kind of end. Only answers within the dialer's patience were ever seen, so the
        rate of those who would answer is raised by what the fitted times leave beyond it."""
        limits_s = [self.base.campaign.ring_timeout_s - set_up_s for set_up_s in self._set_ups()]
        people = self._fit(("population", "answer_s"), "ringing before a person answers", self._rings(LIVE))
        self._beyond("live_rate", people, limits_s)
        if people is None:
            people = self._fit(("population", "answer_s"), "ringing before an answer", self._rings(ANSWERED))
        machines = self._fit(
            ("population", "machine_answer_s"), "ringing before a machine answers", self._rings({"answered-machine"})
        )
        self._beyond("machine_rate", machines, limits_s)
        if people is None:
            self.unknown.append("how long it rings before an answer: as in the base")
        # Told, for they have no place in a scenario: there a line rings until the dialer gives up.
        self._keep(fit_durations("from the dialling to a busy tone", [c.line_s for c in self._of("busy") if c.line_s]))
        ended = [c.ring_s for c in self._of("no-answer") if c.ring_s is not None and not c.cut_off]
        self._keep(fit_durations("ringing before the network ends it", ended))
        self.unknown.append("people's patience on silence: as in the base")

    def _of(self, result: str) -> list[LoggedCall]:
        return [call for call in self.calls if call.result == result]

    def _rings(self, results: frozenset[str] | set[str] | Iterable[str]) -> list[float]:
        wanted = frozenset(results)
        rings = [call.ring_s for call in self.calls if call.result in wanted and call.ring_s is not None]
        if len(rings) >= FEWEST:
            return rings
        set_up_s = self._usual_set_up_s()
        return [
            max(0.25, call.line_s - set_up_s)
            for call in self.calls
            if call.result in wanted and call.line_s is not None
        ]

    def _usual_set_up_s(self) -> float:
        delays = [carrier.post_dial_delay_s.quantile(0.5) for carrier in self.base.carriers]
        return sum(delays) / len(delays) if delays else 2.0

    def _set_ups(self) -> list[float]:
        """Set-up times of calls that rang, a sample of them; the base's where the log has none."""
        seen = [call.set_up_s for call in self.calls if call.set_up_s is not None and call.ring_s is not None]
        return seen[:: max(1, len(seen) // _SAMPLE)] or [self._usual_set_up_s()]

    def _beyond(self, name: str, fit: Fit | None, limits_s: Sequence[float]) -> None:
        if fit is None or fit.distribution is None:
            return
        within = sum(share_below(fit.distribution, limit_s) for limit_s in limits_s) / len(limits_s)
        if 0.5 <= within < 1.0:
            population = self.data["population"]
            population[name] = _round(min(1.0, population[name] / within))

    # ---- conversations ----------------------------------------------------------------------------------------
    def conversations(self) -> None:
        by_disposition: dict[str, list[LoggedCall]] = defaultdict(list)
        for call in self.calls:
            if call.talk_s is not None and call.disposition is not None:
                by_disposition[call.disposition].append(call)
        right = {name: calls for name, calls in by_disposition.items() if name in RIGHT_PARTY}
        n = sum(map(len, right.values()))
        if n < FEWEST:
            self._pooled()
            return
        for name in _TALKED:
            loc = ("population", "conversations", name)
            calls = by_disposition.get(name, [])
            if name in RATED:
                self._rate((*loc, "rate"), len(calls), n, "right-party contacts")
            self._fit((*loc, "talk_s"), f"{name}, talk", [c.talk_s for c in calls if c.talk_s is not None])
            self._fit((*loc, "wrap_up_s"), f"{name}, wrap-up", [c.wrap_up_s for c in calls if c.wrap_up_s is not None])
        self._parties(n, len(by_disposition.get("WRONG_PARTY", [])))
        if not any(call.wrap_up_s for call in self.calls):
            self.unknown.append("wrap-up: as in the base")

    def _pooled(self) -> None:
        """A log without dispositions: all conversations of people have one distribution."""
        self.unknown.append("dispositions: their rates are the base's, and all conversations with people last alike")
        self.unknown.append("wrap-up: as in the base")
        talks = [
            c.talk_s for c in self.calls if c.talk_s and (c.disposition is None or c.disposition not in NO_CONTACT)
        ]
        fit = self._keep(fit_durations("talk, all conversations", talks))
        if fit is None or fit.distribution is None:
            self.unknown.append("talk times: as in the base")
            return
        for name in ("RPC", *RATED):
            told = f"all conversations: mean {fit.mean:.3g} s; {fit.verdict}" if name == "RPC" else ""
            self._set(("population", "conversations", name, "talk_s"), fit.distribution.model_dump(mode="json"), told)

    def _parties(self, right: int, wrong: int) -> None:
        """Wrong parties are strangers' numbers, as many as in the base, and others at the person's own number."""
        fit = self._keep(fit_rate("wrong parties", wrong, right + wrong, "conversations with people"))
        assert fit is not None and fit.rate is not None
        strangers = min(self.base.population.wrong_number_rate, fit.rate)
        self._set(("population", "wrong_number_rate"), _round(strangers), "at most the base's")
        self._set(
            ("population", "right_party_rate"),
            _round((1.0 - fit.rate) / (1.0 - strangers)) if strangers < 1.0 else 1.0,
            f"wrong parties, strangers included: {fit.verdict}",
        )

    # ---- agents -----------------------------------------------------------------------------------------------
    def agents(self) -> None:
        by_hour: dict[int, set[str]] = defaultdict(set)
        for call in self.calls:
            if call.agent is not None:
                by_hour[floor(call.at / _HOUR_S)].add(call.agent)
        if not by_hour:
            self.unknown.append("agents: the log names none, so they are the base's")
            return
        most = max(map(len, by_hour.values()))
        counts = ", ".join(str(len(by_hour[hour])) for hour in sorted(by_hour)[:24])
        self._set(("floor", "agents"), most, f"the most in any hour; agents with a call by hour: {counts}")
        self.fits.append(Fit(name="floor.agents", n=sum(map(len, by_hour.values())), verdict=f"by hour: {counts}"))
        self.data["floor"].pop("shifts", None)
        self.unknown.append("agents' shifts, breaks, skills and speeds: all are there all day, breaks as in the base")


def _count(calls: Iterable[LoggedCall], result: str) -> int:
    return sum(call.result == result for call in calls)


def _round(value: float) -> float:
    return float(f"{value:.4g}")


def fits_table(fits: Iterable[Fit]) -> list[Mapping[str, Any]]:
    """Return fits as plain values, for JSON."""
    return [
        {
            **{name: getattr(fit, name) for name in ("name", "n", "rate", "low", "high", "mean", "ks", "verdict")},
            "distribution": None if fit.distribution is None else fit.distribution.model_dump(mode="json"),
        }
        for fit in fits
    ]
