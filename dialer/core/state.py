"""The state of one campaign, as the parts of the engine share it. Mutable, private to the engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import inf
from typing import Any

import numpy as np

from carriers.desk import Desk
from compliance.ruleset import RuleSet
from dialer.config.campaign import Campaign
from dialer.core import actions as act
from dialer.core.abandon_book import AbandonBook
from dialer.core.attempt import Attempt
from dialer.core.claiming import Claims
from dialer.core.counters import Counters
from dialer.core.dial_queue import DialQueue
from dialer.core.duties import Duties
from dialer.core.floor import Floor
from dialer.core.learned import Learned
from dialer.core.live_rows import LiveRows
from dialer.core.plan_book import PlanBook
from dialer.core.segments import SegmentRules
from dialer.core.supply import desk_of
from dialer.core.timers import Timers
from models.answer import AnswerTable
from pacing.policy import Policy
from pacing.view import SEGMENTS

RESTARTED_S = 180.0  # a run that began so soon after the last one's state was kept may follow it at once
ATTEMPTS_PER_RUN = 1_000_000_000
# The lines' table has four columns: launched at, probability of an answer, first ringing (infinity before it), segment.
LAUNCHED_AT, RUNG_SINCE = 0, 2


class CampaignState:
    """What is so now: leads, agents, attempts, timers, and what was learned. Indexes hold live attempts only."""

    def __init__(
        self, campaign: Campaign, *, rules: RuleSet, policies: Mapping[str, Policy], run: int, seed: int
    ) -> None:
        self.campaign = campaign
        self.rules = rules
        self.claims = Claims(campaign, rules)
        self.duties = Duties(campaign, rules)
        self.segment_rules = SegmentRules(campaign)
        self.policies = dict(policies)  # by mode
        # as supervisors set them
        self.mode: str = campaign.mode
        self.target_abandon_rate = campaign.target_abandon_rate
        self.lines_per_idle_agent = campaign.lines_per_idle_agent
        self.max_lines_per_idle_agent = campaign.max_lines_per_idle_agent
        after_ring = campaign.hang_up_after_ring
        self.hang_up_after_ring_s = inf if after_ring is None else after_ring
        # whether anything may be launched
        self.loaded = False
        self.link_up = False
        self.link_down_because = ""  # the last reason, while the link is down
        self.store_ok = True
        self.paused = False
        self.draining = False
        self.ended = False
        # leads, agents, calls
        self.queue = DialQueue(rules)
        skills = {agent.id: agent.skills for agent in campaign.agents}
        self.floor = Floor(skills, skills)
        self.attempts: dict[int, Attempt] = {}
        self.lines: LiveRows[Attempt] = LiveRows(columns=4)
        self.held: deque[int] = deque()  # reserved, and waiting for a call set-up of their trunk
        self.set_up_at: float | None = None  # when the held ones are looked at again
        self.unlisted: set[int] = set()  # leads that no list has any more: settled, and never dialled
        self.segments: dict[str, int] = {}  # the products that are learned apart, by the order in which they came
        self.waiting: dict[int, Attempt] = {}  # answered and without an agent, oldest first
        self.next_attempt_id = run * ATTEMPTS_PER_RUN
        self.desk: Desk = desk_of(campaign)
        self.listened_at = 0.0  # when silent set-ups were last looked for
        self.room_asked = False  # a timer is set for when a trunk has room for a set-up again
        self.recalled_at: float | None = None  # when the recalled state of an earlier run was kept
        self.cell_rests: dict[str, float] = {}  # seconds, of leads whose cells had no room at the last decision
        self.crowded: set[int] = set()  # such cells, within a decision
        self.plans = PlanBook()
        self.live_leads: set[int] = set()  # leads with an attempt under way
        self.not_called: set[int] = set()  # ready leads of segments that are not called
        self.reviewing = -1  # the next lead of the review under way; -1: none is
        self.pricing = False  # a timer is set for the next capacity prices
        # time and chance
        self.now = 0.0
        self.timers = Timers()
        self.asked_by = ""  # what asked for the decision that is due; empty: none is
        self.ticking = False
        self.decided_at = 0.0  # when the last decision was taken
        self.rng = np.random.default_rng([seed, run])
        # policies whose arithmetic failed
        self.faults_in_row = 0
        self.pacing_fault = ""  # why the policy is asked no more until a supervisor sets a mode; empty: it is asked
        self.told_faults: list[str] = []  # kinds of faults; each is told once
        self.stale_lists: list[str] = []  # registries that were found too old; each is told once a run
        # learned and counted
        self.answers = AnswerTable()
        self.counters = Counters()
        self.abandon_book = AbandonBook(campaign, [p for ps in rules.profiles_by_country.values() for p in ps])
        self.decisions: deque[tuple[float, act.Decision]] = deque(maxlen=8)
        self.last_guard = ""
        # what the present step answers
        self.out: list[act.Action] = []
        self.settlements: list[act.Settlement] = []

    @property
    def policy(self) -> Policy:
        """The policy of the present mode."""
        return self.policies[self.mode]

    @property
    def launched(self) -> int:
        """How many lines this run has launched."""
        return self.next_attempt_id % ATTEMPTS_PER_RUN

    def add_line(self, attempt: Attempt) -> None:
        """Give a launched attempt its row among the lines in flight."""
        launched_at = attempt.reserved_at if attempt.originated_at is None else attempt.originated_at
        rung_since = inf if attempt.rang_at is None else attempt.rang_at
        self.lines.add(attempt, launched_at, attempt.probability, rung_since, attempt.segment)

    def learn_apart(self, product: str) -> None:
        """Give a product its segment, if it has a name and there is one left."""
        if product and product not in self.segments and len(self.segments) < SEGMENTS - 1:
            self.segments[product] = len(self.segments) + 1

    def learned(self) -> Learned:
        """What was learned and counted, for the next run."""
        # To read an account moves its window on, as whoever watches does: so what is kept never depends on who looked.
        self.abandon_book.accounts.tightest(self.now)
        return Learned(
            at=self.now,
            policies={policy.policy_id: policy.snapshot() for policy in self.policies.values()},
            answers=self.answers.snapshot(),
            counters=self.counters.snapshot(),
            segments=dict(self.segments),
            accounts=self.abandon_book.accounts.snapshot(),
            routing=self.desk.learned(),
            plans=self.plans.learned(),
        )

    def recall(self, learned: Learned) -> None:
        """Go on with what was learned and counted before. A policy that is unknown there starts afresh, and so does one
        that cannot use what it finds, with an alert."""
        self.counters.restore(learned.counters)
        self.abandon_book.accounts.restore(learned.accounts)
        self.answers.restore(learned.answers)
        loaded, self.segments = self.segments, dict(learned.segments)
        for product in loaded:
            self.learn_apart(product)
        try:
            self.desk.recall(learned.routing)
        except ValueError as fault:  # other trunks than before: it is as it was
            self.out.append(act.Alert(text=f"routing begins with nothing learned: {fault}"))
        try:
            self.plans.recall(learned.plans)
        except (KeyError, ValueError) as fault:
            self.out.append(act.Alert(text=f"plans begin with nothing learned: {fault}"))
        for policy in self.policies.values():
            state = learned.policies.get(policy.policy_id)
            if state:
                self._teach(policy, state)

    def after_a_run(self) -> None:
        """Begin dialling. Nobody counted the last set-ups of a run that may have ended just now: the limits of short
        windows are taken to be used up."""
        first = self.next_attempt_id < 2 * ATTEMPTS_PER_RUN
        if not first and (self.recalled_at is None or self.now < self.recalled_at + RESTARTED_S):
            self.desk.begin_again(self.now)

    def _teach(self, policy: Policy, state: dict[str, Any]) -> None:
        try:
            policy.restore(state)
        except ValueError as fault:  # the policy is as it was: new
            self.out.append(act.Alert(text=f"{policy.policy_id} begins with nothing learned: {fault}"))

    def record_ends(self) -> None:
        """Put the settlements so far before whatever comes next."""
        if self.settlements:
            self.out.append(act.Settle(settlements=tuple(self.settlements)))
            self.settlements.clear()

    def end(self, reason: str) -> None:
        """The campaign is over."""
        self.ended = True
        self.desk.flush(self.now)
        self.out.append(act.SaveLearned(learned=self.learned()))
        self.out.append(act.EndCampaign(reason=reason))
