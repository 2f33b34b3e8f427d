"""The store as commands on people's records use it, and the audit log of what they order."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.errors import ConfigError

if TYPE_CHECKING:
    from dialer.adapters.audit import Value
    from dialer.adapters.store.redis import RedisStore

AT_ONCE = 100  # calls to the store
SHOWN = 20  # stops one by one; of more only the count is told
_KEYS = frozenset({"key", "person"})  # the values of an order that are ids, of numbers or others
LATE_CLOCK_S = 300.0  # a clock elsewhere may be ahead of ours


@contextlib.asynccontextmanager
async def open_records(redis_url: str | None, data: Path, *, create: bool = False) -> AsyncIterator[RedisStore]:
    """Open the store of a data folder or server. Without `create` one that is not there raises `ConfigError`: in a new
    store nothing would be stopped."""
    from dialer.adapters.store.redis import open_store

    if redis_url is None and not create and not (data / "store").is_dir():
        raise ConfigError(
            f"{data}: no store here, so nothing was done: name the campaign's data folder with --data "
            "(`dialer check CAMPAIGN` makes a new one)"
        )
    async with open_store(redis_url, data) as store:
        yield store


def note(data: Path, what: str, *, refused: str = "", **values: Value) -> None:
    """Write an order to the data folder's audit log.

    Telephone numbers are masked; ids are the company's own and stay readable, so that it is known whom it was about.
    """
    from dialer.adapters.audit import audit_log, myself
    from dialer.adapters.logs import mask

    new = {name: _shown(name, value, mask) if isinstance(value, str) else value for name, value in values.items()}
    audit_log(data).write(myself(), "*", what, new=new, refused=mask(refused))


def _shown(name: str, value: str, mask: Callable[[str], str]) -> str:
    """A value of an order: of a key what names a number is masked, `+51...` or a key of one; else numbers in a text."""
    if name in _KEYS and "number:" not in value and "+" not in value:
        return value
    return mask(value)


async def stop_all(
    store: RedisStore, stops: Sequence[tuple[str, str]], data: Path, what: str, *, source: str = ""
) -> None:
    """Set (key, reason) stops and say so; of many only how many. The order `what` is in the audit log first."""
    import asyncio

    from dialer.cli.safe_text import say

    few = len(stops) <= SHOWN
    if few:
        for key, reason in stops:
            note(data, what, key=key, reason=reason, source=source)
    else:
        note(data, what, keys=len(stops), source=source)
    for start in range(0, len(stops), AT_ONCE):
        chunk = stops[start : start + AT_ONCE]
        before = await asyncio.gather(*(store.stopped(key) for key, _ in chunk))
        await asyncio.gather(*(store.stop(key, reason) for key, reason in chunk))
        for (key, reason), earlier in zip(chunk, before, strict=True) if few else ():
            already = f" (it was stopped already: {', '.join(earlier)})" if earlier else ""
            say(f"{key} is stopped ({reason}): it will not be dialled again{already}")
    if not few:
        say(f"{len(stops):,} are stopped: they will not be dialled again")


async def lift(store: RedisStore, key: str, data: Path, reason: str | None = None) -> tuple[str, ...]:
    """Take a stop back, or that one reason of it; returns those taken back. `dialer compliance audit` is told."""
    import time

    from dialer.adapters.lifted_stops import LiftedStop, note_lifted

    at = time.time()
    lifted = await store.lift(key, reason)
    if lifted:
        note_lifted(data, LiftedStop(at=at, key=key, reasons=lifted))
    return lifted


def moment(option: str, text: str) -> float:
    """Read a date (its first moment, UTC) or a time with its offset, as UTC seconds. Raises `ConfigError`."""
    from dialer.adapters.question_file import read_moment

    try:
        if len(text) == len("2026-11-20"):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
        return read_moment(text).timestamp()
    except ValueError as fault:
        raise ConfigError(
            f"{option} {text[:40]!r}: expected a date or a time with its offset, as 2026-11-20 or "
            "2026-11-20T10:00-05:00"
        ) from fault


def past_moment(option: str, text: str, now: float) -> float:
    """Like `moment`; raises `ConfigError` for what is still to come."""
    at = moment(option, text)
    if at > now + LATE_CLOCK_S:
        raise ConfigError(f"{option} {text}: expected a time that has come, this one is yet to come")
    return at


def written(at: float) -> str:
    """A time as UTC in ISO 8601, to the second."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
