"""Accounts of abandons: one for each rule, kept at once; the one with the least left rules the pacing.

How it works: an account's budget is what its cap allows for the answers in its window, less the abandons in it. Answers
earn allowance when their waiting is over, so people who wait right now are no excuse for anything. Below one abandon
left, a single unlucky call could put the account above its cap: the policy then dials progressively.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple

import msgspec

from pacing.accounts.rule import AbandonRule, Answer
from pacing.accounts.windows import (
    PeriodWindow,
    RollingWindow,
    Window,
    calendar_month,
    successive_30_days,
    whole_campaign,
)

FORMAT = 1  # of the snapshot: a later version must go on reading it, for these counts are the law's


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one account stands. `answers` and `abandons` may be fractions: those that detection lost are estimates."""

    rule: str
    window: str
    cap_rate: float
    answers: float
    abandons: float
    rate: float | None  # abandons / answers; None before the first answer
    budget_left: float  # abandons that the window still allows; negative when overdrawn


class Tightest(NamedTuple):
    """The account with the least budget left."""

    rule: str
    budget_left: float


class AbandonAccount:
    """The counts of one rule. Times are UTC seconds and may be a little out of order."""

    __slots__ = ("_window", "rule")

    def __init__(self, rule: AbandonRule) -> None:
        self.rule = rule
        self._window = _window_of(rule)

    def observe(self, answer: Answer) -> None:
        """Count an answer whose waiting is over. It belongs to the time of its connection."""
        answers, abandons = self.rule.counts(answer)
        self._window.add(answer.connected_at, answers, abandons)

    def found_machine(self, answer: Answer) -> None:
        """Take back an answer, counted before, that its agent found to be a machine's; only for a rule that counts
        people."""
        if self.rule.denominator == "people":
            answers, abandons = self.rule.counts(answer)
            self._window.add(answer.connected_at, -answers, -abandons)

    def lost(self, answers: float, at: float) -> None:
        """Count so many people (known, or expected ones) whom detection took for machines: answered and abandoned."""
        self._window.add(at, answers, answers)

    def budget_left(self, now: float) -> float:
        """Return the abandons that the window still allows, never more than an exact count would."""
        held = self._window.read(now)
        return self.rule.cap_rate * held.sure_answers - held.abandons

    def rate(self, now: float) -> float | None:
        """Return abandons / answers of the window, of which the oldest bucket may be up to five minutes out; None
        before the first answer."""
        return self.standing(now).rate

    def standing(self, now: float) -> Standing:
        """Return the account as people read it."""
        held = self._window.read(now)
        return Standing(
            rule=self.rule.id,
            window=self.rule.window,
            cap_rate=self.rule.cap_rate,
            answers=held.answers,
            abandons=held.abandons,
            rate=held.abandons / held.answers if held.answers > 0 else None,
            budget_left=self.rule.cap_rate * held.sure_answers - held.abandons,
        )

    def snapshot(self) -> dict[str, Any]:
        """Return the counts as plain JSON values, at most a few kilobytes as text."""
        return {"definition": self.rule.definition, **self._window.snapshot()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot; counts of another definition are not this rule's, so it begins anew."""
        if state.get("definition") == self.rule.definition:
            self._window.restore(state)


class AbandonAccounts:
    """Several rules at once. Needs one at least; raises `ValueError` for none and for two of one id."""

    def __init__(self, rules: Sequence[AbandonRule]) -> None:
        if not rules or len({rule.id for rule in rules}) < len(rules):
            raise ValueError(f"expected abandon rules of different ids, at least one, was {[r.id for r in rules]}")
        self._accounts = tuple(AbandonAccount(rule) for rule in rules)

    def observe(self, answer: Answer) -> None:
        """Count an answer whose waiting is over."""
        for account in self._accounts:
            account.observe(answer)

    def found_machine(self, answer: Answer) -> None:
        """Take back an answer that its agent found to be a machine's, where the rule counts people."""
        for account in self._accounts:
            account.found_machine(answer)

    def lost(self, answers: float, at: float) -> None:
        """Count so many people whom detection took for machines."""
        for account in self._accounts:
            account.lost(answers, at)

    def tightest(self, now: float) -> Tightest:
        """Return the account with the least left; of equal ones, the first."""
        tightest, least = self._accounts[0], inf
        for account in self._accounts:
            left = account.budget_left(now)
            if left < least:
                tightest, least = account, left
        return Tightest(tightest.rule.id, least)

    def standings(self, now: float) -> tuple[Standing, ...]:
        """Return all accounts as people read them, in the order of the rules."""
        return tuple(account.standing(now) for account in self._accounts)

    def snapshot(self) -> dict[str, Any]:
        """Return all counts as plain JSON values."""
        return {"format": FORMAT, "rules": {account.rule.id: account.snapshot() for account in self._accounts}}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. A rule that it does not have, or has with another definition, begins anew; so do all
        where its format is not known."""
        if state.get("format") != FORMAT:
            return
        for account in self._accounts:
            kept = state["rules"].get(account.rule.id)
            if kept is not None:
                account.restore(kept)


def _window_of(rule: AbandonRule) -> Window:
    if rule.window == "calendar_month":
        return PeriodWindow(calendar_month(rule.zone))
    if rule.window == "30_days":
        return PeriodWindow(successive_30_days)
    if rule.window == "campaign":
        return PeriodWindow(whole_campaign)
    return RollingWindow()
