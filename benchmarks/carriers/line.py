"""What the network does with the calls of a world: their ends, told to whoever placed them when they happen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks.carriers.world import FAULT_S, RING_OUT_S, World
from carriers.market import Bools, Floats, Ints
from carriers.router import Outcomes


class Fates(NamedTuple):
    """What becomes of n tries, each of one call over one trunk."""

    contact: Bools
    answered: Bools
    faulty: Bools
    answer_s: Ints  # seconds until the answer, where there is one
    talk_s: Ints  # seconds from it to the end, where there is one
    held_s: Ints


def fates(world: World, call: Ints, trunk: Ints, second: int) -> Fates:
    """Decide what becomes of calls that are set up at `second`. Pure: luck belongs to the call."""
    minute = min(second // 60, world.minutes - 1)
    luck = world.luck[call]
    chance = world.contact[trunk, world.cell[call], minute].astype(np.float64)
    human = chance * (1.0 + world.short[trunk])
    faulty = world.dead[trunk, minute]
    contact = (luck < chance) & ~faulty
    short = (luck < human) & ~contact & ~faulty
    false = (luck < human + (1.0 - human) * world.false_answer[trunk]) & ~contact & ~short & ~faulty
    answered = contact | short | false
    talk = np.select([contact, short, false], [world.talk_s[call], world.short_s[call], world.false_s[call]], 0)
    ring = np.where(faulty, FAULT_S, np.where(answered, world.ring_s[call], RING_OUT_S))
    return Fates(contact, answered, faulty, ring, talk, ring + talk)


class Line:
    """The calls under way, of N in all. An answer counts as a contact when it comes and is taken back at its end, where
    it was none: nobody was there, or it was too short."""

    def __init__(self, world: World) -> None:
        self.world = world
        calls = len(world.second)
        self.trunk = np.full(calls, -1, dtype=np.int64)
        self.placed = np.full(calls, -1, dtype=np.int64)  # the second
        self.contact = np.zeros(calls)
        self.answered = np.zeros(calls)
        self.faulty = np.zeros(calls)
        self.talk_s = np.zeros(calls)
        self.held_s = np.zeros(calls)
        self.expected = np.zeros(calls)
        last = world.seconds + 3600
        self._answers: list[list[int]] = [[] for _ in range(last)]
        self._ends: list[list[int]] = [[] for _ in range(last)]
        self._last = last - 1

    def place(self, call: Ints, trunk: Ints, second: int) -> None:
        """Set calls up; they have not been before."""
        fate = fates(self.world, call, trunk, second)
        self.trunk[call], self.placed[call] = trunk, second
        self.contact[call], self.answered[call], self.faulty[call] = fate.contact, fate.answered, fate.faulty
        self.talk_s[call], self.held_s[call] = fate.talk_s, fate.held_s
        minute = min(second // 60, self.world.minutes - 1)
        self.expected[call] = self.world.model[self.world.cell[call], minute]
        ends = np.minimum(second + fate.held_s, self._last).tolist()
        for one, end in zip(call.tolist(), ends, strict=True):
            self._ends[end].append(one)
        picked_up = np.flatnonzero(fate.answered)
        answers = (second + fate.answer_s[picked_up]).tolist()
        for one, at in zip(call[picked_up].tolist(), answers, strict=True):
            self._answers[min(at, self._last)].append(one)

    def news(self, second: int) -> tuple[Ints, Outcomes] | None:
        """The calls that ended at `second`, and the rows of what happened then; None where nothing did."""
        answers, ends = self._answers[second], self._ends[second]
        if not answers and not ends:
            return None
        ended = np.array(ends, dtype=np.int64)
        both = np.concatenate([np.array(answers, dtype=np.int64), ended])
        before = len(answers)
        answered = self._of(self.answered, ended, before)
        contacts = np.concatenate([np.ones(before), self.contact[ended] - self.answered[ended]])
        faults = self._of(self.faulty, ended, before)
        tries = np.concatenate([np.zeros(before), np.ones(len(ended))])
        seconds = self._of(self.talk_s, ended, before)
        return ended, Outcomes(
            trunk=self.trunk[both],
            cell=self.world.cell[both],
            tries=tries,
            expected=np.concatenate(
                [self.expected[both[:before]], self.expected[ended] * (self.answered[ended] == 0.0)]
            ),
            contacts=contacts,
            answers=answered,
            faults=faults,
            shorts=answered * (seconds <= 6.0),
            cancels=tries - answered - faults,
            answered_s=seconds,
            held_s=self._of(self.held_s, ended, before),
        )

    @staticmethod
    def _of(values: Floats, ended: Ints, before: int) -> Floats:
        """Rows of answers tell nothing but the contact and what was expected."""
        return np.concatenate([np.zeros(before), values[ended]])
