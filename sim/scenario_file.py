"""Reads scenario files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dialer.config.yaml_lines import Document, read_yaml
from dialer.errors import ConfigError
from sim.scenario import Scenario

_PACKAGED = Path(__file__).parent / "scenarios"


def load_scenario(name: str) -> Scenario:
    """Read a scenario from a file, or a packaged one by its name. Raises `ConfigError` that names each line."""
    path = Path(name)
    if not path.suffix and not path.exists():
        path = _PACKAGED / f"{name}.yaml"
        if not path.exists():
            known = ", ".join(sorted(entry.stem for entry in _PACKAGED.glob("*.yaml")))
            raise ConfigError(f"{name}: expected a scenario file or one of {known}")
    document = read_yaml(path)
    return _validated(document, document.data)


def packaged_scenario(name: str, *, agents: int, leads: int, duration_s: float) -> Scenario:
    """A packaged scenario with another number of agents and leads, and of another length."""
    document = read_yaml(_PACKAGED / f"{name}.yaml")
    data = document.data
    named = data["campaign"]["agents"][:agents]
    data["campaign"]["agents"] = named + [{"id": f"agent{index + 1}"} for index in range(len(named), agents)]
    data["population"]["leads"] = leads
    data["duration"] = duration_s
    return _validated(document, data)


def _validated(document: Document, data: Any) -> Scenario:
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise ConfigError(*(document.fault(fault["loc"], fault["msg"]) for fault in error.errors())) from None
