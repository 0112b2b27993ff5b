"""Methane beside carbon dioxide: an exchange of its own, outside the closure, and no rule of carbon dioxide changes."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere import exchange as exchanges
from dere.evaluation.total_columns import of_a_day, summable
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.column_labels import column_labels
from dere.variables import CH4_PER_CARBON, FLUX_UNIT, convert
from dere.workflow.ingest_methane import ingest_methane
from loaded_workflow import loaded, parameters, wildcards_of

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

import xmethanewet_samples

CH4 = exchanges.get("ch4")


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """Rules of a run without and with methane."""
    overlay = tmp_path_factory.mktemp("overlay") / "both.yaml"
    overlay.write_text(json.dumps({"exchanges": ["co2", "ch4"]}))
    return loaded("towers")[0], loaded("towers", str(overlay.with_suffix("")))[0]


def test_no_rule_of_carbon_dioxide_changes_by_methane_beside_it(rules):
    alone, both = rules
    assert set(alone) <= set(both)
    own = set(both) - set(alone)
    assert own >= {"harmonise_ch4", "train_gbm_ch4", "predict_gbm_ch4", "evaluate_ch4", "products_ch4"}
    assert all(name.endswith("_ch4") for name in own)
    # all but what states the configuration, the first page, which leads to that of methane, and maps, whose wildcards
    # are the maps of the run
    usual = {"backbone", "fold", "seed"}
    compared = [name for name, rule in alone.items() if rule.script and set(rule.wildcard_names) <= usual]
    compared.remove("resolved_config")
    compared.remove("opening")
    assert len(compared) > 30 and {"ingest_towers", "harmonise", "train_gbm", "predict_dere"} <= set(compared)
    for name in compared:
        first, second = (side[name] for side in rules)
        backbone = "lags" if "backbone" in first.wildcard_names else "none"
        assert parameters(first, backbone) == parameters(second, backbone), name
        assert [str(file) for file in first.output] == [str(file) for file in second.output], name
        if callable(first.params.get("code")):
            digest = {rule.params["code"](wildcards_of(backbone)) for rule in (first, second)}
            assert len(digest) == 1, name


def test_methane_is_in_no_flux_and_no_closure_of_carbon_dioxide():
    assert "ch4" not in CO2.names + CO2.states + CO2.free and CO2.identities == ("RECO - GPP - NEE",)
    assert CH4.names == ("ch4",) and CH4.identities == () and CH4.states == ("ch4",)
    values = np.array([[-0.01], [0.2]])
    np.testing.assert_array_equal(CH4.close(values), values)
    assert "ch4" in CH4.signed, "wetlands take up a little in some months"


def test_files_and_totals_hold_carbon():
    """One nanomole per second over all of a square metre and a year, by hand 0.506 g of methane."""
    (flux,) = summable(CH4)
    day = float(convert(np.array([1.0]), "nmolCH4 m-2 s-1", FLUX_UNIT)[0])
    grams = day * of_a_day(flux, CH4) * 365.25 * 1e12
    assert CH4.substance == "carbon" and grams * CH4_PER_CARBON == pytest.approx(0.506, abs=5e-4)


def test_labels_are_measured_months_and_their_own_quality():
    ones = np.full((1, 6), 1.0)
    towers = xr.Dataset(
        {
            "ch4": (("site", "time"), np.array([[0.1, np.nan, 0.2, 9.0, 0.3, -0.01]])),
            "ch4_quality": (("site", "time"), np.array([[0.4, 0.2, 1.0, 1.0, 0.9, 0.35]])),
            "nee_quality": (("site", "time"), ones),
            "in_record": (("site", "time"), ones.astype(bool)),
        },
        coords={"site": ["XX-Syn"], "time": np.arange(6)},
    )
    labels = column_labels(towers, CH4, 3)
    np.testing.assert_allclose(labels.dataset["flux_value"].values[0, :, 0], [0.1, np.nan, 0.2, np.nan, 0.3, -0.01])
    np.testing.assert_allclose(labels.dataset["flux_quality"].values[0, :, 0], towers["ch4_quality"].values[0])
    assert labels.counts.set_index("reason")["months"].to_dict() == {"kept": 4, "missing": 1, "impossible": 1}


def test_methane_in_files_is_read_by_a_rule_of_its_own_and_no_rule_of_carbon_dioxide_changes(tmp_path, rules):
    folder = xmethanewet_samples.write(
        tmp_path / "wet", shape=(2, 2, 12, 31), lat=[1.25, 0.75], lon=[0.25, 0.75], at={"marsh": (0, 0)}
    )
    (folder / "daily_ecmwf_TAIR_2003.nc").write_bytes(b"large and no input")
    methane = {"provider": "xmethanewet", "path": str(folder)}
    overlay = tmp_path / "given.yaml"
    overlay.write_text(json.dumps({"exchanges": ["co2", "ch4"], "sources": {"methane": methane}}))
    given = loaded("towers", str(overlay.with_suffix("")))[0]
    assert set(given) - set(rules[1]) == {"ingest_methane"}
    read = [str(file) for file in given["ingest_methane"].input]
    assert read == [str(folder / f"CH4_emission_intensity_{year}.nc") for year in xmethanewet_samples.YEARS]
    assert str(given["harmonise_ch4"].input["given"]).endswith("ch4/interim/methane.nc")
    assert "given" not in dict(rules[1]["harmonise_ch4"].input.items())
    for name in ("harmonise", "train_gbm", "train_kgml_towers", "predict_dere", "harmonise_ch4"):
        backbone = "lags" if "backbone" in given[name].wildcard_names else "none"
        assert parameters(given[name], backbone) == parameters(rules[1][name], backbone), name


def test_what_the_rule_reads_and_writes(tmp_path):
    folder = xmethanewet_samples.write(
        tmp_path / "wet", shape=(2, 2, 12, 31), lat=[1.25, 0.75], lon=[0.25, 0.75], at={"marsh": (0, 0)}
    )
    (folder / "daily_ecmwf_TAIR_2003.nc").write_bytes(b"beside it")
    written = [tmp_path / name for name in ("methane.nc", "provenance.csv", "sources.csv")]
    ingest_methane(folder, "xmethanewet", *written)
    with xr.open_dataset(written[0]) as dataset:
        assert dict(dataset.sizes) == {"cell": 1, "time": 24, "bnds": 2}
    assert pd.read_csv(written[1])["source"].unique().tolist() == ["methane"]
    assert sorted(pd.read_csv(written[2])["what"]) == ["passed over", "read", "read"]
