"""Faults of a campaign file that no section shows alone: what does not fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

MISFIT = "misfit"  # the kind of pydantic's error
Loc = tuple[str | int, ...]
Fault = tuple[Loc, str]


def refuse(*faults: Fault) -> None:
    """Raise pydantic's `ValidationError` if there are faults, each at its place in the campaign."""
    if faults:
        details = [
            InitErrorDetails(type=PydanticCustomError(MISFIT, "{told}", {"told": told}), loc=loc, input=None)
            for loc, told in faults
        ]
        raise ValidationError.from_exception_data("Campaign", details)


def twice(section: str, names: Sequence[str]) -> Iterator[Fault]:
    """Yield the names that stand twice in a list of named sections."""
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name in seen:
            yield (section, place, "name"), f"{name!r} stands twice: keep one"
        seen.add(name)
