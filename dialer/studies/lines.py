"""A study as CSV: a line for each variant, for a spreadsheet."""

from __future__ import annotations

import csv
import io

from dialer.studies.comparison import Study
from dialer.studies.figures import FIGURES, known


def as_csv(study: Study) -> str:
    """Return the lines: settings, then each figure's mean with the ends of its interval; empty where unknown."""
    rows = [row for variant in study.variants for row in variant.replications]
    keys = [figure.key for figure in known(FIGURES, rows)]
    paths = list(dict.fromkeys(path for variant in study.variants for path in variant.settings))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    spans = [name for key in keys for name in (key, f"{key}_low", f"{key}_high")]
    writer.writerow([*paths, "policy", "days", *spans])
    for variant in study.variants:
        cells = [variant.settings.get(path, "") for path in paths]
        for key in keys:
            estimate = variant.estimates.get(key)
            ends = (None, None, None) if estimate is None else (estimate.mean, estimate.low, estimate.high)
            cells += ["" if end is None else end for end in ends]
        writer.writerow([*cells[: len(paths)], variant.policy, len(study.seeds), *cells[len(paths) :]])
    return text.getvalue()
