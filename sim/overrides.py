"""Changes a scenario by `PATH=VALUE`, as `--set` writes it: one value to try, or an axis of values to sweep.

A path names a key of the scenario file with dots between: `population.live_rate`, `campaign.ring_timeout_s`. An entry
of a list is named by its own name or by its place (`carriers.andina.failure_rate`, `carriers.0.failure_rate`), all of
them by `*`. Beside them stand the names of `SHORT`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dialer.config.campaign import Campaign
from dialer.config.live_pacing import ABANDON_CAP_SOURCE
from dialer.config.names import meant
from dialer.config.yaml_lines import Loc, parse_yaml
from dialer.errors import ConfigError
from sim.scenario import Scenario

SHORT = {
    "pacing.target_abandon_rate": "campaign.target_abandon_rate",
    "pacing.lines_per_idle_agent": "campaign.lines_per_idle_agent",
    "pacing.max_lines_per_idle_agent": "campaign.max_lines_per_idle_agent",
    "pacing.mode": "campaign.mode",
    "routing.router": "campaign.routing.router",
    "agents": "floor.agents",
    "leads": "population.leads",
}
# A campaign that reaches people may not aim above 3 %. In a world of made-up people a higher target harms nobody, and
# shows what the law's limit costs.
REAL_MAX_ABANDON_RATE = 0.03
SIMULATED_MAX_ABANDON_RATE = 0.5
MAX_POINTS = 1000

_RATE = ("campaign", "target_abandon_rate")
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER}):({_NUMBER}):({_NUMBER})")
_NAMING = ("name", "id", "trunk")  # the keys by which an entry of a list is known


@dataclass(frozen=True, slots=True)
class Axis:
    """A path and the values to try there, in their order."""

    path: str
    values: tuple[Any, ...]


# ---- what a person writes -----------------------------------------------------------------------------------
def parse_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Read `PATH=VALUE` texts: values by path. Raises `ConfigError` with every fault of form."""
    return {axis.path: axis.values[0] for axis in _parsed(texts, several=False)}


def parse_axes(texts: Sequence[str]) -> tuple[Axis, ...]:
    """Read `PATH=VALUES` texts, values as `FROM:TO:STEP` (both ends count), `A,B,C` or one. Raises `ConfigError`."""
    return tuple(_parsed(texts, several=True))


def grid(axes: Sequence[Axis]) -> list[dict[str, Any]]:
    """All combinations, the last axis fastest. Raises `ConfigError` above `MAX_POINTS`."""
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count > MAX_POINTS:
        raise ConfigError(f"--set: expected at most {MAX_POINTS:,} combinations, was {count:,}: make the steps wider")
    return [
        dict(zip((axis.path for axis in axes), values, strict=True))
        for values in product(*(axis.values for axis in axes))
    ]


def _parsed(texts: Sequence[str], *, several: bool) -> list[Axis]:
    axes: dict[str, Axis] = {}
    faults: list[str] = []
    for given in texts:
        text = "".join(sign if sign.isprintable() else " " for sign in given)  # a fault is one line
        path, equals, value = (part.strip() for part in given.partition("="))
        try:
            if not path or not equals or not value:
                raise ConfigError(f"--set {text}: expected PATH=VALUE, as in pacing.target_abandon_rate=0.02")
            if not path.isprintable():
                raise ConfigError(f"--set {text}: expected a path of one line")
            if path in axes:
                raise ConfigError(f"--set {text}: {path} stands twice: name it once")
            axes[path] = Axis(path, _values(text, value) if several else (_value(text, value),))
        except ConfigError as fault:
            faults += fault.faults
    if faults:
        raise ConfigError(*faults)
    return list(axes.values())


def _values(text: str, value: str) -> tuple[Any, ...]:
    if match := _RANGE.fullmatch(value):
        return _range(text, *(Decimal(part) for part in match.groups()))
    return tuple(_value(text, part) for part in _split(value))


def _range(text: str, low: Decimal, high: Decimal, step: Decimal) -> tuple[Any, ...]:
    if step <= 0 or high < low:
        raise ConfigError(f"--set {text}: expected FROM:TO:STEP with FROM up to TO and a step above 0")
    count = int((high - low) / step) + 1
    if count > MAX_POINTS:
        raise ConfigError(f"--set {text}: expected at most {MAX_POINTS:,} values, was {count:,}: make the step wider")
    values = [low + index * step for index in range(count)]
    return tuple(int(value) if value == int(value) and step == int(step) else float(value) for value in values)


def _split(value: str) -> list[str]:
    """Split at the commas that stand outside of brackets."""
    parts, depth = [""], 0
    for sign in value:
        depth += (sign in "[{") - (sign in "]}")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _value(text: str, value: str) -> Any:
    """Read one value as the scenario file would."""
    try:
        data = parse_yaml(f"value: {value}\n", Path("--set")).data
    except ConfigError:
        data = {}
    if data.keys() != {"value"} or data["value"] is None:
        raise ConfigError(f"--set {text}: expected a value as the scenario file writes it, was {value!r}")
    return data["value"]


# ---- the changed scenario -----------------------------------------------------------------------------------
def override(scenario: Scenario, settings: Mapping[str, Any]) -> Scenario:
    """Return the scenario with values set by path. Raises `ConfigError`, one line a fault, for what no scenario may
    say; a target abandon rate may go up to `SIMULATED_MAX_ABANDON_RATE` here."""
    if not settings:
        return scenario
    data = _thawed(scenario.model_dump())
    set_at: dict[Loc, str] = {}
    faults: list[str] = []
    for path, value in settings.items():
        try:
            for loc in _places(data, path):
                if loc[-1] == "rates":
                    mend = "set `deck` or `price`, or write it there"
                    raise ConfigError(f"--set {path}: a rate deck is read with the file that names it: {mend}")
                _put(data, loc, value)
                set_at[loc] = path
        except ConfigError as fault:
            faults += fault.faults
    if faults:
        raise ConfigError(*faults)
    try:
        return scenario_from(data)
    except ValidationError as error:
        told = (_fault(fault, set_at, settings) for fault in error.errors())
        raise ConfigError(*dict.fromkeys(told)) from None


def scenario_from(data: Mapping[str, Any]) -> Scenario:
    """Build a scenario from its plain values, as a file, a journal's header or `override` has them. Raises pydantic's
    `ValidationError`."""
    rate, lawful = _lawful(data.get("campaign"))
    scenario = Scenario.model_validate({**data, "campaign": lawful} if rate is not None else data)
    if rate is None:
        return scenario
    return scenario.model_copy(update={"campaign": scenario.campaign.model_copy(update={_RATE[1]: rate})})


def simulated_campaign(data: Mapping[str, Any]) -> Campaign:
    """Build the campaign of a simulated day from its plain values. Raises pydantic's `ValidationError`."""
    rate, lawful = _lawful(data)
    campaign = Campaign.model_validate(lawful)
    return campaign if rate is None else campaign.model_copy(update={_RATE[1]: rate})


def _lawful(campaign: Any) -> tuple[float | None, Any]:
    """Take a target that only a simulation may have out of a campaign's values: that target, and the rest."""
    rate = campaign.get(_RATE[1]) if isinstance(campaign, dict) else None
    allowed = isinstance(rate, int | float) and REAL_MAX_ABANDON_RATE < rate <= SIMULATED_MAX_ABANDON_RATE
    return (float(rate), {**campaign, _RATE[1]: REAL_MAX_ABANDON_RATE}) if allowed else (None, campaign)  # type: ignore[arg-type]


def caution(scenario: Scenario) -> str | None:
    """Return the sentence that must stand beside results which no real campaign may aim at; None where one may."""
    rate = scenario.campaign.target_abandon_rate
    if rate <= REAL_MAX_ABANDON_RATE:
        return None
    return (
        f"a target of {rate:g} is for simulation alone: a campaign that calls people refuses more than "
        f"{REAL_MAX_ABANDON_RATE:g} ({ABANDON_CAP_SOURCE})"
    )


def _thawed(value: Any) -> Any:
    """Copy plain values, with lists where there were tuples."""
    if isinstance(value, dict):
        return {key: _thawed(part) for key, part in value.items()}
    return [_thawed(part) for part in value] if isinstance(value, list | tuple) else value


def _places(data: Any, path: str) -> Iterator[Loc]:
    """Yield every place that a path names. Raises `ConfigError` for a name that is not there."""
    if path == "seed":
        raise ConfigError("--set seed: expected --seed N, which all commands have")
    parts = SHORT.get(path, path).split(".")
    if parts[0] == "pacing":
        pacing = [name for name in SHORT if name.startswith("pacing.")]
        raise ConfigError(f"--set {path}: unknown key: {meant(path, pacing)}")
    yield from _walk(data, tuple(parts), (), path)


def _walk(node: Any, parts: tuple[str, ...], loc: Loc, path: str) -> Iterator[Loc]:
    if not parts:
        yield loc
        return
    for key in _keys(node, parts[0], path, last=len(parts) == 1):
        inner = node.get(key) if isinstance(node, dict) else node[key]
        yield from _walk(inner, parts[1:], (*loc, key), path)


def _keys(node: Any, part: str, path: str, *, last: bool) -> list[Any]:
    if isinstance(node, dict):
        if part in node or (last and _open_ended(node)):
            return [part]
        names = [str(key) for key in node]
    elif isinstance(node, list):
        names = [next((str(entry[key]) for key in _NAMING if key in entry), "") if isinstance(entry, dict) else ""
                 for entry in node]  # fmt: skip
        if part == "*":
            return list(range(len(node)))
        if part in names or (part.isdecimal() and int(part) < len(node)):
            return [names.index(part) if part in names else int(part)]
        names = [name or str(index) for index, name in enumerate(names)]
    else:
        raise ConfigError(f"--set {path}: {part!r} is not under a group of keys: end the path before it")
    if not names:
        raise ConfigError(f"--set {path}: nothing stands there, so there is no {part!r}")
    raise ConfigError(f"--set {path}: unknown key {part!r}: {meant(part, names)}")


def _open_ended(node: dict[str, Any]) -> bool:
    """Whether keys may be added: names that the file's writer chose, such as dispositions in capitals."""
    return bool(node) and all(key.isupper() for key in node)


def _put(data: Any, loc: Loc, value: Any) -> None:
    for key in loc[:-1]:
        data = data[key]
    data[loc[-1]] = value


def _fault(fault: Any, set_at: Mapping[Loc, str], settings: Mapping[str, Any]) -> str:
    """Put a fault in one line, under the `--set` that brought it where that is plain."""
    loc = tuple(fault["loc"])
    message = fault["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    found = "" if fault["type"] in ("value_error", "inconsistent") else f", was {_short(fault['input'])}"
    path = next((set_at[loc[:size]] for size in range(len(loc), 0, -1) if loc[:size] in set_at), None)
    if path is None:
        where = ".".join(str(part) for part in loc)
        return f"--set {', '.join(settings)}: then {where}: {message[:1].lower()}{message[1:]}{found}" if where else (
            f"--set {', '.join(settings)}: {message[:1].lower()}{message[1:]}"
        )  # fmt: skip
    if loc == _RATE and fault["type"] == "less_than_equal":
        message = f"expected at most {SIMULATED_MAX_ABANDON_RATE:g}, in a simulation too"
    return f"--set {path}={_short(settings[path])}: {message[:1].lower()}{message[1:]}{found}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
