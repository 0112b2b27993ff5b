"""``dere interval``: the interval of a sum over months, of sites or of cells."""

from __future__ import annotations

from pathlib import Path

import click

from dere.cli.output import table


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("sites", nargs=-1)
@click.option(
    "--box",
    nargs=4,
    type=float,
    metavar="S N W E",
    help="Sum over the cells with centres in this box (degrees); without it and SITES, over all cells.",
)
@click.option("--first", metavar="MONTH", help="First month, as 2001-01; default the first that is predicted.")
@click.option("--last", metavar="MONTH", help="Last month; default the last that is predicted.")
@click.option("--method", metavar="NAME", help="Method of the run; default that of its product (products.method).")
@click.option("--backbone", metavar="NAME", help="Sequence network; default the first of the run.")
@click.option("--level", type=float, default=0.9, show_default=True, help="Of the central interval.")
@click.option("--csv", "path", metavar="FILE", type=click.Path(path_type=Path), help="Also write the table to a file.")
def interval(
    run: Path,
    sites: tuple[str, ...],
    box: tuple[float, float, float, float] | None,
    first: str | None,
    last: str | None,
    method: str | None,
    backbone: str | None,
    level: float,
    path: Path | None,
) -> None:
    """Sum fluxes over months, of sites or of cells, with an interval of the truth.

    RUN is the folder of a finished run, SITES are sites of it (tables/sites.csv), each summed by itself in gC m-2.
    Without SITES the cells of the run's maps are summed, in PgC. Errors of months and of cells go together as the
    method's error model says, so that the interval of a sum is neither that of independent months nor that of one.
    """
    from dere.api.run import open_run
    from dere.api.sums import interval as of_sum
    from dere.io import write_table

    found = of_sum(
        open_run(run),
        list(sites) or None,
        box=box,
        first=first,
        last=last,
        method=method,
        backbone=backbone,
        level=level,
    )
    if path is not None:
        write_table(found, path)
    head = ["place", "flux", "months", "total", "std", f"{100 * level:g} % interval", "unit"]
    rows = [
        [
            str(row["place"]),
            str(row["flux"]).upper(),
            f"{row['first']} to {row['last']}",
            f"{row['total']:.5g}",
            f"{row['std']:.3g}",
            f"{row['low']:.5g} to {row['high']:.5g}",
            str(row["unit"]),
        ]
        for row in found.to_dict("records")
    ]
    click.echo(table([head, *rows]))


COMMAND = interval
