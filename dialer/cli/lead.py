"""`dialer lead stop|lift|hours`: single leads, numbers and people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from cyclopts import Parameter

from dialer.errors import ConfigError

if TYPE_CHECKING:
    from dialer.adapters.record_rows import RecordRow

StopReason = Literal[
    "paid",
    "disputed",
    "do_not_call",
    "deceased",
    "attorney",
    "cease_request",
    "employer",
    "third_party",
    "minor",
    "fraud",
    "bankrupt",
    "identity_theft",
]
_REASONS: tuple[str, ...] = get_args(StopReason)


def stop(
    key: str | None = None,
    *,
    reason: StopReason | None = None,
    file: Path | None = None,
    country: str = "",
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Stop a lead, a number, a person, a debt or an account for ever, in every campaign that shares the store.

    A call to it that rings now is hung up; it is never dialled again.

    Parameters
    ----------
    key
        A lead's id, a number in E.164 (+51...), `person:ID`, `debt:ID`, `account:ID`, or `work:ID`: the numbers of
        that person's place of work.
    reason
        Why; it stands in the record.
    file
        CSV with more of them: a column `key` (or person, debt, account, number), and `reason` where they differ. Rows
        that cannot be read go to `FILE.rejected.csv`; the rest is stopped, and the exit code is 1.
    country
        The country of numbers without a country code, as PE.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    from dialer.cli.loop import run_async
    from dialer.cli.record_key import read_keys

    stops: list[tuple[str, str]] = []
    if key is not None:
        if reason is None:
            raise ConfigError(f"expected --reason, one of {', '.join(_REASONS)}")
        stops = [(form, reason) for form in read_keys(key, country=country)]
        _check_reason(stops[0][0], reason)
    elif file is None:
        raise ConfigError("expected whom to stop, or --file")
    rejected = 0
    if file is not None:
        more, rejected = _stops_of_file(file, reason or "", country)
        stops += more
    run_async(_stop(list(dict.fromkeys(stops)), str(file or ""), data, redis_url))
    return 1 if rejected else 0


def _stops_of_file(file: Path, reason: str, country: str) -> tuple[list[tuple[str, str]], int]:
    from dialer.adapters.record_rows import open_record_file
    from dialer.adapters.rejected_rows import RejectedRows
    from dialer.cli.safe_text import say

    wanted = [("key", "number", "person", "debt", "account"), *([] if reason else [("reason",)])]
    read = open_record_file(file, wanted)
    stops: list[tuple[str, str]] = []
    with RejectedRows(file, header=read.header, separator=read.separator) as rejected:
        for row in read.rows():
            try:
                stops += _stops_of_row(row, reason, country)
            except ConfigError as fault:
                rejected.add(row.line, str(fault), row.cells)
        path = rejected.keep()
    if path is not None:
        say(f"{file}: {rejected.count:,} rows stop nobody and are in {path}; the first: {rejected.first}")
    return stops, rejected.count


def _stops_of_row(row: RecordRow, reason: str, country: str) -> list[tuple[str, str]]:
    from dialer.cli.record_key import read_keys

    why = (row.get("reason") or reason).casefold().replace(" ", "_").replace("-", "_")
    if why not in _REASONS:
        raise ConfigError(f"expected a reason, one of {', '.join(_REASONS)}, was {why[:40]!r}")
    named = [row.get("key")] if row.get("key") else []
    named += [f"{kind}:{row.get(kind)}" for kind in ("number", "person", "debt", "account") if row.get(kind)]
    keys = [form for text in named for form in read_keys(text, country=country)]
    if not keys:
        raise ConfigError("nobody is named in the row")
    for key in keys:
        _check_reason(key, why)
    return [(key, why) for key in keys]


def _check_reason(key: str, reason: str) -> None:
    """Raise `ConfigError` where the employer's word would stop the whole person: it is about the place of work."""
    if reason == "employer" and key.partition(":")[0] not in ("work", "number"):
        raise ConfigError(f"{key}: expected work:PERSON or the number at work for the reason employer")


async def _stop(stops: list[tuple[str, str]], source: str, data: Path, redis_url: str | None) -> None:
    from dialer.cli.record_store import open_records, stop_all

    async with open_records(redis_url, data) as store:
        await stop_all(store, stops, data, "lead stop", source=source)


def lift(
    key: str,
    *,
    reason_text: str,
    reason: StopReason | None = None,
    country: str = "",
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Take back a stop: every reason of it, or one. What is stopped for several stays stopped until all are taken back.

    A running campaign that gave the lead up dials it again from its next run.

    Parameters
    ----------
    key
        As for `dialer lead stop`.
    reason_text
        Why it may be dialled again, for the audit log.
    reason
        The one reason to take back; without it, all.
    country
        The country of a number without a country code, as PE.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    from dialer.cli.loop import run_async
    from dialer.cli.record_key import read_keys

    if not reason_text.strip():
        raise ConfigError("--reason-text: expected why it may be dialled again")
    return run_async(_lift(read_keys(key, country=country), reason, reason_text, data, redis_url))


async def _lift(keys: tuple[str, ...], reason: str | None, why: str, data: Path, redis_url: str | None) -> int:
    from dialer.cli.record_store import lift, note, open_records
    from dialer.cli.safe_text import say

    done = stopped = False
    async with open_records(redis_url, data) as store:
        for key in keys:
            lifted = ", ".join(await lift(store, key, data, reason))
            left = ", ".join(await store.stopped(key))
            if not lifted:
                if left:
                    stopped = True
                    say(f"{key} is stopped for {left}, not for {reason}")
                continue
            done = True
            note(data, "lead lift", key=key, stopped_for=lifted, reason=why)
            if left:
                say(f"{key} stays stopped ({left}), no more for {lifted}")
            else:
                say(f"{key} is stopped no more (it was: {lifted})")
                say("a running campaign that gave it up dials it again from its next run on")
        if not (done or stopped):
            say(f"{keys[0]} was not stopped")
    return 0 if done else 1


def hours(
    person: str,
    *,
    not_: Annotated[tuple[str, ...], Parameter(name="--not")] = (),
    clear: bool = False,
    show: bool = False,
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Keep the hours in which a person said they cannot be called, by the clock where they are.

    Parameters
    ----------
    person
        The person's id.
    not_
        Days, hours or both, as "mon-fri 09:00-17:00", "sun" or "20:00-08:00"; they come on top of what is there.
    clear
        Forget what is there first.
    show
        Print what is there, and change nothing.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    from dialer.cli.inconvenient_hours import read_hours
    from dialer.cli.loop import run_async
    from dialer.cli.record_key import read_keys

    text = person if person.startswith("person:") else f"person:{person}"
    name = read_keys(text, ("person",))[0].removeprefix("person:")
    if show and (not_ or clear):
        raise ConfigError("--show: expected by itself, for it changes nothing")
    if not (show or not_ or clear):
        raise ConfigError('expected --not "mon-fri 09:00-17:00", --clear or --show')
    return run_async(_hours(name, read_hours(not_), data, redis_url, clear=clear, show=show))


async def _hours(
    person: str, spans: tuple[tuple[int, int, int], ...], data: Path, redis_url: str | None, *, clear: bool, show: bool
) -> int:
    from dialer.cli.inconvenient_hours import join_spans, show_hours
    from dialer.cli.record_store import note, open_records
    from dialer.cli.safe_text import say

    async with open_records(redis_url, data) as store:
        before = await store.hours_of(person)
        kept = before if show else join_spans((*(() if clear else before), *spans))
        if not show:
            await store.set_hours(person, kept)
            note(data, "lead hours", person=person, old=show_hours(before), hours=show_hours(kept))
    say(f"person:{person} is not called {show_hours(kept)}, by their clock" if kept else f"person:{person}: no hours")
    return 0
