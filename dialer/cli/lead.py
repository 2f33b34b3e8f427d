"""`dialer lead ...`: single leads."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

StopReason = Literal["paid", "disputed", "do_not_call", "deceased", "attorney", "cease_request"]


def stop(
    key: str,
    *,
    reason: StopReason,
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Stop a lead, a number or a person for ever, in every campaign that shares the store.

    A call to it that rings now is hung up; it is never dialled again.

    Parameters
    ----------
    key
        A lead's id, a number in E.164 (+51...), or `person:ID`.
    reason
        Why; it stands in the record.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    from dialer.cli.loop import run_async

    return run_async(_stop(_stop_key(key), reason, data, redis_url))


def _stop_key(key: str) -> str:
    """Read what a person means: `+51...` is a number, `person:ID` a person, all else a lead's id."""
    from dialer.errors import ConfigError

    kind, colon, rest = key.partition(":")
    if not colon or kind not in ("lead", "person", "number"):
        kind, rest = ("number" if key.startswith("+") else "lead"), key
        if key.isdigit() and len(key) >= 10:
            raise ConfigError(f"{key}: expected +{key} for a number, or lead:{key} for a lead of that id")
    if not rest.strip() or any(ord(sign) < 32 for sign in rest):
        raise ConfigError(f"{key!r}: expected a lead's id, a number such as +51999000111, or person:ID")
    if kind == "number" and not (rest[:1] == "+" and rest[1:].isdigit() and 7 <= len(rest[1:]) <= 15):
        raise ConfigError(f"{key}: expected a number in E.164, as in +51999000111")
    return f"{kind}:{rest}"


async def _stop(key: str, reason: str, data: Path, redis_url: str | None) -> int:
    from dialer.adapters.store.redis import open_store
    from dialer.cli.safe_text import say
    from dialer.errors import ConfigError

    if redis_url is None and not (data / "store").is_dir():
        raise ConfigError(f"{data}: no store here, so nothing was stopped: name the campaign's data folder with --data")
    async with open_store(redis_url, data) as store:
        await store.stop(key, reason)
    say(f"{key} is stopped ({reason}): it will not be dialled again")
    return 0
