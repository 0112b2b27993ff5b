"""``dere pack``: make a trained bundle of a finished run."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from dere.cli.predict import quiet


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", "folder", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Folder of the bundle."
)
@click.option("--card", metavar="FILE", type=click.Path(path_type=Path), help="Write the model card there too.")
@click.option("--overwrite", is_flag=True, help="Replace a bundle that is there.")
def pack(run: Path, folder: Path, card: Path | None, overwrite: bool) -> None:
    """Pack what predicts of a run into a small folder, for dere predict --trained DIR.

    RUN is the folder of a finished run with all_towers: true (results/<run>) and its data. Packed are the models of the
    product's method that have learned from all towers, in smaller number formats, the predictions of these towers by
    models that had not seen them, tables of skill, and a model card.
    """
    from dere.api.bundles import MANIFEST
    from dere.api.packing import CARD, pack
    from dere.api.run import open_run
    from dere.io import write_atomically

    with quiet():
        about = pack(open_run(run), folder, overwrite=overwrite)
    if card is not None:
        write_atomically(card, lambda temporary: shutil.copyfile(folder / CARD, temporary))
    megabytes = about["bytes"] / 1e6
    click.echo(f"{folder}: {len(about['files'])} files, {megabytes:.1f} MB, checksums in {MANIFEST}")
    click.echo(
        f"smaller formats change predictions by at most {about['change']['largest']:.1g} gC m-2 d-1, by "
        f"{about['change']['share_of_spread']:.1g} of their standard deviation"
    )


COMMAND = pack
