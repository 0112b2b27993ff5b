"""Own months sharpen predictions of own sites, are written beside them, and are refused where they cannot be right."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner

from dere.api.calibrating import MEMBERS, calibrated
from dere.api.own_site_errors import ERROR_SCALE, error_model_of, mean_model, with_errors
from dere.api.own_sites import SitePredictions
from dere.cli import main
from dere.evaluation.ensemble import ensemble
from dere.exchange.co2 import EXCHANGE
from dere.harmonise.site_roles import COORDINATE
from dere.ingest.tower.own_months import OwnMonths
from dere.ingest.tower.own_sums import YearSum
from dere.intervals.spread import spread
from dere.intervals.stated import read_stated, stated
from invented_errors import KNOWN, labels_around, predictions

MONTHS, FIRST = 48, 2001 * 12
SITES = ["ZZ-One", "ZZ-Two"]
DIMS = ("site", "time", "flux")


@pytest.fixture(scope="module")
def mean():
    return predictions(2, MONTHS)


@pytest.fixture(scope="module")
def labels(mean):
    return labels_around(mean, 11)


@pytest.fixture(scope="module")
def found(mean):
    """Predictions of two sites, as `predict_sites` gives them; the first month is in no record."""
    time = pd.date_range("2001-01-01", periods=MONTHS, freq="MS") + pd.Timedelta(days=14)
    record = np.ones((2, MONTHS), bool)
    record[:, 0] = False
    scale = KNOWN.scale(mean)
    data = xr.Dataset(
        {
            "prediction": (DIMS, mean),
            ERROR_SCALE: (DIMS, scale),
            "record": (DIMS[:2], record),
            "extrapolation_index": (DIMS[:2], np.full((2, MONTHS), 0.5)),
        },
        coords={"site": SITES, "time": time, "flux": list(EXCHANGE.names)},
    )
    data = data.assign(spread(mean, scale, KNOWN, "site", "truth"))
    about = {"lat": [50.0, 51.0], "lon": [10.0, 11.0], "igbp": ["DBF", "ENF"], "known_as": ["", ""]}
    data = data.assign_coords({name: ("site", values) for name, values in about.items()})
    data.attrs = dict.fromkeys(("method", "backbone", "folds", "seeds", "run", "split"), "some") | stated(KNOWN)
    sites = pd.DataFrame({"site": [*SITES, "ZZ-Lost"], "reason": ["", "", "site ZZ-Lost has 3 months"]})
    return SitePredictions(data, sites, (), pd.DataFrame(columns=["site", "step", "reason", "months"]))


def own(label, months, factor=1.0, fluxes=EXCHANGE.names):
    months = np.asarray(months)
    flux = {name: factor * label[months, EXCHANGE.names.index(name)] for name in fluxes}
    return OwnMonths(FIRST + months, flux, np.ones(len(months)))


@pytest.fixture(scope="module")
def made(found, labels):
    return calibrated(found, {"ZZ-Two": own(labels[1], range(12, 18))}, {}, ("own.csv", ""), EXCHANGE)


def test_the_site_moves_and_the_other_stays(made, found, mean, labels):
    one, two = (made.dataset.sel(site=site) for site in SITES)
    for name in ("prediction", "std", "quantile_value"):
        np.testing.assert_array_equal(one[name], found.dataset[name].sel(site="ZZ-One"))
    inside = slice(1, None)
    values = two["prediction"].transpose("time", "flux").values[inside]
    np.testing.assert_allclose(values[:, 1], values[:, 0] + values[:, 2], atol=1e-9)
    assert (values[:, :2] > 0).all()
    error, before = (np.abs(given - labels[1][inside]).mean() for given in (values, mean[1][inside]))
    assert error < before
    assert two["std"].isel(time=inside).mean() < 0.95 * two["std_before"].isel(time=inside).mean()
    quantiles = two["quantile_value"].isel(time=inside).transpose("time", "flux", "quantile").values
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    np.testing.assert_array_equal(two["prediction_before"], found.dataset["prediction"].sel(site="ZZ-Two"))
    np.testing.assert_array_equal(np.flatnonzero(two["own_values"]), np.arange(12, 18))


def test_effects_members_and_words_come_with_it(made):
    about = made.calibration
    assert set(about.effects["site"]) == {"ZZ-Two"} and len(about.effects) == 6
    assert (about.effects["std"] < about.effects["std_before"]).all()
    members = about.members["member_prediction"].sel(site="ZZ-Two").transpose("member", "time", "flux").values
    assert members.shape == (MEMBERS, MONTHS, 3) and np.isnan(members[:, 0]).all()
    mean = made.dataset["prediction"].sel(site="ZZ-Two").transpose("time", "flux").values
    np.testing.assert_allclose(members.mean(0)[1:], mean[1:], atol=1e-4)
    assert about.lines[0].startswith("ZZ-Two: 6 months of own data used: RMSE without them -> each from the others GPP")
    assert "intervals of the other months" in about.lines[0] and "% narrower" in about.lines[0]


def test_all_is_written(made, tmp_path):
    made.write(tmp_path / "out")
    names = {"predictions.nc", "predictions.csv", "sites.csv", "effects.csv", "members.nc"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    table = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert {"gpp", "gpp_before", "gpp_std", "gpp_std_before", "gpp_q05", "own_values"} <= set(table)
    assert (table.groupby("site")["own_values"].sum() == pd.Series({"ZZ-One": 0, "ZZ-Two": 18})).all()
    with xr.open_dataset(tmp_path / "out" / "predictions.nc") as series:
        assert "standard_error" in series["gpp_std_before"].attrs["standard_name"]
        factor = float(table.loc[table["site"] == "ZZ-Two", "gpp_before"].iloc[5] / series["gpp_before"][1, 6])
    assert factor == pytest.approx(8.64e7, rel=1e-3)


def test_a_single_flux_and_month_will_do(found, labels):
    made = calibrated(found, {"ZZ-One": own(labels[0], [20], fluxes=("nee",))}, {}, ("own.csv", ""), EXCHANGE)
    assert made.calibration.lines[0].startswith("ZZ-One: 1 month of own data used: error without it NEE")
    assert made.dataset["own_values"].sel(site="ZZ-One").sum() == 1


@pytest.mark.parametrize(
    ("site", "change", "sentence"),
    [
        ("ZZ-Else", {}, "site ZZ-Else is none of the sites that are predicted; predicted are ZZ-One, ZZ-Two"),
        ("ZZ-Lost", {}, "site ZZ-Lost is not predicted: site ZZ-Lost has 3 months"),
        (
            "ZZ-One",
            {"factor": 30.0},
            "another unit than gC m-2 d-1 is likely; correct the table, or say --allow-conflict",
        ),
        ("ZZ-One", {"flip": True}, r"do not close \(gpp .*NEE is positive to the atmosphere"),
        (
            "ZZ-One",
            {"later": 600},
            r"none of its 6 months \(2052-01 to 2052-06\) lies in the record .*2001-02 to 2004-12",
        ),
    ],
)
def test_months_that_cannot_be_right_are_a_sentence(found, labels, site, change, sentence):
    months = own(labels[0], range(12, 18), change.get("factor", 1.0))
    months = months._replace(month=months.month + change.get("later", 0))
    if change.get("flip"):
        months.flux["nee"] *= -1
    with pytest.raises(ValueError, match=sentence):
        calibrated(found, {site: months}, {}, ("own.csv", ""), EXCHANGE)


def test_a_conflict_is_said_and_may_be_allowed(found, labels):
    months = own(labels[0], range(12, 18), 30.0)
    made = calibrated(found, {"ZZ-One": months}, {}, ("own.csv", ""), EXCHANGE, allow_conflict=True)
    assert "(5 standard deviations) is expected" in made.calibration.lines[0]
    assert np.isfinite(made.dataset["prediction"].sel(site="ZZ-One").values[1:]).all()
    # an odd month among many is said, and used
    many = own(labels[0], range(1, 40), fluxes=("nee",))
    many.flux["nee"][7] = 60.0
    said = calibrated(found, {"ZZ-One": many}, {}, ("own.csv", ""), EXCHANGE).calibration.lines[0]
    assert said.startswith("own.csv: site ZZ-One: NEE of 2001-09 is 60") and "1 of 39 values lie so far off" in said
    beyond = own(labels[0], range(12, 18))
    beyond = beyond._replace(month=np.append(beyond.month[:5], FIRST + 600))
    said = calibrated(found, {"ZZ-One": beyond}, {}, ("own.csv", ""), EXCHANGE).calibration.lines[0]
    assert said == "own.csv: site ZZ-One: 1 months lie outside the record that is predicted and are not used"


def test_predictions_without_an_error_model_are_refused(found, labels):
    bare = found.dataset.drop_vars(ERROR_SCALE)
    with pytest.raises(ValueError, match="predictions of some state no error model, which own months need"):
        calibrated(
            SitePredictions(bare, found.sites, (), found.counts),
            {"ZZ-One": own(labels[0], [3])},
            {},
            ("o", ""),
            EXCHANGE,
        )


def test_the_error_model_of_a_mean_is_that_of_the_files_that_have_not_seen_a_site(mean):
    time = pd.date_range("2001-01-01", periods=MONTHS, freq="MS")
    twice = KNOWN.__class__(EXCHANGE, 2 * KNOWN.coefficients, 16.0, KNOWN.kernel, KNOWN.rescale, 0.2)
    files = []
    for fold, model in enumerate((KNOWN, twice)):
        file = xr.Dataset(
            {"prediction": (DIMS, mean)}, coords={"site": SITES, "time": time, "flux": list(EXCHANGE.names)}
        )
        file = file.assign(spread(mean, model.scale(mean), model, "site", "label"))
        role = ["unseen", "cross_validated" if fold == 0 else "seen_in_training"]
        file = file.assign_coords({COORDINATE: ("site", role)})
        file.attrs = {"method": "gbm", "backbone": "none", "fold": fold, "seed": 0, **stated(model)}
        files.append(file)
    made = with_errors(ensemble(files), files, EXCHANGE)
    scale = made[ERROR_SCALE].transpose("site", "time", "flux").values
    first, second = KNOWN.scale(mean), twice.scale(mean)
    np.testing.assert_allclose(scale[1], first[1])
    np.testing.assert_allclose(scale[0], np.sqrt((first[0] ** 2 + second[0] ** 2) / 2))
    joint = mean_model([KNOWN, twice])
    assert joint.dof == pytest.approx(np.sqrt(8.0 * 16.0)) and joint.noise == pytest.approx(0.1)
    bare = files[0].copy()
    bare.attrs = {"method": "gbm", "backbone": "none", "fold": 0, "seed": 0}
    assert ERROR_SCALE not in with_errors(ensemble([bare]), [bare], EXCHANGE)


def test_sums_that_contradict_each_other_are_told(found):
    """Two of three exact sums of a year are met; the third would need another RECO."""
    exact = [YearSum(2002, "gpp", 1500.0, 0.0), YearSum(2002, "reco", 1400.0, 0.0)]
    for nee, told in ((-100.0, False), (-400.0, True)):
        lines = calibrated(
            found, {}, {"ZZ-Two": [*exact, YearSum(2002, "nee", nee, 0.0)]}, ("", "s"), EXCHANGE
        ).calibration.lines
        said = [line for line in lines if "the other sums of this year say otherwise" in line]
        assert len(said) == told
    assert "the known NEE of 2002 is missed by 300 gC m-2" in said[0]


def test_parts_of_other_tails_state_their_mean_and_equal_ones_what_they_state(found):
    twice = KNOWN.__class__(EXCHANGE, KNOWN.coefficients, 2 * KNOWN.dof, KNOWN.kernel, KNOWN.rescale, 0.2)
    other = found.dataset.assign_attrs(stated(twice))
    both = read_stated(error_model_of([found.dataset, other], EXCHANGE), EXCHANGE)
    assert both.dof == pytest.approx(np.sqrt(2.0) * KNOWN.dof)
    same = error_model_of([found.dataset, found.dataset.copy()], EXCHANGE)
    assert same and all(same[name] is found.dataset.attrs[name] for name in same)
    assert error_model_of([found.dataset, found.dataset.drop_vars(ERROR_SCALE)], EXCHANGE) == {}


def test_an_annual_sum_sharpens_its_year_alone_or_beside_months(found, mean, labels):
    days = pd.DatetimeIndex(found.dataset["time"].values).days_in_month.to_numpy()[12:24]
    true = float((labels[1, 12:24, 2] * days).sum())
    sums = {"ZZ-Two": [YearSum(2002, "nee", true, 20.0)]}
    made = calibrated(found, {}, sums, ("", "sums.csv"), EXCHANGE)
    after = made.dataset.sel(site="ZZ-Two")["prediction"].transpose("time", "flux").values
    got, before = (float((values[12:24, 2] * days).sum()) for values in (after, mean[1]))
    assert abs(got - true) < 0.3 * abs(before - true)
    assert np.nanmax(np.abs(after[:, 1] - after[:, 0] - after[:, 2])) < 1e-12
    assert made.calibration.lines[0].startswith("ZZ-Two: NEE of 2002 ") and "by the known" in made.calibration.lines[0]
    np.testing.assert_array_equal(
        made.dataset.sel(site="ZZ-One")["prediction"], found.dataset.sel(site="ZZ-One")["prediction"]
    )
    assert list(made.calibration.members["site"].values) == ["ZZ-Two"]
    both = calibrated(found, {"ZZ-One": own(labels[0], range(12, 18))}, sums, ("own.csv", "sums.csv"), EXCHANGE)
    assert list(both.calibration.members["site"].values) == SITES


def test_sums_that_cannot_be_right_are_told_or_refused(found):
    odd = calibrated(found, {}, {"ZZ-One": [YearSum(2002, "nee", 5000.0, 20.0)]}, ("", "sums.csv"), EXCHANGE)
    assert "standard deviations above what is expected; check its unit" in odd.calibration.lines[1]
    with pytest.raises(
        ValueError, match=r"sums.csv: site ZZ-One: nee of 2001 is known, but 11 of its 12 months are predicted"
    ):
        calibrated(found, {}, {"ZZ-One": [YearSum(2001, "nee", 50.0, 20.0)]}, ("", "sums.csv"), EXCHANGE)
    with pytest.raises(ValueError, match=r"sums.csv: site ZZ-Lost is not predicted"):
        calibrated(found, {}, {"ZZ-Lost": [YearSum(2002, "nee", 50.0, 20.0)]}, ("", "sums.csv"), EXCHANGE)


def test_nothing_known_is_refused():
    shown = CliRunner().invoke(main, ["calibrate", "run", "mine.csv", "--out", "there"])
    assert shown.exit_code == 2 and "--data FILE, --annual FILE or both are needed." in shown.output
