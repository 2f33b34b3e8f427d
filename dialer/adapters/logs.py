"""Logs: one JSON object a line, in a file of mode 600, with numbers masked."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import orjson
import structlog

_NUMBER = re.compile(r"\+?\d{8,15}")


def mask(text: str) -> str:
    """Hide the middle of every telephone number: +51999000111 becomes +5199•••111."""
    return _NUMBER.sub(lambda match: f"{match[0][:5]}•••{match[0][-3:]}", text)


def mask_numbers(_: Any, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """A structlog processor that masks numbers in every text value; ids under `attempt_id` and times stay."""
    return {
        key: mask(value) if isinstance(value, str) and key != "timestamp" else value for key, value in event.items()
    }


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
