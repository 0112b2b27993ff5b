"""What the explorer holds is what the files of the run hold; larger cells are means by area of land."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dere.exchange.co2 import EXCHANGE as CO2
from dere.explorer import series
from dere.explorer.coarse import block_edges, block_means, factor_for
from dere.explorer.data import land
from dere.explorer.html import html
from dere.explorer.maps import map_data
from dere.explorer.pack import pack, unpack
from dere.variables import convert
from explored import FLUXES, MEMBERS, MONTHS, data_of, ensemble, product, towers, write_page, write_run
from hostile import TEXTS, Page


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return data_of(write_page(tmp_path_factory.mktemp("small")))


@given(arrays(float, st.integers(1, 30), elements=st.one_of(st.floats(-1e6, 1e6), st.just(np.nan))))
def test_packing_moves_a_value_by_half_a_step_at_most(values):
    packed = pack(values)
    back = unpack(json.loads(json.dumps(packed)))
    assert np.array_equal(np.isnan(back), np.isnan(values))
    known = np.isfinite(values)
    assert np.all(np.abs(back - values)[known] <= packed["step"] * 0.5000001 + 1e-9)
    if known.any() and np.ptp(values[known]) > 1e-3:
        assert packed["step"] == pytest.approx(np.ptp(values[known]) / 65534)


def test_the_same_values_are_the_same_text():
    assert pack(np.arange(5.0)) == pack(np.arange(5.0))


@pytest.mark.parametrize("factor", [1, 2, 3, 7])
def test_a_block_is_the_mean_by_area_of_land_of_its_cells_with_values(factor):
    rng = np.random.default_rng(0)
    values, weight = rng.normal(size=(2, 5, 6)), rng.uniform(1.0, 2.0, (5, 6))
    values[0, :2, :3] = np.nan
    weight[4] = 0.0
    found = block_means(values, weight, factor)
    for month, row, column in np.ndindex(found.shape):
        part = np.s_[row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
        cells, areas = values[month][part], weight[part]
        use = np.isfinite(cells) & ((areas > 0) | (factor == 1))
        wanted = np.average(cells[use], weights=areas[use] if factor > 1 else None) if use.any() else np.nan
        assert found[month, row, column] == pytest.approx(wanted, nan_ok=True)
    bounds = np.stack([np.arange(5.0), np.arange(5.0) + 1], 1)
    assert len(block_edges(bounds, factor)) == found.shape[1] + 1
    assert block_edges(bounds, factor)[[0, -1]].tolist() == [0.0, 5.0]


def test_the_total_over_land_stays_in_larger_cells():
    rng = np.random.default_rng(1)
    values, weight = rng.normal(size=(6, 12)), rng.uniform(0.1, 1.0, (6, 12))
    area = block_means(np.ones((6, 12)), weight, 3) * [
        [weight[r : r + 3, c : c + 3].sum() for c in (0, 3, 6, 9)] for r in (0, 3)
    ]
    assert (block_means(values, weight, 3) * area).sum() == pytest.approx((values * weight).sum())


def test_the_smallest_factor_within_the_bound_is_taken():
    everywhere = np.ones((6, 12), dtype=bool)
    assert factor_for(everywhere, 10, 720) == 1
    assert factor_for(everywhere, 10, 719) == 2
    assert factor_for(everywhere, 10, 179) == 3
    assert factor_for(everywhere, 10, 1) == 12


@pytest.mark.parametrize(("most", "factor"), [(10**6, 1), (24 * 12, 2)])
def test_the_map_is_that_of_the_product(most, factor):
    products = {flux: product(flux) for flux in FLUXES}
    found = map_data(products, CO2, most)
    assert found["factor"] == factor and found["degrees"] == 30 * factor
    assert found["months"][0] == "2001-01" and len(found["months"]) == 24
    assert found["lon"][0] == -180 and found["lon"][-1] == 180 and len(found["lat"]) == 6 // factor + 1
    weight = (products["gpp"]["areacella"] * products["gpp"]["sftlf"]).values
    for flux in CO2.fluxes:
        source = products[flux.name]
        width = source[f"{flux.name}_q95"].values.astype(float) - source[f"{flux.name}_q05"].values
        for name, values in {"mean": source[flux.name].values.astype(float), "width": width}.items():
            wanted = convert(block_means(values, weight, factor), flux.public_unit, flux.unit)
            packed = found["values"][flux.name][name]
            assert wanted[0].ravel()[found["cells"]] == pytest.approx(unpack(packed)[0], abs=packed["step"])
            assert np.isnan(np.delete(wanted[0].ravel(), found["cells"])).all()
        assert 1.0 < np.abs(unpack(found["values"][flux.name]["mean"])).mean() < 4.0, "gC m-2 d-1"


def test_half_a_degree_comes_in_cells_within_the_bound():
    """Of one month; what stands on the page does not depend on the size of the file."""
    products = {flux: product(flux, 0.5, 1) for flux in FLUXES}
    found = map_data(products, CO2, 4000)
    assert 2000 < len(found["cells"]) <= 4000 and found["factor"] > 1
    assert len(json.dumps(found)) < 200_000


def test_a_product_without_intervals_or_index_has_a_map_of_means():
    lean = {flux: product(flux).drop_vars(["extrapolation_index", f"{flux}_q05"]) for flux in FLUXES}
    found = map_data(lean, CO2)
    assert found["index"] is None and found["values"]["gpp"]["width"] is None and found["values"]["gpp"]["mean"]


@pytest.mark.parametrize("name", ["reco", "sftlf", "lat_bnds"])
def test_a_product_that_lacks_a_variable_ends_in_a_sentence(name):
    products = {flux: product(flux).drop_vars(name, errors="ignore") for flux in FLUXES}
    with pytest.raises(ValueError, match=f"lacks the variable {name}, .*delete products and run again"):
        map_data(products, CO2)


def test_a_product_without_a_flux_or_without_values_ends_in_a_sentence():
    products = {flux: product(flux) for flux in FLUXES}
    with pytest.raises(ValueError, match=r"no map of nee.*run again"):
        map_data({name: products[name] for name in ("gpp", "reco")}, CO2)
    empty = {flux: dataset.where(dataset["areacella"] < 0) for flux, dataset in products.items()}
    with pytest.raises(ValueError, match=r"no value in their first month.*run again"):
        map_data(empty, CO2)


def test_series_are_those_of_the_files(data):
    names = [tower["id"] for tower in data["towers"]]
    assert names == ["AA-Two", "AA-One", "BB-Far"], "what tests comes first; virtual towers are not shown"
    own = towers().sel(site=names).transpose("site", "flux", "time")
    for part, name in {"value": "flux_value", "quality": "flux_quality"}.items():
        wanted = own[name].where(own["flux_value"].notnull()).values
        assert unpack(data["observed"][part]) == pytest.approx(wanted, abs=data["observed"][part]["step"], nan_ok=True)
    assert set(data["predicted"]) == set(MEMBERS)
    for member, shift in MEMBERS.items():
        file = ensemble(shift).sel(site=names).transpose("site", "flux", "time", "quantile")
        parts = data["predicted"][member]
        wanted = {
            "mean": file["prediction"],
            "low": file["quantile_value"][..., 0],
            "high": file["quantile_value"][..., -1],
        }
        for part, values in wanted.items():
            assert unpack(parts[part]) == pytest.approx(values.values, abs=parts[part]["step"])
    assert data["months"] == list(MONTHS.strftime("%Y-%m"))


def test_only_months_that_are_filled_are_shown_as_filled(data):
    means, low = (unpack(data["filled"][part]) for part in ("mean", "low"))
    there = np.isfinite(means)
    assert there[:2, :, 5].all() and there.sum() == 2 * 3, "the third tower was not filled"
    assert means[0, :, 5] == pytest.approx([0, 1, 2], abs=1e-3)
    assert (means - low)[there] == pytest.approx(0.5, abs=1e-3)
    assert series.filled(None, [], MONTHS, CO2) is None


def test_scores_are_means_over_seeds_and_places_are_known(data):
    own = data["scores"]["net/lags"]["gpp"]
    assert own == {"nse": [0.8, None, None], "rmse": [0.2, None, None], "bias": [0.1, None, None]}
    tower = data["towers"][0]
    assert (tower["lat"], tower["lon"], tower["igbp"], tower["koppen"]) == (48.0, 12.0, "GRA", "Dfb")
    assert tower["role"] == "cross validated" and tower["why"] == "because of AA-Two"
    assert data["neighbours"] == {"AA-Two": [["net", "near", "towers", "AA-One", 260.4, 0.75]]}, "of the first seed"
    assert data["tested"] == "test tower" and data["given"] == "net/lags" and data["origin"].startswith("Invented data")
    assert [flux["signed"] for flux in data["fluxes"]] == [False, False, True]


def test_a_run_of_virtual_towers_alone_shows_them(tmp_path):
    files = write_run(tmp_path)
    only = towers().isel(site=[3])
    only.to_netcdf(files["towers"].with_name("virtual.nc"))
    table = files["site_skill"].read_text().splitlines()
    files["site_skill"].write_text("\n".join(line for line in table if "measured" not in line))
    found = data_of(write_page(tmp_path, {**files, "towers": files["towers"].with_name("virtual.nc")}))
    assert [tower["id"] for tower in found["towers"]] == ["XV-001"] and found["tested"] == "virtual tower"
    assert found["scores"]["gp/none"]["nee"]["nse"] == [0.4]


def test_a_run_without_map_imputation_and_neighbours_has_a_page(tmp_path):
    files = write_run(tmp_path)
    found = data_of(write_page(tmp_path, {name: files[name] for name in ("towers", "site_skill", "sites")}))
    assert found["map"] is None and found["filled"] is None and found["neighbours"] == {} and len(found["towers"]) == 3


def test_what_does_not_fit_is_left_out_in_order():
    assert series.fitting(60, 120, 3, 11) == (60, True)
    assert series.fitting(600, 240, 3, 11)[1] is False
    assert series.fitting(100, 10, 1, 2, most=11000) == (100, True)
    assert series.fitting(100, 10, 1, 2, most=10999) == (100, False), "intervals first"
    assert series.fitting(100, 10, 1, 2, most=4500) == (50, False)
    lean = series.predicted(ensemble(0.4), ["AA-One"], MONTHS, CO2, with_interval=False)
    assert lean["low"] is None and lean["high"] is None


@pytest.mark.parametrize(
    ("file", "broken", "said"),
    [
        ("sites", lambda path: path.unlink(), "sites.csv does not exist"),
        ("site_skill", lambda path: path.write_text(""), "site_skill.csv cannot be read as a table"),
        ("neighbours", lambda path: path.write_text("site\nA\n"), "neighbours.csv lacks the column method"),
        ("towers", lambda path: path.write_bytes(path.read_bytes()[:99]), "towers.nc .* cannot be read as NetCDF"),
        ("filled", lambda path: path.unlink(), "filled.nc"),
    ],
)
def test_a_broken_file_ends_in_a_sentence_and_leaves_no_page(tmp_path, file, broken, said):
    files = write_run(tmp_path)
    broken(files[file])
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        write_page(tmp_path, files)
    assert not (tmp_path / "explorer").exists()


def test_a_file_without_predictions_ends_in_a_sentence(tmp_path):
    files = write_run(tmp_path)
    towers().to_netcdf(tmp_path / "predictions" / "gp" / "none" / "other.nc")
    (tmp_path / "predictions" / "gp" / "none" / "other.nc").rename(
        tmp_path / "predictions" / "gp" / "none" / "ensemble.nc"
    )
    with pytest.raises(ValueError, match="lacks the variable prediction; delete it and run again"):
        write_page(tmp_path, files)


def test_no_text_of_data_becomes_a_part_of_the_page(data):
    hostile = {**data, "run": TEXTS[0], "origin": TEXTS[1]}
    hostile["towers"] = [{**tower, "why": text} for tower, text in zip(data["towers"], TEXTS[2:], strict=True)]
    page = Page(html(hostile, "../index.html"))
    assert page.tags == []
    assert [json.loads(text) for name, text in page.scripts if name == "data"] == [hostile]
    assert len(page.scripts) == 3, "data, library, and the page's own"


def test_the_page_asks_for_nothing_and_leads_back(data):
    text = html(data, "../index.html")
    own = text.replace(data_library(), "")
    assert "://" not in own and "src=" not in own and 'href="../index.html"' in own
    assert "default-src 'none'" in own and 'class="origin invented"' in own
    assert len(own) < 400_000


def data_library():
    from dere.explorer.html import library

    return library()


def test_outlines_of_land_are_on_the_earth():
    rings = [np.array(ring) for ring in land()]
    assert len(rings) > 50 and all(ring.shape[1] == 2 and (np.abs(ring) <= [180, 90]).all() for ring in rings)


def test_a_package_without_its_script_is_told(monkeypatch):
    monkeypatch.setattr("dere.explorer.html.LIBRARY", "package_data/none.js")
    with pytest.raises(FileNotFoundError, match=r"brings no package_data/none\.js.*requirements.lock"):
        data_library()
