"""What is on the axes: units, all data, clear markers."""

from pathlib import PurePath

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from dere.figures import (
    maps,
    pit,
    plant_fractions,
    product_maps,
    series,
    site_calibration,
    skill_comparison,
    style,
    training_history,
)
from dere.figures.catalogue import CATALOGUE
from dere.methods import methods
from dere.variables import FLUXES, PLANT_TYPES


def texts(figure: Figure) -> str:
    figure.draw_without_rendering()
    found = [axes.get_title() + axes.get_xlabel() + axes.get_ylabel() for axes in figure.axes]
    return " ".join([*found, figure.get_supxlabel(), figure.get_supylabel()])


def test_series_has_predictions_observations_imputations_and_a_unit(towers, predictions, labels):
    figure = Figure(layout="constrained")
    series.draw(figure, series.tabulate(towers, predictions["dere"], labels, flux="nee", panels=4))
    assert len(figure.axes) == 4 and "gC m$^{-2}$ d$^{-1}$" in texts(figure)
    left = {line.get_label(): line for line in figure.axes[0].lines}
    right = {line.get_label(): line for line in figure.axes[1].lines}
    assert {"predicted", "observed"} <= set(left) and {"imputed", "observed"} <= set(right)
    site = figure.axes[1].get_title().split("\n")[-1].split(",")[0]
    imputed = labels.sel(site=site, flux="nee")["label"].values[(labels["origin"].sel(site=site) == 2).values]
    np.testing.assert_array_equal(right["imputed"].get_ydata(), imputed)


def test_series_without_labels_or_intervals_has_one_column(towers, predictions):
    table = series.tabulate(towers, predictions["gbm"], flux="gpp", panels=3)
    assert table["low"].isna().all() and not table["imputed"].any()
    figure = Figure(layout="constrained")
    series.draw(figure, table)
    assert len(figure.axes) == 3 and "unseen towers: trees" in texts(figure)
    assert not figure.axes[0].collections


def test_skill_comparison_marks_scores_below_the_floor_and_draws_every_method(skill, paired):
    figure = Figure(layout="constrained")
    skill_comparison.draw(figure, skill, paired, "gbm_sim")
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert names[0] == "DERE, stage 6" and len(names) == 8
    nee = figure.axes[FLUXES.index("nee")]
    arrows = [line for line in nee.lines if line.get_marker() == "<"]
    assert len(arrows) == 2 and all(line.get_xdata()[0] == -1.0 for line in arrows)
    assert "trees + simulation" in texts(figure)


def long_whiskers(paired):
    """Climatology far below all others at the test towers, where its difference is stored the other way round."""
    bad = paired["against"].eq("climatology") & paired["grouping"].eq("all")
    numbers = ["nse_difference", "nse_low", "nse_high"]
    return paired.assign(**{name: paired[name] + 9.0 * bad for name in numbers})


def test_each_grouping_of_the_differences_has_axes_on_which_its_intervals_can_be_read(skill, paired):
    """One far interval at the test towers hid all those of the virtual towers, a third as wide as the others."""
    figure = Figure(layout="constrained")
    skill_comparison.draw(figure, skill, long_whiskers(paired), "gbm_sim")
    assert len(figure.axes) == 3 * len(FLUXES) and "GPP, virtual towers" in texts(figure)
    for row, width in ((1, 0.24), (2, 0.08)):
        panel = figure.axes[row * len(FLUXES)]
        whiskers = [
            line.get_xdata() for line in panel.lines if len(line.get_xdata()) == 2 and line.get_marker() == "None"
        ]
        shown = [ends for ends in whiskers if np.ptp(ends) == pytest.approx(width)]
        assert len(shown) >= 6 and width > 0.1 * np.ptp(panel.get_xlim())


def test_what_leaves_the_axis_ends_in_an_arrow_on_its_side(skill, paired):
    figure = Figure(layout="constrained")
    skill_comparison.draw(figure, skill, long_whiskers(paired), "gbm_sim")
    test_towers, virtual = (figure.axes[row * len(FLUXES)] for row in (1, 2))
    arrows = [line for line in test_towers.lines if line.get_marker() in ("<", ">")]
    assert [line.get_marker() for line in arrows] == ["<"] and arrows[0].get_color() == style.method_colour(
        "climatology"
    )
    assert arrows[0].get_xdata()[0] == test_towers.get_xlim()[0]
    assert not [line for line in virtual.lines if line.get_marker() in ("<", ">")]


def test_the_edges_of_differences_hold_zero_and_all_but_outliers():
    ends = np.array([[-0.3, -0.2, -0.1], [-0.25, -0.2, -0.1], [-0.3, -0.25, -0.2], [-9.0, -8.0, -7.0]])
    table = pd.DataFrame(ends, columns=["low", "value", "high"])
    left, right = skill_comparison.difference_edges(table)
    assert -0.4 < left < -0.3 and 0.0 < right < 0.1
    assert skill_comparison.difference_edges(table.iloc[:0]) == (-1.0, 1.0)


def test_a_whisker_that_goes_on_beyond_the_axis_says_so():
    axes = Figure().subplots()
    row = {"method": "dere", "grouping": "all", "value": 0.2, "low": -3.0, "high": 2.0}
    skill_comparison.intervals(axes, pd.DataFrame([row]), ["dere"], (-1.0, 1.0))
    marks = {line.get_marker(): line.get_xdata()[0] for line in axes.lines}
    assert marks["<"] == -1.0 and marks[">"] == 1.0 and marks["o"] == 0.2


def test_a_run_without_the_reference_compares_with_its_simplest_method(skill, paired):
    figure = Figure(layout="constrained")
    skill_comparison.draw(figure, skill[skill["method"] != "gbm_sim"], paired, "gbm_sim")
    assert "minus climatology" in texts(figure)


def test_plant_fractions_print_the_errors_of_the_cells_shown_beside_the_diagonal(learned, cover, drivers):
    cells = cover["cell"].values
    roles = pd.DataFrame(
        {"id": cells.astype(str), "kind": "cell", "role": np.where(cells % 4 == 0, "test", "training")}
    )
    table = plant_fractions.tabulate(learned, cover, roles)
    with style.house_style():
        figure = Figure(figsize=CATALOGUE["plant_fractions"].size, layout="constrained")
        plant_fractions.draw(figure, table, drivers)
        figure.draw_without_rendering()
    shown = table[table["role"] == "test"]
    for panel, name in zip(figure.axes, PLANT_TYPES, strict=False):
        (text,) = panel.texts
        part = shown[shown["plant_type"] == name]
        error = float(np.sqrt(((part["learned"] - part["observed"]) ** 2).mean()))
        assert f"network {error:.2g}\n" in text.get_text() and text.get_text().endswith("persistence < 0.0001")
        box = text.get_window_extent().transformed(panel.transData.inverted())
        assert 0 < box.x0 < box.x1 < box.y0 < box.y1 < 1  # inside, above the diagonal


def test_plant_fraction_maps_use_the_whole_colour_scale(learned, cover, drivers):
    near = learned.assign(plant_fraction=cover["plant_fraction"].mean("year") + 0.002)
    figure = Figure()
    *_, cells = plant_fractions.draw(figure, plant_fractions.tabulate(near, cover), drivers)
    assert (cells.norm.vmin, cells.norm.vmax) == (-0.002, 0.002)


def test_training_history_marks_the_kept_epoch(history):
    figure = Figure(layout="constrained")
    table = history["pure"].copy()
    table.loc[4, "validation_loss"] = 0.001
    training_history.draw(figure, {"pure": table, "uncertain": history["uncertain"]})
    kept = next(line for line in figure.axes[0].lines if line.get_label() == "kept")
    assert kept.get_xdata()[0] == 4
    assert figure.axes[0].get_yscale() == "log" and figure.axes[1].get_yscale() == "linear"


def test_history_files_are_named_by_stage_and_part(history):
    table = history["pure"]
    stage = PurePath("models/transformer/fold0/seed0/towers/history.csv")
    assert list(training_history.parts(stage, table)) == ["towers"]
    both = pd.concat([table.assign(part="point"), table.assign(part="denoiser")])
    found = training_history.parts(PurePath("models/imputation/fold0/seed0/history.csv"), both)
    assert list(found) == ["imputation, point", "imputation, denoiser"]
    assert all(len(rows) == len(table) for rows in found.values())


def test_map_cells_lie_around_their_centres_and_missing_ones_stay_empty():
    axes = Figure().subplots()
    maps.prepare(axes)
    lat, lon, values = np.array([3.0, 57.0, 9.0]), np.array([-177.0, 3.0, 9.0]), np.array([1.0, 2.0, np.nan])
    cells = maps.fill_cells(axes, lat, lon, values, 6.0, "viridis", Normalize(0, 2))
    assert isinstance(cells, PolyCollection) and len(cells.get_paths()) == 2
    centres = maps.project(lon[:2], lat[:2])
    for path, centre in zip(cells.get_paths(), centres, strict=True):
        assert path.contains_point(centre)
    assert np.ptp(cells.get_paths()[1].vertices[:, 0]) < 1e6  # a cell of 6 degrees is no band round the globe


def test_land_outline_holds_continents_and_not_the_ocean():
    outline = maps.land_outline()
    inside, outside = (
        maps.project(np.array([25.0, -100.0]), np.array([0.0, 45.0])),
        maps.project(np.array([-30.0, -140.0]), np.array([0.0, 10.0])),
    )
    assert outline.contains_points(inside).all() and not outline.contains_points(outside).any()


@pytest.mark.parametrize(
    ("unit", "text"),
    [("gC m-2 d-1", "gC m$^{-2}$ d$^{-1}$"), ("1", "1"), ("W m-2", "W m$^{-2}$")],
    ids=["flux", "one", "radiation"],
)
def test_unit_text_raises_exponents(unit, text):
    assert style.unit_text(unit) == text


def test_a_method_that_no_run_declares_is_black_and_called_by_its_name():
    with style.house_style({}, {}):
        assert (style.method_colour("gbm"), style.method_label("gbm")) == (style.BLACK, "gbm")
        assert style.backbone_label("fedformer") == "fedformer"
    assert style.method_label("gbm") == methods()["gbm"].label and style.backbone_label("fedformer") == "FEDformer"


def test_method_colours_differ_and_order_is_stable():
    known = methods().values()
    assert len({method.colour for method in known}) == len(known)
    networks = [method.marker for method in known if method.per_backbone]
    lines = [method.line for method in known if not method.per_backbone]
    assert len(set(networks)) == len(networks) and len(set(lines)) == len(lines)
    assert style.ordered_methods(["zz", "dere", "gbm", "aa"]) == ["gbm", "dere", "aa", "zz"]


def test_an_ensemble_is_marked_where_it_was_judged():
    table = pd.DataFrame({"epoch": [0, 1, 2], "training_loss": [np.nan, 0.5, 0.4], "validation_loss": [np.nan] * 3})
    table.loc[2, "validation_loss"] = 0.45
    *_, kept = training_history.draw(Figure(), {"baseline": table})
    assert kept.get_xydata().tolist() == [[2.0, 0.45]] and kept.get_label() == training_history.ONCE


@pytest.mark.parametrize(
    ("losses", "title"), [([0.3, 0.5, 0.4], "age: epoch 0 kept, no gain"), ([0.6, 0.5, 0.4], "age")]
)
def test_a_training_that_gained_nothing_says_so(losses, title):
    table = pd.DataFrame({"epoch": [0, 1, 2], "training_loss": [np.nan, 0.5, 0.4], "validation_loss": losses})
    figure = Figure()
    training_history.draw(figure, {"age": table})
    assert figure.axes[0].get_title() == title


def test_maps_of_fluxes_in_one_direction_have_one_scale():
    """So that GPP and RECO can be compared by eye; NEE, of both directions, has a scale about zero of its own."""
    rows = [
        (flux, 50.0, lon, size, 0.9 * size)
        for flux, size in (("gpp", 3.0), ("reco", 2.0), ("nee", -1.0))
        for lon in (0.0, 6.0)
    ]
    table = pd.DataFrame(rows, columns=["flux", "lat", "lon", "product", "truth"])
    with style.house_style():
        cells = product_maps.draw(Figure(), table, 6.0)
    shown = [(one.norm.vmin, one.norm.vmax, one.get_cmap().name) for one in cells]
    upper, lower = shown[::2], shown[1::2]
    assert upper[0] == upper[1] == (0.0, 3.0, "viridis") and upper[2] == (-1.0, 1.0, "RdBu_r")
    assert len(set(lower)) == 1 and lower[0][1] == pytest.approx(0.3, rel=0.02)


def test_the_transform_has_a_step_line_per_method_and_panel(calibration_table):
    figure = Figure()
    artists = pit.draw(figure, calibration_table)
    # months and years of test towers and virtual ones, three fluxes, two methods
    assert len(figure.axes) == 4 * 3 and len(artists) == 2 * 4 * 3
    values = artists[0].get_data().values
    assert values[0] == values[9] == 12.0 and values[1] == 8.0
    silent = calibration_table.assign(pit_1=float("nan"))
    assert {text.get_text() for text in pit.draw(Figure(), silent)} == {pit.NONE}


def test_own_months_have_a_ratio_with_its_interval_and_a_coverage_for_each_flux(site_calibration_table):
    figure = Figure()
    artists = site_calibration.draw(figure, site_calibration_table)
    panels = figure.axes
    assert [panel.get_title() for panel in panels[:3]] == ["GPP", "RECO", "NEE"]
    assert [text.get_text() for text in panels[3].get_xticklabels()] == ["0", "1", "3", "6", "12", "24"]
    # two methods in six panels, and their intervals in the upper three
    assert len(artists) == 2 * 6 + 2 * 3
    of_flux = site_calibration_table.query("flux == 'gpp'")
    shown = {tuple(line.get_ydata()) for line in panels[0].lines[1:]}
    assert shown == {tuple(own["rmse_ratio"]) for _, own in of_flux.groupby("method")}
    assert panels[3].get_ylim() == (0.8, 1.0)
    empty = Figure()
    told = site_calibration.draw(empty, site_calibration_table.iloc[:0])
    assert {text.get_text() for text in told} == {site_calibration.NONE}
