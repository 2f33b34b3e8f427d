"""The journal: every event and the actions that answered it, in order, in one append-only file a campaign run.

    <data>/journal/<campaign>/<UTC date>T<HHMMSS>-run<N>.jsonl
        {"journal":1,"version":"0.1.0","campaign":{...},"run":3,"seed":7,"started_at":1763672400.0}
        E {"type":"AgentLoggedIn","at":1763672400.5,"agent_id":"ana"}
        A {"type":"NoteDecision",...}

An event's actions follow it; an event without actions stands alone. Equal events and actions give equal bytes. JSON has
no infinity: a journalled figure must be finite.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from dialer import __version__
from dialer.config.campaign import Campaign
from dialer.core.actions import Action, AnyAction
from dialer.core.events import AnyEvent, Event
from dialer.errors import JournalCutOff, JournalError, StoreError

FORMAT = 1
_BEGIN = b'{"journal":'  # of every journal, whatever its format
LATEST = 7_258_118_400.0  # the year 2200, UTC seconds: no journal's clock shows more


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: all that a replay needs besides the events."""

    journal: int = FORMAT
    version: str = __version__  # of the program that wrote the file
    campaign: dict[str, Any]  # the `Campaign` model as JSON
    run: Annotated[int, msgspec.Meta(ge=0)]
    seed: Annotated[int, msgspec.Meta(ge=0)]
    started_at: Annotated[float, msgspec.Meta(ge=0.0, lt=LATEST)]  # UTC seconds
    policies: dict[str, str] = {}  # mode: policy id; empty: the modes' own
    scenario: dict[str, Any] | None = None  # of a simulated day, the `Scenario` model as JSON
    versions: dict[str, str] = {}  # of all that verdicts depend on; empty in journals of older versions


def header_of(
    campaign: Campaign,
    *,
    run: int,
    seed: int,
    started_at: float,
    policies: Mapping[str, str] | None = None,
    scenario: Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
) -> Header:
    """Return the header of a run that begins now."""
    return Header(
        campaign=campaign.model_dump(mode="json"),
        run=run,
        seed=seed,
        started_at=started_at,
        policies=dict(policies or {}),
        scenario=None if scenario is None else dict(scenario),
        versions=dict(versions or {}),
    )


def journal_path(data_dir: Path, header: Header) -> Path:
    """Return where the journal of this run stands."""
    began = datetime.fromtimestamp(header.started_at, UTC)
    return data_dir / "journal" / str(header.campaign["campaign"]) / f"{began:%Y-%m-%dT%H%M%S}-run{header.run}.jsonl"


class Journal:
    """`EventLog` in a file. Appending keeps in memory, flushing writes; what could not be written is kept for later."""

    def __init__(self, path: Path, header: Header) -> None:
        """Begin the file. Raises `StoreError` where that fails, or the file is there: a journal is never rewritten."""
        self.path = path
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self._unwritten = bytearray(self._encoder.encode(header) + b"\n")
        self._file: int | None = None
        try:
            _make_private(path.parent)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except OSError as error:
            raise StoreError(f"expected to begin the journal {path}, was: {error.strerror}") from error

    def append(self, event: Event, actions: Sequence[Action]) -> None:
        """Note an event and its actions; `flush` writes them."""
        unwritten, encode_into = self._unwritten, self._encoder.encode_into
        unwritten += b"E "
        encode_into(event, unwritten, -1)
        for action in actions:
            unwritten += b"\nA "
            encode_into(action, unwritten, -1)
        unwritten += b"\n"

    def flush(self) -> None:
        """Hand everything to the operating system. Raises `StoreError`; a later flush goes on at the same byte."""
        if self._file is None:
            raise StoreError(f"expected the journal {self.path} to be open, was closed")
        try:
            while self._unwritten:
                written = os.write(self._file, self._unwritten)
                del self._unwritten[:written]
        except OSError as error:
            raise StoreError(f"expected to write the journal {self.path}, was: {error.strerror}") from error

    def close(self) -> None:
        """Flush, and let go of the file. Does nothing the second time."""
        if self._file is None:
            return
        try:
            self.flush()
        finally:
            os.close(self._file)
            self._file = None


def _make_private(folder: Path) -> None:
    """Make the missing folders of a path with mode 700: journals name people and their numbers."""
    for missing in reversed([part for part in (folder, *folder.parents) if not part.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def read_journal(path: Path) -> tuple[Header, Iterator[tuple[AnyEvent, list[AnyAction]]]]:
    """Read a journal's header, and its events with their actions one by one.

    Raises `JournalError` at once for a file that is no journal or of another format, and from the iterator, after all
    that is whole, for a line that is damaged; where the last line is cut off, or the first one is, `JournalCutOff`.
    """
    try:
        with path.open("rb") as file:
            first = file.readline()
    except OSError as error:
        raise JournalError(f"{path}: expected a journal to read, was: {error.strerror}") from error
    return _header(path, first), _entries(path)


def _header(path: Path, line: bytes) -> Header:
    begun = not line.endswith(b"\n") and (line.startswith(_BEGIN) or _BEGIN.startswith(line))
    foreign = (JournalCutOff if begun else JournalError)(
        f'{path}:1: expected the first line of a journal, {{"journal":{FORMAT},...}}, was {line[:40]!r}: '
        "name a .jsonl file of the data folder's journal/CAMPAIGN"
    )
    try:
        fields = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise foreign from None
    if not isinstance(fields, dict) or "journal" not in fields:
        raise foreign
    if fields["journal"] != FORMAT:
        raise JournalError(
            f"{path}:1: expected a journal of format {FORMAT}, was {fields['journal']}: "
            f"read it with version {fields.get('version', 'unknown')}, which wrote it"
        )
    try:
        return msgspec.convert(fields, Header)
    except msgspec.ValidationError as error:
        raise JournalError(f"{path}:1: expected a whole header, was: {error}: take the file from a backup") from None


def _entries(path: Path) -> Iterator[tuple[AnyEvent, list[AnyAction]]]:
    event: AnyEvent | None = None
    event_line = 2
    actions: list[AnyAction] = []
    with path.open("rb") as file:
        file.readline()
        for number, line in enumerate(file, start=2):
            if not line.endswith(b"\n"):
                if event is not None and line.startswith(b"E"):
                    yield event, actions
                    event_line = number
                raise _cut_off(path, number, event_line)
            if line.startswith(b"E "):
                if event is not None:
                    yield event, actions
                event, event_line, actions = _decode(_event_decoder, path, number, line), number, []
                if not 0.0 <= event.at < LATEST:
                    raise JournalError(
                        f"{path}:{number}: expected a time in UTC seconds, was {event.at:g}: take a backup"
                    )
            elif line.startswith(b"A ") and event is not None:
                actions.append(_decode(_action_decoder, path, number, line))
            else:
                raise JournalError(
                    f"{path}:{number}: expected `E ` and an event or `A ` and an action of the event before, "
                    f"was {line[:40]!r}: take the file from a backup"
                )
    if event is not None:
        yield event, actions


_event_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_action_decoder: msgspec.json.Decoder[AnyAction] = msgspec.json.Decoder(AnyAction)


def _decode(decoder: msgspec.json.Decoder[Any], path: Path, number: int, line: bytes) -> Any:
    try:
        return decoder.decode(memoryview(line)[2:])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise JournalError(
            f"{path}:{number}: expected an entry that this version ({__version__}) knows, was: {error}: "
            "read it with the version that the first line names, or take the file from a backup"
        ) from None


def _cut_off(path: Path, number: int, event_line: int) -> JournalCutOff:
    return JournalCutOff(
        f"{path}:{number}: expected a whole line, was cut off: the program ended while it wrote; "
        f"keep what is whole with: head -n {event_line - 1} {path} > whole.jsonl"
    )
