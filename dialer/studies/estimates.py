"""How sure a study's figures are: intervals over replications, and over pairs of them for differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dialer.studies.figures import FIGURES, known
from sim.replications import Comparison, Estimate, compare_with_first, methods, replicate

Rows = Sequence[Mapping[str, Any]]  # the figures of one day each


def estimates_of(rows: Rows) -> dict[str, Estimate]:
    """Return the mean and interval of every figure that a row knows."""
    return {
        figure.key: replicate([row.get(figure.key) for row in rows]) for figure in known(FIGURES, rows)
    }  # fmt: skip


def differences_of(rows: Mapping[str, Rows]) -> dict[str, dict[str, Comparison]]:
    """Return each variant's figures less the first variant's, seed by seed: by variant, by figure."""
    if len(rows) < 2:
        return {}
    every = [row for mine in rows.values() for row in mine]
    found: dict[str, dict[str, Comparison]] = {name: {} for name in list(rows)[1:]}
    for figure in known(FIGURES, every):
        compared = compare_with_first({name: [row.get(figure.key) for row in mine] for name, mine in rows.items()})
        for name, difference in compared.items():
            found[name][figure.key] = difference
    return found


def methods_of(rows: Mapping[str, Rows]) -> tuple[str, ...]:
    """Say how a study was made, in sentences for its reader. All figures count alike, but for those a day did not
    know; so the first stands for them."""
    days = len(next(iter(rows.values()), ()))
    if not days:
        return ("No replication was finished.",)
    told = [
        f"{days} {'replication' if days == 1 else 'replications'}, one seed each; a day begins and ends as the "
        "scenario says, with no warm-up cut off, since a real day has one too (terminating simulation: Law, "
        "Simulation Modeling and Analysis, ch. 9)."
    ]
    if days == 1:
        return (*told, "One replication gives no interval: add --reps 10.")
    key = FIGURES[0].key
    told.append(methods([replicate([row.get(key) for row in mine]) for mine in rows.values()]))
    if len(rows) > 1:
        told.append("Every variant meets the same people: the same seeds, one random stream per purpose and person.")
    return tuple(told)


def methods_of_differences(differences: Mapping[str, Mapping[str, Comparison]]) -> tuple[str, ...]:
    """Say how differences were made."""
    firsts = [next(iter(figures.values())).difference for figures in differences.values() if figures]
    if not firsts or firsts[0].n < 2:
        return ()
    return (methods(firsts[:1]).replace("Intervals:", "Differences:"),)
