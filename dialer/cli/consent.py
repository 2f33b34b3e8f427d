"""`dialer consent ...`: who agreed to be called, about what, since when and until when."""

from __future__ import annotations

from dataclasses import dataclass
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
SHOWN = 20  # consents without effect, one by one


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

    It does not count where it was taken back since, and does not replace a newer one: then the exit code is 1.

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
    from dialer.cli.safe_text import say

    consent = _consent(source, at or "", expires or "", time.time())
    # Of a number with several forms the most likely one alone: a consent is for the number that was named.
    entries = [(f"{scope}|{read_keys(key, _KINDS, country)[0]}", consent)]
    told = run_async(_give(entries, data, redis_url, what="consent give"))
    for line in told.without_effect:
        say(line)
    if not told.without_effect:
        say(f"{_shown(entries[0][0])}: {_told(consent)}")
    return 1 if told.without_effect else 0


def _consent(source: str, at: str, expires: str, now: float) -> Consent:
    """Check what is told of a consent. Raises `ConfigError`."""
    from dialer.cli.record_store import moment, past_moment
    from dialer.ports import Consent

    if not source.strip() or len(source) > MAX_SOURCE:
        raise ConfigError(f"source: expected where the consent is written down, in at most {MAX_SOURCE} characters")
    given_at = min(past_moment("at", at, now), now) if at else now  # by a clock ahead: no revocation may miss it
    expires_at = moment("expires", expires) if expires else None
    if expires_at is not None and expires_at <= given_at:
        raise ConfigError(f"expires {expires}: expected a time after the consent was given")
    return Consent(source=source.strip(), at=given_at, expires_at=expires_at)


@dataclass(frozen=True, slots=True)
class _Given:
    """What became of consents: how many are recorded, and a line on each that has no effect, with why."""

    recorded: int
    without_effect: list[str]


async def _give(entries: list[tuple[str, Consent]], data: Path, redis_url: str | None, *, what: str) -> _Given:
    from dialer.adapters.consent_book import read_book
    from dialer.cli.record_store import note, open_records, written

    recorded, without_effect = 0, []
    async with open_records(redis_url, data) as store:
        for key, consent in entries:
            taken = await store.give_consent(key, consent)
            until = "" if consent.expires_at is None else written(consent.expires_at)
            refused = "" if taken else "a newer one is recorded"
            note(data, what, refused=refused, key=key, source=consent.source, at=written(consent.at), expires=until)
            recorded += taken
            if not taken:
                without_effect.append(f"{_shown(key)}: not recorded: there is one newer than {written(consent.at)}")
        book = await read_book(store, _where(redis_url, data), [key.partition("|")[2] for key, _ in entries])
    for key, consent in dict(entries).items():
        revoked = book.revoked_after(key) if book.consents.get(key) == consent else None
        if revoked is not None:
            by = f"{written(revoked[1])} under {revoked[0].partition('|')[2]}"
            without_effect.append(f"{_shown(key)}: recorded, but does not count: revoked {by}")
    return _Given(recorded, without_effect)


def _where(redis_url: str | None, data: Path) -> str | Path:
    """Return where the store is reached."""
    from dialer.adapters.store.embedded import EmbeddedValkey

    return redis_url or EmbeddedValkey(data).socket_path


def revoke(
    key: str,
    *,
    scope: Scope | None = None,
    at: str | None = None,
    reason: str = "",
    country: str = "",
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Take back a consent. Who does not want to be called at all: `dialer dnc add`.

    Nothing that was agreed to until then counts again, for the person or the number, whatever old record of it comes
    later. Of a number this holds for calls to it; of a person for all of theirs. Exits 1 where nothing was agreed to;
    the revocation is kept all the same.

    Parameters
    ----------
    key
        A number in E.164 (+51...), or `person:ID`.
    scope
        Which consent; all of them if not named.
    at
        When it was taken back, as 2026-11-20 or 2026-11-20T10:00-05:00; now if not named.
    reason
        How it came about, for the audit log.
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
    from dialer.cli.record_store import past_moment

    now = time.time()
    scopes = _SCOPES if scope is None else (scope,)
    since = min(past_moment("at", at, now), now) if at else now
    return run_async(_revoke(read_keys(key, _KINDS, country), scopes, since, reason, data, redis_url))


async def _revoke(
    forms: tuple[str, ...], scopes: tuple[str, ...], at: float, reason: str, data: Path, redis_url: str | None
) -> int:
    import time

    from dialer.adapters.consent_book import read_book
    from dialer.cli.record_store import note, open_records, written
    from dialer.cli.safe_text import say

    async with open_records(redis_url, data) as store:
        where = _where(redis_url, data)
        before = await read_book(store, where, forms)
        held = {key: consent for form in forms for key, consent in before.holding(at, form).items()}
        taken: list[str] = []
        for form in forms:
            for scope in scopes:
                note(data, "consent revoke", key=f"{scope}|{form}", reason=reason, at=written(at))
                if await store.revoke_consent(f"{scope}|{form}", at):
                    taken.append(f"{scope}|{form}")
        taken += [key for key in held if key.partition("|")[0] in scopes and key not in taken]
        book = await read_book(store, where, forms)
    for key in taken:
        say(f"{_shown(key)}: revoked: what was agreed to until {written(at)} no longer counts{_for_calls(key, forms)}")
    for key, consent in book.holding(time.time()).items():
        say(f"{_shown(key)}: {_told(consent)} stands{_elsewhere(key, forms)}")
    if not taken:
        say(f"{forms[0]}: no such consent was recorded; an older one that comes later will not count")
    return 0 if taken else 1


def _for_calls(key: str, forms: tuple[str, ...]) -> str:
    """To which calls a revocation under `forms` applies, where the consent is under another key."""
    whom = key.partition("|")[2]
    return "" if whom in forms else f" for calls to {forms[0].partition(':')[2]}"


def _elsewhere(key: str, forms: tuple[str, ...]) -> str:
    return " for their other numbers" if key.partition("|")[2] not in forms else ""


def import_consents(
    file: Path,
    *,
    scope: Scope | None = None,
    source: str = "",
    country: str = "",
    data: Path = Path(".cadencia"),
    redis_url: str | None = None,
) -> int:
    """Record the consents of a CSV file, each in place of an earlier one. One that was taken back since does not count.

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
        given = run_async(_give(entries, data, redis_url, what="consent import"))
        path = rejected.keep()
    say(f"{file}: {given.recorded:,} consents recorded")
    for line in given.without_effect[:SHOWN]:
        say(line)
    if len(given.without_effect) > SHOWN:
        say(f"and {len(given.without_effect) - SHOWN:,} more without effect")
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
    """Show the consents and revocations under a key and, as calls to them name both, of its person or numbers.

    Exits 1 where no consent holds today; how old one may be is the rules' to say.

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

    return run_async(_check(read_keys(key, _KINDS, country), data, redis_url, json=json))


async def _check(forms: tuple[str, ...], data: Path, redis_url: str | None, *, json: bool) -> int:
    import time

    import msgspec

    from dialer.adapters.consent_book import read_book
    from dialer.cli.record_store import open_records, written
    from dialer.cli.safe_text import safe_json, say

    async with open_records(redis_url, data) as store:
        book = await read_book(store, _where(redis_url, data), forms)
    now = time.time()
    holds = any(book.holding(now, form) for form in forms)
    if json:
        answer = {"holds": holds, "consents": book.consents, "revocations": book.revocations}
        print(safe_json(msgspec.json.encode(answer).decode()))
        return 0 if holds else 1
    for key, consent in book.consents.items():
        over = " (over)" if consent.expires_at is not None and consent.expires_at <= now else ""
        say(f"{_shown(key)}: {_told(consent)}{' (revoked)' if book.revoked_after(key) else over}")
    for key, at in book.revocations.items():
        say(f"{_shown(key)}: revoked {written(at)}: what was agreed to until then does not count")
    if not book.consents and not book.revocations:
        say(f"{forms[0]}: no consent is recorded")
    return 0 if holds else 1


def _shown(key: str) -> str:
    scope, _, whom = key.partition("|")
    return f"{whom}, {scope.replace('_', ' ')}"


def _told(consent: Consent) -> str:
    from dialer.cli.record_store import written

    until = "" if consent.expires_at is None else f" until {written(consent.expires_at)}"
    return f"consent since {written(consent.at)}{until}, from {consent.source}"
