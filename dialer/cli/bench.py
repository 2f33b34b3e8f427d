"""`dialer bench`: what the product claims, measured."""

from __future__ import annotations

BENCHMARKS = {
    "engine": "benchmarks.throughput.engine",
    "pacing": "benchmarks.scenario.pacing",
    "sim": "benchmarks.throughput.sim",
    "campaigns": "benchmarks.throughput.campaigns",
    "compliance": "benchmarks.compliance.bench",
    "carriers": "benchmarks.carriers.bench",
    "models": "benchmarks.models.bench",
}


def bench(name: str | None = None, *, quick: bool = False, json: bool = False) -> int:
    """Run the benchmarks, or one of them. A full run keeps its figures in benchmarks/results/.

    Parameters
    ----------
    name
        Which one; all of them if not named.
    quick
        A smoke run of seconds, of pacing within three minutes: the figures are rough and are not kept.
    json
        Print one JSON object a row.
    """
    import importlib

    import orjson
    from rich.console import Console
    from rich.table import Table

    from benchmarks.report import write_result
    from dialer.errors import ConfigError

    if name is not None and name not in BENCHMARKS:
        raise ConfigError(f"{name}: expected one of {', '.join(BENCHMARKS)}")
    console = Console(stderr=json)
    for chosen in (name,) if name else tuple(BENCHMARKS):
        module = importlib.import_module(BENCHMARKS[chosen])
        found = module.run(quick)
        if json:
            for row in found.rows:
                print(orjson.dumps(row).decode())
        else:
            for told in found.shown:
                console.print(told)
            table = Table(title=chosen, title_justify="left")
            for column in ("bar", "value", "goal", "met"):
                table.add_column(column)
            for row in found.rows:
                met = {True: "yes", False: "NO", None: "–"}[row["met"]]
                table.add_row(row["bar"], f"{row['value']:,}", row["goal"], met)
            console.print(table)
        if not quick:
            console.print(f"kept in {write_result(chosen, found, seeds=module.SEEDS)}", soft_wrap=True)
    return 0
