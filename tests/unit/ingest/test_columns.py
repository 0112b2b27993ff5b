"""Each column that a reader takes from a file stands in the table of sources, with a unit that can be converted."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from collection_samples import abcflux, ch4_daily, fluxcourse, six_forests, write_carbonsense_v1
from ingest_samples import flx_name, synthetic_extract, synthetic_monthly

from dere.channels import DIURNAL
from dere.config.towers import TowerSource
from dere.ingest import tables
from dere.ingest.columns import COLUMNS, find, unknown
from dere.ingest.cover.esacci_classes import LAYERS
from dere.ingest.simulation.carbonglobe_forcing import CHANNELS
from dere.ingest.tower import abcflux_rows, bif, carbonsense, fluxnet_ch4, fluxnet_zarr, site_tables_daily
from dere.ingest.tower.fluxnet import _STAMPS
from dere.ingest.tower.record import DRIVER_SOURCES
from dere.ingest.tower.variants import variant_columns
from dere.variables import TARGETS, VARIABLES, convert
from mutations.site_tables import ages, site_plant_types, sites
from mutations.towers import read_records


def _csv(file, table):
    def write(folder):
        table().to_csv(folder / file, index=False)
        return folder / file

    return write


def _sheet(form):
    return lambda folder: form.form.build(folder)


_FAMILY = _STAMPS | DRIVER_SOURCES | variant_columns(TowerSource(members=True))
# format -> (form of the table, writes a sound file, reads it)
READERS = {
    "fluxnet monthly": ("fluxnet monthly and daily", _csv(flx_name("XX-Syn"), synthetic_monthly), read_records),
    "extract": ("fluxnet extract", _csv("XX-Syn_MM.csv", lambda: synthetic_extract("XX-Syn")), read_records),
    "abcflux v1": ("abcflux", _csv("Arctic_Boreal_CO2_Flux.csv", lambda: abcflux(1)), read_records),
    "abcflux v2": ("abcflux", _csv("Arctic_Boreal_CO2_Flux_V2.csv", lambda: abcflux(2)), read_records),
    "fluxnet-ch4": ("fluxnet-ch4", _csv("FLX_XX-Syn_FLUXNET-CH4_DD_2014-2014_1-1.csv", ch4_daily), read_records),
    "six forests": ("six forests", _csv("daily_carbon_uptake.csv", six_forests), read_records),
    "fluxcourse": ("fluxcourse", _csv("obs_XX-Syn_daily.csv", fluxcourse), read_records),
    "carbonsense v1": ("carbonsense", lambda f: write_carbonsense_v1(f) and f / "carbonsense", read_records),
    "sites": ("sites", _sheet(sites()), sites().form.read),
    "site plant types": ("site plant types", _sheet(site_plant_types()), site_plant_types().form.read),
    "ages by cell": ("age weights", _sheet(ages("cell")), ages("cell").form.read),
    "ages by site": ("age weights", _sheet(ages("site")), ages("site").form.read),
}


class Watched(pd.DataFrame):
    """A table that remembers which columns of its file were asked for."""

    _metadata = ("of_file", "asked")

    @property
    def _constructor(self):
        return Watched

    def __getitem__(self, key):
        if hasattr(self, "asked"):
            names = [key] if isinstance(key, str) else key if isinstance(key, (list, pd.Index)) else []
            self.asked.update(name for name in names if isinstance(name, str) and name in self.of_file)
        return super().__getitem__(key)


@pytest.fixture
def asked(monkeypatch):
    """Return the columns that readers ask tables for from now on."""
    names: set[str] = set()
    original = pd.read_csv

    def watch(*arguments, **options):
        table = Watched(original(*arguments, **options))
        table.of_file, table.asked = set(table.columns), names
        return table

    monkeypatch.setattr(tables.pd, "read_csv", watch)
    return names


@pytest.mark.parametrize("reader", READERS)
def test_every_column_that_a_reader_asks_for_is_known(reader, asked, tmp_path):
    form, write, read = READERS[reader]
    read(write(tmp_path))
    assert asked, "the reader was not followed"
    assert unknown(form, asked) == []


def test_the_watch_sees_a_column_that_the_table_lacks(asked, tmp_path):
    _csv("t.csv", lambda: pd.DataFrame({"nee": [1.0], "surprise": [2.0]}))(tmp_path)
    table = tables.read_table(tmp_path / "t.csv")
    tables.numeric(table, "surprise", "t.csv")
    assert unknown("abcflux", asked) == ["surprise"]


@pytest.mark.parametrize(
    ("form", "names"),
    {
        "fluxnet monthly and daily": _FAMILY,
        "fluxnet half-hourly": _FAMILY,
        "bif": [*bif._BIF_COLUMNS, *bif._BIF_VARIABLES],
        "sites": [*bif._LISTING, *(name for names in bif._SYNONYMS.values() for name in names)],
        "abcflux": [*abcflux_rows.SHARED, *(n for pair in abcflux_rows.COLUMNS.values() for n in pair)],
        "carbonsense": carbonsense.COLUMNS,
        "fluxnet-ch4": fluxnet_ch4.COLUMNS,
        "fluxnet zarr": [
            *fluxnet_zarr._VALUES.values(), *fluxnet_zarr._DRIVERS.values(), *fluxnet_zarr._QUALITY.values(),
        ],
        "six forests": site_tables_daily._FORESTS.values(),
        "fluxcourse": site_tables_daily._COURSE.values(),
        "esa cci": LAYERS,
        "carbonglobe targets": TARGETS,
        "carbonglobe channels": [
            *(str(i) for i in range(33)), *(f"diurnal {i}" for i in range(len(DIURNAL))),
            *(str(i) for i in range(129, CHANNELS)),
        ],
    }.items(),
)  # fmt: skip
def test_every_column_that_a_reader_declares_is_known(form, names):
    assert unknown(form, names) == []


def test_units_convert_to_those_of_the_variable_table():
    for form, columns in COLUMNS.items():
        for column in columns:
            if not column.variable:
                assert column.note, f"{form}: {column.pattern} is bookkeeping of what?"
                continue
            variable = VARIABLES[column.variable]
            rate = re.sub(r" (month|step)-1$", " d-1", column.unit)
            if rate == column.unit and column.variable != "age_weight":
                assert np.isfinite(convert(np.ones(1), column.unit, variable.unit, column.pattern)).all()
            else:
                # sums of a month or step become rates by its length, pixels of an age become weights by counting
                assert rate == variable.unit or column.variable == "age_weight", f"{form}: {column.pattern}"


def test_the_variable_table_and_the_sources_agree():
    forms = {"fluxnet": "fluxnet monthly and daily", "fluxnet_era": "fluxnet monthly and daily"}
    for name, variable in VARIABLES.items():
        for source, (column, unit) in variable.sources.items():
            if source in forms:
                found = find(forms[source], column)
                assert found is not None and (found.variable, found.unit) == (name, unit), f"{name}: {column}"


def test_names_are_found_whole():
    assert find("fluxnet monthly and daily", "NEE_VUT_REF").variable == "nee"
    assert find("fluxnet monthly and daily", "NEE_VUT_REF_NIGHT") is None
    assert unknown("abcflux", ["nee", "NEE", "gpp2"]) == ["NEE", "gpp2"]
