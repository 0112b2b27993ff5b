"""``dere calibrate``: predict sites of one's own, sharpened by months that were measured there."""

from __future__ import annotations

from pathlib import Path

import click

from dere.cli.predict import predicted, site_words


@click.command()
@site_words
@click.option(
    "--data",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Table of own months: site, month and any of gpp, reco, nee (gC m-2 d-1), quality (0 to 1).",
)
@click.option(
    "--annual",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Table of annual sums: site, year and any of gpp, reco, nee (gC m-2 per year), each with its <flux>_std.",
)
def calibrate(
    paths: tuple[Path, ...],
    trained: str | None,
    folder: Path,
    method: str | None,
    backbone: str | None,
    fold: int | None,
    seed: int | None,
    without_satellites: bool,
    allow_conflict: bool,
    overwrite: bool,
    data: Path | None,
    annual: Path | None,
) -> None:
    """Sharpen the prediction of a site by months, or annual sums, of your own.

    RUN and SITES, or --trained NAME and SITES, are as for dere predict: the drivers of the site over all months that
    you want. FILE says what was measured in some of them, one month or many; it may be the table of SITES itself.
    Nothing is trained: the error model of the run is conditioned on what you know.

    Written are the files of dere predict, with what was predicted before, effects.csv (how the level and the annual
    cycle of your site differ from the prediction, with error bars) and members.nc (series as they might be).
    """
    choice = {"backbone": backbone, "fold": fold, "seed": seed, "without_satellites": without_satellites}
    if data is None and annual is None:
        raise click.UsageError("--data FILE, --annual FILE or both are needed.")
    predicted(
        paths, trained, folder, method, data, annual, allow_conflict=allow_conflict, overwrite=overwrite, **choice
    )


COMMAND = calibrate
