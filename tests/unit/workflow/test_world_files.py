"""Files of the built-in world beside real ones are refused although all are named alike."""

from pathlib import Path

import pytest
import xarray as xr

from dere.invented import WORLD
from dere.resources import TOWERS
from dere.run_config.root import normalise
from dere.workflow.world_files import of_the_world, refused_files
from dere.world import build


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Folders as the world writes them, one of real towers, and one of no known kind."""
    monkeypatch.chdir(tmp_path)
    for name in ("raw/towers", "copied towers", "maps", "real", "real maps", "broken"):
        Path(name).mkdir(parents=True)
    Path("raw/README.md").write_text(build._README, encoding="utf-8")
    Path("copied towers/FLX_XT-Bo0_FLUXNET2015_FULLSET_MM_2001-2003_1-4.csv").write_text("")
    Path("real/FLX_AT-Neu_FLUXNET2015_FULLSET_MM_2001-2003_1-4.csv").write_text("")
    xr.Dataset(attrs={"source": WORLD}).to_netcdf("maps/ESACCI.nc")
    xr.Dataset(attrs={"source": "ESA"}).to_netcdf("real maps/ESACCI.nc")
    Path("broken/ESACCI.nc").write_text("no NetCDF")


def test_files_of_the_world_say_so_wherever_they_lie(folders):
    found = {path for path in ("raw/towers", "copied towers", "maps", "maps/ESACCI.nc") if of_the_world(Path(path))}
    assert found == {"raw/towers", "copied towers", "maps", "maps/ESACCI.nc"}
    assert not any(of_the_world(Path(path)) for path in ("real", "real maps", "broken", "nowhere"))


def test_they_are_refused_beside_real_ones_only(folders):
    def config(towers, maps, provider="files", **more):
        sources = {
            "towers": {"paths": towers, "provider": provider},
            "cover": {"path": maps},
            "simulation": {"provider": "builtin"},
        }
        return normalise({"sources": sources, "harmonise": {"driver_set": "monthly8"}, **more})

    sentence = refused_files(config(["real"], "maps"))
    assert sentence.startswith(
        "maps (sources.cover.path) holds files of the built-in invented world, but real (sources"
    )
    assert "raw/towers (sources.towers.paths)" in refused_files(config(["real", "raw/towers"], ""))
    ours = f"{TOWERS} (sources.towers.provider) real ones"
    for mixed in (config([], "maps", "bundled"), config(["raw/towers"], "", "bundled")):
        assert ours in refused_files(mixed)
    for accepted in (
        config(["real"], "real maps"),
        config([], "real maps", "bundled"),
        config(["raw/towers"], "maps"),
        config([], ""),
    ):
        assert refused_files(accepted) is None
    assert refused_files(config(["real"], "maps", allow_invented=True)) is None
