"""X-MethaneWet is read by cell centres, days that exist and stated units; what is wrong is refused in a sentence."""

import numpy as np
import pytest
import xmethanewet_samples as samples

from dere.config.methane import MethaneSource
from dere.ingest.simulation.xmethanewet.emission import DAYS, read
from dere.ingest.simulation.xmethanewet.units import to_carbon
from dere.ingest.source import sources
from dere.variables import CH4_PER_CARBON


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return samples.write(tmp_path_factory.mktemp("wet") / "TEM-MDM")


@pytest.fixture(scope="module")
def found(folder):
    # the layout has the folder of the simulation below that of the data set
    return read(folder.parent)


def test_cells_lie_where_their_centres_are(found):
    dataset, _ = found
    places = set(zip(dataset["lat"].values.tolist(), dataset["lon"].values.tolist(), strict=True))
    assert places == set(samples.CELLS.values())
    assert dataset.attrs["grid_degrees"] == 0.5 and dataset.sizes["time"] == 24
    assert str(dataset["time"].values[0])[:7] == "2003-01" and str(dataset["time"].values[-1])[:7] == "2004-12"


def test_months_are_means_of_their_days_as_carbon(found):
    dataset, _ = found
    assert dataset["ch4"].attrs["units"] == "gC m-2 d-1"
    for name, (lat, _) in samples.CELLS.items():
        own = dataset["ch4"].values[np.flatnonzero(dataset["lat"].values == lat)[0]]
        for number, value in enumerate(own):
            year, month = samples.YEARS[number // 12], number % 12
            days = samples.days_of(name, year)[month, : DAYS[month]]
            assert value == pytest.approx(days.mean() * 1e-3 / CH4_PER_CARBON, rel=1e-4), "padding is no day"


def test_provenance_names_the_files_and_who_is_cited(found):
    _, table = found
    assert table["file"].tolist() == [f"CH4_emission_intensity_{year}.nc" for year in samples.YEARS]
    assert set(table["licence"]) == {"CC-BY-4.0"} and table["citation"].str.contains("2505.18355").all()


def test_stated_coordinates_count_and_may_run_either_way(tmp_path):
    lat, lon = np.array([62.25, 61.75, 61.25]), np.array([23.25, 23.75])
    samples.write(tmp_path, shape=(3, 2, 12, 31), lat=lat, lon=lon, at={"marsh": (1, 0), "delta": (2, 1)})
    dataset, _ = read(tmp_path)
    assert dataset["lat"].values.tolist() == [61.75, 61.25] and dataset["lon"].values.tolist() == [23.25, 23.75]
    assert dataset["ch4"].values[0, 0] > dataset["ch4"].values[1, 0]


@pytest.mark.parametrize(
    ("unit", "of_one"),
    [
        ("mg CH4 m-2 d-1", 1e-3 / CH4_PER_CARBON),
        ("mg CH4/m2/day", 1e-3 / CH4_PER_CARBON),
        ("g CH4 m^-2 day^-1", 1 / CH4_PER_CARBON),
        ("gC m-2 d-1", 1.0),
        ("mgC/m2/day", 1e-3),
        ("nmol m-2 s-1", 1.0377504e-3),
        ("nmol CH4 m-2 s-1", 1.0377504e-3),
    ],
)
def test_units_come_from_the_attribute(unit, of_one):
    assert to_carbon(np.ones(1), unit, "file")[0] == pytest.approx(of_one, rel=1e-6)


@pytest.mark.parametrize("unit", ["", "mg m-2 d-1", "kg m-2 s-1", "nmol m-2 d-1", "mg CH4 m-2 s-1", "mg CH4 m-2"])
def test_a_unit_that_does_not_say_what_its_mass_is_of_is_refused(unit):
    with pytest.raises(
        ValueError, match=r"^a.nc: CH4_emission states .* mg CH4 m-2 d-1, .* write the attribute units$"
    ):
        to_carbon(np.ones(1), unit, "a.nc: CH4_emission")


WRONG = {
    "is empty": ({}, "holds no CH4_emission_intensity_<year>.nc; name the folder of X-MethaneWet in sources.methane"),
    "lacks a year": ({"years": (2001, 2003)}, "holds years 2001 to 2003, but 2002 is missing; add its file"),
    "lacks the variable": ({"name": "CH4"}, "holds CH4, but CH4_emission is expected; use the published file"),
    "has other months": (
        {"shape": (2, 2, 31, 12), "at": {}},
        r"has shape \(2, 2, 31, 12\), but .*months and days last; use",
    ),
    "lacks coordinates": ({"shape": (4, 4, 12, 31)}, "has 4 rows and 4 columns and states no latitude and longitude"),
    "states no unit": ({"unit": "", "shape": (2, 2, 12, 31), "lat": [1.25, 0.75], "lon": [0.25, 0.75]}, "no unit"),
    "is off its centres": ({"shape": (2, 2, 12, 31), "lat": [1.0, 0.5], "lon": [0.25, 0.75]}, "cell centres such as"),
    "is empty of values": (
        {"shape": (2, 2, 12, 31), "lat": [1.25, 0.75], "lon": [0.25, 0.75], "at": {"none": (0, 0)}},
        "zero or missing everywhere; download the files again",
    ),
    "has another unit": (
        {"unit": "gC m-2 d-1", "shape": (2, 2, 12, 31), "lat": [1.25, 0.75], "lon": [0.25, 0.75]},
        "are beyond what is possible .* the unit is another",
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_folder_is_refused_in_one_sentence(tmp_path, fault, monkeypatch):
    given, sentence = WRONG[fault]
    if "shape" in given:
        given = {"at": {"marsh": (0, 0), "delta": (1, 1)}, **given}
    if fault == "is empty of values":
        monkeypatch.setattr(samples, "days_of", lambda name, year: np.zeros((12, 31)))
    if fault == "lacks the variable":
        given |= {"shape": (2, 2, 12, 31), "at": {"marsh": (0, 0)}}
    tmp_path.mkdir(exist_ok=True)
    if given:
        samples.write(tmp_path, **given)
    with pytest.raises((ValueError, FileNotFoundError), match=sentence) as error:
        read(tmp_path)
    assert "\n" not in str(error.value)


def test_a_year_that_lies_there_twice_or_elsewhere_on_the_globe_is_refused(tmp_path):
    small = {"shape": (2, 2, 12, 31), "lon": [0.25, 0.75], "at": {"marsh": (0, 0)}}
    samples.write(tmp_path / "a", years=(2003,), lat=[1.25, 0.75], **small)
    samples.write(tmp_path / "b", years=(2004,), lat=[2.25, 1.75], **small)
    with pytest.raises(ValueError, match=r"has other latitudes or longitudes than .*2003.nc, but all years share one"):
        read(tmp_path)
    samples.write(tmp_path / "b", years=(2003,), lat=[1.25, 0.75], **small)
    with pytest.raises(ValueError, match=r"holds CH4_emission_intensity_2003.nc twice .*; keep one of them"):
        read(tmp_path)


def test_a_truncated_file_is_refused(tmp_path, folder):
    whole = (folder / "CH4_emission_intensity_2003.nc").read_bytes()
    (tmp_path / "CH4_emission_intensity_2003.nc").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"CH4_emission_intensity_2003.nc"):
        read(tmp_path)


def test_every_provider_of_the_configuration_has_a_reader():
    known = {source.name for source in sources() if source.kind == "methane"}
    assert {"builtin", *known} == set(MethaneSource.model_fields["provider"].annotation.__args__)


def test_a_provider_and_its_folder_go_together():
    with pytest.raises(ValueError, match=r"sources.methane.path: it is empty, but provider xmethanewet reads a folder"):
        MethaneSource(provider="xmethanewet")
    with pytest.raises(ValueError, match=r"provider builtin reads no files; choose provider: xmethanewet, or empty"):
        MethaneSource(path="somewhere")
