"""The whole configuration: every section composed, unknown keys rejected, values normalised once."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from dere.config.backbones import NetworksConfig
from dere.config.base import Section
from dere.config.download import DownloadsConfig
from dere.config.evaluation import EvaluationConfig, TreesConfig
from dere.config.figures import FiguresConfig
from dere.config.harmonise import HarmoniseConfig
from dere.config.imputation import ImputationConfig
from dere.config.products import ProductsConfig
from dere.config.sources import SourcesConfig
from dere.config.splits import SplitsConfig
from dere.config.training import StagesConfig
from dere.config.world import WorldConfig

Method = Literal["climatology", "simulation", "gbm", "gbm_sim", "baseline", "kgml", "dere_towers", "dere"]
SIMULATION_METHODS = {"kgml", "dere_towers", "dere"}
"""Methods whose networks learn from the simulation."""
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Config(Section):
    """A run."""

    run: str = Field("demo", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the run; everything it makes lies in results/<run>."""
    backbones: tuple[str, ...] = Field(("transformer",), min_length=1)
    """Sequence networks that drive every network method; each needs its size under networks."""
    methods: tuple[Method, ...] = Field(
        ("climatology", "simulation", "gbm", "gbm_sim", "baseline", "kgml", "dere_towers", "dere"), min_length=1
    )
    """Methods to train, predict and judge."""
    folds: tuple[int, ...] = Field((0,), min_length=1)
    """Folds to test; 0 alone is one split, all of them a full cross-validation."""
    seeds: tuple[int, ...] = Field((0,), min_length=1)
    """Seeds of initial weights, draws and samples; each seed is trained from the first stage on."""
    world: WorldConfig | None = WorldConfig()
    """The built-in world; null = no built-in world, then every source needs a path or a provider of its own."""
    sources: SourcesConfig = SourcesConfig()
    """Simulation, plant types and stand ages, towers."""
    harmonise: HarmoniseConfig = HarmoniseConfig()
    """How the sources become the canonical set."""
    splits: SplitsConfig = SplitsConfig()
    """Who trains, validates and tests."""
    networks: NetworksConfig = NetworksConfig()
    """Size of each backbone."""
    stages: StagesConfig = StagesConfig()
    """Training of the stages of DERE and of the network baselines."""
    imputation: ImputationConfig = ImputationConfig()
    """Probabilistic labels for the months without a measurement."""
    trees: TreesConfig = TreesConfig()
    """The tree models gbm and gbm_sim."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """How predictions are judged."""
    products: ProductsConfig = ProductsConfig()
    """The public files."""
    figures: FiguresConfig = FiguresConfig()
    """The figures of the report."""
    downloads: DownloadsConfig = DownloadsConfig()
    """Published files for make download SOURCE=<name>; no other rule reads this."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Check what no section can see alone."""
        for name in self.backbones:
            if name not in NetworksConfig.model_fields:
                known = ", ".join(NetworksConfig.model_fields)
                raise ValueError(f"backbones: {name} is not a known backbone; choose from {known}")
        for key in ("backbones", "methods", "folds", "seeds"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: {list(values)} holds a value twice; list each once")
        for fold in self.folds:
            if not 0 <= fold < self.splits.folds:
                raise ValueError(
                    f"folds: {fold} is not a fold; splits.folds is {self.splits.folds}, so choose from "
                    f"0 to {self.splits.folds - 1}"
                )
        for key, method in {"products.method": self.products.method, "figures.method": self.figures.method}.items():
            if method not in self.methods:
                raise ValueError(
                    f"{key}: {method} is not among the run's methods ({', '.join(self.methods)}); add it to methods or "
                    "choose one of them"
                )
        drawn = {"figures.reference": (self.figures.reference,), "figures.compared": self.figures.compared}
        for key, names in drawn.items():
            for method in names:
                if method not in get_args(Method):
                    raise ValueError(f"{key}: {method} is no method; choose from {', '.join(get_args(Method))}")
        self._heads_divide()
        self._windows_fit()
        if self.world is None:
            self._sources_complete()
        self._arrays_agree()
        return self

    def _heads_divide(self) -> None:
        """Attention splits the width of a network evenly among its heads; only networks of the run are looked at."""
        widths = {f"networks.{name}": ("width", getattr(self.networks, name)) for name in self.backbones}
        simpletm = self.networks.simpletm
        if simpletm.layout == "published":
            # its geometric attention has one head whatever stands there
            widths.pop("networks.simpletm", None)
        if not SIMULATION_METHODS & set(self.methods) and "baseline" not in self.methods:
            widths = {}
        if "dere" in self.methods:
            widths["imputation"] = ("channels", self.imputation)
        for key, (leaf, section) in widths.items():
            width, heads = getattr(section, leaf), section.heads
            if width % heads:
                raise ValueError(
                    f"{key}.{leaf}: it is {width}, which {key}.heads = {heads} does not divide; choose a multiple of "
                    "heads, or other heads"
                )

    def _windows_fit(self) -> None:
        """A window that networks learn from the simulation with must fit into its months, as far as those are known."""
        simulation, window = self.sources.simulation, self.harmonise.window
        if not SIMULATION_METHODS & set(self.methods):
            return
        if simulation.provider == "builtin" and simulation.member_months < window:
            raise ValueError(
                f"sources.simulation.member_months: it is {simulation.member_months}, but harmonise.window is {window} "
                "months and must fit; raise it, or shorten the window"
            )
        own = simulation.provider == "files" and simulation.format == "carbonglobe" and not simulation.path
        if own and self.world is not None and self.world.years * 12 < window:
            raise ValueError(
                f"harmonise.window: it is {window} months, but the built-in world has {self.world.years * 12} "
                f"(world.years: {self.world.years}); shorten the window, or give the world more years"
            )

    def _arrays_agree(self) -> None:
        """Parts of the DERE arrays belong to one simulation, and without coordinates only their own split is left."""
        simulation = self.sources.simulation
        arrays = simulation.provider == "files" and simulation.format == "dere"
        providers = {"cover": self.sources.cover.provider, "towers": self.sources.towers.provider}
        for key, provider in providers.items():
            if provider == "dere" and not arrays:
                raise ValueError(
                    f"sources.{key}.provider: it is dere, but sources.simulation is not (provider: files, format: "
                    "dere); read the simulation from the same arrays or choose another provider"
                )
        if not arrays:
            return
        if self.harmonise.driver_set != "carbonglobe136":
            raise ValueError(
                f"harmonise.driver_set: it is {self.harmonise.driver_set}, but the dere arrays hold the 136 channels; "
                "choose carbonglobe136"
            )
        published = self.splits.cell_rule == "published_every_fourth" and self.splits.site_rule == "published"
        own = self.sources.cover.provider == "dere" and self.sources.towers.provider == "dere"
        if not simulation.coordinates and not (published and own):
            raise ValueError(
                "sources.simulation.coordinates: it is empty, and the dere arrays hold no coordinates, so that "
                "neighbours, maps and other sources cannot be placed; give a table of coordinates, or choose "
                "splits.cell_rule: published_every_fourth, splits.site_rule: published and provider: dere for cover "
                "and towers"
            )

    def _sources_complete(self) -> None:
        """Without the built-in world every source must say where it comes from."""
        sources = self.sources
        missing = [
            key
            for key, absent in {
                "sources.towers.paths": sources.towers.provider == "files" and not sources.towers.paths,
                "sources.simulation.path": sources.simulation.provider == "files" and not sources.simulation.path,
                "sources.cover.path": sources.cover.provider == "files" and not sources.cover.path,
            }.items()
            if absent
        ]
        if missing:
            raise ValueError(
                f"{missing[0]}: it is empty although world is null; give a folder, choose another provider, or "
                "leave the built-in world on"
            )


KINDS = {bool: "true or false", int: "a number", float: "a number", type(None): "null"}
"""What YAML makes of a key without quotes; NO, for example, is false."""


def expand(tree: Any, environment: Mapping[str, str], path: str = "") -> Any:
    """Replace ``${NAME}`` in every text of a configuration tree by the environment variable of that name.

    Raises
    ------
    ValueError
        When a variable is not set, or a key is no text.
    """
    if isinstance(tree, Mapping):
        for key in tree:
            if not isinstance(key, str):
                where = f"{path}.{key}".lstrip(".")
                raise ValueError(
                    f"{where}: the key {key!r} is read as {KINDS.get(type(key), 'no text')}, but keys are text; "
                    f'correct it, or put it in quotes ("{key}")'
                )
        return {key: expand(value, environment, f"{path}.{key}".lstrip(".")) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [expand(value, environment, path) for value in tree]
    if not isinstance(tree, str):
        return tree
    for name in VARIABLE.findall(tree):
        if not environment.get(name):
            raise ValueError(
                f"{path}: it needs the environment variable {name}, which is not set; set it to the folder it "
                f"stands for, for example {name}=/path/to/folder"
            )
    return VARIABLE.sub(lambda match: environment[match[1]], tree)


def keys_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Names of the fields of the section at ``path`` below ``model``."""
    for part in path:
        if not isinstance(part, str) or part not in model.model_fields:
            return []
        found = section_of(model.model_fields[part].annotation)
        if found is None:
            return []
        model = found
    return list(model.model_fields)


def section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the section behind a field's annotation (``X`` or ``X | None``), or None for a leaf."""
    candidates = (annotation, *getattr(annotation, "__args__", ()))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)


def sentence(error: ValidationError) -> str:
    """Say in one sentence per problem which key is wrong, what it holds and what is expected."""
    lines = []
    locations = [tuple(problem["loc"]) for problem in error.errors()]
    for problem, location in zip(error.errors(), locations, strict=True):
        # A wrong item of a list is reported again for the list.
        if any(other[:-1] == location != other for other in locations if location):
            continue
        path = ".".join(str(part) for part in location)
        if problem["type"] == "extra_forbidden":
            known = keys_at(Config, location[:-1])
            close = difflib.get_close_matches(str(location[-1]), known, n=1)
            remedy = f"did you mean {close[0]}?" if close else f"known keys there are {', '.join(known)}"
            lines.append(f"{path} is not a known configuration key; {remedy}")
        elif problem["type"] == "value_error" and not path:
            lines.append(str(problem["ctx"]["error"]))
        else:
            lines.append(f"{path}: {problem['input']!r} is refused; {problem['msg'][0].lower()}{problem['msg'][1:]}")
    return "\n".join(lines)


def normalise(raw: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Validate a raw configuration and return it complete, with plain values in a fixed order.

    Equal settings give equal trees however they were written (key order, ``5`` or ``5.0``, ``1e-1`` or ``0.1``),
    so that Snakemake sees a changed parameter only when a value changed.

    Parameters
    ----------
    raw
        Tree as read from YAML.
    environment
        Variables for ``${NAME}`` in texts; the process environment by default.

    Raises
    ------
    ValueError
        One sentence per unknown key, wrong value or unset variable.
    """
    tree = expand(raw, os.environ if environment is None else environment)
    try:
        config = Config(**tree)
    except ValidationError as error:
        raise ValueError(sentence(error)) from None
    return config.model_dump(mode="json")
