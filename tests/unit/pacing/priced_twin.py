"""`priced-v1` once more, slowly and by the book: it keeps every observation and shares no code with the compiled one.

Tables are made anew from the whole history by numpy and scipy, shares of a bin by interpolation, the Poisson-binomial
by convolution. Only the figures that are settings (half-lives, priors, widths) are the policy's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from pacing.priced import clocks, decision, price, state
from pacing.view import SEGMENTS, Floats, PacingView

TAUS, WIDTH_S, HANDLE_WIDTH_S = state.TAUS, state.DELAY_WIDTH_S, state.HANDLE_WIDTH_S
_BINS, _HANDLE_BINS = state.DELAY_BINS, state.HANDLE_BINS
_DELAYS_S = np.arange(_BINS + 1) * WIDTH_S


def fading_weights(observations: int, half_life: float) -> Floats:
    """Return what each of so many observations weighs, the newest 1."""
    return 0.5 ** (np.arange(observations)[::-1] / half_life)


def counted(values_s: Floats, weights: Floats, width_s: float, bins: int) -> Floats:
    """Return the weight of the values by bin; the last bin has all beyond."""
    places = np.minimum(np.floor(values_s / width_s), bins - 1).astype(int)
    return np.bincount(places, weights, minlength=bins).astype(np.float64)


def kaplan_meier(counts: Floats, elapsed_s: Floats, prior: Floats, prior_agents: float) -> Floats:
    """Return the survival function by bin, each bin's hazard shrunk to that of `prior`."""
    hazards = (counts + prior_agents * _hazards(prior)) / (_at_risk(counts, elapsed_s) + prior_agents)
    return np.concatenate([[1.0], np.cumprod(1.0 - hazards)])


def smoothed(counts: Floats, elapsed_s: Floats, prior: Floats, prior_ends: float) -> Floats:
    """Return the survival function whose hazards are those of `prior` times one factor for each doubling of time."""
    # 0 for bin 0, 1 for bin 1, 2 for bins 2 and 3, 3 for bins 4 to 7, and so on.
    doublings = np.array([i.bit_length() for i in range(len(counts))])
    ended = prior_ends + np.bincount(doublings, counts)
    expected = prior_ends + np.bincount(doublings, _at_risk(counts, elapsed_s) * _hazards(prior))
    hazards = np.minimum(_hazards(prior) * (ended / expected)[doublings], 1.0)
    return np.concatenate([[1.0], np.cumprod(1.0 - hazards)])


def _hazards(survival: Floats) -> Floats:
    known = survival[:-1] > 1e-12
    return np.where(known, 1.0 - survival[1:] / np.where(known, survival[:-1], 1.0), 0.0)


def _at_risk(counts: Floats, elapsed_s: Floats) -> Floats:
    """Return the calls that ended in each bin or later, or that are in progress and have lasted through it."""
    through = [np.count_nonzero(elapsed_s >= (i + 1) * HANDLE_WIDTH_S) for i in range(len(counts))]
    return np.cumsum(counts[::-1])[::-1] + np.array(through)


def lognormal_survival(mean_s: float) -> Floats:
    """Return the survival function by bin of the prior handle time with this mean."""
    sigma = clocks.PRIOR_HANDLE_SIGMA
    prior = stats.lognorm(s=sigma, scale=mean_s * math.exp(-(sigma**2) / 2.0))
    return np.asarray(prior.sf(np.arange(_HANDLE_BINS + 1) * HANDLE_WIDTH_S))


def _cumulated(shares: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(shares)])


def _uniform_shares(begin_s: float, end_s: float) -> Floats:
    return np.diff(stats.uniform(begin_s, end_s - begin_s).cdf(_DELAYS_S))


def _gamma_shares(begin_s: float) -> Floats:
    share = np.diff(stats.gamma(2.0, loc=begin_s, scale=4.0).cdf(_DELAYS_S))
    return np.asarray(share / share.sum())


@dataclass
class LineTables:
    """Shares by bin of when lines of one segment give their sign and end; and how many ring."""

    rang_before_answer: Floats
    answered_unrung: Floats
    sign_of_others: Floats
    ring_to_answer: Floats
    ring_to_other_end: Floats
    answered_rang: float
    others_rang: float

    def answered_chances(self, p: float, elapsed_s: float, rung: bool, taus: Floats) -> Floats:
        """Return the chance of an answer within each tau, given that the line is in flight still, by Bayes."""
        e = (min(math.floor(elapsed_s / WIDTH_S), _BINS - 1) + 0.5) * WIDTH_S

        def by(shares: Floats, when_s: Floats | float) -> Floats:
            return np.asarray(np.interp(when_s, _DELAYS_S, _cumulated(shares)))

        if rung:
            alive = self.answered_rang * (1.0 - by(self.ring_to_answer, e))
            others = self.others_rang * (1.0 - by(self.ring_to_other_end, e))
            soon = self.answered_rang * (by(self.ring_to_answer, e + taus) - by(self.ring_to_answer, e))
        else:
            alive = 1.0 - by(self.rang_before_answer + self.answered_unrung, e)
            others = 1.0 - by(self.sign_of_others, e)
            soon = by(self.answered_unrung, e + taus) - by(self.answered_unrung, e)
            begins, ends = np.maximum(_DELAYS_S[:-1], e), _DELAYS_S[1:]
            for k, tau in enumerate(taus):
                until = np.minimum(ends, e + tau)
                part = np.maximum(until - begins, 0.0) / WIDTH_S
                rest_s = np.maximum(e + tau - (begins + until) / 2.0, 0.0)
                soon[k] += np.sum(self.rang_before_answer * part * by(self.ring_to_answer, rest_s))
        weight = p * alive + (1.0 - p) * others
        return np.asarray(np.minimum(p * soon / weight, 1.0)) if weight > 1e-6 else np.zeros(len(taus))


def poisson_binomial(chances: Floats) -> Floats:
    """Return the distribution of a sum of chances, by plain convolution."""
    pmf = np.ones(1)
    for p in chances:
        pmf = np.convolve(pmf, [1.0 - p, p])
    return pmf


def shortages(chances: Floats, candidate: Floats, size: int, lines: int) -> Floats:
    """Return the mean over taus of P(sum >= size) with 0, 1, ... `lines` candidates added."""
    found = np.zeros(lines + 1)
    for k in range(TAUS):
        pmf = poisson_binomial(chances[:, k])
        for n in range(lines + 1):
            found[n] += pmf[max(size, 0) :].sum() / TAUS
            pmf = np.convolve(pmf, [1.0 - candidate[k], candidate[k]])
    return found


@dataclass
class Answer:
    """What the twin decided."""

    lines: int
    hang_up: tuple[int, ...]
    guard: str
    figures: dict[str, float]


@dataclass
class Twin:
    """All that was ever observed, and the few figures that are steered by it."""

    settings: dict[str, float] = field(default_factory=lambda: dict(state.SETTINGS))
    handled: list[tuple[int, float]] = field(default_factory=list)
    ended: list[tuple[int, bool, float, float]] = field(default_factory=list)
    learned_since: int = 0
    learned_before: int = -1
    price_offset: float = 0.0
    allowance: float = 0.0
    abandons: float = 0.0
    target: float = 0.03
    decided_at: float | None = None
    slow: tuple[float, float] = (5.0, 5.0)  # answers seen, promised
    fast: tuple[float, float, float] = (0.0, 0.0, 0.0)  # and the variance of what was seen
    multiplier: float = 1.0
    due_hung_up: float = 0.0  # of lines that were told to be hung up by the last decision
    due: float = 0.0  # of what lines in flight were promised
    dues: Floats = field(default_factory=lambda: np.zeros(0))  # by line
    in_flight: float = 0.0  # answers expected of them, over the last decisions
    draw: float = 0.5
    survival: dict[int, Floats] = field(default_factory=dict)
    tables: dict[int, LineTables] = field(default_factory=dict)
    taus: Floats = field(default_factory=lambda: np.zeros(TAUS))

    # ---- what it is told -------------------------------------------------------------------------------------------
    def line_ended(self, answered: bool, after_s: float, probability: float, rang_after_s: float, segment: int) -> None:
        rung = rang_after_s <= after_s
        due, _ = self._told(probability, after_s - rang_after_s if rung else after_s, rung, segment)
        self._learn_outcome(float(answered), probability, due)
        self.ended.append((segment, answered, after_s, rang_after_s))
        self.learned_since += 1
        if answered:
            self.count(1.0, 0.0)

    def agent_done(self, handle_s: float, segment: int) -> None:
        self.handled.append((segment, handle_s))
        self.learned_since += 1

    def count(self, answers: float, abandons: float) -> None:
        self.allowance += answers * self.target
        budget = self.allowance - self.abandons
        if answers and budget >= 1.0:
            learned = self.settings["offset_rate"] * answers * float(np.clip(self.reserve() - budget, -3.0, 3.0))
            self.price_offset = float(np.clip(self.price_offset + learned, -2.5, 2.5))
        self.abandons += abandons

    def reserve(self) -> float:
        old = self.settings["reserve"] / (1.0 + self.settings["grown"] / self.allowance) if self.allowance else 0.0
        old += self.settings["caution"] * self.allowance
        return 1.0 + max(old, self.settings["burst"] * math.sqrt(self.in_flight))

    def cautious(self) -> float:
        return self.multiplier * (1.0 + self.settings["unsure"] / math.sqrt(max(self.slow[0], 1.0)))

    def _told(self, promised: float, waited_s: float, rung: bool, segment: int) -> tuple[float, float]:
        """Return what of a line's promise has fallen due without an answer, and the answers that are left of it."""
        if not self.tables:
            return 0.0, 0.0
        tables = self.tables.get(segment, self.tables[0])

        def ever(p: float) -> float:
            return float(tables.answered_chances(p, waited_s, rung, np.array([1e6]))[0])

        return promised - ever(promised), ever(min(promised * self.cautious(), 0.98))

    def _fall_due(self, promised: float, variance: float) -> None:
        """Let so much of what was promised fall due."""
        expected = min(max(promised * self.multiplier, 0.0), 100.0)
        slow, fast = 0.5 ** (expected / 200.0), 0.5 ** (expected / 10.0)
        self.slow = (self.slow[0] * slow, max(self.slow[1] * slow + promised, 0.1))
        self.fast = (self.fast[0] * fast, max(self.fast[1] * fast + promised, 0.0), self.fast[2] * fast**2 + variance)

    def _learn_outcome(self, seen: float, promised: float, due: float) -> None:
        due = min(max(due, 0.0), max(self.due, 0.0))
        self.due -= due
        expected = min((promised - due) * self.multiplier, 1.0)
        self._fall_due(promised - due, max(expected * (1.0 - expected), 0.01))
        self.slow = (self.slow[0] + seen, self.slow[1])
        self.fast = (self.fast[0] + seen, *self.fast[1:])
        ratio = self.slow[0] / self.slow[1]
        surprise = (self.fast[0] - ratio * self.fast[1]) / math.sqrt(self.fast[2])
        if abs(surprise) > 3.0 and self.fast[1] >= 5.0:
            half_way = (self.fast[0] + ratio * self.fast[1]) / 2.0
            self.slow = (self.fast[0] if surprise > 0.0 else half_way, self.fast[1])
        self.multiplier = min(max(self.slow[0] / self.slow[1], 0.1), 10.0)

    # ---- what it derives -------------------------------------------------------------------------------------------
    def refresh(self, view: PacingView) -> None:
        """Make all tables anew where a tenth more than before was learned, or 64 observations."""
        if self.learned_before >= 0 and self.learned_since <= min(0.1 * self.learned_before, 64):
            return
        self.learned_before = max(self.learned_before, 0) + self.learned_since
        self.learned_since = 0
        for segment in range(SEGMENTS):
            self._derive_survival(segment, view)
            self._derive_lines(segment)
        delays_s = np.array([after_s for _, answered, after_s, _ in self.ended if answered])
        shares = _shrunk(delays_s, fading_weights(len(delays_s), clocks.DELAY_HALF_LIFE), _gamma_shares(3.0), 5.0)
        by = _cumulated(shares)
        self.taus = np.array([_quantile(by, (k + 0.5) / TAUS) for k in range(TAUS)])

    def _derive_survival(self, segment: int, view: PacingView) -> None:
        handle_s = np.array([value for row, value in self.handled if segment in (0, row)])
        if segment and not len(handle_s):
            return
        weights = fading_weights(len(handle_s), clocks.HANDLE_HALF_LIFE)
        elapsed_s = view.now - view.handling_since
        if segment:
            told = len(view.handling_segment) > 0
            elapsed_s = elapsed_s[view.handling_segment == segment] if told else np.zeros(0)
            prior, agents = self.survival[0], clocks.POOLED_AGENTS
        else:
            mean_s = (5.0 * 180.0 + (weights * handle_s).sum() + elapsed_s.sum()) / (5.0 + weights.sum())
            prior, agents = lognormal_survival(max(mean_s, 1.0)), clocks.SMOOTH_AGENTS
        counts = counted(handle_s, weights, HANDLE_WIDTH_S, _HANDLE_BINS)
        if not segment:
            prior = smoothed(counts, elapsed_s, prior, clocks.PRIOR_ENDS)
        self.survival[segment] = kaplan_meier(counts, elapsed_s, prior, agents)

    def _derive_lines(self, segment: int) -> None:
        ended = [line for line in self.ended if segment in (0, line[0])]
        if segment and not ended:
            return
        pooled = self.tables[0] if segment else _PRIOR_TABLES
        lines = clocks.POOLED_LINES if segment else clocks.PRIOR_LINES
        after_s, rang_s, weights = _split([line for line in ended if line[1]])
        rang = rang_s <= after_s
        total = weights.sum() + lines
        before = counted(rang_s[rang], weights[rang], WIDTH_S, _BINS)
        unrung = counted(after_s[~rang], weights[~rang], WIDTH_S, _BINS)
        to_answer = _shrunk(after_s[rang] - rang_s[rang], weights[rang], pooled.ring_to_answer, lines)
        answered_rang = (weights[rang].sum() + lines * pooled.answered_rang) / total
        before = (before + lines * pooled.rang_before_answer) / total
        unrung = (unrung + lines * pooled.answered_unrung) / total
        after_s, rang_s, weights = _split([line for line in ended if not line[1]])
        rang = rang_s <= after_s
        self.tables[segment] = LineTables(
            rang_before_answer=before,
            answered_unrung=unrung,
            sign_of_others=_shrunk(np.minimum(after_s, rang_s), weights, pooled.sign_of_others, lines),
            ring_to_answer=to_answer,
            ring_to_other_end=_shrunk(after_s[rang] - rang_s[rang], weights[rang], pooled.ring_to_other_end, lines),
            answered_rang=answered_rang,
            others_rang=(weights[rang].sum() + lines * pooled.others_rang) / (weights.sum() + lines),
        )

    # ---- what it decides -------------------------------------------------------------------------------------------
    def decide(self, view: PacingView, rng: np.random.Generator) -> Answer:
        """Return the decision for up to 100 chances in the view."""
        self.refresh(view)
        left = self._keep_account(view)
        asked = self._asked(left)
        dither = self.settings["dither"] * (2.0 * self.draw - 1.0)
        threshold = math.exp(dither) / (1.0 + asked)
        cautious = self.cautious()  # before the lines in flight are learned from
        ready, gone, answered = self.ready_chances(view), self.gone_chances(view), self.line_chances(view)
        chances = np.concatenate([1.0 - ready, gone, answered])
        free = ready.sum(axis=0) - gone.sum(axis=0)
        spare, ringing = view.idle - view.waiting, len(view.ringing_since)
        size = spare + len(ready)
        most = max(int(view.max_lines_per_idle_agent * max(spare + free[-1], 0.0)) - ringing, 0)
        candidate = min(view.next_answer_probability * cautious, 0.98) * (np.arange(TAUS) + 0.5) / TAUS
        risks = shortages(chances, candidate, size, most)
        worse = np.flatnonzero(risks >= threshold)
        lines = int(worse[0]) if len(worse) else most
        risk = float(risks[lines])
        hang_up: tuple[int, ...] = ()
        if lines == 0 and risk >= self.settings["hang_up_above"]:
            hang_up = self._hung_up(view, chances, size)
            self.due_hung_up = np.maximum(self.dues[list(hang_up)], 0.0).sum()
        guard = "none"
        if not view.idle and not len(ready):
            lines, guard = 0, "no_agents"
        elif left < 1.0:
            safe = 0 if hang_up else max(0, spare - ringing)
            guard = "abandon_budget" if lines > safe else "none"
            lines = safe
        elif risk < threshold:
            guard = "lines_per_idle_agent"
        if lines:
            self.draw = rng.random()
        figures = {
            "forecast_free": spare + free.mean(),
            "forecast_answers": answered.sum() / TAUS + lines * candidate.mean(),
            "marginal_abandon_probability": risk,
            "threshold": threshold,
            "price": asked,
            "budget_left": left,
            "answer_multiplier": self.multiplier,
        }
        return Answer(lines, hang_up, guard, figures)

    def ready_chances(self, view: PacingView) -> Floats:
        """Return the chance that each busy agent is ready by each tau."""
        ready = np.zeros((len(view.handling_since), TAUS))
        for i, since in enumerate(view.handling_since):
            segment = int(view.handling_segment[i]) if len(view.handling_segment) else 0
            survival = self.survival.get(segment, self.survival[0])
            row = min(math.floor((view.now - since) / HANDLE_WIDTH_S), state.FINISH_ROWS - 1)
            when = row + 0.5 + np.concatenate([[0.0], self.taus / HANDLE_WIDTH_S])
            lasting = np.interp(when, np.arange(_HANDLE_BINS + 1), survival)
            ready[i] = 1.0 - lasting[1:] / max(lasting[0], 1e-12)
            if len(view.leaves_at):
                ready[i, self.taus >= view.leaves_at[i] - view.now] = 0.0
        return ready

    def gone_chances(self, view: PacingView) -> Floats:
        """Return whether each idle agent who will leave is gone by each tau."""
        return np.array([self.taus >= at - view.now for at in view.idle_leaves_at], float).reshape(-1, TAUS)

    def line_chances(self, view: PacingView) -> Floats:
        """Return the chance that each line in flight is answered by each tau."""
        chances, told = np.zeros((len(view.ringing_since), TAUS)), []
        for j, since in enumerate(view.ringing_since):
            segment = int(view.line_segment[j]) if len(view.line_segment) else 0
            tables = self.tables.get(segment, self.tables[0])
            rung = len(view.rung_since) > 0 and math.isfinite(view.rung_since[j])
            p = min(view.answer_probability[j] * self.cautious(), 0.98)
            elapsed_s = view.now - (view.rung_since[j] if rung else since)
            chances[j] = tables.answered_chances(p, elapsed_s, rung, self.taus)
            told.append(self._told(view.answer_probability[j], elapsed_s, rung, segment))
        self.dues, expected = np.array(told).reshape(-1, 2).T
        more = self.dues.sum() - self.due
        if not told:
            more = max(more, 0.0)
        elif more < 0.0:
            more = min(more + self.due_hung_up, 0.0)
        self._fall_due(more, max(more * self.multiplier, 0.0))
        self.due, self.due_hung_up = self.dues.sum(), 0.0
        self.in_flight += 0.02 * (expected.sum() - self.in_flight)
        return chances

    def _hung_up(self, view: PacingView, chances: Floats, size: int) -> tuple[int, ...]:
        rows: list[int] = []
        kept = chances.copy()
        for row in np.argsort(view.rung_since, kind="stable"):
            if not view.rung_since[row] <= view.now - view.hang_up_after_ring_s or len(rows) == decision.MOST_HUNG_UP:
                break
            kept[len(chances) - len(view.ringing_since) + row] = 0.0
            if shortages(kept, np.zeros(TAUS), size, 0)[0] < self.settings["hang_up_above"]:
                break
            rows.append(int(row))
        return tuple(rows)

    def _asked(self, left: float) -> float:
        if not self.target:
            return 2000.0
        missing = self.reserve() - left
        # Scarce is what lies below this share of the way from the guard to the reserve.
        beyond = missing - (1.0 - self.settings["scarce_share"]) * (self.reserve() - 1.0)
        raised = self.settings["slope"] * missing + self.settings["scarcity"] * max(0.0, beyond)
        return float(np.clip(1.5 / self.target * math.exp(min(self.price_offset + raised, 50.0)), 0.05, 2000.0))

    def _keep_account(self, view: PacingView) -> float:
        paused_s = 0.0 if self.decided_at is None else view.now - self.decided_at
        if paused_s >= price.NEW_ACCOUNT_AFTER_S and (self.allowance or self.abandons):
            self.allowance = self.abandons = 0.0
        self.decided_at, self.target = view.now, view.target_abandon_rate
        return min(self.allowance - self.abandons, view.budget_left)


def _split(ended: list[tuple[int, bool, float, float]]) -> tuple[Floats, Floats, Floats]:
    after_s, rang_s = np.array([line[2] for line in ended]), np.array([line[3] for line in ended])
    return after_s, rang_s, fading_weights(len(ended), clocks.DELAY_HALF_LIFE)


def _shrunk(delays_s: Floats, weights: Floats, prior: Floats, lines: float) -> Floats:
    return np.asarray((counted(delays_s, weights, WIDTH_S, _BINS) + lines * prior) / (weights.sum() + lines))


def _quantile(by: Floats, share: float) -> float:
    after = int(np.argmax(by >= share))
    return float(_DELAYS_S[after - 1] + WIDTH_S * (share - by[after - 1]) / (by[after] - by[after - 1]))


_PRIOR_TABLES = LineTables(
    rang_before_answer=np.zeros(_BINS),
    answered_unrung=_gamma_shares(3.0),
    sign_of_others=0.1 * _uniform_shares(2.0, 6.0) + 0.9 * _uniform_shares(15.0, 60.0),
    ring_to_answer=_gamma_shares(0.0),
    ring_to_other_end=_uniform_shares(12.0, 57.0),
    answered_rang=0.5,
    others_rang=0.5,
)
