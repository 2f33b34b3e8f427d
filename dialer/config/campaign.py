"""The campaign file: what ops write, frozen, strict and bounded. Every field states its unit and its bound."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BeforeValidator,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from dialer.config.abandon import DEFAULT_ABANDON_RULES, AbandonRule, distinct
from dialer.config.caps import Cap as Cap
from dialer.config.caps import Period as Period
from dialer.config.carriers import CarrierAccount
from dialer.config.carriers import Trunk as Trunk
from dialer.config.duration import Duration as Duration
from dialer.config.duration import seconds_of
from dialer.config.misfits import refuse
from dialer.config.models import Models
from dialer.config.routing import CallerIdPool, Routing
from dialer.config.section import NAME as NAME
from dialer.config.section import Day as Day
from dialer.config.section import Section as Section
from dialer.config.section import Window as Window
from dialer.config.segment_faults import segment_faults
from dialer.config.segments import MOST_SEGMENTS, Segment, Stages
from dialer.config.supply_faults import supply_faults

# What may stand in a part of a key of the store, where `|` parts them.
SUBJECT = r"^[^|\x00-\x1f\x7f]*$"

Mode = Literal["progressive", "power", "predictive"]
# There are policies for these modes as well, and no way yet for a call to come about in them.
MODES_TO_COME = {
    "manual": "no agent can ask for a call yet",
    "preview": "no agent can ask for a call yet",
    "agentless": "nothing but an agent can take a call yet",
}
Scope = Literal["debt_collection", "telemarketing"]


def _off(value: Any) -> Any:
    """Read `off` as None."""
    return None if value is False or value == "off" else value


Registry = Annotated[str, Field(pattern=NAME)]


# No less: a shorter ring is an abandoned call to US law (16 CFR 310.4(b)(4)(ii): 15 seconds or four rings).
HangUpAfterRing = Annotated[
    Annotated[float, BeforeValidator(seconds_of), Field(ge=15.0, le=60.0)] | None,
    BeforeValidator(_off),
    WithJsonSchema({"anyOf": [{"type": "number", "ge": 15.0, "le": 60.0}, {"const": "off"}, {"type": "null"}]}),
]


class Retry(Section):
    """When a lead is tried again after a disposition, and how often that disposition may repeat."""

    after: Duration
    max: int = Field(ge=0, le=100, description="how many times this disposition may lead to another attempt")
    next_number: bool = False


class Agent(Section):
    """A person who takes calls; `endpoint` is their telephone's PJSIP endpoint."""

    id: str = Field(pattern=NAME)
    endpoint: str = Field("", pattern=r"^$|^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    name: str = ""
    skills: tuple[Annotated[str, Field(pattern=NAME)], ...] = Field((), max_length=50)


class KeyMeaning(Section):
    """What a telephone key does: a disposition, a pause with a reason, or ready again. Exactly one."""

    disposition: str | None = None
    pause: str | None = None
    ready: bool = False

    @model_validator(mode="after")
    def _one(self) -> KeyMeaning:
        if sum((self.disposition is not None, self.pause is not None, self.ready)) != 1:
            raise ValueError("expected exactly one of disposition, pause, ready")
        return self


class Asterisk(Section):
    """Where the switch's manager interface is. The secret comes from a file of mode 600 or from the environment."""

    host: str = "127.0.0.1"
    port: int = Field(5038, ge=1, le=65535)
    user: str = "cadencia"
    secret_file: str = ""
    secret_env: str = "CADENCIA_AMI_SECRET"
    max_calls: int = Field(500, ge=1, le=20_000, description="our own cap on calls in flight on this switch")


DEFAULT_KEYS = {
    "1": KeyMeaning(disposition="RPC"),
    "2": KeyMeaning(disposition="PTP"),
    "3": KeyMeaning(disposition="REFUSED"),
    "4": KeyMeaning(disposition="CALLBACK"),
    "5": KeyMeaning(disposition="WRONG_PARTY"),
    "6": KeyMeaning(disposition="PAID"),
    "7": KeyMeaning(disposition="DISPUTED"),
    "9": KeyMeaning(disposition="DNC_REQUEST"),
    "0": KeyMeaning(disposition="MACHINE"),
    "*": KeyMeaning(pause="break"),
    "#": KeyMeaning(ready=True),
}

DEFAULT_RETRY = {
    "BUSY": Retry(after=900, max=3),
    "NO_ANSWER": Retry(after=7200, max=3, next_number=True),
    "CONGESTION": Retry(after=600, max=3),
    "FAILED": Retry(after=600, max=3),
    "MACHINE": Retry(after=14400, max=2, next_number=True),
    "CANCELLED": Retry(after=1800, max=3),
    "ABANDONED": Retry(after=72 * 3600, max=1),
    "UNKNOWN": Retry(after=4 * 3600, max=1),
    "INVALID_NUMBER": Retry(after=0, max=9, next_number=True),
    "WRONG_PARTY": Retry(after=0, max=9, next_number=True),
    "CALLBACK": Retry(after=3600, max=5),
}


class Campaign(Section):
    """One campaign, whole. Times without a unit are seconds; rates are fractions in [0, 1]."""

    campaign: str = Field(pattern=NAME)
    mode: Mode = "predictive"
    scope: Scope = "debt_collection"
    subject: str = Field("", max_length=64, pattern=SUBJECT, description="what it calls about; empty: its name")
    purpose: str = Field("", max_length=500, description="why people are called, for whoever audits")
    jurisdictions: tuple[str, ...] = Field(
        min_length=1, description="ISO 3166 codes; a number of another is not dialled"
    )
    windows: tuple[Window, ...] = Field((), description="narrows the law's windows; never widens them")
    caps: tuple[Cap, ...] = Field((), description="added to the law's caps; all must pass")
    closed_dates: tuple[str, ...] = Field((), description='further closed local dates, "2026-12-24"')
    rule_packs: tuple[str, ...] = Field((), description="your own packs of rules, beside the campaign file")
    dnc_registries: tuple[Registry, ...] = Field((), description="further registries that a number must not be on")
    stale_lists: Literal["block", "warn"] = Field("block", description="what a registry that is too old does to a call")
    target_abandon_rate: float = Field(0.03, gt=0, le=0.03)
    lines_per_idle_agent: float = Field(1.5, ge=1, le=5, description="of mode power")
    max_lines_per_idle_agent: float = Field(8.0, ge=1, le=20)
    abandon_rules: tuple[AbandonRule, ...] = Field(
        DEFAULT_ABANDON_RULES, min_length=1, max_length=8, description="how abandons are counted; the tightest rules"
    )
    connect_deadline_s: float = Field(2.0, ge=0.5, le=2.0, description="live answer to agent; then the message plays")
    ring_timeout_s: float = Field(22.0, ge=15.0, le=60.0)
    hang_up_after_ring: HangUpAfterRing = Field(
        15.0, description="a call that rang so long may be hung up when no agent would be there; off: never"
    )
    ring_guard_s: float = Field(45.0, ge=0, le=600, description="no call is begun this close to a window's end")
    number_gap: Duration = Field(600.0, description="least rest of a lead between two attempts, whichever its numbers")
    wrap_up_limit_s: float = Field(30.0, ge=1, le=3600)
    amd: bool = Field(False, description="answering-machine detection before the agent")
    amd_false_positive_rate: float = Field(
        0.0, ge=0, le=0.2, description="people whom detection takes for machines / people who answer, as measured"
    )
    retry: dict[str, Retry] = Field(
        default_factory=lambda: dict(DEFAULT_RETRY), description="what is not named keeps its default; max: 0 for never"
    )
    lists: tuple[str, ...] = ()
    carriers: tuple[CarrierAccount, ...] = Field((), max_length=100)
    trunks: tuple[Trunk, ...] = Field(min_length=1)
    caller_ids: tuple[str, ...] = Field(min_length=1)
    caller_id_pools: tuple[CallerIdPool, ...] = Field((), max_length=1000)
    routing: Routing = Routing()
    models: Models = Models()
    stages: Stages = Stages()
    segments: tuple[Segment, ...] = Field((), max_length=MOST_SEGMENTS, description="the first that fits a lead holds")
    agents: tuple[Agent, ...] = Field(min_length=1)
    keys: dict[str, KeyMeaning] = Field(default_factory=lambda: dict(DEFAULT_KEYS))
    asterisk: Asterisk = Asterisk()

    @field_validator("mode", mode="before")
    @classmethod
    def _runs_today(cls, mode: Any) -> Any:
        if isinstance(mode, str) and mode in MODES_TO_COME:
            raise ValueError(
                f"{mode} does not run yet ({MODES_TO_COME[mode]}): expected one of {', '.join(get_args(Mode))}"
            )
        return mode

    @field_validator("retry")
    @classmethod
    def _with_defaults(cls, named: dict[str, Retry]) -> dict[str, Retry]:
        return {**DEFAULT_RETRY, **named}

    @field_validator("abandon_rules")
    @classmethod
    def _distinct_rules(cls, rules: tuple[AbandonRule, ...]) -> tuple[AbandonRule, ...]:
        return distinct(rules)

    @field_validator("caller_ids")
    @classmethod
    def _e164(cls, numbers: tuple[str, ...]) -> tuple[str, ...]:
        for number in numbers:
            if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
                raise ValueError(f"expected an E.164 number such as +5117000000, was {number!r}")
        return numbers

    @model_validator(mode="before")
    @classmethod
    def _about_itself(cls, data: Any) -> Any:
        """A campaign that names no subject is one of its own."""
        if isinstance(data, dict) and not data.get("subject") and isinstance(data.get("campaign"), str):
            return {**data, "subject": data["campaign"]}
        return data

    @model_validator(mode="after")
    def _fits_together(self) -> Campaign:
        skills = {skill for agent in self.agents for skill in agent.skills}
        refuse(
            *supply_faults(self.carriers, self.trunks, self.caller_ids, self.caller_id_pools, self.jurisdictions),
            *segment_faults(self.segments, self.stages, skills),
        )
        return self

    @field_validator("agents", "trunks")
    @classmethod
    def _unique(cls, entries: tuple[Any, ...]) -> tuple[Any, ...]:
        seen: set[str] = set()
        for entry in entries:
            key = entry.id if isinstance(entry, Agent) else entry.name
            if key in seen:
                raise ValueError(f"{key!r} stands twice")
            seen.add(key)
        return entries
