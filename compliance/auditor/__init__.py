"""The auditor: decides a second time whether a call was allowed, slowly and from docs/compliance_semantics.md alone.

It shares nothing with the engine that decides in microseconds but the packs' data: its own resolution of the place, its
own calendars and clocks, its own counting. Where the two differ one of them is wrong.
"""

from __future__ import annotations

from compliance.auditor.book import Rulebook
from compliance.auditor.question import Finding, Happening, Question
from compliance.auditor.verdict import Auditor

__all__ = ["Auditor", "Finding", "Happening", "Question", "Rulebook"]
