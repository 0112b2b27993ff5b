"""``dere compare``: two runs side by side, what their configurations and their scores differ by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dere.cli.output import as_text, table


@click.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option("--exchange", default="co2", show_default=True, help="What is predicted.")
@click.option("--scale", default="monthly", show_default=True, help="Scale of the scores that are shown.")
@click.option("--csv", "path", metavar="FILE", type=click.Path(path_type=Path), help="Write all scales to a file.")
def compare(first: Path, second: Path, exchange: str, scale: str, path: Path | None) -> None:
    """Compare two finished runs at the same towers and months.

    FIRST and SECOND are folders of runs (results/<run>). Shown are the leaves in which their configurations differ, and
    for every method that both have the median NSE over towers in either and the ratio of RMSE, second to first, with a
    95 % interval over clusters of towers; below 1 = the second is better. Runs with unequal splits or months are
    refused.
    """
    from dere.api.comparing import compare as of_runs
    from dere.api.comparing import differences
    from dere.api.run import open_run
    from dere.io import write_table

    runs = [open_run(folder, exchange) for folder in (first, second)]
    found = of_runs(*runs)
    scales = list(dict.fromkeys(found["scale"]))
    if scale not in scales:
        raise click.UsageError(f"--scale {scale}, but the runs have the scales {', '.join(scales)}; choose one of them")
    if path is not None:
        write_table(found, path)
    apart = differences(*runs)
    if apart:
        leaves = [[key, *map(as_text, values)] for key, values in apart.items()]
        click.echo(table([["configuration", str(first), str(second)], *leaves]) + "\n")
    else:
        click.echo("The configurations differ in nothing but the name.\n")
    click.echo(scores(found[found["scale"] == scale].to_dict("records")))


def scores(rows: list[Any]) -> str:
    """Lines of scores, one per method, towers and flux."""
    head = [
        "method",
        "backbone",
        "towers",
        "flux",
        "number",
        "NSE first",
        "NSE second",
        "RMSE, second to first",
        "95 % interval",
    ]
    lines = [
        [
            row["method"],
            row["backbone"],
            "test" if row["grouping"] == "all" else row["grouping"],
            row["flux"].upper(),
            str(row["sites"]),
            f"{row['nse_first']:.2f}",
            f"{row['nse_second']:.2f}",
            f"{row['rmse_ratio']:.3f}",
            f"{row['ratio_low']:.3f} to {row['ratio_high']:.3f}",
        ]
        for row in rows
    ]
    return table([head, *lines])


COMMAND = compare
