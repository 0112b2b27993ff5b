"""What months of its own give a test tower through a method that learned to use them, beside the closed form.

Run: python benchmarks/own_months.py results/towers --backbones lags

Rows are those of ``tables/site_calibration.csv``: the same towers, stretches and judged months
(`dere.evaluation.months_known`). `learned` gives the months to ``tamrl`` itself, `closed` conditions its prediction
without them (`dere.intervals.site_calibration`). Shows the RMSE over that without own months, geometric mean over
towers with its interval over clusters, and learned over closed; ``--out`` writes the rows of towers.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
import yaml
from numpy.typing import NDArray

from dere.config.evaluation import EvaluationConfig
from dere.config.windows import WindowConfig
from dere.evaluation.bootstrap import geometric_ratio, resample_clusters
from dere.evaluation.months_known import KNOWN, shown_months, stretches
from dere.exchange.co2 import EXCHANGE
from dere.harmonise.splits import roles
from dere.intervals.site_calibration import errors_of
from dere.intervals.site_members import truth_mean
from dere.intervals.spread import label_scale
from dere.intervals.stated import read_stated
from dere.io import read_netcdf
from dere.methods.tamrl.predicting import predict
from dere.training import checkpoint
from dere.training.fitted import Support
from dere.training.read_places import site_labels, site_places
from dere.workflow.members import read_splits

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
METHOD = "tamrl"
COLUMNS = ("backbone", "fold", "seed", "site", "cluster", "draw", "known", "flux", "alone", "learned", "closed")


def judged(
    file: xr.Dataset, towers: xr.Dataset, members: pd.DataFrame, stage: Path, config: EvaluationConfig
) -> pd.DataFrame:
    """RMSE of the test towers of a prediction file without own months, and with them in both ways.

    Parameters
    ----------
    file
        Prediction of the method at sites.
    towers, members
        Canonical towers, and the roles of the file's fold.
    stage
        Folder of the fitted stage.
    config
        Section ``evaluation`` of the run.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``.
    """
    fitted = checkpoint.read(stage, EXCHANGE)
    windows = WindowConfig(**fitted.facts["params"]["harmonise"])
    places = site_places(towers, members, satellites=windows.satellites, channels=windows.channels, exchange=EXCHANGE)
    sites = members[members["kind"] == "site"].set_index("id")
    labels = site_labels(towers, places.ids.tolist(), config.testing_quality[0], EXCHANGE)
    rows = np.flatnonzero([sites["role"].get(name) == "test" for name in places.ids])
    drawn = {row: list(stretches(labels.flux[row].astype(float), places.ids[row], config)) for row in rows}
    chosen = np.array([row for row in rows if drawn[row]])
    here, label = places.take(chosen), labels.flux[chosen].astype(float)
    quality = labels.quality[chosen].astype(float)
    order = file.sel(site=here.ids, flux=list(EXCHANGE.names)).transpose("site", "time", "flux", ...)
    model, alone = read_stated(file.attrs, EXCHANGE), order["prediction"].values.astype(float)
    scale, found = label_scale(order, model), []
    for draw in range(max(map(len, drawn.values()), default=0)):
        for known in KNOWN[1:]:
            shown = np.zeros(label.shape, bool)
            for place, row in enumerate(chosen):
                shown[place, drawn[row][draw][0][:known]] = True
            learned = predict({METHOD: fitted}, here, Support(label, quality, shown)).mean
            for place, row in enumerate(chosen):
                months = np.flatnonzero(np.isfinite(alone[place]).all(-1))
                errors = errors_of(scale[place, months], model, months)
                at = np.flatnonzero(np.isin(months, drawn[row][draw][0][:known]))
                given = shown_months(alone[place, months], errors, label[place, months], quality[place, months], at)
                closed = np.full(label[place].shape, np.nan)
                closed[months] = truth_mean(given)
                scored = drawn[row][draw][1]
                about = (here.ids[place], sites["cluster"][here.ids[place]], draw, known)
                ways = (alone[place, scored], learned[place, scored], closed[scored])
                found += [(*about, *scores) for scores in _scores(label[place, scored], ways, config.minimum_months)]
    table = pd.DataFrame(found, columns=list(COLUMNS[3:]))
    return table.assign(**{name: str(file.attrs[name]) for name in COLUMNS[:3]})[list(COLUMNS)]


def _scores(label: Array, ways: Sequence[Array], fewest: int) -> Iterator[tuple[str, float, float, float]]:
    """RMSE (flux and way) of each flux with enough judged months."""
    good = np.isfinite(label)
    for flux, name in enumerate(EXCHANGE.names):
        if good[:, flux].sum() >= fewest:
            first, second, third = (
                float(np.sqrt(np.mean((one[:, flux] - label[:, flux])[good[:, flux]] ** 2))) for one in ways
            )
            yield name, first, second, third


def summary(table: pd.DataFrame, resamples: int = 2000) -> pd.DataFrame:
    """Ratios with their intervals by backbone, number of months and flux, over towers."""
    rows = []
    for key, own in table.groupby(["backbone", "known", "flux"], sort=False):
        logs = own.assign(**{name: np.log(own[name]) for name in COLUMNS[-3:]})
        of_tower = logs.groupby("site").agg(dict.fromkeys(COLUMNS[-3:], "mean") | {"cluster": "first"})
        counts = resample_clusters(of_tower["cluster"].to_numpy(str), resamples, np.random.default_rng(0))
        alone, learned, closed = (np.exp(of_tower[name].to_numpy(float)) for name in COLUMNS[-3:])
        row = dict(zip(("backbone", "known", "flux"), key, strict=True)) | {"towers": len(of_tower)}
        for name, over, under in (
            ("learned", learned, alone),
            ("closed", closed, alone),
            ("learned/closed", learned, closed),
        ):
            ratio = geometric_ratio(over, under, counts)
            row[name] = f"{ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"
        rows.append(row)
    return pd.DataFrame(rows)


def main(words: Sequence[str] | None = None) -> None:
    """Judge the files of a run."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("run", type=Path, help="folder of a run with the method tamrl")
    options.add_argument("--backbones", nargs="+", default=["lags"])
    options.add_argument("--out", type=Path, help="csv of the rows of towers")
    given = options.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    towers = read_netcdf(given.run / "data" / "towers.nc")
    splits = read_splits(given.run / "data" / "splits.csv")
    config = EvaluationConfig(**yaml.safe_load((given.run / "config.yaml").read_text())["evaluation"])
    parts = []
    for backbone in given.backbones:
        for path in sorted((given.run / "predictions" / METHOD / backbone).glob("fold*/seed*.nc")):
            if path.stem.endswith("_cells"):
                continue
            file = read_netcdf(path)
            stage = given.run / "models" / backbone / path.parent.name / path.stem / METHOD
            parts.append(judged(file, towers, roles(splits, int(file.attrs["fold"])), stage, config))
    if not parts:
        raise SystemExit(
            f"{given.run} has no predictions of {METHOD} on {', '.join(given.backbones)}; name it in methods"
        )
    table = pd.concat(parts, ignore_index=True)
    if given.out:
        table.to_csv(given.out, index=False)
    log.info("%s", summary(table).to_string(index=False))


if __name__ == "__main__":
    main()
