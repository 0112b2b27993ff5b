"""A run: its members and all sections, and what no section can check alone."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dere import backbones, exchange, plugins
from dere.config.base import Section
from dere.config.download import DownloadsConfig
from dere.config.evaluation import EvaluationConfig
from dere.config.figures import FiguresConfig
from dere.config.harmonise import HarmoniseConfig
from dere.config.imputation import ImputationConfig
from dere.config.network import require_even_heads
from dere.config.products import ProductsConfig
from dere.config.reference_rows import REFERENCE
from dere.config.sources import SourcesConfig
from dere.config.splits import SplitsConfig, folds_told
from dere.config.world import WorldConfig
from dere.methods import Method, in_run, methods, rooms, stages_of
from dere.run_config.parts import require_parts
from dere.run_config.stage_checks import require_stages
from dere.run_config.tower_checks import require_towers

CHANGED_FIRST = (
    *("run", "methods", "backbones", "members", "folds", "seeds"),
    *("world", "sources", "harmonise", "stages", "products"),
)
"""What overlays change: who runs, on which data, how it trains and what is given away; first in ``config.yaml``."""


def all_methods() -> tuple[str, ...]:
    """Methods of a run that names none, simple ones first; those of plug-ins, and some others, join by name only."""
    brought, (of_methods, _) = plugins.modules(), rooms()
    return tuple(name for name, one in methods().items() if of_methods[name] not in brought and not one.by_name)


def first_backbone() -> tuple[str, ...]:
    """Name of the first backbone of the package by rank."""
    brought = plugins.modules()
    return tuple(name for name in backbones.names() if backbones.module_of(name) not in brought)[:1]


class RunConfig(Section):
    """A run; `dere.run_config.compose` adds the sections of backbones and methods."""

    run: str = Field("demo", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    """Name of the run; everything it makes lies in results/<run>."""
    methods: tuple[str, ...] = Field(default_factory=all_methods, min_length=1)
    """Methods to train, predict and judge."""
    backbones: tuple[str, ...] = Field(default_factory=first_backbone, min_length=1)
    """Sequence networks that drive every network method; their sizes stand under networks."""
    members: int = Field(8, ge=1, le=64)
    """Networks or trees per stage on towers, each without some of the towers; their mean predicts (1 = just one)."""
    folds: tuple[int, ...] = Field((0,), min_length=1)
    """Folds to test; 0 alone is one split, all of them a full cross-validation."""
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field((0,), min_length=1)
    """Seeds of initial weights, draws and samples; each seed is trained from the first stage on."""
    world: WorldConfig | None = WorldConfig()
    """The built-in world; null = no built-in world, then every source needs a path or a provider of its own."""
    sources: SourcesConfig = SourcesConfig()
    """Simulation, plant types and stand ages, towers."""
    harmonise: HarmoniseConfig = HarmoniseConfig()
    """How the sources become the canonical set."""
    stages: Section = Section()
    """Training of the stages of DERE and of the network baselines."""
    products: ProductsConfig = ProductsConfig()
    """The public files."""
    allow_invented: bool = False
    """Let files of your own mix with sources of the built-in world, which report, products and summary then name."""
    exchanges: tuple[str, ...] = Field(("co2",), min_length=1)
    """What is predicted; files of co2 lie directly in results/<run>, those of others in a folder of their name."""
    plugins: tuple[str, ...] = ()
    """Files, folders or modules with methods and backbones of your own; paths begin at the working directory."""
    splits: SplitsConfig = SplitsConfig()
    """Who trains, validates and tests."""
    all_towers: bool = False
    """Fit the product's method once more on all towers, in a further fold that tests none: sites that are not the run's
    are predicted by it (dere predict)."""
    networks: Section = Section()
    """Size of each backbone of the run; any other may be given here too, and counts once backbones names it."""
    imputation: ImputationConfig = ImputationConfig()
    """Probabilistic labels for the months without a measurement."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """How predictions are judged."""
    figures: FiguresConfig = FiguresConfig()
    """The figures of the report."""
    downloads: DownloadsConfig = DownloadsConfig()
    """Published files for make download SOURCE=<name>; no other rule reads this."""
    rerun_on_versions: Literal["warn", "major", "any"] = "warn"
    """When jobs that ran with other versions of Python or packages are made again; warn = never, it is only said."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Check what no section can see alone."""
        sections = type(self.networks).model_fields
        for name in self.backbones:
            if name not in sections:
                known = ", ".join(sections)
                raise ValueError(f"backbones: {name} is not a known backbone; choose from {known}")
        for key in ("exchanges", "plugins", "backbones", "methods", "folds", "seeds"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: {list(values)} holds a value twice; list each once")
        for fold in self.folds:
            if not 0 <= fold < self.splits.all_folds:
                raise ValueError(f"folds: {fold} is not a fold; {folds_told(self.splits)}")
            if fold > 0 and self.splits.single:
                raise ValueError(
                    f"folds: {fold} is in the run, but with splits.protocol {self.splits.protocol}"
                    f"{' and splits.left_out' if self.splits.left_out else ''} only fold 0 tests what the protocol "
                    "says; choose folds: [0]"
                )
        if self.all_towers and (rule := self.splits.keeps_towers_apart):
            raise ValueError(
                f"all_towers: it is true, but {rule} keeps towers from every model; choose all_towers: false, or "
                "towers in clusters, all of whose labels may be used"
            )
        if self.splits.protocol != "clusters" and len(self.exchanges) > 1:
            raise ValueError(
                f"splits.protocol: it is {self.splits.protocol}, which places the towers of {exchange.DEFAULT} alone, "
                f"but exchanges are {', '.join(self.exchanges)}; choose protocol clusters, or that exchange alone"
            )
        require_towers(self)
        self._members_known()
        self._networks_fit()
        require_stages(self, stages_of(self.methods))
        self._windows_fit()
        self._light_seen()
        if self.world is None:
            self._sources_complete()
        self._arrays_agree()
        return self

    def _members_known(self) -> None:
        """Methods and exchanges are declared somewhere, and what is shown and given away is among the run's."""
        known = methods()
        for name in self.methods:
            if name not in known:
                raise ValueError(f"methods: {name} is no method; choose from {', '.join(known)}")
            if name.startswith(REFERENCE):
                raise ValueError(
                    f"methods: {name} begins with {REFERENCE}, by which tables mark what is no method; rename it"
                )
        known = known | self._over_methods()
        exchanges = exchange.names()
        for name in self.exchanges:
            if name not in exchanges:
                raise ValueError(f"exchanges: {name} is no exchange; choose from {', '.join(exchanges)}")
            if not any(known[method].serves(name) for method in self.methods):
                raise ValueError(
                    f"exchanges: no method of the run predicts {name} ({', '.join(self.methods)}); add one that does, "
                    f"for example {next((m for m in known if known[m].serves(name)), 'one of your own')}"
                )
        if exchange.DEFAULT not in self.exchanges:
            raise ValueError(
                f"exchanges: {exchange.DEFAULT} is missing from {', '.join(self.exchanges)}; add it, its towers and "
                "splits are those that a further exchange starts from"
            )
        chosen = {"products.method": self.products.method, "figures.method": self.figures.method}
        for key, method in chosen.items():
            if method is not None and method not in self.methods:
                raise ValueError(
                    f"{key}: {method} is not among the run's methods ({', '.join(self.methods)}); add it to methods, "
                    "choose one of them, or null for the last of them"
                )
        drawn = {"figures.reference": (self.figures.reference,), "figures.compared": self.figures.compared or ()}
        for key, shown in drawn.items():
            for method in shown:
                if method is not None and method not in known:
                    raise ValueError(f"{key}: {method} is no method; choose from {', '.join(known)}")

    def _over_methods(self) -> dict[str, Method]:
        """Return the methods over methods as the run has them; their parts are looked at."""
        sections = {name: getattr(self, name).model_dump() for name in self.methods if methods()[name].parts}
        for name, section in sections.items():
            require_parts(name, section["methods"], self.methods)
        return {name: in_run(name, sections) for name in sections}

    def _reads(self, what: str) -> bool:
        """Tell whether a stage of the run reads a canonical file."""
        return any(what in stage.reads for stage in stages_of(self.methods))

    def _networks_fit(self) -> None:
        """Networks of the run are looked at, and no others."""
        known = methods()
        if any(known[name].per_backbone for name in self.methods):
            for name in self.backbones:
                getattr(self.networks, name).check(f"networks.{name}")
        if self._reads("labels"):
            require_even_heads("imputation", "channels", self.imputation.channels, self.imputation.heads)

    def _windows_fit(self) -> None:
        """A window that networks learn from the simulation with must fit into its months, as far as those are known."""
        simulation, window = self.sources.simulation, self.harmonise.window
        if not self._reads("simulation"):
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

    def _light_seen(self) -> None:
        """Light can only be brought to what satellites show where the run has satellites."""
        simulation = self.sources.simulation
        if simulation.provider != "builtin" or simulation.leaf_area != "satellite":
            return
        needed = {
            "harmonise.satellites": self.harmonise.satellites,
            "sources.towers.use_satellites": self.sources.towers.use_satellites,
        }
        off = [key for key, given in needed.items() if not given]
        if off:
            raise ValueError(
                f"sources.simulation.leaf_area: it is satellite, but {off[0]} is false, so that the run has no "
                f"satellite channels; set {off[0]}: true, or choose leaf_area: prognostic"
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
