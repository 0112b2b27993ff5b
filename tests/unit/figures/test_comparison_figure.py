"""The figure of all methods on all backbones shows the table's values, and nothing else."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from dere.config.figures import FiguresConfig
from dere.figures import comparison
from dere.figures.gallery import draw_all, of_backbone
from dere.figures.style import method_colour, method_marker
from dere.variables import FLUXES


def drawn(table):
    figure = Figure(figsize=(9, 8))
    comparison.draw(figure, table)
    return figure


def points(panel, method):
    """Return (x, y) of the markers of a method, from top to bottom."""
    lines = [line for line in panel.get_lines() if line.get_marker() == method_marker(method)]
    return sorted(((line.get_xdata()[0], line.get_ydata()[0]) for line in lines), key=lambda point: point[1])


def test_markers_stand_at_the_scores_of_their_backbone(comparison_table):
    panels = drawn(comparison_table).axes
    assert len(panels) == 2 * len(FLUXES)
    names = [label.get_text() for label in panels[0].get_yticklabels()]
    assert names == ["Transformer", "Informer", "FEDformer", "iTransformer", "TimeXer", "SimpleTM", "no network"]
    order = [(grouping, flux) for grouping in ("all", "virtual") for flux in FLUXES]
    for number, where in enumerate(order):
        found = points(panels[number], "dere")
        rows = comparison_table.query("method == 'dere'").set_index(["grouping", "flux"]).loc[[where]]
        np.testing.assert_allclose([x for x, _ in found], rows["nse"])
        assert [round(y) for _, y in found] == list(range(6))


def test_a_failed_method_is_an_arrow_and_does_not_stretch_the_axis(comparison_table):
    panel = drawn(comparison_table).axes[list(FLUXES).index("nee")]
    left = panel.get_xlim()[0]
    assert -0.5 < left <= 0.2 and len(points(panel, "baseline")) == 5
    arrows = [line for line in panel.get_lines() if line.get_marker() == "<"]
    colours = {line.get_color() for line in arrows}
    assert colours == {method_colour("baseline"), method_colour("simulation")}
    assert any(line.get_xdata()[0] == left and round(line.get_ydata()[0]) == 5 for line in arrows)


def test_methods_without_a_network_stand_in_a_row_of_their_own(comparison_table):
    """An arrow of the process model in SimpleTM's row would read as SimpleTM's."""
    panel = drawn(comparison_table).axes[list(FLUXES).index("nee")]
    references = set(comparison_table.loc[comparison_table["backbone"] == "none", "method"])
    assert len(references) == 4
    for name in references:
        mine = [line for line in panel.get_lines() if line.get_color() == method_colour(name)]
        # lines across the panel have one axis from 0 to 1
        marks = [line for line in mine if [0, 1] not in (list(line.get_xdata()), list(line.get_ydata()))]
        assert {round(float(np.mean(line.get_ydata()))) for line in marks} == {6}, name
    heights = [line.get_ydata()[0] for line in panel.get_lines() if line.get_marker() == "<"]
    assert sorted(round(y) for y in heights) == [5, 6]


def test_of_two_references_with_one_score_the_line_with_gaps_lies_above(comparison_table):
    equal = comparison_table.assign(nse=comparison_table["nse"].where(comparison_table["backbone"] != "none", 0.25))
    panel = drawn(equal).axes[0]
    order = {line.get_color(): line.get_zorder() for line in panel.get_lines() if list(line.get_ydata()) == [0, 1]}
    solid = order.pop(method_colour("gbm_sim"))
    assert len(order) == 3 and all(value > solid for value in order.values())


def test_the_tick_is_named_after_what_it_is(comparison_table):
    names = {text.get_text() for text in drawn(comparison_table).legends[0].get_texts()}
    assert "score of the mean prediction" in names and "mean of all seeds" not in names


def test_references_are_lines_at_their_scores(comparison_table):
    panel = drawn(comparison_table).axes[0]
    rows = comparison_table.query("backbone == 'none' and grouping == 'all' and flux == @FLUXES[0]")
    at = {line.get_color(): line.get_xdata()[0] for line in panel.get_lines() if len(set(line.get_xdata())) == 1}
    for name, value in zip(rows["method"], rows["nse"], strict=True):
        assert at[method_colour(name)] == pytest.approx(value), name


def test_the_bar_is_one_standard_deviation_over_seeds_and_one_seed_has_none(comparison_table):
    row = comparison_table.query("method == 'kgml' and backbone == 'timexer' and grouping == 'all'").iloc[0]
    ends = np.array([row["nse"] - row["nse_seed_std"], row["nse"] + row["nse_seed_std"]])
    panel = drawn(comparison_table).axes[list(FLUXES).index(row["flux"])]
    bars = [line.get_xdata() for line in panel.get_lines() if line.get_color() == method_colour("kgml")]
    assert any(len(bar) == 2 and np.allclose(bar, ends) for bar in bars)
    single = drawn(comparison_table.assign(nse_seed_std=np.nan))
    lines = [line for line in single.axes[0].get_lines() if line.get_color() == method_colour("kgml")]
    assert len(lines) == 6 and all(len(line.get_xdata()) == 1 for line in lines)
    words = " ".join(text.get_text() for text in single.legends[0].get_texts())
    assert "seed" not in words and "mean prediction" not in words


def test_without_virtual_towers_there_is_one_row_of_panels(comparison_table):
    assert len(drawn(comparison_table.query("grouping == 'all'")).axes) == len(FLUXES)


def test_figures_of_one_backbone_show_the_first_of_the_run(skill, paired, files, tmp_path):
    two = skill.assign(backbone="b")
    assert of_backbone(two, "a").empty and len(of_backbone(two, "b")) == len(two)
    both = paired.assign(backbone=["a"] * 20 + ["b"] * (len(paired) - 20), against_backbone="none")
    assert set(of_backbone(both, "b").index) == set(range(20, len(paired)))
    few = {"skill": files["skill"], "paired": files["paired"]}
    plain, chosen = (draw_all(few, tmp_path / str(name), FiguresConfig(dpi=50), name) for name in (None, "transformer"))
    assert [path.read_bytes() for path in plain] == [path.read_bytes() for path in chosen]
