"""Fills `@NAME@` marks in the lab's configurations and scenarios."""

from __future__ import annotations

import re
from collections.abc import Mapping


def render(text: str, values: Mapping[str, object]) -> str:
    """Return `text` with every `@NAME@` (capitals, digits, underscores) replaced; `KeyError` for an unknown one."""
    return re.sub(r"@([A-Z][A-Z0-9_]*)@", lambda mark: str(values[mark[1]]), text)
