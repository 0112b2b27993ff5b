"""The published form of the method as an overlay: what version 0.2 added is off."""

from pathlib import Path

import pytest

from dere.workflow.configuration import configuration

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("below", [[], ["config/towers.yaml"]])
def test_nothing_that_came_later_is_on(below):
    config = configuration([ROOT / name for name in ("config.yaml", *below, "config/published.yaml")])
    assert config["members"] == 1 and config["backbones"] == ["transformer"]
    assert config["sources"]["simulation"]["leaf_area"] == "prognostic"
    assert config["harmonise"]["channels"] == "none" and not config["harmonise"]["satellites"]
    assert config["stages"]["towers"]["head"] == config["stages"]["uncertain"]["head"] == "stands"
    for stage in ("baseline", "kgml_towers", "towers", "uncertain"):
        assert config["stages"][stage]["input_noise"] == 0 and config["stages"][stage]["candidates"] == []
