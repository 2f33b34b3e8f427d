"""Reads scenario files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dialer.config.names import meant
from dialer.config.rate_deck_file import with_decks
from dialer.config.yaml_lines import Document, Loc, read_yaml
from dialer.errors import ConfigError
from sim.scenario import Scenario

_PACKAGED = Path(__file__).parent / "scenarios"
# What `dialer sim init` copies: a scenario like the others, but to be read, not run by its name.
TEMPLATE = _PACKAGED / "template.yaml"


def packaged_names() -> tuple[str, ...]:
    """The packaged scenarios, by name."""
    return tuple(sorted(entry.stem for entry in _PACKAGED.glob("*.yaml") if entry != TEMPLATE))


def load_scenario(name: str) -> Scenario:
    """Read a scenario from a file, or a packaged one by its name. Raises `ConfigError` that names each line."""
    document = scenario_document(name)
    return scenario_of(document, document.data)


def scenario_document(name: str) -> Document:
    """Read a scenario's values as they are written, for changes before `scenario_of`. Raises `ConfigError`."""
    path = Path(name)
    if not path.suffix and not path.exists():
        if name not in packaged_names():
            raise ConfigError(f"{name}: expected a scenario file or one of {', '.join(packaged_names())}")
        path = _PACKAGED / f"{name}.yaml"
    return read_yaml(path)


def packaged_scenario(name: str, *, agents: int, leads: int, duration_s: float) -> Scenario:
    """A packaged scenario with another number of agents and leads, and of another length."""
    document = read_yaml(_PACKAGED / f"{name}.yaml")
    data = document.data
    data["floor"] = {**data.get("floor", {}), "agents": agents}
    data["population"]["leads"] = leads
    data["duration"] = duration_s
    return scenario_of(document, data)


def scenario_of(document: Document, data: Any) -> Scenario:
    """Check `data`, the document's or what became of it. Raises `ConfigError` with a line for each fault.

    The paths of a list and of rate decks are taken from the file's folder.
    """
    people = data.get("population")
    if isinstance(people, dict) and isinstance(named := people.get("list"), str):
        leads = document.path.parent / Path(named).expanduser()
        if not leads.is_file():
            told = f"expected a CSV list of leads, found no file {leads}"
            raise ConfigError(document.fault(("population", "list"), told))
        data = {**data, "population": {**people, "list": leads}}
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        faults = error.errors()
        # A list with a bad entry also counts as too short: the entry is what is wrong.
        inner = {fault["loc"][:-1] for fault in faults}
        kept = [fault for fault in faults if fault["type"] != "too_short" or fault["loc"] not in inner]
        raise ConfigError(*(_fault(document, fault) for fault in kept)) from None
    return scenario.model_copy(update={"campaign": with_decks(scenario.campaign, document, ("campaign",))})


def _fault(document: Document, fault: ErrorDetails) -> str:
    """One line for people. The names of a union's members, which the file does not have, are left out of the place."""
    loc = fault["loc"]
    place: Loc = ()
    for key in loc[:-1]:
        if (*place, key) in document.lines:
            place = (*place, key)
    place = (*place, *loc[-1:])
    return document.fault(place, _in_words(fault, document.raw.get(place)))


def _in_words(fault: ErrorDetails, raw: str | None) -> str:
    """What was expected and what was found. `raw`: as the file has it, where it is one value."""
    if fault["type"] == "extra_forbidden":
        return f"unknown key: {meant(str(fault['loc'][-1]), _keys_at(fault['loc'][:-1]))}"
    if fault["type"] == "missing":
        return "expected this key, found none"
    message = fault["msg"].removeprefix("Value error, ")
    if not message.startswith("Input should be"):
        return message
    found = "" if raw is None else f", was {raw!r}"
    return message.replace("Input should be", "expected").split(", unable to parse")[0] + found


def _keys_at(loc: Loc) -> list[str]:
    """The keys that may stand in a section; of a union's members those of all."""
    models: list[type[BaseModel]] = [Scenario]
    for part in loc:
        below = [model.model_fields[str(part)].annotation for model in models if part in model.model_fields]
        models = [inner for annotation in below for inner in _models_in(annotation)] or models
    return sorted({name for model in models for name in model.model_fields})


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
