"""Logs: one JSON object a line, in a file of mode 600, with numbers masked."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import orjson
import structlog

# A telephone number as people write it: at least seven digits, with single spaces, dots, dashes or brackets between.
_NUMBER = r"\+?\d(?:[ .()/-]{0,2}\d){6,14}"
# A date or time in ISO 8601 is none, unless more digits go before it or follow.
_TIME = (
    r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?(?![ .()/-]{0,2}\d)"
)
_MODEL = r"\bm-\d{8}-\d{6}-[0-9a-f]{4}\b"  # a version of a campaign's models
_FOUND = re.compile(rf"(?P<kept>{_TIME}|{_MODEL})|{_NUMBER}")
_KEPT = frozenset({"timestamp", "attempt_id", "run", "level"})


def mask(text: str) -> str:
    """Hide the middle of every telephone number, three digits at least: +51999000111 becomes +5199•••111."""
    return _FOUND.sub(_hidden, text)


def _hidden(match: re.Match[str]) -> str:
    number = match[0]
    if match["kept"] is not None:
        return number
    tail = 3 if len(number) >= 10 else 2
    head = max(0, min(5, len(number) - tail - 4))
    return f"{number[:head]}•••{number[-tail:]}"


def mask_numbers(_: Any, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """A structlog processor that masks numbers wherever text stands, also nested and in errors; ids and times stay."""
    return {key: value if key in _KEPT else _masked(value) for key, value in event.items()}


def _masked(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {mask(str(key)): _masked(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(entry) for entry in value]
    return mask(str(value))


def set_up_logs(path: Path) -> None:
    """Write the program's logs to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = path.open("ab", buffering=0)
    path.chmod(0o600)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_numbers,
            structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event, default=str)),
        ],
        logger_factory=structlog.BytesLoggerFactory(file),
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        cache_logger_on_first_use=False,
    )
