"""Text that somebody typed, made safe to print: names and paths must not command the terminal, nor style the screen.

Every command prints through `make_console` or `say`. A console of ours reads no markup, so `[bold]` in a name is shown
as it stands; `safe` shows what would command a terminal (ESC, other controls, invisible marks that turn text around)
as `\\x1b`.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

# C0 and C1 controls, and the marks that are not seen: they join, turn and reorder what is (CVE-2021-42574).
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
PIPE_WIDTH = 160  # characters


def safe(text: object) -> str:
    """Return the text on one line, with every character that is not for reading written as an escape."""
    return _UNSAFE.sub(lambda match: _escape(match[0]), str(text))


def safe_lines(text: object) -> str:
    """Like `safe`, for text whose line breaks are ours: each line by itself."""
    return "\n".join(safe(line) for line in str(text).split("\n"))


def safe_json(text: str) -> str:
    """Return JSON on one line that says the same, with no character that would command a terminal."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escape(sign: str) -> str:
    return f"\\x{ord(sign):02x}" if ord(sign) < 256 else f"\\u{ord(sign):04x}"


def make_console(*, stderr: bool = False) -> Console:
    """Return a console that takes text as it is: no markup, no emoji codes, no colours guessed from numbers.

    Into a pipe or a file it writes wide lines, so that no table is cut.
    """
    from rich.console import Console

    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def say(text: object, *, file: TextIO | None = None) -> None:
    """Print text that may hold what somebody typed; its line breaks are kept."""
    print(safe_lines(text), file=sys.stdout if file is None else file)
