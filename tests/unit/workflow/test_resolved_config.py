"""What a run says of its own configuration: complete stages, and only what it uses."""

import re

import yaml

from dere.run_config.describe import described, leaves
from dere.run_config.root import Config, default_of, normalise
from dere.workflow.resolved_config import write_resolved
from loaded_workflow import code_of, with_script

CHOSEN = {
    "methods": ["kgml"],
    "backbones": ["informer"],
    "stages": {"defaults": {"batch": 7}, "kgml_towers": {"epochs": 3}, "pure": {"epochs": 5}},
}


def test_stages_are_complete_and_what_the_run_lacks_is_left_out(tmp_path):
    config = normalise(CHOSEN)
    write_resolved(
        config, described(config, Config, default_of(config)), tmp_path / "config.yaml", tmp_path / "config.html"
    )
    tree = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert list(tree["networks"]) == ["informer"]
    assert list(tree["stages"]) == ["defaults", "kgml_simulation", "kgml_towers"]
    # what a file says, what the stage is shipped with, and what all stages have
    shown = {"kgml_towers": {"epochs": 3, "batch": 8}, "kgml_simulation": {"batch": 7, "patience": 6}}
    for stage, settings in shown.items():
        assert tree["stages"][stage] | settings == tree["stages"][stage]
    assert normalise(tree) == tree
    page = (tmp_path / "config.html").read_text()
    for leaf, changed in {
        "stages.kgml_towers.epochs": "changed",
        "stages.kgml_towers.patience": "default",
        "stages.kgml_simulation.batch": "changed",
        "networks.informer.factor": "default",
        "methods": "changed",
        "products.method": "default",
        "figures.compared": "default",
    }.items():
        assert f'<tr class="{changed}"><td class="key">{leaf}</td>' in page
    assert "Active queries" in page and "networks.transformer" not in page and "stages.pure" not in page


def test_the_page_loads_no_declaration_and_no_model():
    """What they say comes as parameters; else an edit of any backbone or method would make it again."""
    code = code_of(with_script("tiny")["resolved_config"])
    assert not {name for name in code if re.match(r"dere\.(backbones|methods|config|exchange)\b", name)}
    assert {name for name in code if name.startswith("dere.run_config")} == {
        "dere.run_config",
        "dere.run_config.describe",
    }


def test_nothing_of_the_default_run_differs_from_the_default():
    config = normalise({})
    explained = described(config, Config, default_of(config))
    assert not [name for name, value in leaves(config) if explained[name]["default"] != value]
