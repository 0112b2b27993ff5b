"""Synthetic CarbonGlobe as published: global arrays on 24 land cells, the float64 bundle, split files, statistics.

Names, types, order and oddities are those of docs/data.md#simulations; all values are invented from a seed. Run
``python tests/unit/ingest/carbonglobe_samples.py FOLDER`` to write it for a look.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from dere.world.diurnal import cycles, top_of_atmosphere

AGES = (1, 10, 20, 30, 50, 70, 100, 150, 200, 250, 300, 350, 400, 450, 500)
YEARS = 2
# (lat, lon) of cell centres on real land, in the order of a mask whose first row is the northernmost; cells on every
# fourth row and column train, as published
PLACES = (
    (67.75, 26.25), (65.75, 104.25), (63.75, -147.75), (61.75, 90.25), (59.75, 14.25), (55.75, 40.25),
    (53.25, -120.25), (49.75, 2.25), (47.75, 66.25), (45.75, -101.75), (43.25, 90.25), (39.75, -3.75),
    (35.75, -85.75), (31.75, 34.25), (27.75, 80.25), (19.75, 76.25), (11.75, 18.25), (5.75, -67.75),
    (-1.75, 24.25), (-6.25, -58.25), (-10.25, 28.25), (-18.25, 130.25), (-24.25, -59.75), (-32.25, 146.25),
)  # fmt: skip


def mask_of(row_order: str = "north", origin: int = -180) -> np.ndarray:
    """Mask (360, 720) of `PLACES` for a row order and a longitude of column 0."""
    mask = np.zeros((360, 720), bool)
    for lat, lon in PLACES:
        row = round((90 - lat) / 0.5 - 0.5)
        mask[row if row_order == "north" else 359 - row, round((lon - origin) % 360 / 0.5 - 0.5)] = True
    assert mask.sum() == len(PLACES)
    return mask


def places(mask: np.ndarray, row_order: str = "north", origin: int = -180) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude of the True cells in row-major order."""
    row, column = np.nonzero(mask)
    lat = 90 - 0.5 * (row + 0.5)
    lon = (origin + 0.5 * (column + 0.5) + 180) % 360 - 180
    return (lat if row_order == "north" else -lat), lon


def channels(lat: np.ndarray, lon: np.ndarray, seed: int = 0, utc: bool = False, years: int = YEARS) -> np.ndarray:
    """Drivers (cell, year, 12, 136), float64, with the diurnal cycles of real latitudes."""
    rng = np.random.default_rng(seed)
    cells, months = len(lat), 12 * years
    month = np.arange(months) % 12
    season = -np.cos(2 * np.pi * (month - 0.5) / 12) * np.sign(lat)[:, None]
    temperature = 26 - 0.45 * np.abs(lat)[:, None] + 0.2 * np.abs(lat)[:, None] * season
    temperature = temperature + rng.normal(0, 0.5, (cells, months))
    clear = 0.5 + 0.1 * rng.random((cells, months))
    made = cycles(
        lat,
        temperature,
        0.7 + 0.1 * rng.random((cells, months)),
        np.tile(top_of_atmosphere(lat), (1, years)) * clear,
        2.5 + rng.random((cells, months)),
        np.full((cells, months), 96.0),
        np.full((cells, months), 385.0) + np.arange(months) / 6,
        clear,
        np.full((cells, months), 0.5),
    )
    if utc:
        shift = np.round(lon / 15).astype(int)
        made = {
            name: np.stack([np.roll(cell, -hours, axis=-1) for cell, hours in zip(values, shift, strict=True)])
            for name, values in made.items()
        }
    out = np.empty((cells, months, 136))
    out[..., 0] = temperature + 273.15
    out[..., 1] = rng.gamma(4, 15, (cells, months))
    for layer in range(6):
        out[..., 2 + layer] = temperature * (0.9 - 0.1 * layer) + 274.0
    out[..., 8:32] = made["co2"]
    out[..., 32] = 0.012
    for position, name in enumerate(("specific_humidity", "air_temperature", "shortwave", "wind")):
        out[..., 33 + position : 129 : 4] = made[name] + (273.15 if name == "air_temperature" else 0)
    soil = np.array([1e6, 0.45, 0.05, 0.5, 1.4, 0.3, 2000]) * rng.uniform(0.7, 1.0, (cells, 7))
    out[..., 129:] = soil[:, None]
    return out.reshape(cells, years, 12, 136)


def targets(cells: int, seed: int = 1, monthly: bool = False, years: int = YEARS) -> np.ndarray:
    """Targets (15, cell, year + 1, 12, 7), float64: 12 copies of an annual value, as published, or with seasons."""
    rng = np.random.default_rng(seed)
    shape = (len(AGES), cells, years + 1, 1)
    old = np.array(AGES)[:, None, None, None]
    gpp = rng.uniform(0.5, 2.0, shape)
    annual = np.stack(
        [
            30 * old / (old + 60) * rng.uniform(0.8, 1, shape),
            10 * old / (old + 80) * rng.uniform(0.8, 1, shape),
            rng.uniform(4, 9, shape),
            rng.uniform(1, 5, shape),
            gpp,
            0.5 * gpp,
            0.45 * gpp,
        ],
        axis=-1,
    )
    if monthly:
        wave = 1 + 0.8 * np.sin(2 * np.pi * np.arange(12) / 12)[:, None]
        return annual * np.where(np.arange(7) >= 3, wave, 1.0)
    return np.repeat(annual, 12, axis=3)


def write_split(folder: Path, cells: int = len(PLACES)) -> dict[str, list[int]]:
    """Headerless files; the order of lines is that of the indices."""
    rows, columns = np.nonzero(mask_of())
    lattice = (rows % 4 == 0) & (columns % 4 == 0)
    train = np.flatnonzero(lattice).tolist()
    split = {"train": train[1:], "val": train[:1], "test": np.flatnonzero(~lattice).tolist()}
    for name, indices in split.items():
        (folder / f"{name}.csv").write_text("".join(f"{index}\n" for index in indices))
    return split


def write_statistics(folder: Path, x: np.ndarray, y: np.ndarray) -> None:
    """``data_stats.npz`` of drivers (..., 136) and targets (..., 7)."""
    x, y = x.reshape(-1, 136).astype(np.float64), y.reshape(-1, 7).astype(np.float64)
    np.savez(folder / "data_stats.npz", x_mean=x.mean(0), x_std=x.std(0), y_mean=y.mean(0), y_std=y.std(0))


def write_public(
    folder: Path,
    *,
    row_order: str = "north",
    origin: int = -180,
    utc: bool = False,
    monthly: bool = False,
    ages: tuple[int, ...] = (1, 100),
) -> None:
    """The global arrays, split and statistics; ``monthly`` gives the targets seasons, which the public ones lack."""
    folder.mkdir(parents=True, exist_ok=True)
    mask = mask_of(row_order, origin)
    lat, lon = places(mask, row_order, origin)
    x, y = channels(lat, lon, utc=utc), targets(len(lat), monthly=monthly)
    np.save(folder / "mask2d.npy", mask)
    np.save(folder / "glob_X_fea.npy", x.astype(np.float32))
    for age in ages:
        np.save(folder / f"glob_Y{age:03d}.npy", y[AGES.index(age)].astype(np.float32))
    split = write_split(folder)
    chosen = split["train"] + split["val"]
    write_statistics(folder, x[chosen], y[:, chosen])
    np.savez(folder / "age_triplet.npz", age=np.array(AGES), age_mean=np.ones((15, 7)), age_slope=np.ones((15, 7)))
    (folder / "SYNTHETIC.txt").write_text("synthetic: invented values in the layout of CarbonGlobe\n")


def write_bundle(folder: Path, *, monthly: bool = False, utc: bool = False, train: int = 6, test: int = 2) -> Path:
    """The float64 bundle of ``train`` and ``test`` cells of `PLACES`, uncompressed as published."""
    folder.mkdir(parents=True, exist_ok=True)
    every = bundle_places(train, test)
    x, y = channels(every[:, 0], every[:, 1], utc=utc), targets(train + test, monthly=monthly)
    path = folder / "res_train4_test8.npz"
    np.savez(path, x_train=x[:train], y_train=y[:, :train], x_test=x[train:], y_test=y[:, train:])
    write_statistics(folder, x[:train], y[:, :train])
    return path


def bundle_places(train: int = 6, test: int = 2) -> np.ndarray:
    """(train + test, 2) latitude and longitude of the bundle's cells."""
    return np.array(PLACES)[:: len(PLACES) // (train + test)][: train + test]


if __name__ == "__main__":
    write_public(Path(sys.argv[1]), ages=AGES)
    write_bundle(Path(sys.argv[1]) / "bundle")
