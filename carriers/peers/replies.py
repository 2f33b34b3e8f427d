"""What a SIP proxy or a charging system sees of tries: final replies and lengths of calls, no human contacts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from carriers.market import Floats
from carriers.router import Outcomes


class Replies(NamedTuple):
    """By row of the outcomes."""

    calls: Floats  # final replies: seizures of ASR
    answers: Floats  # 200 OK, whoever or whatever answered
    completed: Floats  # all but faults: seizures that CCR counts as good
    talked_s: Floats  # seconds of answered calls that are over
    talks: Floats  # how many those are


def replies(outcomes: Outcomes) -> Replies:
    """Return each row's final replies.

    An answer is the final reply of its call. A row that ends a try without telling an answer is one too, unless it
    tells seconds of a call: that one's answer was told before. An answer that is taken back takes its reply back.
    """
    answered = outcomes.answers != 0.0
    ended = (outcomes.tries > 0.0) & (outcomes.answered_s <= 0.0)
    calls = np.where(answered, outcomes.answers, np.where(ended, outcomes.tries, 0.0))
    return Replies(
        calls=calls,
        answers=outcomes.answers,
        completed=np.where((outcomes.faults > 0.0) & ~answered, 0.0, calls),
        talked_s=outcomes.answered_s,
        talks=(outcomes.answered_s > 0.0).astype(np.float64),
    )
