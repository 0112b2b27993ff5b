"""Simulations at single towers."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dere.ingest.simulation.site_simulations import parse_cell, parse_ensemble, read_site_simulation


def ensemble():
    days = pd.date_range("2000-01-01", "2000-02-29")
    table = pd.DataFrame({"datetime": days.strftime("%Y-%m-%d"), "NEP_median": np.arange(len(days)) / 10.0})
    return table.assign(NEP_lower95=0.0, NEP_upper95=1.0, GPP_median=4.0, Ra_median=1.5, Rh_median=1.0)


def cell():
    table = pd.DataFrame({"model": "SYN", "year": 1980, "month": np.arange(1, 13), "scenario": "historical"})
    return table.assign(gpp_gCm2d=4.0, rh_gCm2d=1.0, ra_gCm2d=2.0, lai_m2_m2=3.0)


def test_ensemble_months():
    dataset = parse_ensemble(ensemble(), "ssem.csv")
    np.testing.assert_allclose(dataset["nee"], [-1.5, -(31 + 59) / 2 / 10])
    np.testing.assert_allclose(dataset["reco"], 2.5)
    assert np.isnan(parse_ensemble(ensemble().iloc[:-1], "ssem.csv")["nee"].values[1])


def test_cell_closes_whatever_the_unit():
    first = parse_cell(cell(), "cmip6.csv")
    raw = cell().rename(columns={f"{name}_gCm2d": f"{name}_kgC_m2_s" for name in ("gpp", "ra", "rh")})
    raw[[c for c in raw if c.endswith("_s")]] /= 8.64e7
    for dataset in (first, parse_cell(raw, "raw.csv")):
        np.testing.assert_allclose(dataset["nee"], -1.0)
        np.testing.assert_allclose(dataset["reco"] - dataset["gpp"], dataset["nee"])
        assert dataset.sizes["time"] == 12 and dataset["gpp"].attrs["units"] == "gC m-2 d-1"


@pytest.mark.parametrize(
    ("parse", "table", "sentence"),
    [
        (parse_ensemble, ensemble().drop(columns="Ra_median"), "has no column Ra_median"),
        (parse_ensemble, ensemble().iloc[::-1], "must increase"),
        (parse_cell, cell().drop(columns="gpp_gCm2d"), "has no column gpp_gCm2d"),
        (parse_cell, cell().assign(month=13), "months 1 to 12"),
        (parse_cell, cell().assign(month=1), "do not increase"),
        (parse_cell, cell().iloc[:0], "has no rows"),
        (parse_cell, cell().assign(rh_gCm2d="x"), "column rh_gCm2d holds 'x'"),
    ],
)
def test_bad_tables_end_in_one_sentence(parse, table, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse(table, "file.csv")


def test_names(tmp_path):
    cell().to_csv(tmp_path / "cmip6_SYN.csv", index=False)
    assert read_site_simulation(tmp_path / "cmip6_SYN.csv").attrs["source"] == "cmip6_SYN.csv"
    with pytest.raises(ValueError, match="keep the source's own file name"):
        read_site_simulation(tmp_path / "model.csv")


@pytest.mark.realdata
def test_real_files():
    if not os.environ.get("DERE_REALDATA"):
        pytest.skip("DERE_REALDATA is not set")
    folder = Path(os.environ["DERE_REALDATA"], "fluxcourse-sites")
    assert len(list(folder.glob("ssem_*.csv"))) == 3
    for path in folder.glob("ssem_*.csv"):
        assert np.isfinite(read_site_simulation(path)["nee"]).sum() >= 11
    for path in folder.glob("cmip6_*.csv"):
        dataset = read_site_simulation(path)
        raw = read_site_simulation(folder / "cmip6-raw" / f"{path.stem.removeprefix('cmip6_')}_usmms_monthly.csv.gz")
        # UKESM1 ends in 2014, although the note beside the files says 504 rows for all three
        assert dataset.sizes["time"] == (420 if "UKESM1" in path.name else 504)
        for name in ("gpp", "reco", "nee", "lai"):
            np.testing.assert_allclose(dataset[name], raw[name], rtol=1e-6, atol=1e-9)
