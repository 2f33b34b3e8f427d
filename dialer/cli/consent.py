"""`dialer consent ...`: who agreed to be called, about what, since when and until when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from compliance.rule import Scope
from dialer.errors import ConfigError

if TYPE_CHECKING:
    from dialer.adapters.record_rows import RecordRow
    from dialer.ports import Consent

_KINDS = ("number", "person")
_SCOPES: tuple[str, ...] = get_args(Scope)
MAX_SOURCE = 500  # characters


def give(
    key: str,
    *,
    scope: Scope,
    source: str,
    at: str | None = None,
    expires: str | None = None,
    country: str = "",
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Record a consent, in place of an earlier one of that scope.

    Parameters
    ----------
    key
        A number in E.164 (+51...), or `person:ID`.
    scope
        What the person agreed to be called about.
    source
        Where it is written down: a contract, a recording, a form.
    at
        When it was given, as 2026-11-20 or 2026-11-20T10:00-05:00; now if not named.
    expires
        When it ends, written the same way.
    country
        The country of a number without a country code, as PE.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    import time

    from dialer.cli.loop import run_async
    from dialer.cli.record_key import read_keys

    consent = _consent(source, at or "", expires or "", time.time())
    # Of a number with several forms the most likely one alone: a consent is for the number that was named.
    entries = [(f"{scope}|{read_keys(key, _KINDS, country)[0]}", consent)]
    run_async(_give(entries, data, redis_url, what="consent give"))
    return 0


def _consent(source: str, at: str, expires: str, now: float) -> Consent:
    """Check what is told of a consent. Raises `ConfigError`."""
    from dialer.cli.record_store import moment, past_moment
    from dialer.ports import Consent

    if not source.strip() or len(source) > MAX_SOURCE:
        raise ConfigError(f"source: expected where the consent is written down, in at most {MAX_SOURCE} characters")
    given_at = past_moment("at", at, now) if at else now
    expires_at = moment("expires", expires) if expires else None
    if expires_at is not None and expires_at <= given_at:
        raise ConfigError(f"expires {expires}: expected a time after the consent was given")
    return Consent(source=source.strip(), at=given_at, expires_at=expires_at)


async def _give(entries: list[tuple[str, Consent]], data: Path, redis_url: str | None, *, what: str) -> None:
    from dialer.cli.record_store import note, open_records, written
    from dialer.cli.safe_text import say

    async with open_records(redis_url, data) as store:
        for key, consent in entries:
            await store.give_consent(key, consent)
            until = "" if consent.expires_at is None else written(consent.expires_at)
            note(data, what, key=key, source=consent.source, at=written(consent.at), expires=until)
        if what == "consent give":
            for key, consent in entries:
                say(f"{_shown(key)}: {_told(consent)}")


def revoke(
    key: str,
    *,
    scope: Scope | None = None,
    reason: str = "",
    country: str = "",
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Take back a consent. Who does not want to be called at all: `dialer dnc add`.

    Parameters
    ----------
    key
        A number in E.164 (+51...), or `person:ID`.
    scope
        Which consent; all of them if not named.
    reason
        How it came about, for the audit log.
    country
        The country of a number without a country code, as PE.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    from dialer.cli.loop import run_async
    from dialer.cli.record_key import read_keys

    scopes = _SCOPES if scope is None else (scope,)
    keys = [f"{each}|{form}" for form in read_keys(key, _KINDS, country) for each in scopes]
    return run_async(_revoke(keys, reason, data, redis_url))


async def _revoke(keys: list[str], reason: str, data: Path, redis_url: str | None) -> int:
    from dialer.cli.record_store import note, open_records
    from dialer.cli.safe_text import say

    async with open_records(redis_url, data) as store:
        revoked = [key for key in keys if await store.revoke_consent(key)]
        for key in revoked:
            note(data, "consent revoke", key=key, reason=reason)
            say(f"{_shown(key)}: revoked")
    if not revoked:
        say(f"{keys[0].partition('|')[2]}: no such consent was recorded")
    return 0 if revoked else 1


def import_consents(
    file: Path,
    *,
    scope: Scope | None = None,
    source: str = "",
    country: str = "",
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Record the consents of a CSV file, each in place of an earlier one.

    Columns: key, person or number; scope and source, where the options do not name them; at (needed), expires. Rows
    that cannot be read go to `FILE.rejected.csv`; the rest is recorded, and the exit code is 1.

    Parameters
    ----------
    file
        The file.
    scope
        What rows without a scope of their own are about.
    source
        Where the consents of rows without a source of their own are written down.
    country
        The country of numbers without a country code, as PE.
    data
        The data folder of the campaign (the embedded store).
    redis_url
        The server, where the campaign uses one.
    """
    import time

    from dialer.adapters.record_rows import open_record_file
    from dialer.adapters.rejected_rows import RejectedRows
    from dialer.cli.loop import run_async
    from dialer.cli.safe_text import say

    wanted = [("key", "number", "person"), ("at",)]
    wanted += [*([] if scope else [("scope",)]), *([] if source else [("source",)])]
    read = open_record_file(file, wanted)
    now = time.time()
    entries: list[tuple[str, Consent]] = []
    with RejectedRows(file, header=read.header, separator=read.separator) as rejected:
        for row in read.rows():
            try:
                entries += _entries(row, scope or "", source, country, now)
            except ConfigError as fault:
                rejected.add(row.line, str(fault), row.cells)
        run_async(_give(entries, data, redis_url, what="consent import"))
        path = rejected.keep()
    say(f"{file}: {len(entries):,} consents recorded")
    if path is not None:
        say(f"{rejected.count:,} rows were not and are in {path}; the first: {rejected.first}")
    return 1 if rejected.count else 0


def _entries(row: RecordRow, scope: str, source: str, country: str, now: float) -> list[tuple[str, Consent]]:
    from dialer.cli.record_key import read_keys

    about = row.get("scope").casefold() or scope
    if about not in _SCOPES:
        raise ConfigError(f"expected a scope, one of {', '.join(_SCOPES)}, was {about[:40]!r}")
    if not row.get("at"):
        raise ConfigError("expected when the consent was given")
    consent = _consent(row.get("source") or source, row.get("at"), row.get("expires"), now)
    named = [row.get("key")] if row.get("key") else []
    named += [f"{kind}:{row.get(kind)}" for kind in _KINDS if row.get(kind)]
    if not named:
        raise ConfigError("nobody is named in the row")
    return [(f"{about}|{read_keys(text, _KINDS, country)[0]}", consent) for text in named]


def check(
    key: str,
    *,
    country: str = "",
    json: bool = False,
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Show the consents under a key. Exits 1 where none holds today; how old one may be is the rules' to say.

    Parameters
    ----------
    key
        A number in E.164 (+51...), or `person:ID`.
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
    from dialer.cli.record_key import read_keys

    keys = [f"{scope}|{form}" for form in read_keys(key, _KINDS, country) for scope in _SCOPES]
    return run_async(_check(keys, data, redis_url, json=json))


async def _check(keys: list[str], data: Path, redis_url: str | None, *, json: bool) -> int:
    import time

    import msgspec

    from dialer.cli.record_store import open_records
    from dialer.cli.safe_text import safe_json, say

    async with open_records(redis_url, data) as store:
        found = await store.consents_of(keys)
    now = time.time()
    holds = any(consent.expires_at is None or now < consent.expires_at for consent in found.values())
    if json:
        print(safe_json(msgspec.json.encode({"holds": holds, "consents": found}).decode()))
        return 0 if holds else 1
    for key, consent in found.items():
        over = consent.expires_at is not None and consent.expires_at <= now
        say(f"{_shown(key)}: {_told(consent)}{' (over)' if over else ''}")
    if not found:
        say(f"{keys[0].partition('|')[2]}: no consent is recorded")
    return 0 if holds else 1


def _shown(key: str) -> str:
    scope, _, whom = key.partition("|")
    return f"{whom}, {scope.replace('_', ' ')}"


def _told(consent: Consent) -> str:
    from dialer.cli.record_store import written

    until = "" if consent.expires_at is None else f" until {written(consent.expires_at)}"
    return f"consent since {written(consent.at)}{until}, from {consent.source}"
