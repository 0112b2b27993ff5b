"""Make remapcon.npz: conservative remapping of small invented fields by the Climate Data Operators.

Run by hand where ``cdo`` is installed (it is no dependency of this package): ``python tests/golden/make_remapcon.py``.
Each case holds the source field and both grids as this script wrote them, and what ``cdo remapcon`` made of them.
The fields are synthetic (fixed seed). The program moves edges beyond 88 degrees to the pole, so no grid here ends
between 88 and 90 degrees.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr

OUTPUT = Path(__file__).with_name("remapcon.npz")


def centres(first: float, step: float, count: int) -> np.ndarray:
    return first + step * np.arange(count)


# name: source lat, source lon, target lat, target lon, share of missing cells
CASES = {
    "up": (centres(-88, 4, 45), centres(-178, 4, 90), centres(-85, 10, 18), centres(-175, 10, 36), 0.0),
    "up_missing": (centres(-88, 4, 45), centres(-178, 4, 90), centres(-85, 10, 18), centres(-175, 10, 36), 0.4),
    "down": (centres(-80, 20, 9), centres(10, 20, 18), centres(-87.5, 5, 36), centres(-177.5, 5, 72), 0.0),
    "down_missing": (centres(-80, 20, 9), centres(10, 20, 18), centres(-87.5, 5, 36), centres(-177.5, 5, 72), 0.3),
    "uneven_shifted": (centres(-87, 6, 30), centres(2.5, 5, 72), centres(-86, 8, 22), centres(-176, 8, 45), 0.0),
    "north_first": (centres(88, -4, 45), centres(2, 4, 90), centres(81, -18, 10), centres(-171, 18, 20), 0.2),
    "polar_rows": (centres(82.5, 1, 8), centres(-178, 4, 90), centres(81, 6, 2), centres(-170, 20, 18), 0.0),
    "points_at_poles": (centres(-90, 4, 46), centres(-180, 5, 72), centres(-82.5, 15, 12), centres(-165, 30, 12), 0.2),
    "fine_to_coarse": (centres(-89, 2, 90), centres(1, 2, 180), centres(-75, 30, 6), centres(-165, 30, 12), 0.3),
}


def description(lat: np.ndarray, lon: np.ndarray) -> str:
    return (
        f"gridtype = lonlat\nxsize = {len(lon)}\nysize = {len(lat)}\nxfirst = {lon[0]}\nxinc = {lon[1] - lon[0]}\n"
        f"yfirst = {lat[0]}\nyinc = {lat[1] - lat[0]}\n"
    )


def remapped(folder: Path, field: np.ndarray, grids: tuple[np.ndarray, ...]) -> np.ndarray:
    lat, lon, to_lat, to_lon = grids
    attributes = {"lat": {"units": "degrees_north"}, "lon": {"units": "degrees_east"}}
    source = xr.Dataset(
        {"field": (("lat", "lon"), field, {"title": "synthetic"})},
        coords={"lat": ("lat", lat, attributes["lat"]), "lon": ("lon", lon, attributes["lon"])},
    )
    source.to_netcdf(folder / "source.nc", encoding={"field": {"_FillValue": -9e33}})
    (folder / "target.txt").write_text(description(to_lat, to_lon))
    command = ["cdo", "-s", "-b", "F64", f"remapcon,{folder / 'target.txt'}", "source.nc", "result.nc"]
    subprocess.run(command, check=True, cwd=folder)
    with xr.open_dataset(folder / "result.nc") as result:
        return result["field"].values


def main() -> None:
    generator = np.random.default_rng(20)
    arrays = {}
    for name, (lat, lon, to_lat, to_lon, missing) in CASES.items():
        # eighths are exact in float32, which keeps the file small
        field = np.round(8 * generator.normal(10, 3, (len(lat), len(lon)))) / 8
        field[generator.random(field.shape) < missing] = np.nan
        with tempfile.TemporaryDirectory() as folder:
            result = remapped(Path(folder), field, (lat, lon, to_lat, to_lon))
        parts = {
            "field": field.astype(np.float32),
            "lat": lat,
            "lon": lon,
            "to_lat": to_lat,
            "to_lon": to_lon,
            "result": result,
        }
        arrays |= {f"{name}__{part}": values for part, values in parts.items()}
    version = subprocess.run(["cdo", "--version"], capture_output=True, text=True, check=True)
    text = (version.stdout + version.stderr).splitlines()[0]
    np.savez_compressed(OUTPUT, cdo=np.array(text), **arrays)


if __name__ == "__main__":
    main()
