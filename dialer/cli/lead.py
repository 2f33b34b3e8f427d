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

    if not key.strip() or any(ord(sign) < 32 for sign in key):
        raise ConfigError(f"{key!r}: expected a lead's id, a number such as +51999000111, or person:ID")
    if key.startswith("+"):
        if not key[1:].isdigit():
            raise ConfigError(f"{key}: expected a number in E.164, as in +51999000111")
        return f"number:{key}"
    return key if key.startswith(("person:", "lead:", "number:")) else f"lead:{key}"


async def _stop(key: str, reason: str, data: Path, redis_url: str | None) -> int:
    from dialer.adapters.store.redis import open_store
    from dialer.cli.safe_text import say

    async with open_store(redis_url, data) as store:
        await store.stop(key, reason)
    say(f"{key} is stopped ({reason}): it will not be dialled again")
    return 0
