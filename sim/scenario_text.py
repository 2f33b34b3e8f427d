"""A scenario as text that a person can read: YAML in blocks, small values on one line, a comment above what has one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

WIDTH = 116

Loc = tuple[str | int, ...]


def yaml_text(data: Mapping[str, Any], comments: Mapping[Loc, str]) -> str:
    """Write plain values (as of JSON) as YAML; `comments` stand above the key at their place."""
    return "\n".join(_mapping(data, (), 0, comments)) + "\n"


def comment_lines(text: str, indent: int = 0) -> list[str]:
    """Return a text as comment lines; line ends in it stay."""
    pad = " " * indent + "# "
    lines = [
        line
        for part in text.splitlines()
        for line in wrap(part, WIDTH - indent, subsequent_indent="    " if part.startswith("  - ") else "") or [""]
    ]
    return [(pad + "".join(c if c.isprintable() else " " for c in line)).rstrip() for line in lines]


def _mapping(data: Mapping[str, Any], loc: Loc, indent: int, comments: Mapping[Loc, str]) -> Iterator[str]:
    for key, value in data.items():
        place = (*loc, key)
        if not loc and (isinstance(value, Mapping | list) or place in comments):
            yield ""
        if place in comments:
            yield from comment_lines(comments[place], indent)
        yield from _entry(f"{' ' * indent}{key}:", value, place, indent + 2, comments)


def _entry(head: str, value: Any, place: Loc, indent: int, comments: Mapping[Loc, str]) -> Iterator[str]:
    inside = any(len(other) > len(place) and other[: len(place)] == place for other in comments)
    line = f"{head} {_flow(value)}"
    if not isinstance(value, Mapping | list) or not value or (not inside and len(line) <= WIDTH):
        yield line
    elif isinstance(value, Mapping):
        yield head
        yield from _mapping(value, place, indent, comments)
    else:
        yield head
        yield from _items(value, place, indent, comments)


def _items(values: Sequence[Any], loc: Loc, indent: int, comments: Mapping[Loc, str]) -> Iterator[str]:
    pad = " " * indent
    if all(isinstance(value, int | float) for value in values):
        yield from _rows(values, pad)
        return
    for index, value in enumerate(values):
        place = (*loc, index)
        if place in comments:
            yield from comment_lines(comments[place], indent)
        lines = list(_entry(f"{pad}-", value, place, indent + 2, comments))
        if lines[0] == f"{pad}-" and not lines[1].lstrip().startswith("#"):
            lines[:2] = [f"{pad}- {lines[1].lstrip()}"]
        yield from lines


def _rows(values: Sequence[float], pad: str) -> Iterator[str]:
    """Numbers in rows of eight: hours of the day are read so."""
    rows = [", ".join(map(_flow, values[begin : begin + 8])) for begin in range(0, len(values), 8)]
    for index, row in enumerate(rows):
        opening, closing = "[" if index == 0 else " ", "]" if index == len(rows) - 1 else ","
        yield f"{pad}{opening}{row}{closing}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) >= 1e-9 or value == 0 else repr(value)
    return json.dumps(value, ensure_ascii=False)
