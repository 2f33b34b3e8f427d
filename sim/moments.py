"""The moments of a day that mattered, each with what the policy knew: chosen from the engine's actions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dialer.core import actions as act
from dialer.core import events as ev
from pacing.explain import explain
from sim.day import Moment

MOST = 60  # of a day: a report that lists everything shows nothing
MOST_ABANDONED = 30  # of these: a busy day has hundreds, and what held the pacing is to be seen too
_OFTEN = 3600.0  # the same kind of guard or refusal is told once in so many seconds
_REMEMBERED_S = 300.0  # decisions are kept so long: no call rings longer
_RANK = {"link": 0, "store": 0, "changed": 1, "abandoned": 2, "blocked": 3, "guard": 4, "launch": 5}
_QUIET = frozenset({"none", "loading"})
_GUARD_TITLES = {
    "abandon_budget": "Abandon budget used up",
    "lines_per_idle_agent": "Bound on lines per idle agent reached",
    "channels": "Every channel taken",
    "cps": "Call set-ups at the trunks' limit",
    "queue_empty": "No lead left to dial",
    "window": "Calling window closed",
    "no_agents": "No agents",
    "link": "Link to the switch down",
    "store": "Store not writable",
    "paused": "Paused",
    "draining": "Draining",
}


class Moments:
    """Collects candidates; `chosen` picks the ones worth showing."""

    def __init__(self) -> None:
        self._decisions: dict[float, act.Decision] = {}  # by time, oldest first
        self._found: list[Moment] = []
        self._told: dict[str, float] = {}  # when a guard or a rule was last told
        self._widest: dict[int, Moment] = {}  # the largest launch of each hour
        self._widest_count: Counter[int] = Counter()

    def saw(self, event: ev.Event, actions: Sequence[act.Action]) -> None:
        """Take in a step of the engine."""
        for action in actions:
            kind = type(action)
            if kind not in _TOLD:
                continue
            if isinstance(action, act.NoteDecision):
                self._decided(event.at, action.decision)
            elif isinstance(action, act.Settle):
                for settlement in action.settlements:
                    if settlement.abandoned:
                        self._abandoned(settlement)
        if type(event) in WATCHED:
            self._fact(event)

    def chosen(self) -> tuple[Moment, ...]:
        """The moments, in order of time: failures and changes first, then lost calls, then what held the pacing."""
        found = [*self._found, *self._widest.values()]
        # Of each rank, spread over the day: every k-th, not the first so many.
        kept: list[Moment] = []
        for rank in sorted(set(_RANK.values())):
            of_rank = [moment for moment in found if _RANK[moment.kind] == rank]
            room = MOST - len(kept)
            if rank == _RANK["abandoned"]:
                room = min(room, MOST_ABANDONED)
            if len(of_rank) > room:
                step = len(of_rank) / max(room, 1)
                of_rank = [of_rank[int(i * step)] for i in range(room)]
            kept += of_rank
        return tuple(sorted(kept, key=lambda moment: moment.at))

    def _decided(self, at: float, decision: act.Decision) -> None:
        self._decisions[at] = decision
        while (oldest := next(iter(self._decisions))) < at - _REMEMBERED_S:
            del self._decisions[oldest]
        if decision.guard not in _QUIET and self._seldom(f"guard:{decision.guard}", at):
            title = _GUARD_TITLES.get(decision.guard, decision.guard)
            self._found.append(Moment(at=at, kind="guard", title=title, text=_why(decision)))
        hour = int(at // 3600.0)
        over = decision.launched - decision.idle
        if over > self._widest_count[hour]:
            self._widest_count[hour] = over
            title = f"{decision.launched} lines for {decision.idle} idle"
            self._widest[hour] = Moment(at=at, kind="launch", title=title, text=_why(decision))

    def _abandoned(self, settlement: act.Settlement) -> None:
        answered_at = settlement.answered_at or settlement.at
        decision = self._decisions.get(settlement.reserved_at)
        text = f"The call was launched {answered_at - settlement.reserved_at:.0f} s before it was answered."
        if decision is not None:
            text += f" {_why(decision)}"
        self._found.append(Moment(at=answered_at, kind="abandoned", title="A person answered, no agent", text=text))

    def _fact(self, event: ev.Event) -> None:
        at = event.at
        match event:
            case ev.PacingChanged():
                changes = {
                    "mode": event.mode,
                    "target abandon rate": event.target_abandon_rate,
                    "lines per idle agent": event.lines_per_idle_agent,
                    "most lines per idle agent": event.max_lines_per_idle_agent,
                }
                text = ", ".join(f"{name} {value}" for name, value in changes.items() if value is not None)
                self._add(at, "changed", "Pacing changed", f"{event.by}: {text}.")
            case ev.LaunchingPaused():
                self._add(at, "changed", "Paused", f"By {event.by}.")
            case ev.LaunchingResumed():
                self._add(at, "changed", "Resumed", f"By {event.by}.")
            case ev.DrainOrdered():
                self._add(at, "changed", "Draining", f"By {event.by}.")
            case ev.StopOrdered():
                self._add(at, "changed", "Stopped", f"By {event.by}.")
            case ev.LinkDropped():
                self._add(at, "link", "Link to the switch down", f"{event.reason}.")
            case ev.StoreStalled():
                self._add(at, "store", "Store not writable", f"{event.reason}.")
            case ev.Refused():
                for refusal in event.refusals:
                    if self._seldom(f"rule:{refusal.rule}", at):
                        text = f"A lead was not dialled: {refusal.rule}."
                        self._add(at, "blocked", f"Refused by {refusal.rule}", text)

    def _add(self, at: float, kind: str, title: str, text: str) -> None:
        self._found.append(Moment(at=at, kind=kind, title=title, text=text))

    def _seldom(self, what: str, at: float) -> bool:
        """Whether it was not told for a while."""
        if at - self._told.get(what, -_OFTEN) < _OFTEN:
            return False
        self._told[what] = at
        return True


_TOLD = frozenset({act.NoteDecision, act.Settle})
# Facts that matter by themselves.
WATCHED = frozenset(
    {
        ev.PacingChanged,
        ev.LaunchingPaused,
        ev.LaunchingResumed,
        ev.DrainOrdered,
        ev.StopOrdered,
        ev.LinkDropped,
        ev.StoreStalled,
        ev.Refused,
    }
)


def _why(decision: act.Decision) -> str:
    return explain(
        decision.policy,
        decision.figures,
        idle=decision.idle,
        ringing=decision.ringing,
        lines=decision.launched,
        guard=decision.guard,
        hung_up=decision.hung_up,
    )
