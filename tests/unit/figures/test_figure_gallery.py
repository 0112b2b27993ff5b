"""Every figure from files, as the rule draws them."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

from dere.config.figures import FiguresConfig
from dere.figures import world_map
from dere.figures.catalogue import CATALOGUE, outputs, possible
from dere.figures.gallery import ARGUMENTS, draw_all, read_inputs
from dere.figures.registry import FIGURES
from dere.figures.save import write_figure
from dere.invented import marked
from dere.io import read_netcdf, write_netcdf


@pytest.fixture(scope="module")
def drawn(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    return folder, draw_all(files, folder, FiguresConfig(dpi=60))


def test_every_figure_of_the_catalogue_is_drawn_with_its_numbers(drawn):
    folder, written = drawn
    for name, entry in CATALOGUE.items():
        for suffix in ("png", "svg"):
            assert (folder / f"{name}.{suffix}").stat().st_size > 5000
        assert (folder / f"{name}.csv").exists() == (entry.table is not None)
    assert sorted(written) == sorted(folder.iterdir())


def test_catalogue_registry_and_arguments_name_the_same_figures():
    assert set(CATALOGUE) == set(FIGURES) == set(ARGUMENTS)


def test_possible_and_outputs_follow_the_inputs_at_hand(files, drawn):
    folder, _ = drawn
    assert sorted(outputs(files, ["png", "svg"])) == sorted(path.name for path in folder.iterdir())
    without = set(files) - {"truth", "products"}
    assert "product_maps" not in possible(without)
    assert "world_map.csv" not in outputs(without, ["png"]) and "world_map.png" in outputs(without, ["png"])
    assert possible(["skill", "paired"], skip=["skill_comparison"]) == []
    with pytest.raises(ValueError, match="'worldmap'"):
        possible(["towers"], skip=["worldmap"])


def test_a_run_without_truth_maps_and_labels_still_has_its_figures(files, tmp_path):
    few = {name: files[name] for name in ("towers", "skill", "paired", "predictions")}
    written = {path.name for path in draw_all(few, tmp_path, FiguresConfig(dpi=50, formats=("png",)))}
    assert written == set(outputs(few, ["png"]))
    assert {"world_map.png", "skill_comparison.png", "series.png", "seasonal_cycles.png"} < written


def test_figures_do_not_see_predictions_where_a_model_has_seen_the_labels(files, tmp_path):
    plain = read_inputs({"predictions": files["predictions"]})["predictions"]
    nonsense = []
    for method, file in plain.items():
        sites = file["site"].values.astype(str).tolist()
        whole = file.reindex(site=[*sites, "seen"], fill_value=1e6)
        whole = whole.assign_coords(role=("site", ["cross_validated"] * len(sites) + ["seen_in_training"]))
        nonsense.append(write_netcdf(whole, tmp_path / method / "ensemble.nc"))
    shown = read_inputs({"predictions": nonsense})["predictions"]
    assert set(shown) == set(plain)
    for method, file in shown.items():
        xr.testing.assert_equal(file.drop_vars("role"), plain[method])


def test_the_map_of_sites_shows_each_with_its_role(towers):
    sites = towers["site"].values.astype(str)
    role = np.where(towers["kind"].values.astype(str) == "tower", "seen_in_training", "unseen")
    role[np.flatnonzero(role != "unseen")[0]] = "cross_validated"
    figure = Figure()
    world_map.draw(figure, towers, sites=pd.DataFrame({"site": sites, "role": role})[::-1])
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    counts = [(role == name).sum() for name in ("unseen", "seen_in_training", "cross_validated")]
    assert [int(text.rpartition(": ")[2]) for text in shown] == [count for count in counts if count]
    assert shown[-1] == "towers tested by models that have not seen them: 1"


def test_figures_of_the_invented_world_say_so(files, drawn, tmp_path):
    towers = read_netcdf(files["towers"]).assign_attrs(marked(["cover", "towers"]))
    few = {name: files[name] for name in ("skill", "paired")}
    few["towers"] = write_netcdf(towers, tmp_path / "towers.nc")
    written = draw_all(few, tmp_path / "figures", FiguresConfig(dpi=50, formats=("svg",)))
    assert len(written) > 1
    for path in written:
        if path.suffix == ".svg":
            assert "<!-- Invented world: cover, towers -->" in path.read_text(), path.name
            assert "nvented" not in (drawn[0] / path.name).read_text(), "others do not"


def test_equal_inputs_give_equal_files(files, tmp_path):
    few = {name: files[name] for name in ("calibration",)}
    first, second = (draw_all(few, tmp_path / name, FiguresConfig(dpi=50)) for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_an_unknown_format_ends_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="'gif'"):
        write_figure(Figure(), tmp_path, "x", ["gif"])
