"""What every rule file must hold, and what none may: read as text, so that nothing hides behind Snakemake."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PROFILES = ("default", "slurm")
GPU_RULES = {
    "train_pure",
    "train_mixture",
    "train_age",
    "train_plant_types_simulated",
    "train_plant_types_observed",
    "train_towers",
    "train_uncertain",
    "train_baseline",
    "train_kgml_simulation",
    "train_kgml_towers",
    "train_imputation",
    "impute_labels",
    "predict_network",
    "predict_cells",
}


def blocks():
    """Return the text of every rule by its name."""
    found = {}
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for part in re.split(r"^rule ", path.read_text(), flags=re.M)[1:]:
            name, _, body = part.partition(":")
            found[name] = body
    return found


RULES = blocks()
each_rule = pytest.mark.parametrize("name", RULES)


@each_rule
def test_rule_is_complete(name):
    for directive in ("input", "output", "log", "conda", "threads", "resources", "script"):
        assert re.search(rf"^    {directive}:", RULES[name], re.M), f"rule {name} lacks {directive}"
    for resource in ("mem_mb=", "runtime="):
        assert resource in RULES[name], f"rule {name} lacks {resource}"
    named = "network_code" if "{backbone}" in RULES[name] and name.startswith(("train", "predict")) else "code"
    assert re.search(rf'code={named}\("{name}"(, \*declarations\(.*\))?\),\n', RULES[name])
    assert f"scripts/{name}.py" in RULES[name]


@each_rule
def test_rule_has_no_logic_of_its_own(name):
    assert not re.search(r"^    (run|shell|wrapper|notebook):", RULES[name], re.M)


def test_gpu_rules_are_exactly_the_expected_ones():
    assert {name for name, body in RULES.items() if re.search(r"^\s+gpu=1,", body, re.M)} == GPU_RULES
    assert all("threads: 1" in RULES[name] and "benchmark:" in RULES[name] for name in GPU_RULES)


@pytest.mark.parametrize("name", sorted(name for name in GPU_RULES if name != "train_imputation" and "train" in name))
def test_training_gets_its_own_sub_tree_and_no_other(name):
    stage = name.removeprefix("train_")
    params = re.search(r"    params:\n((?:        .*\n)+)", RULES[name])[1]
    kind = "TOWERS" if "towers=rules.harmonise" in RULES[name] else "CELLS"
    assert params.strip() == f'config=stage_parameters("{stage}", {kind}_KEYS),'


def test_params_never_see_more_than_wildcards():
    """Snakemake tracks functions of wildcards only, and compares named scalars as a set: one sub-tree is safe."""
    for name, body in RULES.items():
        assert not re.search(r"lambda wildcards, |lambda wc, ", body), name


def test_scripts_and_rules_are_the_same_set():
    assert {path.stem for path in (ROOT / "workflow" / "scripts").glob("*.py")} == set(RULES)


@pytest.mark.parametrize("path", sorted((ROOT / "workflow" / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_script_is_a_thin_adapter(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 40
    assert "snakemake.config" not in text and "with logged(snakemake.log[0])" in text
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


def test_environment_of_a_rule_holds_what_its_script_imports():
    """Third-party packages that the code of a rule imports stand in its environment."""
    import ast

    from dere.workflow.closure import code_files

    aliases = {"yaml": "pyyaml", "sklearn": "scikit-learn", "netCDF4": "netcdf4"}
    known = {"numpy", "scipy", "pandas", "xarray", "torch", "safetensors", "matplotlib", "cartopy", "shapely"}
    known |= {"lightgbm", "scikit-learn", "pyrealm", "pandera", "pydantic", "pyyaml", "pooch", "requests", "filelock"}
    for name, body in RULES.items():
        environment = re.search(r"envs/(\w+)\.yaml", body)[1]
        there = {key.lower() for key in pins(ROOT / "envs" / f"{environment}.yaml")}
        script = ROOT / "workflow" / "scripts" / f"{name}.py"
        for path in code_files(script, ROOT / "src"):
            if path.endswith(".py"):
                nodes = ast.walk(ast.parse(Path(path).read_text()))
                for node in nodes:
                    modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                        modules = [node.module]
                    for module in modules:
                        package = aliases.get(module.split(".")[0], module.split(".")[0].lower())
                        assert package not in known - there, (
                            f"{name} needs {package} ({path}) in envs/{environment}.yaml"
                        )


def test_profiles_agree_in_what_reruns():
    """A cluster reruns for the same reasons as one machine, and makes half-done files again without a question."""
    default, slurm = (yaml.safe_load((ROOT / "profiles" / name / "profile.yaml").read_text()) for name in PROFILES)
    assert default["rerun-triggers"] == slurm["rerun-triggers"]
    assert default["rerun-incomplete"] is slurm["rerun-incomplete"] is True
