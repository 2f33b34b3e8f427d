"""What becomes of one call: drawn from a scenario's distributions, or recorded on a real day."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

End = Literal["answered", "no_answer", "busy", "invalid", "failed"]


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a call goes, fixed when it is placed. Durations in seconds, each from the moment before it.

    `end` is how it goes if nobody hangs up first; a `no_answer` rings until the dialer's own limit unless `rings_s`
    says that the network gives up sooner.
    """

    end: End
    set_up_s: float  # from the originate to the first ringing, or to the end where it never rings
    rings_s: float | None = None  # from the ringing to the answer, or to the network's own end
    human: bool = False  # who answers: a person, or a machine or nobody at all
    screening_s: float | None = (
        None  # from the answer to the verdict of answering-machine detection; None: no detection
    )
    verdict: str = "human"  # of the detection, errors included
    patience_s: float | None = None  # from the answer until a person hangs up on silence; None: never
    talk_s: float = 0.0  # from the bridge to the end
    disposition: str = ""  # what the agent would report, a `Disposition`
    wrap_up_s: float = 0.0  # from the call's end to the agent's report, at an agent's usual speed
    cause: int = 0  # Q.850, of a call that nobody answered
    sip_code: int | None = None


class Fates(Protocol):
    """Whoever knows how calls turn out."""

    def outcome(self, *, subject: int, draw: int, number_index: int, trunk: str, at: float) -> Outcome:
        """How the lead's call number `draw` (0 is the first) turns out: `subject` is the lead's place on the list.

        Equal arguments give equal answers, whatever was asked before: two policies meet the same people.
        """
        ...
