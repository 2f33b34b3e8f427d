"""The published schema is current, and takes what the program takes; the commented scenario names every key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from dialer.config.yaml_lines import read_yaml
from sim import scenario_file, schema
from sim.scenario import Scenario
from sim.scenario_file import TEMPLATE, load_scenario

PACKAGED = sorted((Path(scenario_file.__file__).parent / "scenarios").glob("*.yaml"))
SCHEMA = schema.scenario_schema()
KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float),
    "boolean": (bool,), "null": (type(None),),
}  # fmt: skip


def fits(value: Any, node: dict[str, Any]) -> bool:
    """Whether a value is what the part of JSON Schema that ours uses allows."""
    if "$ref" in node:
        return fits(value, SCHEMA["$defs"][node["$ref"].rsplit("/", 1)[1]])
    if any(key in node for key in ("anyOf", "oneOf")):
        return any(fits(value, member) for member in node.get("anyOf", node.get("oneOf")))
    if "const" in node or "enum" in node:
        return value in node.get("enum", [node.get("const")])
    if not isinstance(value, KINDS[node["type"]]) or (isinstance(value, bool) and node["type"] != "boolean"):
        return False
    if isinstance(value, dict):
        return _object_fits(value, node)
    if isinstance(value, list):
        items = node.get("prefixItems") or [node.get("items", {})] * len(value)
        within = node.get("minItems", 0) <= len(value) <= node.get("maxItems", len(value))
        return within and all(fits(member, item) for member, item in zip(value, items, strict=True))
    if isinstance(value, str):
        return re.search(node.get("pattern", ""), value) is not None
    low, high = node.get("minimum", value), node.get("maximum", value)
    return value is None or bool(low <= value <= high and value > node.get("exclusiveMinimum", value - 1))


def _object_fits(value: dict[str, Any], node: dict[str, Any]) -> bool:
    properties, others = node.get("properties", {}), node.get("additionalProperties", True)
    if not set(node.get("required", ())) <= value.keys():
        return False
    for key, member in value.items():
        known = properties.get(key, others)
        if known is False or (isinstance(known, dict) and not fits(member, known)):
            return False
    return True


def test_the_published_schema_is_current() -> None:
    """`.venv/bin/python -m sim.schema` writes it."""
    assert schema.PAGE.read_text(encoding="utf-8") == schema.schema_text()
    assert schema.main(["--check"]) == 0


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.stem)
def test_the_schema_takes_what_the_program_takes(path: Path) -> None:
    assert fits(read_yaml(path).data, SCHEMA)


@pytest.mark.parametrize(
    ("where", "bad"),
    [
        (("duration",), "soon"),
        (("population", "live_rate"), 1.5),
        (("population", "patience_s"), {"kind": "weibull"}),
        (("floor", "agent"), 5),
        (("campaign", "mode"), "manual"),
        (("campaign", "hang_up_after_ring"), 14),
    ],
)
def test_the_schema_refuses_what_the_program_refuses(where: tuple[str, ...], bad: Any) -> None:
    data = read_yaml(TEMPLATE).data
    inner = data
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = bad
    assert not fits(data, SCHEMA)


def models(kind: Any) -> Iterator[type[BaseModel]]:
    """All sections that a type has inside, the type itself included."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from models(field.annotation)
    for inner in get_args(kind):
        yield from models(inner)


def test_the_commented_scenario_names_every_key() -> None:
    text = TEMPLATE.read_text()
    missing = [
        f"{model.__name__}.{name}"
        for model in dict.fromkeys(models(Scenario))
        for name in model.model_fields
        if not re.search(rf"(^|[\s{{#]){name}:", text)
    ]
    assert missing == []


def test_the_commented_scenario_can_be_run() -> None:
    assert load_scenario(str(TEMPLATE)).campaign.agents


def test_the_comments_tell_the_true_defaults() -> None:
    """What the template shows of people, floor, carriers and switch where it says so is what holds without it."""
    shown = load_scenario(str(TEMPLATE))
    spare = Scenario.model_validate(
        {
            "scenario": "spare",
            "start": shown.start,
            "duration": shown.duration,
            "campaign": shown.campaign,
            "population": {"leads": 1},
        }
    )
    examples = {
        "population": {"leads", "regions", "destinations", "habits"},
        "floor": {"agents", "shifts", "kinds", "breaks"},
        "switch": set(),
        "costs": set(),
    }
    for section, own in examples.items():
        mine, usual = getattr(shown, section), getattr(spare, section)
        for name in type(mine).model_fields.keys() - own:
            assert getattr(mine, name) == getattr(usual, name), f"{section}.{name}"
