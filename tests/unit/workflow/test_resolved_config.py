"""What a run says of its own configuration: complete stages, and only what it uses."""

import subprocess
import sys
from pathlib import Path

import yaml

from dere.run_config.root import normalise
from dere.workflow.resolved_config import write_resolved

CHOSEN = {
    "methods": ["kgml"],
    "backbones": ["informer"],
    "products": {"method": "kgml"},
    "figures": {"method": "kgml"},
    "stages": {"defaults": {"batch": 7}, "kgml_towers": {"epochs": 3}, "pure": {"epochs": 5}},
}


def test_stages_are_complete_and_what_the_run_lacks_is_left_out(tmp_path):
    write_resolved(normalise(CHOSEN), tmp_path / "config.yaml", tmp_path / "config.html")
    tree = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert list(tree["networks"]) == ["informer"]
    assert list(tree["stages"]) == ["defaults", "kgml_simulation", "kgml_towers"]
    assert tree["stages"]["kgml_towers"] | {"epochs": 3, "batch": 7, "patience": 6} == tree["stages"]["kgml_towers"]
    assert normalise(tree) == tree
    page = (tmp_path / "config.html").read_text()
    for leaf, changed in {
        "stages.kgml_towers.epochs": "changed",
        "stages.kgml_towers.patience": "default",
        "stages.kgml_simulation.batch": "changed",
        "networks.informer.factor": "default",
    }.items():
        assert f'<tr class="{changed}"><td class="key">{leaf}</td>' in page
    assert "Active queries" in page and "networks.transformer" not in page and "stages.pure" not in page


def test_the_page_loads_declarations_of_the_run_alone(tmp_path):
    """Else an edit of any backbone would make it again."""
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(normalise(CHOSEN)))
    program = f"""
import sys, yaml
from pathlib import Path
from dere.workflow.resolved_config import write_resolved
folder = Path("{tmp_path}")
write_resolved(yaml.safe_load((folder / "config.yaml").read_text()), folder / "resolved.yaml", folder / "page.html")
print(*sorted(name for name in sys.modules if name.startswith(("dere.backbones.", "torch"))))
"""
    environment = {
        "PYTHONPATH": str(Path(__file__).parents[3] / "src"),
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
    }
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert loaded.stdout.split() == ["dere.backbones.declaration", "dere.backbones.informer"]
