"""Loads all that a dialer loads before its first claim, in the process from which dialers are forked."""

from __future__ import annotations

from dialer.bootstrap import make_engine
from tests.faults.killed_dialer import dial
from tests.faults.store_bench import campaign

__all__ = ["dial"]

make_engine(campaign(), run=1, seed=1)
