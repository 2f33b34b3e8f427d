"""The scenario file's JSON schema, for editors and for programs that write scenarios.

.venv/bin/python -m sim.schema            # write docs/scenario.schema.json
.venv/bin/python -m sim.schema --check    # say whether it is current
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sim.scenario import Scenario

PAGE = Path(__file__).parent.parent / "docs" / "scenario.schema.json"
_DURATION = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[smhd]\s*$"}


def scenario_schema() -> dict[str, Any]:
    """Return the schema, JSON Schema 2020-12. What binds two fields together is checked by the program alone."""
    schema: dict[str, Any] = _tidy(Scenario.model_json_schema())
    # The model makes these up where `floor.agents` asks for them.
    schema["$defs"]["Campaign"]["required"].remove("agents")
    # Of a disposition that has defaults, a file may name some fields alone.
    schema["$defs"]["Conversation"].pop("required", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Cadencia scenario",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def schema_text() -> str:
    """Return the schema as it is published."""
    return json.dumps(scenario_schema(), indent=1, ensure_ascii=False) + "\n"


def _tidy(node: Any) -> Any:
    """Leave out the titles that only repeat names, and say that a duration may also be written with its unit."""
    if isinstance(node, list):
        return [_tidy(member) for member in node]
    if not isinstance(node, dict):
        return node
    if "ge" in node and "le" in node:  # a duration: the model reads `90s` before it compares
        seconds = {"type": "number", "minimum": node["ge"], "maximum": node["le"]}
        if "exclusiveMinimum" in node:
            seconds["exclusiveMinimum"] = node["exclusiveMinimum"]
        told = {key: node[key] for key in ("description", "default") if key in node}
        return {"anyOf": [seconds, _DURATION], **told}
    return {
        key: {name: _tidy(member) for name, member in value.items()}
        if key in ("properties", "$defs") and isinstance(value, dict)
        else _tidy(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str))
    }


def main(arguments: list[str]) -> int:
    """Write the published schema, or with `--check` return 1 where it is not current."""
    if "--check" in arguments:
        return 0 if PAGE.read_text(encoding="utf-8") == schema_text() else 1
    PAGE.write_text(schema_text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
