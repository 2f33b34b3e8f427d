"""YAML read by its events: plain values, the line and raw text of each, and nothing that a campaign does not need.

Anchors, aliases, tags and merges are refused (an alias may blow a small file up to gigabytes), so are deep nesting,
repeated keys and files over 1 MiB.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode

from dialer.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_DEPTH = 20

Loc = tuple[str | int, ...]
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Document:
    """A file's values and where they stand. A key of a mapping stands where its name does."""

    path: Path
    data: Any
    lines: dict[Loc, int] = field(default_factory=dict)
    raw: dict[Loc, str] = field(default_factory=dict)  # scalars as they were written

    def line(self, loc: Loc) -> int:
        """Return the line of `loc`, or of the nearest thing around it that is in the file; 1 where there is none."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)

    def fault(self, loc: Loc, message: str) -> str:
        """Return one line for people: where, what, the mend. What a terminal would obey becomes blanks."""
        key = ".".join(map(str, loc))
        told = f"{key}: {message}" if key else message
        return f"{self.path}:{self.line(loc)}: " + "".join(c if c.isprintable() else " " for c in told)


def read_yaml(path: Path) -> Document:
    """Read a YAML file of one mapping. Raises `ConfigError` that names the line."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: expected at most 1 MiB, was {len(content) / MAX_BYTES:.1f} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: expected UTF-8: save the file in that encoding") from error
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path) -> Document:
    """Parse YAML text; `path` is for the messages."""
    reader = _Reader(text, path)
    try:
        data = reader.document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise ConfigError(f"{path}:{line}: not YAML: {error.problem or error.context}") from error
    except YAMLError as error:
        raise ConfigError(f"{path}:1: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path}:1: expected `key: value` lines, was {'nothing' if data is None else 'something else'}"
        )
    return Document(path, data, reader.lines, reader.raw)


class _Reader:
    """Builds values from the parser's events, remembering lines."""

    def __init__(self, text: str, path: Path) -> None:
        self.path = path
        self.lines: dict[Loc, int] = {}
        self.raw: dict[Loc, str] = {}
        self._yaml = YAML(typ="safe", pure=True)
        self._events: Iterator[Event] = self._yaml.parse(text)

    def document(self) -> Any:
        value, seen = None, False
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if seen:
                    raise self._refused(event, "expected one document: a second begins here with `---`")
                if event.version is not None or event.tags:
                    raise self._refused(event, "directives (%) are not read: remove the line")
                seen = True
                value = self._value(next(self._events), ())
        return value

    def _value(self, event: Event, loc: Loc) -> Any:
        if len(loc) > MAX_DEPTH:
            raise self._refused(event, f"expected at most {MAX_DEPTH} levels of nesting")
        assert isinstance(event, NodeEvent)  # a value begins where one is due
        if isinstance(event, AliasEvent) or event.anchor is not None:
            raise self._refused(
                event, "anchors (&) and aliases (*) are not read: write the values out, or quote the text"
            )
        assert isinstance(event, MappingStartEvent | SequenceStartEvent | ScalarEvent)
        if event.ctag is not None:
            raise self._refused(event, "tags (!) are not read: write the plain value, or quote the text")
        self.lines.setdefault(loc, event.start_mark.line + 1)
        if isinstance(event, MappingStartEvent):
            return self._mapping(loc)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(loc)
        return self._scalar(event, loc)

    def _mapping(self, loc: Loc) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            if not isinstance(event, ScalarEvent) or event.anchor is not None or event.ctag is not None:
                raise self._refused(event, "expected a plain key")
            key = event.value
            if key == "<<" and event.implicit[0]:
                raise self._refused(event, "merges (<<) are not read: write the values out")
            if key in values:
                raise self._refused(event, f"{key!r} stands twice (first in line {self.lines[*loc, key]}): keep one")
            self.lines[*loc, key] = event.start_mark.line + 1
            values[key] = self._value(next(self._events), (*loc, key))
        return values

    def _sequence(self, loc: Loc) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            values.append(self._value(event, (*loc, len(values))))
        return values

    def _scalar(self, event: ScalarEvent, loc: Loc) -> Any:
        text: str = event.value
        self.raw[loc] = text
        kind = str(self._yaml.resolver.resolve(ScalarNode, text, event.implicit)).removeprefix(_TAG)
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        try:
            if kind == "int":
                plain = text.replace("_", "")
                return int(plain, 0) if plain[:2] in ("0x", "0o") else int(plain)
            if kind == "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            return text
        return text  # dates too: a date is text in these files

    def _refused(self, event: Event, message: str) -> ConfigError:
        return ConfigError(f"{self.path}:{event.start_mark.line + 1}: {message}")
