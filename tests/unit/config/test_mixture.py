"""Real sources beside those of the built-in world are refused in a sentence, unless they are meant."""

from pathlib import Path

import pytest
import yaml

from dere.run_config.mixture import built_in, own_files, refused_mixture
from dere.run_config.root import normalise

ROOT = Path(__file__).parents[3]


def config(**sources):
    return normalise({"sources": sources})


TOWERS = {"paths": ["mine"]}


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        (
            {"towers": TOWERS},
            "sources.towers.paths names real files, but simulation and cover would come from the built-in invented "
            "world, because sources.simulation.path and sources.cover.path are empty; name files there, choose "
            "sources.simulation.provider: builtin (with harmonise.driver_set: monthly8) and sources.cover.provider: "
            "igbp, or accept the mixture with allow_invented: true",
        ),
        (
            {"towers": TOWERS, "simulation": {"path": "model"}},
            "sources.simulation.path and sources.towers.paths name real files, but cover would come from the built-in "
            "invented world, because sources.cover.path is empty; name files there, choose sources.cover.provider: "
            "igbp, or accept the mixture with allow_invented: true",
        ),
        (
            {"simulation": {"path": "model"}, "cover": {"provider": "igbp"}},
            "sources.simulation.path names real files, but towers would come from the built-in invented world, because "
            "sources.towers.paths is empty; name files there, choose sources.towers.provider: bundled, or accept the "
            "mixture with allow_invented: true",
        ),
        (
            {"towers": {"provider": "bundled"}},
            "sources.towers.provider names real files, but simulation and cover would come from the built-in invented",
        ),
        (
            {"towers": {"provider": "bundled", **TOWERS}, "cover": {"provider": "igbp"}},
            "sources.towers.paths and sources.towers.provider name real files, but simulation would come from",
        ),
        (
            {"cover": {"age": {"path": "ages.csv"}}},
            "sources.cover.age.path names real files, but simulation, cover and",
        ),
    ],
)
def test_a_mixture_is_refused_with_its_keys_and_the_remedy(sources, sentence):
    mixed = config(**sources)
    assert refused_mixture(mixed).startswith(sentence)
    assert refused_mixture(mixed | {"allow_invented": True}) is None


@pytest.mark.parametrize(
    "sources",
    [
        {},
        {"simulation": {"provider": "builtin"}, "cover": {"provider": "igbp"}},
        {"towers": TOWERS, "simulation": {"provider": "builtin"}, "cover": {"provider": "igbp"}},
        {"towers": {"provider": "bundled"}, "simulation": {"provider": "builtin"}, "cover": {"provider": "igbp"}},
        {"towers": TOWERS, "simulation": {"provider": "builtin"}, "cover": {"path": "maps", "age": {"path": "ages"}}},
        {"towers": TOWERS, "simulation": {"path": "model"}, "cover": {"provider": "igbp", "age": {"path": "ages"}}},
    ],
)
def test_what_is_all_real_or_all_invented_goes_on(sources):
    """The built-in process model on the weather of real towers is not invented, nor is the table of classes."""
    mixed = config(**sources)
    assert refused_mixture(mixed) is None and not (built_in(mixed) and own_files(mixed))


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_overlays_need_no_permission(path, monkeypatch):
    for name in ("DERE_REALDATA", "DERE_PAPERDATA"):
        monkeypatch.setenv(name, "/data")
    assert refused_mixture(normalise(yaml.safe_load(path.read_text()))) is None
