"""One attempt: from reservation to its disposition.

How it works: `ATTEMPT_TRANSITIONS` is the whole state machine; `Attempt.move` is the only place that changes a state.
The switch's messages may come in any order or late, so the engine asks `allows` first for facts from outside and
ignores those that no longer fit; a move of the engine's own that the table does not have is a bug and raises.
"""

from __future__ import annotations

from enum import IntEnum

from carriers.caller_id import CallerIdChoice
from dialer.core import actions as act
from dialer.core import events as ev
from dialer.core.actions import Claim
from dialer.core.disposition import STOPPED_BY
from dialer.core.plan_book import Score
from dialer.errors import IllegalTransition


class TryFailed:
    """A try that a carrier's fault ended before any ringing, and that another trunk will be tried after."""


class AttemptState(IntEnum):
    """Where an attempt is."""

    RESERVING = 0  # the store is asked for the lead and the cap slots
    DIALLING = 1  # originated
    RINGING = 2
    SCREENING = 3  # answered; answering-machine detection listens
    WAITING = 4  # answered live; no agent yet
    BRIDGING = 5  # an agent is reserved for it
    TALKING = 6
    MESSAGE = 7  # abandoned: the safe-harbour message plays
    DISPOSING = 8  # the call is over, the agent wraps up
    ENDED = 9
    INHERITED = 10  # claimed by an earlier run; the switch has not yet been asked what became of it
    REROUTING = 11  # its trunk failed; the next one has no set-up to spare yet


# Looking a member up in its class costs more than all else in a short method (Python 3.11): bound once.
RESERVING, DIALLING, RINGING, SCREENING, WAITING, BRIDGING = list(AttemptState)[:6]
TALKING, MESSAGE, DISPOSING, ENDED, INHERITED, REROUTING = list(AttemptState)[6:]
S = AttemptState

ATTEMPT_TRANSITIONS: dict[AttemptState, dict[type, AttemptState]] = {
    S.RESERVING: {ev.Reserved: S.DIALLING, ev.Refused: S.ENDED, ev.ReservationLost: S.ENDED},
    S.DIALLING: {
        ev.AttemptRinging: S.RINGING,
        ev.AttemptAnswered: S.SCREENING,
        ev.AttemptEnded: S.ENDED,
        TryFailed: S.REROUTING,
    },
    S.RINGING: {
        ev.AttemptRinging: S.RINGING,
        ev.AttemptAnswered: S.SCREENING,
        ev.AttemptEnded: S.ENDED,
    },
    # Without detection an attempt passes through SCREENING within one step.
    S.SCREENING: {ev.AttemptScreened: S.WAITING, ev.AttemptEnded: S.ENDED},
    S.WAITING: {act.Bridge: S.BRIDGING, ev.AttemptAbandoned: S.MESSAGE, ev.AttemptEnded: S.ENDED},
    S.BRIDGING: {
        ev.AttemptBridged: S.TALKING,
        ev.BridgeFailed: S.WAITING,
        # The switch's limit ran out as the bridge was under way: it counts as abandoned, and the bridge may yet come.
        ev.AttemptAbandoned: S.BRIDGING,
        ev.AttemptEnded: S.ENDED,
    },
    S.TALKING: {ev.AttemptEnded: S.DISPOSING},
    S.MESSAGE: {ev.AttemptEnded: S.ENDED},
    S.DISPOSING: {ev.AttemptDisposed: S.ENDED},
    S.ENDED: {},
    S.REROUTING: {act.Originate: S.DIALLING, ev.AttemptEnded: S.ENDED},
    S.INHERITED: {ev.AttemptSurvived: S.TALKING, ev.AttemptEnded: S.ENDED, ev.LinkUp: S.ENDED},
}


class Attempt:
    """A live attempt. Mutable, private to the engine."""

    __slots__ = (
        "abandoned",
        "accounted",
        "agent_id",
        "answered_at",
        "attempt_id",
        "bridged_at",
        "caller_id",
        "cell",
        "channel_taken",
        "claim",
        "closes_at",
        "connected_at",
        "credited",
        "cut_short",
        "disposition",
        "doubtful",
        "ended_at",
        "failed_as",
        "greeting_began_at",
        "greeting_ended_at",
        "hang_up_asked",
        "held",
        "lead",
        "left",
        "live",
        "machine",
        "number",
        "number_index",
        "originated_at",
        "probability",
        "propensity",
        "rang_at",
        "reserved_at",
        "route_reason",
        "row",
        "score",
        "scored_by",
        "segment",
        "shown",
        "silent",
        "state",
        "survived",
        "tried",
        "trunk",
        "try_no",
    )

    def __init__(
        self, attempt_id: int, claim: Claim, lead: int, number_index: int, *, at: float, closes_at: float, trunk: str
    ) -> None:
        self.attempt_id = attempt_id
        self.claim = claim
        self.lead = lead  # index in the lead table
        self.number = claim.number
        self.number_index = number_index
        self.closes_at = closes_at  # not originated at or after this
        self.trunk = trunk
        self.cell = -1  # of the desk
        self.channel_taken = False  # of its trunk, planned or in use
        self.route_reason = 0  # `carriers.router.Reason`
        self.propensity = 1.0  # of its trunk
        self.tried: list[str] = []  # trunks that are not asked again
        self.failed_as = ""  # the disposition of the last failure
        self.doubtful = False  # was being set up as the link dropped: it may have rung, unheard
        self.silent = False  # nothing was heard of its present try for long, and the desk knows
        self.credited = False  # told to the router as a contact
        self.caller_id = ""
        self.shown: CallerIdChoice | None = None  # the same, and why
        self.try_no = 1
        self.state = S.RESERVING
        self.row = -1  # in the engine's table of lines in flight; -1: not there
        self.probability = 0.0
        self.score: Score | None = None  # what the plan said of its lead at its claim
        self.scored_by = ""  # the model behind it
        self.segment = 0  # of its lead, in what is learned
        self.reserved_at = at
        self.originated_at: float | None = None
        self.connected_at: float | None = None
        self.answered_at: float | None = None  # connected; with detection, passed by it
        self.greeting_began_at: float | None = None
        self.greeting_ended_at: float | None = None
        self.bridged_at: float | None = None
        self.ended_at: float | None = None
        self.agent_id: str | None = None
        self.disposition: str | None = None  # as the agent set it
        self.rang_at: float | None = None  # the first sign of ringing
        self.live = False  # counted as a live answer
        self.machine = False
        self.abandoned = False
        self.left = False  # hung up by the called party, before any agent and before the limit
        self.accounted = False  # entered into the accounts of abandons
        self.held = False  # reserved by the store, not yet originated
        self.hang_up_asked = False
        self.cut_short = False  # hung up as it rang, for want of an agent
        self.survived = False  # began in an earlier run

    def own_stop_keys(self, disposition: str) -> tuple[str, ...]:
        """Return the stops that a disposition sets: of what `STOPPED_BY` names, and none for most."""
        kinds = STOPPED_BY.get(disposition, ())
        return tuple(key for key in self.claim.stop_keys if key.partition(":")[0] in kinds)

    def allows(self, trigger: type) -> bool:
        """Say whether the table has a move for this trigger from the present state."""
        return trigger in ATTEMPT_TRANSITIONS[self.state]

    def move(self, trigger: type) -> None:
        """Make the table's move. Raises `IllegalTransition` where it has none."""
        try:
            self.state = ATTEMPT_TRANSITIONS[self.state][trigger]
        except KeyError:
            raise IllegalTransition(
                f"attempt {self.attempt_id}: expected a move for {trigger.__name__}, found none from {self.state.name}"
            ) from None
