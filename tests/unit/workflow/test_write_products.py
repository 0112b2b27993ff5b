"""What the public files say of the code that wrote them."""

import pytest
import xarray as xr

from dere import __version__
from dere.config.products import ProductsConfig
from dere.products.attributes import Provenance, global_attributes
from dere.products.run_mean import mean_of_runs
from dere.workflow.products import provenance_of

HEAD = "source,file,product,version,role,rows,sha256,licence,citation,url,site"


def test_source_and_history_name_the_package_once_and_the_code(tmp_path):
    files = {name: tmp_path / name for name in ("drivers", "provenance")}
    for path in files.values():
        path.write_text(f"{HEAD}\n")
    origin = provenance_of([{"params": {"width": 8}, "sha256": "ab"}], files, "c0de")
    attrs = global_attributes("gpp", ProductsConfig(), origin, {}, "500 km")
    assert attrs["source"] == f"dere {__version__}, code c0de, configuration {origin.configuration}"
    assert attrs["history"].endswith(f"of dere {__version__}, code c0de")
    assert attrs["code_version"] == __version__


def test_maps_of_the_invented_world_say_so():
    prediction = {"method": "gbm", "invented_sources": "simulation; towers"}
    attrs = global_attributes("gpp", ProductsConfig(), Provenance(), prediction, "500 km")
    assert attrs["source"].startswith("invented world: simulation, towers; dere ")
    assert attrs["invented_sources"] == "simulation; towers"


@pytest.mark.parametrize(("given", "stated"), [(None, "not stated"), ("", "not stated"), ("our paper", "our paper")])
def test_references_that_are_not_given_are_not_stated(given, stated):
    attrs = global_attributes("gpp", ProductsConfig(references=given), Provenance(), {"method": "gbm"}, "500 km")
    assert attrs["references"] == stated


def maps(**further):
    """A map prediction of one cell and month, with what ``further`` adds."""
    values = xr.DataArray([[[3.0, 2.0, -1.0]]], dims=("cell", "time", "flux"))
    return xr.Dataset({"prediction": values, **{name: values * factor for name, factor in further.items()}})


def test_the_mean_of_runs_has_what_every_run_has():
    """A spread of one run alone would stand beside the mean of all."""
    mean = mean_of_runs([maps(std=0.1, quantile_value=1.0), maps(quantile_value=3.0)])
    assert set(mean.data_vars) == {"prediction", "quantile_value"}
    assert (mean["quantile_value"] == 2 * mean["prediction"]).all()
    both = mean_of_runs([maps(std=0.1), maps(std=0.1)])
    assert float(both["std"].sel(cell=0, time=0, flux=0)) == pytest.approx(0.3)
