"""What commands ask a running campaign, and what it answers: one JSON object a line on its control socket."""

from __future__ import annotations

import msgspec

from carriers.standing import RoutingStanding
from dialer.core.status import CampaignStatus


# ---- orders and questions -----------------------------------------------------------------------------------
class Request(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="ask"):
    """Something that a command asks."""


class GetStatus(Request, frozen=True, kw_only=True, tag=True):
    """How is the campaign?"""


class ListAgents(Request, frozen=True, kw_only=True, tag=True):
    """What does each agent do?"""


class GetRouting(Request, frozen=True, kw_only=True, tag=True):
    """How do the trunks and the caller IDs stand?"""


class Pause(Request, frozen=True, kw_only=True, tag=True):
    """Launch nothing; live calls go on."""


class Resume(Request, frozen=True, kw_only=True, tag=True):
    """Launch again."""


class Drain(Request, frozen=True, kw_only=True, tag=True):
    """Launch nothing more, let live calls finish, then end."""


class StopNow(Request, frozen=True, kw_only=True, tag=True):
    """Hang up everything and end. `everywhere`: also forbid every call in the campaign's store."""

    everywhere: bool = False


class SetPacing(Request, frozen=True, kw_only=True, tag=True):
    """Change how the campaign paces; the values as a person typed them."""

    changes: dict[str, str]


class PauseAgent(Request, frozen=True, kw_only=True, tag=True):
    """Give an agent no call after the present one."""

    agent_id: str
    reason: str = "supervisor"


class AnnounceLeave(Request, frozen=True, kw_only=True, tag=True):
    """An agent will leave at a known time: `13:00`, `10m` from now; `never` takes it back. As a person typed it."""

    agent_id: str
    when: str
    reason: str = "break"


class ResumeAgent(Request, frozen=True, kw_only=True, tag=True):
    """End an agent's pause."""

    agent_id: str


class LogOutAgent(Request, frozen=True, kw_only=True, tag=True):
    """Hang up an agent's leg, after the present call."""

    agent_id: str


AnyRequest = (
    GetStatus
    | ListAgents
    | GetRouting
    | Pause
    | Resume
    | Drain
    | StopNow
    | SetPacing
    | PauseAgent
    | AnnounceLeave
    | ResumeAgent
    | LogOutAgent
)


# ---- answers ------------------------------------------------------------------------------------------------
class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One value, before and after."""

    key: str
    old: str | float
    new: str | float


class AgentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One agent now. `since_s` is how long the present state has lasted, seconds."""

    agent_id: str
    name: str
    state: str
    since_s: float | None
    attempt_id: int | None
    pause_reason: str
    leaves_in_s: float | None = None  # until the leave that was announced


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="answer"):
    """What a campaign answers."""


class Status(Answer, frozen=True, kw_only=True, tag=True):
    """The campaign at a glance, and its process."""

    pid: int
    status: CampaignStatus


class Routing(Answer, frozen=True, kw_only=True, tag=True):
    """The trunks and the caller IDs now."""

    campaign: str
    standing: RoutingStanding


class Agents(Answer, frozen=True, kw_only=True, tag=True):
    """Every agent of the campaign, in the order of its file."""

    agents: tuple[AgentRow, ...]


class Done(Answer, frozen=True, kw_only=True, tag=True):
    """The order is given; in force with the engine's next step."""

    what: str
    changes: tuple[Change, ...] = ()
    stored: bool = False  # the store forbids every call


class Refused(Answer, frozen=True, kw_only=True, tag=True):
    """Nothing was done. `mendable`: the order itself is at fault."""

    reasons: tuple[str, ...]
    mendable: bool = True


AnyAnswer = Status | Routing | Agents | Done | Refused
