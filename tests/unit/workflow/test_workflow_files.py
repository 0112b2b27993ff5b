"""What every rule must hold, and what none may: as Snakemake reads them, also those that are made in loops."""

import ast
import inspect
import re
from pathlib import Path

import pytest
import yaml

from dere.backbones import declaration, names
from dere.methods import rooms
from dere.workflow import targets
from joined import joined_methods as methods
from joined import joined_stages as stages
from loaded_workflow import code_of, inputs, loaded, parameters, paths_of, resource, with_script

ROOT = Path(__file__).parents[3]
PROFILES = ("default", "slurm")
RULES, CONFIG = with_script("tiny"), loaded("tiny")[1]
TEXTS = {path.name: path.read_text() for path in sorted((ROOT / "workflow" / "rules").glob("*.smk"))}
SCRIPT_OF = {"train_": "train", "predict_": "predict", "map_": "predict_cells"}
"""Script of the rules that declarations make; that of any other has its name."""
COMBINED = {
    f"{start}{name}": script
    for name, method in methods().items()
    if method.parts
    for start, script in (("predict_", "combine"), ("map_", "combine_cells"))
}
"""Script of the rules of methods over methods."""
OF_IMPUTATION = set(targets.IMPUTATION_JOBS)
each_rule = pytest.mark.parametrize("name", RULES)


def definitions():
    """Yield the text of every rule that runs something, those in loops too."""
    for text in TEXTS.values():
        for part in re.split(r"^ *rule\b[^\n]*:\n", text, flags=re.M)[1:]:
            if "script:" in part:
                yield part


def backbones_of(name):
    """Return the backbones that a rule is run for."""
    return names() if "backbone" in RULES[name].wildcard_names and trains_networks(name) else [targets.NO_BACKBONE]


def trains_networks(name):
    kind, _, member = name.partition("_")
    known = stages() if kind == "train" else methods()
    return member in known and known[member].per_backbone


def test_every_definition_states_all_directives():
    found = list(definitions())
    assert len(found) > 20
    for text in found:
        for directive in ("output", "log", "conda", "threads", "resources", "params", "script"):
            assert re.search(rf"^ +{directive}:", text, re.M), f"a rule lacks {directive}:\n{text}"


@each_rule
def test_rule_is_complete(name):
    rule = RULES[name]
    assert rule.log and rule.output and not (rule.shellcmd or rule.notebook or rule.wrapper or rule.is_run)
    assert (ROOT / "workflow" / "rules" / str(rule.conda_env)).resolve().parent == ROOT / "envs"
    assert {"mem_mb", "runtime"} <= set(rule.resources.keys())
    own = next((script for start, script in SCRIPT_OF.items() if name.startswith(start)), name)
    own = name if name in OF_IMPUTATION else COMBINED.get(name, own)
    assert Path(str(rule.script)).stem == own
    for backbone in backbones_of(name):
        assert f"{own}.py" in code_of(rule, backbone)


def test_what_runs_nothing_makes_nothing():
    rest = {name: rule for name, rule in loaded("tiny")[0].items() if name not in RULES}
    assert {"all", "download_carbonglobe"} <= set(rest)
    assert not [name for name, rule in rest.items() if rule.output or rule.shellcmd or rule.notebook or rule.wrapper]


def test_every_stage_and_method_of_the_run_has_its_rule():
    trained = {name for name in RULES if name.startswith("train_")} - OF_IMPUTATION
    predicted = {name for name in RULES if name.startswith("predict_")}
    assert trained == {f"train_{stage}" for stage in stages()}
    assert predicted == {f"predict_{method}" for method in methods()}
    assert {name for name in RULES if name.startswith("map_")} == {f"map_{CONFIG['products']['method']}"}


def test_gpu_rules_are_exactly_those_of_networks():
    on_devices = {f"train_{name}" for name, stage in stages().items() if stage.gpu}
    networks = [name for name, method in methods().items() if method.per_backbone and not method.parts]
    on_devices |= {f"{kind}_{name}" for name in networks for kind in ("predict", "map")}
    expected = on_devices & set(RULES) | OF_IMPUTATION
    assert {name for name, rule in RULES.items() if resource(rule, "gpu")} == expected
    assert {f"train_{name}" for name, stage in stages().items() if stage.per_backbone} <= expected
    assert all(resource(RULES[name], "_cores") == 1 for name in expected)
    assert all(str(RULES[name].conda_env).endswith("envs/train.yaml") for name in expected)


def is_measured(rule):
    return "measured" in rule.output.keys()  # noqa: SIM118


def test_trainings_and_predictions_are_measured():
    assert {name for name, rule in RULES.items() if is_measured(rule)} == {
        name for name in RULES if name.startswith(tuple(SCRIPT_OF))
    } | OF_IMPUTATION


def section_of(stage):
    tree = CONFIG
    for key in stage.path:
        tree = tree[key]
    return {key: value for key, value in tree.items() if key != stage.threads}


@pytest.mark.parametrize("name", stages())
def test_training_gets_its_own_sub_tree_and_no_other(name):
    stage = stages()[name]
    for backbone in backbones_of(f"train_{name}"):
        given = parameters(RULES[f"train_{name}"], backbone)
        keys = ["satellites", "channels", "window"]
        keys += ["window_stride" if "simulation" in stage.reads else "minimum_training_quality"]
        expected = {"backbone_name": backbone, "harmonise": {key: CONFIG["harmonise"][key] for key in keys}}
        expected |= {"stage": section_of(stage)} if stage.section else {}
        expected |= {"backbone": CONFIG["networks"][backbone]} if stage.per_backbone else {}
        expected |= {"members": CONFIG["members"]} if stage.members else {}
        assert given["config"] == expected
        assert (given["name"], given["room"], given["exchange"]) == (name, rooms()[1][name], "co2")
        parents = {f"parent_{parent}" for parent in stage.parents}
        assert inputs(RULES[f"train_{name}"], backbone) == {"splits", *stage.reads, *parents}


@pytest.mark.parametrize("kind", ["train", "predict"])
def test_the_code_of_a_room_is_that_room_and_its_network(kind):
    """What other rooms and networks do is no part of it, so that they rerun nothing of it."""
    of_methods, of_stages = rooms()
    known, room_of = (stages(), of_stages) if kind == "train" else (methods(), of_methods)
    for name, member in known.items():
        for backbone in backbones_of(f"{kind}_{name}"):
            code = code_of(RULES[f"{kind}_{name}"], backbone)
            own = {room_of[name], member.module}
            runs_network = member.per_backbone and f"{kind}_{name}" not in COMBINED
            own |= {f"dere.backbones.{backbone}", declaration(backbone).module} if runs_network else set()
            assert own <= code
            others = {f"dere.backbones.{other}" for other in names()} | {*of_methods.values(), *of_stages.values()}
            assert not [found for found in code & others if found not in own]


def test_params_never_see_more_than_wildcards():
    """Snakemake tracks functions of wildcards only, and compares named scalars as a set: one sub-tree is safe.

    What must not be compared is called ``limits``.
    """
    for name, rule in RULES.items():
        limits = rule.params.get("limits")
        assert limits is None or list(inspect.signature(limits).parameters) == ["wildcards", "threads"]
        for value in [value for value in rule.params if value is not limits]:
            assert not callable(value) or list(inspect.signature(value).parameters) == ["wildcards"], name


def test_a_cluster_is_given_predictions_with_the_training_before_them():
    """Only of jobs whose memory is a number: of files that a group has yet to make there is no size."""
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "profile.yaml").read_text())
    group_of = dict(text.split("=") for text in profile["groups"])
    assert len(group_of) == len(profile["groups"])
    assert all(isinstance(resource(RULES[name], "mem_mb"), int) for name in group_of)
    for name, method in methods().items():
        last = method.predicts_from[-1:]
        assert group_of.get(f"predict_{name}") == (group_of[f"train_{last[0]}"] if last else None)
    trained = [name for name in group_of if name.startswith("train_")]
    assert len({group_of[name] for name in trained}) == len(trained)


def test_every_script_belongs_to_a_rule():
    """Those of a further exchange, its files, maps of methods over methods and neighbours too, not in the runs here."""
    named = set(re.findall(r"scripts/(\w+)\.py", "".join(TEXTS.values())))
    assert {path.stem for path in (ROOT / "workflow" / "scripts").glob("*.py")} == named
    assert {Path(str(rule.script)).stem for rule in RULES.values()} | {
        "harmonise_exchange",
        "ingest_methane",
        "combine_cells",
        "neighbours",
    } == named


@pytest.mark.parametrize("path", sorted((ROOT / "workflow" / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_script_is_a_thin_adapter(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 40
    measures = {"measured=" in part for part in definitions() if f"scripts/{path.name}" in part}
    inside = ", measured(snakemake.output.measured):" if measures == {True} else ":"
    assert "snakemake.config" not in text and f"with running(snakemake){inside}\n" in text
    assert not re.search(r"^\s*(for|while|def|class) ", text, re.M)


def test_snakefile_reads_like_a_table_of_contents():
    assert len((ROOT / "Snakefile").read_text().splitlines()) < 60


def pins(path):
    return dict(re.findall(r"^\s*(?:- )?([A-Za-z0-9._-]+)==([^\s#]+)", path.read_text(), re.M))


LOCK = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins(ROOT / "requirements.lock").items()}


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_environments_have_the_versions_of_the_lock(path):
    content = yaml.safe_load(path.read_text())
    packages = next(entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict))
    for package in packages:
        name, _, version = package.partition("==")
        assert LOCK[re.sub(r"[-_.]+", "-", name).lower()] == version, package


def test_lock_pins_every_package_exactly():
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and line[0] not in "#-"]
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    assert not set(pins(ROOT / "requirements-dev.lock")) & set(pins(ROOT / "requirements.lock"))


def test_environment_of_a_rule_holds_what_its_code_imports():
    """Third-party packages that the code of a rule imports stand in its environment."""
    aliases = {"yaml": "pyyaml", "sklearn": "scikit-learn", "netCDF4": "netcdf4"}
    known = {"numpy", "scipy", "pandas", "xarray", "torch", "safetensors", "matplotlib", "cartopy", "shapely", "jinja2"}
    known |= {"lightgbm", "scikit-learn", "pyrealm", "pandera", "pydantic", "pyyaml", "pooch", "requests", "filelock"}
    there, used = {}, {}
    for name, rule in RULES.items():
        environment = Path(str(rule.conda_env)).name
        there[environment] = {key.lower() for key in pins(ROOT / "envs" / environment)}
        for backbone in backbones_of(name):
            used.setdefault(environment, {}).update(dict.fromkeys(paths_of(rule, backbone), name))
    for environment, paths in used.items():
        for path, name in paths.items():
            for node in ast.walk(ast.parse(path.read_text())):
                modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    modules = [node.module]
                for module in modules:
                    package = aliases.get(module.split(".")[0], module.split(".")[0].lower())
                    assert package not in known - there[environment], f"{name} needs {package} ({path})"


def test_profiles_agree_in_what_reruns():
    """A cluster reruns for the same reasons as one machine, and makes half-done files again without a question."""
    default, slurm = (yaml.safe_load((ROOT / "profiles" / name / "profile.yaml").read_text()) for name in PROFILES)
    assert default["rerun-triggers"] == slurm["rerun-triggers"]
    assert default["rerun-incomplete"] is slurm["rerun-incomplete"] is True
