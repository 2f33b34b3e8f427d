"""Questions to the rules, one JSON object a line: may this number be called at that time, after what has happened?

How it works: every line is a question or a fault with its line and its mend, never both, so that the answers can be
as many as the lines. Unknown keys are faults: a misspelt `subdivision` would change the law unnoticed. So are keys that
stand twice, and facts later than the call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, BinaryIO, get_args

import msgspec

from compliance.facts import Fact, FactKind
from compliance.rule import Channel, Scope
from dialer.config.names import meant
from dialer.errors import ConfigError

MAX_LINE = 1 << 20  # bytes
MAX_KEY = 128  # characters of an id, a person, a debt
MAX_SHOWN = 40  # characters of a value in a fault
FIRST_YEAR, LAST_YEAR = 2000, 2099  # of which calendars and clocks are known well enough

_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(?P<offset>[Zz]|[+-]\d\d(:?\d\d)?)?", re.ASCII)
_EXAMPLE = "2026-12-08T10:00-05:00"
_WHERE = re.compile(r" - at `\$\.?(?P<where>.*)`$", re.DOTALL)
_FIELD = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<key>.*)`$", re.DOTALL)
_TYPE = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<found>[^`]*)`")
_WORDS = {
    "str": "text in quotes",
    "int": "a number",
    "float": "a number with a fraction",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
    "int | str": "text or a whole number",
    "str | null": "text in quotes",
    "array | null": "a list",
}
_CHOICES = {"scope": get_args(Scope), "kind": get_args(FactKind), "channel": get_args(Channel)}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """May `number` be called at `at` (with the offset in which it was asked), after `history`?

    `person` and `debt` are empty where the question names none; the facts are the person's, none is later than `at`.
    """

    id: str | int
    line: int
    number: str
    at: datetime
    scope: Scope = "debt_collection"
    subdivision: str = ""
    postal: str = ""
    debt: str = ""
    person: str = ""
    history: tuple[Fact, ...] = ()


class BadQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A line that asks nothing that could be answered; `fault` is `file:line: key: mend`."""

    id: str | int | None
    line: int
    fault: str


class _Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: FactKind
    at: str
    debt: str | None = None
    channel: Channel = "voice"


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str | int
    number: str
    at: str
    scope: Scope = "debt_collection"
    subdivision: str | None = None
    postal: str | None = None
    debt: str | None = None
    person: str | None = None
    history: tuple[_Fact, ...] | None = None


class _Id(msgspec.Struct, frozen=True):
    id: str | int


_LINES = msgspec.json.Decoder(_Line)
_IDS = msgspec.json.Decoder(_Id)
_FACTS = msgspec.json.Decoder(tuple[_Fact, ...])


class _Fault(ValueError):
    """What is wrong with a question: `key: mend`."""


def read_questions(file: BinaryIO, name: str) -> Iterator[Question | BadQuestion]:
    """Read questions, in order; blank lines ask nothing. `name` is the file's in faults.

    Raises `ConfigError` where the file as a whole cannot be read.
    """
    number = 0
    while True:
        try:
            line, whole = _next_line(file)
        except OSError as error:
            raise ConfigError(f"{name}:{number + 1}: cannot be read: {error.strerror or error}") from error
        if not line:
            return
        number += 1
        if number == 1:
            if line.startswith(_WIDE):
                raise ConfigError(f"{name}:1: expected JSON lines in UTF-8, is UTF-16: save it as UTF-8")
            line = line.removeprefix(_BOM)
        if not whole:
            fault = f"{name}:{number}: expected at most {MAX_LINE:,} bytes in a line"
            yield BadQuestion(id=None, line=number, fault=fault)
        elif line.strip():
            yield _read_line(line, f"{name}:{number}", number)


def read_moment(text: str) -> datetime:
    """Read a time with its offset from UTC, such as 2026-12-08T10:00-05:00. Raises `ValueError` with the mend."""
    written = _MOMENT.fullmatch(text)
    if written and not written["offset"]:
        raise _Fault(f"expected a time with its offset from UTC, as {_EXAMPLE}, was {_shown(text)}, which has none")
    if written:
        try:
            moment = datetime.fromisoformat(text.upper())
        except ValueError:
            pass
        else:
            if FIRST_YEAR <= moment.year <= LAST_YEAR:
                return moment
            raise _Fault(f"expected a time from {FIRST_YEAR} to {LAST_YEAR}, was {_shown(text)}")
    raise _Fault(f"expected a time with its offset from UTC, as {_EXAMPLE}, was {_shown(text)}")


def read_history(data: bytes, name: str, at: datetime) -> tuple[Fact, ...]:
    """Read a history by itself: a JSON list of facts as in a line's `history`, none later than `at`.

    Raises `ConfigError` with the file's name.
    """
    data = data.removeprefix(_BOM)
    if data.startswith(_WIDE):
        raise ConfigError(f"{name}:1: expected JSON in UTF-8, is UTF-16: save it as UTF-8")
    try:
        return _facts(_decoded(_FACTS, data), at)
    except _Fault as fault:
        raise ConfigError(f"{name}: {fault}") from fault


def _next_line(file: BinaryIO) -> tuple[bytes, bool]:
    """Return the next line, and whether it is all of it: what is beyond the limit is read and left."""
    line = file.readline(MAX_LINE)
    whole = len(line) < MAX_LINE or line.endswith(b"\n")
    rest = b"" if whole else line
    while rest and not rest.endswith(b"\n"):
        rest = file.readline(MAX_LINE)
    return line, whole


def _read_line(line: bytes, where: str, number: int) -> Question | BadQuestion:
    try:
        return _question(_decoded(_LINES, line), number)
    except _Fault as fault:
        return BadQuestion(id=_id_of(line), line=number, fault=f"{where}: {fault}")


def _question(written: _Line, number: int) -> Question:
    for key, value in (("id", str(written.id)), ("person", written.person), ("debt", written.debt)):
        if value is not None and len(value) > MAX_KEY:
            raise _Fault(f"{key}: expected at most {MAX_KEY} characters, found {len(value)}")
    at = _moment_of("at", written.at)
    return Question(
        id=written.id,
        line=number,
        number=written.number,
        at=at,
        scope=written.scope,
        subdivision=written.subdivision or "",
        postal=written.postal or "",
        debt=written.debt or "",
        person=written.person or "",
        history=_facts(written.history or (), at),
    )


def _facts(written: Sequence[_Fact], at: datetime) -> tuple[Fact, ...]:
    """Return the facts as they stand, one by one. Raises `_Fault` for one that is later than `at`."""
    facts = []
    latest = at.timestamp()
    for place, fact in enumerate(written):
        key = f"history[{place}]"
        if fact.debt is not None and len(fact.debt) > MAX_KEY:
            raise _Fault(f"{key}.debt: expected at most {MAX_KEY} characters, found {len(fact.debt)}")
        happened = _moment_of(f"{key}.at", fact.at).timestamp()
        if happened > latest:
            raise _Fault(f"{key}.at: expected a time that is not after the call's, was {_shown(fact.at)}: leave it out")
        facts.append(Fact(at=happened, kinds=(fact.kind,), debt=fact.debt or "", channel=fact.channel))
    return tuple(facts)


def _moment_of(key: str, text: str) -> datetime:
    try:
        return read_moment(text)
    except _Fault as fault:
        raise _Fault(f"{key}: {fault}") from fault


# ---- JSON and its faults ------------------------------------------------------------------------------------
def _decoded(decoder: msgspec.json.Decoder[Any], data: bytes) -> Any:
    """Decode strictly. Raises `_Fault`."""
    try:
        found = decoder.decode(data)
        json.loads(data, object_pairs_hook=_once)  # a key that stands twice: the decoder takes the last one
    except msgspec.ValidationError as error:
        raise _Fault(_mend(str(error))) from error
    except UnicodeDecodeError as error:
        raise _Fault("expected text in UTF-8: save the file as UTF-8") from error
    except msgspec.DecodeError as error:
        raise _Fault(f"not JSON: {str(error).removeprefix('JSON is malformed: ')}") from error
    except RecursionError as error:
        raise _Fault("expected a question, found lists in lists without end") from error
    return found


def _once(pairs: list[tuple[str, Any]]) -> None:
    keys = [key for key, _ in pairs]
    for place, key in enumerate(keys):
        if key in keys[:place]:
            raise _Fault(f"{key}: stands twice: leave one out")


def _mend(message: str) -> str:
    """Turn the decoder's message into `key: mend`."""
    found = _WHERE.search(message)
    where = found["where"].lstrip(".") if found else ""
    told = message[: found.start()] if found else message
    if field := _FIELD.match(told):
        place = f"{where}." if where else ""
        if field["what"].startswith("missing"):
            return f"{place}{field['key']}: missing: every {'fact' if where else 'question'} has one"
        known = _Fact.__struct_fields__ if where else _Line.__struct_fields__
        return f"{place}{_short(field['key'])}: unknown key: {meant(field['key'][:MAX_KEY], known)}"
    if types := _TYPE.match(told):
        wanted, was = (_WORDS.get(types[part], types[part]) for part in ("wanted", "found"))
        return f"{where or 'line'}: expected {wanted}, was {was}"
    choices = _CHOICES.get(where.rpartition(".")[2])
    if choices is not None:
        return f"{where}: expected one of {', '.join(choices)}, was {_short(told.partition(' value ')[2])}"
    return f"{where or 'line'}: {told}"


def _id_of(line: bytes) -> str | int | None:
    """Return the id of a line that is at fault, None where it has none to be told."""
    try:
        named = _IDS.decode(line).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return named if len(str(named)) <= MAX_KEY else None


def _shown(text: str) -> str:
    return repr(_short(text))


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
