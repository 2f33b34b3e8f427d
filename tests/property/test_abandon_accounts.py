"""The accounts of abandons against an oracle that keeps every answer and counts them all anew."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacing.accounts.account import AbandonAccount, AbandonAccounts
from pacing.accounts.rule import AbandonRule, Answer
from pacing.accounts.windows import BUCKET_S, DAY_S, PERIOD_S

LIMA = ZoneInfo("America/Lima")
START = datetime(2026, 1, 28, 8, tzinfo=LIMA).timestamp()

rules = st.builds(
    AbandonRule,
    id=st.just("rule"),
    cap_rate=st.sampled_from([0.01, 0.03]),
    numerator=st.sampled_from(["late", "unserved"]),
    denominator=st.sampled_from(["live_answers", "people", "served_or_abandoned"]),
    clock_start=st.sampled_from(["connect", "greeting_start", "greeting_end"]),
    threshold_s=st.sampled_from([1.0, 2.0]),
    window=st.sampled_from(["rolling_24h", "calendar_month", "30_days", "campaign"]),
    zone=st.just(LIMA),
)
# Waits in whole tenths, so that they may fall on the threshold; gaps from a burst to a holiday.
tenths = st.integers(0, 50).map(lambda tenth: tenth / 10)
gaps = st.one_of(st.floats(0, 3), st.floats(0, 600), st.floats(0, 3600), st.floats(0, 20 * DAY_S))
# Where windows end: from an answer to a moment near the end of the day, or of the 30 days, that it began.
spans = st.builds(lambda span, off: span + off, st.sampled_from([0.0, DAY_S, PERIOD_S]), st.floats(-400, 400))


@st.composite
def facts(draw: st.DrawFn) -> list[tuple[str, Answer | float, float]]:
    """Answers in the order in which their waiting ended, some of them found to be machines, and losses."""
    told: list[tuple[str, Answer | float, float]] = []
    now = START
    for _ in range(draw(st.integers(0, 40))):
        now = round(now + draw(gaps), 1)
        if draw(st.integers(0, 9)) == 0:
            told.append(("lost", draw(st.floats(0, 3)), now))
            continue
        # Whoever waited longer connected before the answer that was told before.
        connected_at = now - draw(tenths)
        began, ended = draw(st.none() | tenths), draw(st.none() | tenths)
        served, left = draw(st.booleans()), draw(st.booleans())
        answer = Answer(
            connected_at=connected_at,
            greeting_began_at=None if began is None else connected_at + began,
            greeting_ended_at=None if ended is None else connected_at + ended,
            agent_at=now if served else None,
            ended_at=now,
            hung_up=left and not served,
        )
        told.append(("answer", answer, now))
        if served and draw(st.integers(0, 4)) == 0:
            told.append(("machine", answer, now))
    return told


class Recount:
    """Keeps everything; counts when asked, by the words of the rule."""

    def __init__(self, rule: AbandonRule) -> None:
        self.rule = rule
        self.entries: list[tuple[float, float, float]] = []  # at, answers, abandons
        self.first_at: float | None = None

    def tell(self, kind: str, what: Answer | float, now: float) -> None:
        if isinstance(what, Answer):
            answers, abandons = self._counted(what)
            if kind == "machine":
                answers, abandons = (-answers, -abandons) if self.rule.denominator == "people" else (0, 0)
            at: float = what.connected_at
        else:
            answers = abandons = what  # type: ignore[assignment]
            at = now
        if self.first_at is None:
            self.first_at = at
        self.entries.append((at, answers, abandons))

    def _counted(self, answer: Answer) -> tuple[int, int]:
        moments = {
            "connect": answer.connected_at,
            "greeting_start": answer.greeting_began_at,
            "greeting_end": answer.greeting_ended_at,
        }
        began = moments[self.rule.clock_start]
        limit = (answer.connected_at if began is None else began) + self.rule.threshold_s
        unserved = answer.agent_at is None
        late = unserved or (answer.agent_at is not None and answer.agent_at > limit)
        if self.rule.denominator == "served_or_abandoned" and unserved and answer.hung_up and answer.ended_at <= limit:
            return 0, 0
        return 1, int(late if self.rule.numerator == "late" else unserved)

    def within(self, now: float) -> list[tuple[float, float, float]]:
        """What stands in the window that ends at `now`, exactly."""
        if self.first_at is None or self.rule.window == "campaign":
            return self.entries
        if self.rule.window == "rolling_24h":
            return [entry for entry in self.entries if now - DAY_S < entry[0] <= now]
        if self.rule.window == "calendar_month":
            month = datetime.fromtimestamp(now, LIMA).strftime("%Y-%m")
            return [e for e in self.entries if datetime.fromtimestamp(e[0], LIMA).strftime("%Y-%m") == month]
        number = self._period(now)
        return [entry for entry in self.entries if self._period(entry[0]) == number]

    def _period(self, at: float) -> int:
        assert self.first_at is not None
        begins = self.first_at
        number = 0
        while at >= begins + PERIOD_S:
            number += 1
            begins = self.first_at + number * PERIOD_S
        return number


def replay(rule: AbandonRule, told: list[tuple[str, Answer | float, float]]) -> tuple[AbandonAccount, Recount]:
    account, recount = AbandonAccount(rule), Recount(rule)
    for kind, what, now in told:
        recount.tell(kind, what, now)
        if isinstance(what, Answer):
            (account.observe if kind == "answer" else account.found_machine)(what)
        else:
            account.lost(what, now)
    return account, recount


@settings(max_examples=200, deadline=None)
@given(rules, facts(), st.integers(1, 3), spans)
def test_an_account_is_never_better_than_a_recount(
    rule: AbandonRule, told: list[tuple[str, Answer | float, float]], back: int, span: float
) -> None:
    account, recount = replay(rule, told)
    times = [now for _, _, now in told] or [START]
    now = max(times[-1], times[-min(back, len(times))] + span)
    entries = recount.within(now)
    answers, abandons = sum(e[1] for e in entries), sum(e[2] for e in entries)
    exact = rule.cap_rate * answers - abandons
    standing = account.standing(now)
    assert account.budget_left(now) == standing.budget_left
    assert account.rate(now) == standing.rate
    if rule.window == "rolling_24h":
        # Nothing is forgotten early; nothing is kept for a bucket longer than the day.
        kept = [entry for entry in recount.entries if now - DAY_S - BUCKET_S < entry[0] <= now]
        sure = [entry for entry in recount.entries if now - DAY_S + BUCKET_S < entry[0] <= now]
        assert standing.budget_left <= exact + 1e-9
        worst = rule.cap_rate * sum(e[1] for e in sure) - sum(e[2] for e in kept)
        assert standing.budget_left >= worst - 1e-9
    else:
        assert standing.budget_left == pytest.approx(exact, abs=1e-9)
        assert standing.answers == pytest.approx(answers, abs=1e-9)
        assert standing.abandons == pytest.approx(abandons, abs=1e-9)
        assert standing.rate == (pytest.approx(abandons / answers, abs=1e-9) if standing.answers > 0 else None)


@settings(max_examples=60, deadline=None)
@given(st.lists(rules, min_size=1, max_size=4), facts(), facts(), st.integers(0, 90))
def test_accounts_go_on_from_a_snapshot_as_if_nothing_had_been(
    several: list[AbandonRule],
    before: list[tuple[str, Answer | float, float]],
    after: list[tuple[str, Answer | float, float]],
    days: int,
) -> None:
    kept = [AbandonRule(**{f: getattr(rule, f) for f in rule.__struct_fields__} | {"id": str(i)})
            for i, rule in enumerate(several)]  # fmt: skip
    accounts, restored = AbandonAccounts(kept), AbandonAccounts(kept)
    feed(accounts, before, 0.0)
    restored.restore(json.loads(json.dumps(accounts.snapshot())))
    assert restored.snapshot() == accounts.snapshot()
    for one in (accounts, restored):
        feed(one, after, days * DAY_S)
    now = START + 200 * DAY_S
    assert restored.standings(now) == accounts.standings(now)
    assert restored.tightest(now) == accounts.tightest(now)
    assert accounts.tightest(now).budget_left == min(standing.budget_left for standing in accounts.standings(now))


def feed(accounts: AbandonAccounts, told: list[tuple[str, Answer | float, float]], shift: float) -> None:
    for kind, what, now in told:
        if not isinstance(what, Answer):
            accounts.lost(what, now + shift)
        elif kind == "answer":
            accounts.observe(what)
        else:
            accounts.found_machine(what)


@given(st.integers(0, 400), st.integers(0, 86399))
def test_a_month_begins_at_its_zones_midnight(day: int, second: int) -> None:
    account = AbandonAccount(AbandonRule(id="month", window="calendar_month", zone=LIMA))
    at = datetime(2026, 1, 1, tzinfo=LIMA) + timedelta(days=day, seconds=second)
    account.observe(Answer(connected_at=at.timestamp(), ended_at=at.timestamp() + 1.0))
    following = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=LIMA).timestamp()
    assert account.standing(following - 0.001).abandons == 1
    assert account.standing(following).abandons == 0


@given(
    st.lists(st.tuples(st.integers(0, 4000), st.booleans()), min_size=1, max_size=30), st.integers(0, 29),
    st.integers(0, 600),
)  # fmt: skip
def test_at_the_rolling_days_edge_abandons_stay_and_answers_go(
    calls: list[tuple[int, bool]], index: int, past_s: int
) -> None:
    account = AbandonAccount(AbandonRule(id="day"))
    entries: list[tuple[float, int]] = []
    for gap, abandoned in calls:
        at = (entries[-1][0] if entries else START) + gap
        account.observe(Answer(connected_at=at, agent_at=None if abandoned else at, ended_at=at))
        entries.append((at, int(abandoned)))
    now = max(entries[-1][0], entries[index % len(entries)][0] + DAY_S + past_s)
    exact = [abandoned for at, abandoned in entries if now - DAY_S < at <= now]
    sure = [at for at, _ in entries if (at // BUCKET_S) * BUCKET_S > now - DAY_S]
    kept = [abandoned for at, abandoned in entries if (at // BUCKET_S + 1) * BUCKET_S > now - DAY_S]
    assert account.budget_left(now) <= 0.03 * len(exact) - sum(exact) + 1e-9
    assert account.budget_left(now) == pytest.approx(0.03 * len(sure) - sum(kept), abs=1e-9)
