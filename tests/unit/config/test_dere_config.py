"""The DERE arrays in the configuration: parts that belong together, and what is left without coordinates."""

from pathlib import Path

import pytest
import yaml

from dere.run_config.root import normalise
from dere.workflow import targets

PAPER = yaml.safe_load((Path(__file__).parents[3] / "config" / "paper.yaml").read_text())
ENVIRONMENT = {"DERE_PAPERDATA": "/data"}


def changed(**changes):
    tree = yaml.safe_load(yaml.safe_dump(PAPER))
    for path, value in changes.items():
        *parents, leaf = path.split("__")
        place = tree
        for name in parents:
            place = place.setdefault(name, {})
        place[leaf] = value
    return normalise(tree, ENVIRONMENT)


def test_the_published_configuration_reads_the_arrays_without_maps():
    config = changed()
    assert config["sources"]["simulation"]["path"] == "/data" and len(config["sources"]["simulation"]["ages"]) == 18
    assert config["harmonise"]["window"] == 336 and not targets.has_map(config)
    assert targets.has_map(changed(sources__simulation__coordinates="c.csv"))


def test_with_coordinates_neighbourhoods_are_allowed():
    config = changed(sources__simulation__coordinates="c.csv", splits={"cell_rule": "blocks"})
    assert config["splits"]["site_rule"] == "clusters"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"splits": {"cell_rule": "blocks"}}, r"sources\.simulation\.coordinates: it is empty"),
        ({"splits__site_rule": "clusters"}, r"sources\.simulation\.coordinates: it is empty"),
        ({"sources__cover": {"provider": "igbp"}}, r"sources\.simulation\.coordinates: it is empty"),
        ({"sources__simulation__format": "carbonglobe"}, r"sources\.cover\.provider: it is dere, but"),
        ({"harmonise__driver_set": "monthly8"}, r"harmonise\.driver_set: it is monthly8, but the dere arrays"),
        ({"sources__towers__provider": "files"}, r"sources\.towers\.paths: it is empty"),
    ],
)
def test_what_cannot_work_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        changed(**changes)
