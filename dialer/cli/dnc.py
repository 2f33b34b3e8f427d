"""`dialer dnc ...`: numbers and people who must not be called, and the registries of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dialer.errors import ConfigError

if TYPE_CHECKING:
    from dialer.adapters.registry_file import RegisteredNumbers
    from dialer.adapters.store.redis import RedisStore
    from dialer.ports import RegistryInfo

DO_NOT_CALL = "do_not_call"
_KINDS = ("number", "person")


def add(
    *keys: str,
    reason: str = "",
    file: Path | None = None,
    country: str = "",
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Forbid numbers or people for ever, in every campaign that shares the store.

    A call to one that rings now is hung up; it is never dialled again.

    Parameters
    ----------
    keys
        Numbers in E.164 (+51...), or `person:ID`.
    reason
        How it came about, for the audit log.
    file
        A file of more numbers, one a line, or CSV with a column of numbers. People: `dialer lead stop --file`.
    country
        The country of numbers without a country code, as PE.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    from dialer.cli.loop import run_async
    from dialer.cli.record_key import read_keys
    from dialer.cli.safe_text import say

    if not keys and file is None:
        raise ConfigError("expected numbers or people to forbid, or --file")
    # All is read before anything is written.
    found = [form for key in keys for form in read_keys(key, _KINDS, country)]
    rejected = None
    if file is not None:
        from dialer.adapters.registry_file import read_registry

        read = read_registry(file, country=country)
        found += [f"number:{number}" for number in read.numbers]
        rejected = read.rejected_path
    code = run_async(_add(list(dict.fromkeys(found)), reason or (str(file) if file else ""), data, redis_url))
    if rejected is not None:
        say(f"{file}: {read.rejected:,} lines without a number are in {rejected}")
        return 1
    return code


async def _add(keys: list[str], reason: str, data: Path, redis_url: str | None) -> int:
    from dialer.cli.record_store import open_records, stop_all

    async with open_records(redis_url, data) as store:
        await stop_all(store, [(key, DO_NOT_CALL) for key in keys], data, "dnc add", source=reason)
    return 0


def remove(
    key: str,
    *,
    reason: str,
    country: str = "",
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Take back a request not to be called. A stop for another reason stays: `dialer lead lift` takes that back.

    Parameters
    ----------
    key
        A number in E.164 (+51...), or `person:ID`.
    reason
        Why it may be called again, for the audit log.
    country
        The country of a number without a country code, as PE.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    from dialer.cli.loop import run_async
    from dialer.cli.record_key import read_keys

    return run_async(_remove(read_keys(key, _KINDS, country), reason, data, redis_url))


async def _remove(keys: tuple[str, ...], reason: str, data: Path, redis_url: str | None) -> int:
    from dialer.cli.record_store import lift, note, open_records
    from dialer.cli.safe_text import say

    async with open_records(redis_url, data) as store:
        lifted = [key for key in keys if await lift(store, key, data, DO_NOT_CALL)]
        others = {key: ", ".join(left) for key in keys if (left := await store.stopped(key))}
        for key in lifted:
            note(data, "dnc remove", key=key, reason=reason)
            if key not in others:
                say(f"{key} is stopped no more; a campaign that gave it up dials it again from its next run on")
        for key, why in others.items():
            if key in lifted:
                say(f"the request of {key} is taken back; it stays stopped ({why}): see `dialer lead lift`")
            else:
                note(data, "dnc remove", refused=f"stopped for another reason: {why}", key=key, reason=reason)
                say(f"{key} stays stopped ({why}): that is no request not to be called; see `dialer lead lift`")
        if not lifted and not others:
            say(f"{keys[0]} was not stopped")
        listed = [] if not keys[0].startswith("number:") else await _listed(store, keys)
        if listed:
            say(f"it is still on {', '.join(listed)}: only a new file of a registry changes that")
    return 0 if lifted else 1


async def _listed(store: RedisStore, keys: tuple[str, ...]) -> list[str]:
    names = [name for key in keys for name in await store.registries_of(key.removeprefix("number:"))]
    return sorted(set(names))


def import_registry(
    file: Path,
    *,
    registry: str,
    as_of: str,
    country: str = "",
    force: bool = False,
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Put a file in the place of a registry's numbers, all at once; where the file is bad, the old ones stay.

    Reads CSV with a column of numbers, or one number a line, plain, .gz or .zip with one file. Lines without a number
    are counted and written to `FILE.rejected.csv`. Exits 1 where there are any, 2 where nothing was imported.

    Parameters
    ----------
    file
        The registry's file.
    registry
        The registry's name in the rules (`dialer compliance rules`) or in a campaign's dnc_registries.
    as_of
        The date for which the file is right, as 2026-11-20 (its first moment, UTC), or a time with its offset. Rules
        may forbid calls where that is too long ago.
    country
        The country of numbers without a country code, as PE.
    force
        Take the file though it has less than half of the numbers of the present copy, is older than it, or most of its
        lines are no valid numbers.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    import re
    import time

    from dialer.adapters.registry_file import read_registry
    from dialer.cli.loop import run_async
    from dialer.cli.record_store import past_moment
    from dialer.cli.safe_text import make_console, say
    from dialer.config.campaign import NAME

    if not re.fullmatch(NAME, registry):
        raise ConfigError(f"--registry {registry!r}: expected letters, digits, dots, dashes or underscores")
    right_at = past_moment("--as-of", as_of, time.time())
    console = make_console(stderr=True)
    with console.status("reading") as status:
        read = read_registry(
            file, country=country, force=force, on_lines=lambda lines: status.update(f"read {lines:,} lines")
        )
        status.update(f"importing {len(read.numbers):,} numbers")
        counted = run_async(_replace(registry, read.numbers, right_at, file, data, redis_url, force=force))
    say(f"{registry}: {counted:,} numbers as of {as_of}, from {file} ({read.lines:,} lines)")
    if registry not in _asked_for():
        say(f"no rule of ours asks for {registry}: it counts where a campaign names it in dnc_registries")
    if read.rejected:
        say(f"{read.rejected:,} lines without a number are in {read.rejected_path}")
    return 1 if read.rejected else 0


def _asked_for() -> frozenset[str]:
    """The registries that some rule of ours asks for."""
    from dialer.config.rule_packs import built_in_profiles

    return frozenset(name for profile in built_in_profiles() if profile.dnc for name in profile.dnc.registries)


async def _replace(
    name: str, numbers: RegisteredNumbers, as_of: float, file: Path, data: Path, redis_url: str | None, *, force: bool
) -> int:
    from dialer.cli.record_store import note, open_records, written

    async with open_records(redis_url, data, create=True) as store:
        before = next((info for info in await store.registries() if info.name == name), None)
        fault = "" if before is None or force else _doubt(before, len(numbers), as_of)
        note(
            data,
            "dnc import",
            refused=fault,
            registry=name,
            numbers=len(numbers),
            as_of=written(as_of),
            file=str(file),
        )
        if fault:
            raise ConfigError(f"{file}: {fault}: nothing was imported; --force takes it")
        return await store.replace_registry(name, numbers, as_of=as_of, source=str(file))


def _doubt(before: RegistryInfo, count: int, as_of: float) -> str:
    """Say why a file looks wrong beside the present copy; empty where it does not."""
    from dialer.cli.record_store import written

    if 2 * count < before.count:
        return f"expected about the {before.count:,} numbers of the present copy of {before.name}, found {count:,}"
    if as_of < before.as_of:
        return f"expected a file newer than the present copy of {before.name}, as of {written(before.as_of)}"
    return ""


def check(
    number: str,
    *,
    country: str = "",
    json: bool = False,
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Say on which registries a number is, and what stops it. Exits 1 where it must not be called.

    Whether a registry counts for a campaign is the rules' to say: `dialer why NUMBER`.

    Parameters
    ----------
    number
        The number in E.164 (+51...).
    country
        The country of a number without a country code, as PE.
    json
        Print JSON.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    from dialer.cli.loop import run_async
    from dialer.cli.record_key import read_number_forms

    return run_async(_check(read_number_forms(number, country), data, redis_url, json=json))


async def _check(forms: tuple[str, ...], data: Path, redis_url: str | None, *, json: bool) -> int:
    import msgspec

    from dialer.cli.record_store import open_records, written
    from dialer.cli.safe_text import safe_json, say

    async with open_records(redis_url, data) as store:
        names = {name for form in forms for name in await store.registries_of(form)}
        on = [info for info in await store.registries() if info.name in names]
        stops = {key: reasons for key in await _stop_keys(store, forms) if (reasons := await store.stopped(key))}
    forbidden = bool(on or stops)
    if json:
        answer = {"number": forms[0], "may_be_called": not forbidden, "registries": on, "stops": stops}
        print(safe_json(msgspec.json.encode(answer).decode()))
        return int(forbidden)
    for info in on:
        say(f"on {info.name}, as of {written(info.as_of)}, imported {written(info.imported_at)} from {info.source}")
    for key, reasons in stops.items():
        say(f"stopped ({', '.join(reasons)}): {key}")
    if not forbidden:
        say(f"{forms[0]} is on no registry here, and nothing stops it")
    return int(forbidden)


async def _stop_keys(store: RedisStore, forms: tuple[str, ...]) -> list[str]:
    """The stops that may forbid a number: its own, and those of everybody on a list who has it."""
    from compliance.ruleset import EVERYTHING

    keys = [EVERYTHING, *(f"number:{form}" for form in forms)]
    for form in forms:
        for _, lead, _ in await store.find_number(form):
            keys += [f"lead:{lead.lead_id}", f"person:{lead.person}", f"debt:{lead.debt}"]
            keys += [f"account:{lead.account}"] if lead.account else []
            keys += [f"work:{lead.person}" for number in lead.numbers if number.e164 == form and number.use == "work"]
    return list(dict.fromkeys(keys))


def list_registries(*, json: bool = False, data: Path = Path(".cadencia"), redis_url: str | None = None) -> int:
    """List the registries that were imported: how old, how many numbers, from where.

    Parameters
    ----------
    json
        Print JSON.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    from dialer.cli.loop import run_async

    return run_async(_list(data, redis_url, json=json))


async def _list(data: Path, redis_url: str | None, *, json: bool) -> int:
    import time

    import msgspec

    from dialer.cli.record_store import open_records, written
    from dialer.cli.safe_text import safe_json, say

    async with open_records(redis_url, data) as store:
        infos = await store.registries()
    if json:
        print(safe_json(msgspec.json.encode(infos).decode()))
        return 0
    for info in infos:
        age_days = (time.time() - info.as_of) / 86400
        say(
            f"{info.name}: {info.count:,} numbers as of {written(info.as_of)} ({age_days:.0f} days), from {info.source}"
        )
    if not infos:
        say("no registry was imported: dialer dnc import FILE --registry NAME --as-of DATE")
    return 0
