"""``dere predict``: predict sites of one's own by the models of a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dere.cli.output import table

if TYPE_CHECKING:
    from dere.api.own_sites import SitePredictions


MOST_NOTES = 20
"""Sentences on the screen; sites.csv says it of every site."""


def site_words(command: Callable[..., None]) -> Callable[..., None]:
    """Words that all commands on sites of one's own take."""
    words = (
        click.argument("paths", metavar="[RUN] SITES...", nargs=-1, type=click.Path(path_type=Path)),
        click.option(
            "--trained",
            metavar="NAME|DIR",
            help="A trained bundle in place of RUN: real-towers, which comes with dere, or a folder of dere pack.",
        ),
        click.option(
            "--out",
            "folder",
            required=True,
            metavar="DIR",
            type=click.Path(path_type=Path),
            help="Folder for what is written.",
        ),
        click.option("--method", metavar="NAME", help="Method of the run; default that of its product."),
        click.option("--backbone", metavar="NAME", help="Sequence network; default the first of the run."),
        click.option("--fold", metavar="N", type=int, help="Models of one fold; default the mean over all of the run."),
        click.option("--seed", metavar="N", type=int, help="Models of one seed; default the mean over all of the run."),
        click.option(
            "--without-satellites",
            is_flag=True,
            help="Predict sites without LAI and EVI also where no tower that the models learned from lacked them.",
        ),
        click.option(
            "--allow-conflict",
            is_flag=True,
            help="Go on where own months contradict the prediction so much that their table looks wrong.",
        ),
        click.option("--overwrite", is_flag=True, help="Write into a folder that holds files."),
    )
    for word in reversed(words):
        command = word(command)
    return command


@click.command()
@site_words
@click.option(
    "--site-data",
    "data",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Months of your own that sharpen the prediction, as of dere calibrate.",
)
@click.option(
    "--grid",
    "fields",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Fields of drivers in place of SITES, which become maps; said again for each further file of them.",
)
def predict(
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
    fields: tuple[Path, ...],
) -> None:
    """Predict monthly GPP, RECO and NEE of sites of your own, or maps of fields.

    RUN is the folder of a finished run (results/<run>), also a copy without its folder data; with --trained a bundle
    takes its place, and all words are SITES. SITES are files or folders
    of towers in any format that a run reads, with or without fluxes, or plain tables: csv, or NetCDF of site and time,
    with the columns site, month, lat, lon, igbp and the monthly drivers. Nothing is trained.

    A site of the run (same code, or within 1 km) gets its stored prediction by models that had not seen it. Written are
    predictions.nc, predictions.csv and sites.csv, which names every site and, of those not predicted, the reason.

    With --grid the files are drivers over time, latitude and longitude with units, or drivers.nc and cover.nc of a run.
    Written are maps as those of a run, their annual totals, cells.nc and cells_not_predicted.csv.
    """
    choice = {"backbone": backbone, "fold": fold, "seed": seed, "without_satellites": without_satellites}
    if fields:
        if data is not None or allow_conflict:
            raise click.UsageError("--site-data and --allow-conflict are of SITES; leave them out with --grid.")
        gridded(paths, trained, folder, method, fields, overwrite=overwrite, **choice)
        return
    predicted(paths, trained, folder, method, data, None, allow_conflict=allow_conflict, overwrite=overwrite, **choice)


def gridded(
    paths: Sequence[Path],
    trained: str | None,
    folder: Path,
    method: str | None,
    fields: Sequence[Path],
    *,
    overwrite: bool,
    **choice: Any,
) -> None:
    """Predict fields, write the maps and say what was done."""
    from dere.api.bundles import open_trained
    from dere.api.grids import predict_grid
    from dere.api.run import open_run

    if len(paths) != (trained is None):
        raise click.UsageError("With --grid, RUN alone is needed, or --trained NAME in its place.")
    run = open_run(paths[0]) if trained is None else open_trained(trained)
    with quiet():
        found = predict_grid(run, fields, folder, method, overwrite=overwrite, **choice)
    click.echo(f"models: {found.models}")
    for text, count in found.filled.items():
        click.echo(f"filled: {text}, {count} cells")
    for reason, count in found.reasons.items():
        click.echo(f"note: {count} cells on land are not predicted: {reason}")
    total, land, done = found.cells
    click.echo(f"{total} cells: {land} on land, {done} predicted; written to {folder}")


def predicted(
    paths: Sequence[Path],
    trained: str | None,
    folder: Path,
    method: str | None,
    data: Path | None,
    annual: Path | None,
    *,
    allow_conflict: bool,
    overwrite: bool,
    **choice: Any,
) -> None:
    """Predict sites, sharpen them by what is known of them, if anything, write the files and say what was done."""
    from dere.api.bundles import open_trained
    from dere.api.calibrating import calibrate_sites
    from dere.api.own_sites import predict_sites
    from dere.api.run import open_run
    from dere.products.own_site_files import require_free

    require_free(folder, overwrite)
    if len(paths) < 1 + (trained is None):
        raise click.UsageError("RUN and SITES are needed, or --trained NAME and SITES.")
    run, sites = (open_run(paths[0]), paths[1:]) if trained is None else (open_trained(trained), paths)
    with quiet():
        if data is None and annual is None:
            found = predict_sites(run, sites, method, **choice)
        else:
            found = calibrate_sites(run, sites, data, method, annual=annual, allow_conflict=allow_conflict, **choice)
    found.write(folder, overwrite=overwrite)
    for line in told(found, folder):
        click.echo(line)


@contextmanager
def quiet() -> Iterator[None]:
    """Leave to the account at the end what the readers would log."""
    logger = logging.getLogger("dere")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def told(found: SitePredictions, folder: Path) -> list[str]:
    """Return what the screen says: what was read, filled and dropped, and what a reader should know."""
    from dere.api.fits import ALL_TOWERS

    about = found.dataset.attrs
    means = f"seeds {about['seeds']}"
    if about["fitted_on"] == ALL_TOWERS:
        means += f", fitted on all towers; at towers of the run mean over folds {about['folds']}"
    else:
        means = f"mean over folds {about['folds']}, {means}"
    lines = [*found.files, f"models: {about['method']}/{about['backbone']}, {means}, of the run {about['run']}"]
    header = ["site", "status", "months", "filled", "nearest tower", "km", "extrapolation"]
    rows = [
        [
            str(row["site"]),
            str(row["status"]),
            _number(row["months"], "d"),
            _number(row["months_filled"], "d"),
            str(row["nearest_tower"]),
            _number(row["nearest_km"], ".0f"),
            _number(row["extrapolation_index"], ".2f"),
        ]
        for row in found.sites.to_dict("records")
    ]
    lines += [table([header, *rows])]
    filled = found.counts[~found.counts["reason"].str.endswith(": tower")]
    for reason, of_sites in filled.groupby("reason", sort=False):
        lines.append(f"filled: {reason}, {of_sites['months'].sum()} months of {', '.join(of_sites['site'])}")
    lines += [f"note: {sentence}" for sentence in found.warnings[:MOST_NOTES]]
    if (more := len(found.warnings) - MOST_NOTES) > 0:
        lines.append(f"note: and {more} more of this kind; all are in {folder / 'sites.csv'}")
    if found.calibration is not None:
        lines += found.calibration.lines
        lines += [f"{row['site']}: {row['words']}" for row in found.calibration.effects.to_dict("records")]
    counts = found.sites["status"].value_counts()
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    return [*lines, f"{len(found.sites)} sites: {told}; written to {folder}"]


def _number(value: float, form: str) -> str:
    """Return a number as text; nothing where there is none."""
    if value != value:
        return ""
    return format(int(value) if form == "d" else value, form)


COMMAND = predict
