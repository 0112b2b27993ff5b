"""Each backbone is a room: it declares itself, is found, and is missed by no other."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dere.backbones import declaration, make_backbone, names
from dere.backbones.base import Backbone
from small_backbones import SIZES, SMALL

SOURCE = Path(__file__).parents[3] / "src"
ALL = ["lags", "transformer", "informer", "lstm", "fedformer", "itransformer", "timexer", "simpletm"]


def run(source, program):
    """Output of a program that knows the package in ``source``."""
    environment = {"PYTHONPATH": str(source), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "OMP_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@pytest.fixture
def copied(tmp_path):
    """A copy of the package, to take rooms from or add them to."""
    shutil.copytree(SOURCE / "dere", tmp_path / "dere", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_names_come_by_rank():
    assert names() == ALL


@pytest.mark.parametrize("name", ALL)
def test_a_declaration_tells_label_sizes_network_and_paper(name):
    room = declaration(name)
    assert room.label.lower() == name
    assert room.module == f"dere.backbones.{name}.network"
    network = room.network_class()
    assert network.__name__ == room.label[0].upper() + room.label[1:] and issubclass(network, Backbone)
    assert room.section().width == (48 if name == "lags" else 64) and room.section.__doc__.startswith(room.label)
    assert room.references and all(re.search(r"\b(19|20)\d\d\b", reference) for reference in room.references)


def test_reading_the_configuration_loads_no_network():
    program = """
import sys
from dere.run_config.root import normalise
assert normalise({})["networks"]
import dere.backbones, dere.run_config.render
assert [dere.backbones.declaration(name).label for name in dere.backbones.names()]
print(*[name for name in sys.modules if name == "torch" or name.endswith(".network")])
"""
    assert run(SOURCE, program) == "dere.config.network"


def test_a_declaration_is_read_without_the_others():
    program = """
import sys
from dere.backbones import declaration
declaration("timexer")
print(*sorted(name for name in sys.modules if name.startswith("dere.backbones.")))
"""
    assert run(SOURCE, program) == "dere.backbones.declaration dere.backbones.timexer"


@pytest.mark.parametrize("name", ALL)
def test_a_package_without_one_backbone_still_has_the_others(copied, name):
    shutil.rmtree(copied / "dere" / "backbones" / name)
    other = next(backbone for backbone in ALL if backbone != name)
    program = f"""
from dere.backbones import declaration, make_backbone, names, Sizes
from dere.run_config.root import normalise
assert "{name}" not in names()
config = normalise({{"backbones": ["{other}"]}})
assert list(config["networks"]) == ["{other}"]
for name in names():
    section = declaration(name).section
    small = dict(width=8, heads=2, feedforward=8).items()
    size = section(**{{key: value for key, value in small if key in section.model_fields}})
    make_backbone(name, Sizes(3, 2, 4, 1, 24), size)
try:
    normalise({{"backbones": ["{name}"]}})
except ValueError as error:
    print(error)
"""
    rest = ", ".join(backbone for backbone in ALL if backbone != name)
    assert run(copied, program) == f"backbones: {name} is not a known backbone; choose from {rest}"


def test_the_default_configuration_file_needs_no_backbone_that_it_does_not_use(copied):
    for name in ALL[1:]:
        shutil.rmtree(copied / "dere" / "backbones" / name)
    shutil.copy(SOURCE.parent / "config.yaml", copied)
    program = f"""
import yaml
from pathlib import Path
from dere.run_config.render import render
from dere.run_config.root import normalise
text = Path("{copied}/config.yaml").read_text()
print(list(normalise(yaml.safe_load(text))["networks"]), text == render())
"""
    assert run(copied, program) == "['lags'] True"


ALONE = '''"""A backbone in one file."""

from torch import nn

from dere.backbones.declaration import BackboneRoom
from dere.config.network import BackboneConfig


class PlainConfig(BackboneConfig):
    """Plain: one linear layer."""

    bias: bool = True
    """Whether it has a bias."""


class Plain(nn.Linear):
    def __init__(self, sizes, config, branches=1):
        super().__init__(sizes.drivers, config.width, config.bias)


BACKBONE = BackboneRoom("Plain", PlainConfig, "dere.backbones.plain:Plain", rank=1)
'''


def test_a_file_that_declares_itself_is_a_backbone(copied):
    (copied / "dere" / "backbones" / "plain.py").write_text(ALONE)
    program = """
from dere.backbones import declaration, make_backbone, names, Sizes
from dere.run_config.root import normalise
config = normalise({"backbones": ["plain"], "networks": {"plain": {"bias": False, "width": 8}}})["networks"]["plain"]
network = make_backbone("plain", Sizes(3, 2, 4, 1, 24), declaration("plain").section(**config))
print(names()[0], network)
"""
    assert run(copied, program) == "plain Plain(in_features=3, out_features=8, bias=False)"


def test_an_unknown_backbone_is_named():
    known = ", ".join(sorted(ALL))
    for call in (declaration, lambda name: make_backbone(name, SIZES, declaration("informer").section(**SMALL))):
        with pytest.raises(ValueError, match=f"backbone 'gru' is unknown; choose one of {known}"):
            call("gru")
