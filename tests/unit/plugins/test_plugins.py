"""Methods and networks that lie outside the package."""

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import dere
from dere import backbones, plugins
from dere.cli import main
from dere.methods import methods, rooms, stages
from dere.methods.base import Method, resolved
from dere.run_config.compose import composed
from dere.run_config.describe import described
from dere.run_config.root import default_of, normalise
from dere.workflow.digest import covered, digest
from dere.workflow.rule_job import RuleJob
from dere.workflow.train import stage_of
from shown_code import blocks
from tiny_run import write_run

ROOT = Path(__file__).parents[3]
RIDGE, GRU = (blocks()[f"src/dere/{name}.py"] for name in ("methods/ridge", "backbones/gru"))
FOLDER = {
    "__init__.py": RIDGE.replace('"dere.methods.ridge:', '"dere.methods.ridge.work:'),
    "work.py": "from dere.methods.ridge import fit, predict\n",
}


def called(module):
    """The ridge whose functions lie in another module."""
    return RIDGE.replace('"dere.methods.ridge:', f'"{module}:')


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes files below the working directory; what is loaded from there is taken back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = {"methods": list(methods()), "backbones": backbones.names()}

    def written(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    yield written
    for text in list(plugins._LOADED):
        plugins.unload(text)
    assert before == {"methods": list(methods()), "backbones": backbones.names()}


@pytest.mark.parametrize(
    ("text", "files", "module"),
    [
        ("mine/ridge.py", {"mine/ridge.py": RIDGE}, "dere.methods.ridge"),
        ("mine/ridge", {f"mine/ridge/{name}": text for name, text in FOLDER.items()}, "dere.methods.ridge"),
        ("outer.ridge", {"outer/__init__.py": "", "outer/ridge.py": called("outer.ridge")}, "outer.ridge"),
        ("ridge_alone", {"ridge_alone.py": called("ridge_alone")}, "ridge_alone"),
    ],
)
def test_a_file_folder_or_module_is_a_member_of_the_room(write, text, files, module):
    write(files)
    tree = normalise({"plugins": [text], "methods": ["climatology", "ridge"], "stages": {"ridge": {"penalty": 0.5}}})
    assert tree["plugins"] == [text] and tree["stages"]["ridge"] == {"penalty": 0.5}
    assert normalise(tree) == tree
    assert rooms()[0]["ridge"] == rooms()[1]["ridge"] == module and "ridge" in stages()
    assert resolved(methods()["ridge"].predict).__module__ == module
    assert dere.Config().stages.ridge.penalty == 0.01 and dere.Config is composed()


def test_a_network_is_a_backbone(write):
    write({"gru.py": GRU})
    tree = normalise(
        {"plugins": ["gru.py"], "methods": ["baseline"], "backbones": ["gru"], "networks": {"gru": {"width": 8}}}
    )
    assert list(tree["networks"]) == ["gru"] and tree["networks"]["gru"]["width"] == 8
    assert backbones.module_of("gru") == "dere.backbones.gru" and backbones.declaration("gru").label == "GRU"


def test_what_a_run_does_not_use_is_not_in_its_configuration(write):
    eager = RIDGE.replace("rank=25", "rank=1, compared=True"), GRU.replace("rank=15", "rank=1")
    write(dict(zip(("ridge.py", "gru.py"), eager, strict=True)))
    default, explained = normalise({}), described(normalise({}), composed(), default_of(normalise({})))
    members = {"methods": ["climatology", "baseline"], "backbones": ["transformer"]}
    plain = normalise(members)
    assert plain == normalise({**members, "plugins": ["ridge.py", "gru.py"]})
    assert default == normalise({"plugins": ["ridge.py", "gru.py"]})
    # the page of the configuration tells the same defaults
    assert explained == described(default, composed(), default_of(default))
    both = normalise({"plugins": ["ridge.py", "gru.py"], "methods": ["ridge", "baseline"], "backbones": ["gru"]})
    assert both["plugins"] == ["ridge.py", "gru.py"]
    # a job gets what it needs
    assert plugins.used(both["plugins"], ["dere.methods.ridge"]) == ["ridge.py"]
    assert plugins.used(both["plugins"], ["dere.methods.baseline", "dere.backbones.gru"]) == ["gru.py"]


BUILT_IN = (ROOT / "src/dere/methods/climatology/__init__.py").read_text()


@pytest.mark.parametrize(
    ("text", "files", "sentence"),
    [
        ("mine/rigde.py", {}, r"mine/rigde\.py is not there \(/.*\), but a Python file, .* correct the path"),
        ("mine", {"mine/ridge.py": RIDGE}, r"mine declares neither of METHODS and BACKBONE"),
        ("./mine", {"mine/ridge.py": RIDGE}, r"\./mine is not there \(.*__init__\.py\)"),
        ("no_such.module", {}, "Python finds no module no_such.module, but a module that it can import"),
        ("json", {}, r"json declares neither of METHODS and BACKBONE, .*docs/extending\.md"),
        ("empty.py", {"empty.py": "X = 1\n"}, r"empty\.py declares neither of METHODS and BACKBONE"),
        ("two.py", {"two.py": "METHODS = ()\nBACKBONE = None\n"}, r"two\.py declares both .* divide it into two files"),
        ("my-ridge.py", {"my-ridge.py": RIDGE}, r"my-ridge\.py is called my-ridge, but letters"),
        ("broken.py", {"broken.py": "import nowhere\nMETHODS = ()\n"}, r"cannot be loaded \(ModuleNotFoundError"),
        ("outer", {"outer.py": "import nowhere\nMETHODS = ()\n"}, r"outer cannot be loaded \(ModuleNotFoundError"),
        ("wrong.py", {"wrong.py": "METHODS = (\n"}, r"wrong\.py cannot be loaded \(SyntaxError"),
        ("baseline.py", {"baseline.py": RIDGE}, r"would be loaded as dere\.methods\.baseline, but"),
        ("dere.methods.trees", {}, r"dere\.methods\.trees comes with the package .* leave it out"),
        ("outer.timexer", {"outer/__init__.py": "", "outer/timexer.py": GRU}, "has the name of a member .*timexer"),
        ("other.py", {"other.py": BUILT_IN}, "method 'climatology' is declared in dere.methods.climatology and in "
         "dere.methods.other; rename one"),
        ("ridge.py", {"ridge.py": RIDGE.replace('stages=("ridge",)', 'stages=("rigde",)')}, "needs the stage 'rigde'"),
        ("words.py", {"words.py": '"""Words.\n\nMETHODS: none.\n"""\n'}, r"words\.py declares neither of METHODS"),
        ("a.py", {"a.py": "METHODS = [1]\n"}, r"a\.py: METHODS is \[1\], but a tuple of Method is expected"),
        ("a.py", {"a.py": "BACKBONE = 'gru'\n"}, r"a\.py: BACKBONE is 'gru', but a BackboneRoom is expected"),
        ("ridge.py", {"ridge.py": RIDGE.replace('name="ridge",\n        about', 'name="a-b",\n        about')},
         r"ridge\.py: 'a-b' is the name of a stage, but letters, digits and _ are expected"),
        ("exits.py", {"exits.py": "METHODS = ()\nraise SystemExit(1)\n"}, r"exits\.py cannot be loaded \(SystemExit"),
        ("mine/half", {"mine/half/__init__.py": "from dere.methods.half import work\nMETHODS = work.X\n",
         "mine/half/work.py": "Y = 1\n"}, r"mine/half cannot be loaded \(AttributeError"),
        ("ridge.py", {"ridge.py": RIDGE.replace("ridge:predict", "ridge:predicts")},
         r"dere\.methods\.ridge names dere\.methods\.ridge:predicts, but module:function"),
        ("gru.py", {"gru.py": GRU.replace("gru:Gru", "moved:Gru")}, r"names dere\.backbones\.moved:Gru, but module"),
        ("a.py", {"a.py": called("dere.methods.base")}, r"names dere\.methods\.base:predict, but module:function"),
    ],
)  # fmt: skip
def test_a_plug_in_that_cannot_be_is_one_sentence_and_leaves_nothing(write, text, files, sentence):
    write(files)
    before = set(sys.modules)
    with pytest.raises(ValueError, match=f"^plugins: .*{sentence}") as raised:
        normalise({"plugins": [text], "methods": ["climatology"]})
    assert "\n" not in str(raised.value)
    new = {name.rpartition(".")[2] for name in set(sys.modules) - before}
    assert not new & {"half", "work", *(Path(name).stem for name in files)} - {"__init__", "other"}
    assert normalise({"methods": ["climatology"]})["methods"] == ["climatology"]


def test_a_process_holds_one_file_of_a_path(write, tmp_path):
    write({"ridge.py": RIDGE, "elsewhere/ridge.py": RIDGE})
    for _ in range(2):
        normalise({"plugins": ["ridge.py"]})
    with pytest.raises(
        ValueError, match=r"^plugins: ridge\.py is .*elsewhere/ridge\.py here, but this process has loaded"
    ):
        normalise({"plugins": ["ridge.py"]}, folder=tmp_path / "elsewhere")


def test_commands_know_the_plug_ins_of_a_configuration_below_its_checkout_too(write, monkeypatch):
    write({"ridge.py": RIDGE, "gru.py": GRU, "Snakefile": "", "config.yaml": "plugins: [ridge.py, gru.py]\n"})
    write({"workflow/rules/a.smk": "", "below/mine.yaml": "methods: [ridge]\n"})
    monkeypatch.chdir("below")

    def said(*words):
        found = CliRunner().invoke(main, [*words, "mine.yaml"])
        assert found.exit_code == 0, found.output
        return found.output

    assert "penalty: 0.01" in said("config", "show")
    assert said("config", "explain", "stages.ridge.penalty").startswith("stages.ridge.penalty: Penalty on the squared")
    assert "\nridge " in said("methods") and "\ngru " in said("backbones")


@pytest.mark.parametrize("changed", ["mine/ridge.py", "outer/ridge.py"])
def test_an_edited_plug_in_is_not_taken_for_the_loaded_one(write, changed):
    write({"mine/ridge.py": RIDGE, "outer/__init__.py": "", "outer/ridge.py": called("outer.ridge")})
    text = changed if changed.startswith("mine") else "outer.ridge"
    normalise({"plugins": [text]})
    write({changed: RIDGE + "# another\n"})
    with pytest.raises(ValueError, match=rf"^plugins: {text} has changed since it was loaded, .* restart the kernel"):
        normalise({"plugins": [text]})


@pytest.mark.parametrize("given", ["ridge.py", [1], {"a": 1}, ["a.py", "a.py"]])
def test_a_list_of_texts_is_expected(write, given):
    write({"a.py": called("dere.methods.a")})
    with pytest.raises(ValueError, match=r"^plugins.*(is refused|holds a value twice)"):
        normalise({"plugins": given})


def test_a_job_loads_its_plug_in_and_no_other_room(write):
    write({"ridge.py": RIDGE})
    program = """
import sys
from pathlib import Path
from dere.workflow.rule_job import RuleJob
from dere.workflow.train import stage_of
job = RuleJob({}, {}, Path(), {}, 0, 0, "ridge", "dere.methods.ridge", plugins=("ridge.py",))
assert stage_of(job).name == "ridge"
print(*[name for name in sys.modules if name.startswith("dere.methods.")])
"""
    shown = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(shown.stdout.split()) == {"dere.methods.base", "dere.methods.ridge"}
    job = RuleJob({}, {}, Path(), {}, 0, 0, "ridge", "dere.methods.ridge", plugins=("ridge.py",))
    assert stage_of(job) is stages()["ridge"]


def code(*modules):
    script = ROOT / "workflow" / "scripts" / "train.py"
    files = covered(script, ROOT / "src", modules, plugins.files())
    return digest(files, ROOT / "src"), set(files)


def test_the_code_of_a_rule_holds_the_plug_in_that_it_uses(write):
    builtin = ("dere.methods.baseline", "dere.methods.baseline.network")
    other = code(*builtin)
    variants = {
        "plain": {},
        "commented": {"work.py": "# why\n" + FOLDER["work.py"], "data.csv": "1"},
        "changed": {"work.py": FOLDER["work.py"] + "X = 1\n"},
        "declared": {"__init__.py": FOLDER["__init__.py"] + "X = 1\n"},
    }
    digests = {}
    for variant, changes in variants.items():
        write({f"{variant}/ridge/{name}": text for name, text in {**FOLDER, **changes}.items()})
        plugins.load([f"{variant}/ridge"])
        digests[variant], files = code("dere.methods.ridge", "dere.methods.ridge.work")
        assert {"dere.methods.ridge", "dere.methods.ridge.work", "dere.training.read_places"} <= files
        assert not [name for name in files if "data.csv" in name]
        assert code(*builtin) == other
        plugins.unload(f"{variant}/ridge")
    assert digests["plain"] == digests["commented"] and len(set(digests.values())) == 3


def test_an_opened_run_finds_plug_ins_where_the_run_was_made(write, canonical, tmp_path, monkeypatch):
    write({"mine/ridge.py": RIDGE})
    folder = write_run(tmp_path, canonical, plugins=["mine/ridge.py"], methods=["ridge", "climatology"])
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    run = dere.open_run(folder)
    model = dere.fit("ridge", run, penalty=1e-6)
    judged = dere.evaluate(dere.predict(model, run), run)
    # the invented fluxes are the light times a factor of the site
    assert (judged.skill.query("scale == 'monthly' and statistic == 'median' and grouping == 'all'")["r2"] > 0.99).all()


def fit(job):
    """Fit by the ridge that is loaded."""
    return resolved("dere.methods.ridge:fit")(job)


def method_called(name, label="", **fields):
    return Method(name, label, "#000000", 99, "dere.methods.ridge:predict", per_backbone=False, **fields)


def test_a_method_and_a_network_can_be_registered(write, invented):
    write({"ridge.py": RIDGE, "outer_gru.py": GRU.replace("dere.backbones.gru:", "outer_gru:")})
    plugins.load(["ridge.py"])
    stage = replace(stages()["ridge"], name="other", fit=f"{__name__}:fit")
    for label in ("first", "second"):
        dere.register_method(method_called("other", label, stages=("other",), predicts_from=("other",)), [stage])
    for wrong in (method_called("other", stages=("rigde",)), replace(method_called("other"), predict="nowhere:fit")):
        with pytest.raises(ValueError, match=r"needs the stage 'rigde'|names nowhere:fit"):
            dere.register_method(wrong)
    with pytest.raises(ValueError, match=r"METHODS is .*, but a tuple of Method is expected"):
        dere.register_method(stage)
    assert methods()["other"].label == "second" and "ridge" in methods()
    run = dere.open_run(invented)
    model = dere.fit("other", run, penalty=0.1)
    assert model.stages["other"].facts["params"]["stage"] == {"penalty": 0.1}
    dere.register_backbone("gru", import_module("outer_gru").BACKBONE)
    assert np.isfinite(dere.predict(dere.fit("baseline", run, backbone="gru"), run)["prediction"]).all()
    with pytest.raises(ValueError, match=r"method 'gbm' is declared in dere\.methods\.trees and in dere\.methods\.gbm"):
        dere.register_method(method_called("gbm"))
    with pytest.raises(ValueError, match=r"timexer would be loaded as dere\.backbones\.timexer, but there is a module"):
        dere.register_backbone("timexer", backbones.declaration("transformer"))
    assert "dere.methods.gbm" not in sys.modules and methods()["gbm"].label
