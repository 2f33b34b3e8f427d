"""Blocks of a page that a script writes: between `<!-- NAME: written by SCRIPT -->` and `<!-- end of NAME -->`."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def with_block(page: str, name: str, body: str) -> str:
    """Return the page with the block's body in place. Raises `ValueError` where the page has not exactly one."""
    name = re.escape(name)
    block = re.compile(rf"(<!-- {name}: written by [^\n]+ -->\n)(.*?)(<!-- end of {name} -->\n)", re.DOTALL)
    fresh, count = block.subn(lambda match: f"{match[1]}\n{body.strip()}\n\n{match[3]}", page)
    if count != 1:
        raise ValueError(f"expected one block {name}, found {count}")
    return fresh


def write_or_check(page: Path, blocks: dict[str, str]) -> int:
    """Rewrite the blocks of a page; with `--check` only say whether they are current (exit code 1: they are not)."""
    text = fresh = page.read_text(encoding="utf-8")
    for name, body in blocks.items():
        fresh = with_block(fresh, name, body)
    if "--check" in sys.argv[1:]:
        if fresh != text:
            print(f"{page.name} is out of date: run {Path(sys.argv[0]).name}", file=sys.stderr)
        return int(fresh != text)
    page.write_text(fresh, encoding="utf-8")
    return 0
