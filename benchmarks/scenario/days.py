"""Simulated days under one setting of one policy, and the figures that they come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pacing.view import Floats
from sim.replications import Estimate, replicate

if TYPE_CHECKING:  # the fast simulator takes seconds to load
    from sim.fast import FastResult


@dataclass(frozen=True, slots=True)
class Setting:
    """A policy, its constants where they are not its defaults, and the abandon rate that it is to hold."""

    policy: str
    constants: tuple[tuple[str, float], ...] = ()
    target_abandon_rate: float | None = None  # None: that of the world

    @classmethod
    def of(cls, policy: str, constants: Mapping[str, float]) -> Setting:
        """Return the setting of a policy with some constants of its own."""
        return cls(policy, tuple(sorted(constants.items())))

    @property
    def label(self) -> str:
        """The constants as one reads them; empty for the defaults."""
        told = [f"{name} {value:g}" for name, value in self.constants]
        if self.target_abandon_rate is not None:
            told.append(f"target {self.target_abandon_rate:g}")
        return ", ".join(told)


@dataclass(frozen=True)
class Days:
    """What each day came to, shape (days,). Day i of two settings in one world has the same people."""

    handling_s: Floats  # of all agents together
    idle_s: Floats  # of all agents together
    answers: Floats  # live ones, those that detection took for machines among them
    abandoned: Floats  # of the answers, those lost to detection among them
    connects: Floats  # calls that an agent was given

    @classmethod
    def of(cls, results: Iterable[FastResult]) -> Days:
        """Take the counts of simulated days."""
        rows = [(d.handling_s, d.idle_s, d.live_answers, d.abandoned, d.connects) for d in results]
        return cls(*np.array(rows, dtype=np.float64).T)

    @classmethod
    def joined(cls, parts: Iterable[Days]) -> Days:
        """Put the days of several runs in a row."""
        rows = [(p.handling_s, p.idle_s, p.answers, p.abandoned, p.connects) for p in parts]
        return cls(*(np.concatenate(column) for column in zip(*rows, strict=True)))

    @cached_property
    def occupancy(self) -> Floats:
        """Each day's handling / (handling + idle)."""
        share: Floats = self.handling_s / (self.handling_s + self.idle_s)
        return share

    @property
    def rates(self) -> Floats:
        """Each day's abandoned / answers; 0 on a day without answers, for nobody was abandoned."""
        rates: Floats = self.abandoned / np.maximum(self.answers, 1.0)
        return rates


@dataclass(frozen=True)
class Point:
    """A setting with its days: one point of a frontier of occupancy against abandon rate."""

    setting: Setting
    days: Days

    @cached_property
    def occupancy(self) -> float:
        """The mean over days."""
        return float(self.days.occupancy.mean())

    @cached_property
    def abandon_rate(self) -> float:
        """Abandoned / answers over all days together; 0 without answers."""
        return float(self.days.abandoned.sum() / max(1.0, float(self.days.answers.sum())))

    @property
    def abandon_residuals(self) -> Floats:
        """What each day adds to the error of `abandon_rate`, shape (days,); they add up to 0.

        The linear part of a ratio of two sums (Cochran, Sampling Techniques, ch. 6), so the variance of their mean is
        that of the rate.
        """
        expected = self.abandon_rate * self.days.answers
        residuals: Floats = (self.days.abandoned - expected) / max(1.0, float(self.days.answers.mean()))
        return residuals

    def occupancy_estimate(self) -> Estimate:
        """Return the occupancy with its 95 % interval over days."""
        return replicate(self.days.occupancy)

    def abandon_estimate(self) -> Estimate:
        """Return the abandon rate with its 95 % interval over days: a pooled ratio."""
        return replicate(self.abandon_rate + self.abandon_residuals)

    @property
    def mean_idle_s(self) -> float | None:
        """An agent's idle seconds for each call; None where nobody was connected."""
        connects = float(self.days.connects.sum())
        return float(self.days.idle_s.sum()) / connects if connects else None

    @property
    def calls_per_agent_hour(self) -> float:
        """Calls that an agent was given in an hour of handling and being idle."""
        agent_s = float(self.days.handling_s.sum() + self.days.idle_s.sum())
        return 3600.0 * float(self.days.connects.sum()) / agent_s
