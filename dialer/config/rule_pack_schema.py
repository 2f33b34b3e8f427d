"""The JSON schema of rule packs, for editors and for programs that write packs.

.venv/bin/python -m dialer.config.rule_pack_schema            # write docs/rule_pack.schema.json
.venv/bin/python -m dialer.config.rule_pack_schema --check    # say whether it is current
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from dialer.config.rule_pack_file import OwnPack

PAGE = Path(__file__).parents[2] / "docs" / "rule_pack.schema.json"


def rule_pack_schema() -> dict[str, Any]:
    """Return the schema, JSON Schema 2020-12. What binds two keys together is checked by the program alone."""
    schema: dict[str, Any] = _untitled(OwnPack.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Cadencia rule pack", **schema}


def schema_text() -> str:
    """Return the schema as it is published."""
    return json.dumps(rule_pack_schema(), indent=1, ensure_ascii=False) + "\n"


def _untitled(node: Any) -> Any:
    """Leave out the titles that only repeat names."""
    if isinstance(node, list):
        return [_untitled(member) for member in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: _untitled(member) for name, member in value.items()}
        if key in ("properties", "$defs")
        else _untitled(value)
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
